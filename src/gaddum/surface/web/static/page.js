// @ts-check
/** Every page: copy, print, drafts, the state of jobs, and what happens while an answer is made or the server is gone. */

const gone = /** @type {HTMLElement} */ (document.getElementById("gone"));

/** Say whether the server answers.
 * @param {boolean} there */
export const answers = (there) => { gone.hidden = there; };

/** Ask the server; null where it is gone.
 * @param {string} address @param {RequestInit} [how] @returns {Promise<Response | null>} */
export async function ask(address, how) {
  try {
    const found = await fetch(address, { cache: "no-store", ...how });
    answers(true);
    return found;
  } catch {
    answers(false);
    return null;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy], [data-print]") : null;
  if (button instanceof HTMLElement) (button.dataset.copy ? copy(button, button.dataset.copy) : onPaper());
});

/** @param {HTMLElement} button @param {string} name */
async function copy(button, name) {
  const from = document.getElementById(name);
  if (from === null) return;
  try {
    await navigator.clipboard.writeText(from.textContent ?? "");
    button.textContent = "Copied";
  } catch {
    getSelection()?.selectAllChildren(from);
    button.textContent = "Selected";
  }
}

/** Print; paper gets the figure of the report, which is drawn when it is wanted. */
async function onPaper() {
  const figure = document.getElementById("figure");
  if (figure instanceof HTMLImageElement) {
    figure.src = `${location.pathname}.svg${location.search}`;
    await figure.decode().then(() => { figure.hidden = false; }, () => {});
  }
  print();
  if (figure) figure.hidden = true;
}

// A form is sent only to a server that is there, so that nothing typed is lost to an error page.
for (const form of document.forms) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = document.getElementById("answer");
    if (await ask("/static/page.js", { method: "HEAD" })) {
      const working = document.createElement("p");
      working.className = "working";
      working.setAttribute("role", "status");
      working.textContent = "Working on it \u2026";
      answer?.classList.add("loading");
      answer?.prepend(working);
      form.submit();
    }
  });
}
addEventListener("pageshow", () => {  // back from another page
  document.querySelector(".working")?.remove();
  document.querySelector(".loading")?.classList.remove("loading");
});

for (const one of document.querySelectorAll("[data-draft]")) {
  if (!(one instanceof HTMLTextAreaElement)) continue;
  const name = `gaddum-draft-${one.dataset.draft}`;
  one.value ||= localStorage.getItem(name) ?? "";
  one.addEventListener("input", () => localStorage.setItem(name, one.value));
}

const jobs = document.querySelector("[data-jobs]");
if (jobs instanceof HTMLElement && jobs.dataset.jobs !== "0") {
  const look = async () => {
    const found = await ask("/jobs");
    if (found?.ok) {
      const page = new DOMParser().parseFromString(await found.text(), "text/html");
      const now = page.querySelector("[data-jobs]");
      const busy = jobs.contains(document.activeElement);
      if (now instanceof HTMLElement && !busy) {
        jobs.replaceChildren(...now.childNodes);
        if (now.dataset.jobs === "0") return;
      }
    }
    setTimeout(look, 2000);
  };
  setTimeout(look, 2000);
}
