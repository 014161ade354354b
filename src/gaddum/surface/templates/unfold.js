
const every = [...document.querySelectorAll("details")], all = document.getElementById("open-all");
const folded = [];
if (all) all.addEventListener("change", () => { for (const one of every) one.open = all.checked; });
const reveal = () => {
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const around = found && found.closest("details");
  if (around && !around.open) { around.open = true; found.scrollIntoView(); }
};
addEventListener("hashchange", reveal);
reveal();
addEventListener("beforeprint", () => {
  for (const one of every) if (!one.open) { one.open = true; folded.push(one); }
});
addEventListener("afterprint", () => { while (folded.length) folded.pop().open = false; });
