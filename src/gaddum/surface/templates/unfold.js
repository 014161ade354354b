
const folded = [];
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details:not([open])")) { one.open = true; folded.push(one); }
});
addEventListener("afterprint", () => { while (folded.length) folded.pop().open = false; });
