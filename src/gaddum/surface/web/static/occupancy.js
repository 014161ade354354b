// @ts-check
/** Occupancy under the mouse: sliders, numbers and triangles rewrite the protocol; the chart follows, the latest wins. */

import { draw, hoursPerPixel, panelWidth } from "./chart.js";
import { answers, ask } from "./page.js";

/** @typedef {import("./chart.js").Bands} Bands */
const box = /** @type {HTMLElement} */ (document.getElementById("chart"));
const form = /** @type {HTMLFormElement} */ (document.getElementById("ask"));
const protocol = /** @type {HTMLTextAreaElement} */ (form.querySelector("[name=protocols]"));
const handles = /** @type {HTMLFieldSetElement | null} */ (document.getElementById("handles"));
const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".handle")]);
const STEPS = 12;  // of an hour, to which a dragged time is rounded

/** @type {Bands | null} */
let bands = null;
let composed = protocol.defaultValue, asked = 0, shown = 0, busy = false;
/** @type {"drag" | "rest" | null} */
let waiting = null;

/** @param {HTMLElement} row @param {string} what @returns {HTMLInputElement[]} */
const inputs = (row, what) => /** @type {HTMLInputElement[]} */ ([...row.querySelectorAll(`input.${what}`)]);
const plain = (/** @type {string} */ text) => Number(Number(text).toPrecision(6));

function compose() {
  const said = rows.map((row) => {
    const { drug, unit, middle, timeUnit, tail } = row.dataset;
    return `${drug} ${plain(inputs(row, "amount")[0].value)} ${unit}${middle} ${plain(inputs(row, "time")[0].value)} ${timeUnit}${tail}`;
  });
  protocol.value = composed = said.join(" + ");
}

/** Whether the sliders and triangles stand for all that the protocol says. */
const draggable = () => handles?.disabled === false && bands?.parts[0].doses.length === rows.length;

/** Let the sliders wait while something is typed that they do not know, which they would write over. */
function typed() {
  if (handles) handles.disabled = protocol.value !== composed;
  document.getElementById("typed")?.toggleAttribute("hidden", protocol.value === composed);
  if (bands) draw(box, bands, draggable());
}

function query() {
  const every = /** @type {[string, string][]} */ ([...new FormData(form)]);
  return new URLSearchParams(every.filter(([, value]) => value.trim() !== "")).toString();
}

/** Ask for what the fields say now; while an answer is on its way, the latest wish waits.
 * @param {"drag" | "rest"} how */
async function follow(how) {
  if (busy) {
    waiting = how;
    return;
  }
  busy = true;
  box.classList.add("asking-now");
  const n = ++asked, said = query();
  const found = await ask(`/occupancy/bands?${said}&n=${n}${how === "drag" ? "&drag=1" : ""}`);
  const told = found && (await found.json().catch(() => null));
  if (found?.ok && told && Number(told.n) > shown) {
    shown = Number(told.n);
    show(told, how);
    if (how === "rest") await settle(told.query);
  } else if (told?.error) {
    complain(told.error);
  }
  busy = false;
  box.classList.remove("asking-now");
  if (waiting) {
    const next = waiting;
    waiting = null;
    follow(next);
  }
}

/** @param {any} told @param {string} how */
function show(told, how) {
  bands = told;
  complain("");
  draw(box, told, draggable());
  const sentence = document.getElementById("sentence");
  if (sentence) {
    sentence.setAttribute("aria-live", how === "drag" ? "off" : "polite");
    sentence.textContent = told.sentence;
  }
  const cells = document.querySelectorAll("#parts table:first-of-type tbody tr");
  told.table.rows.forEach((/** @type {string[]} */ row, /** @type {number} */ at) => {
    const there = cells[at]?.children;
    if (there?.length === row.length && there[0].textContent === row[0]) row.forEach((text, i) => { there[i].textContent = text; });
  });
}

/** At rest, take the whole answer anew: table, command, downloads, figure for paper.
 * @param {string} said */
async function settle(said) {
  history.replaceState(null, "", `/occupancy?${said}`);
  const found = await ask(`/occupancy?${said}`);
  if (!found?.ok) return;
  const page = new DOMParser().parseFromString(await found.text(), "text/html");
  for (const where of ["#parts", ".repeat", ".next", "figcaption"]) {
    const now = page.querySelector(where);
    if (now) document.querySelector(where)?.replaceChildren(...now.childNodes);
  }
  document.querySelector(".example")?.remove();
}

/** @param {string} sentence */
function complain(sentence) {
  let there = document.getElementById("error-live");
  if (!there) {
    there = document.createElement("p");
    there.id = "error-live";
    there.className = "error";
    there.setAttribute("role", "alert");
    protocol.after(there);
  }
  there.textContent = sentence;
  box.classList.toggle("dim", sentence !== "");
}

for (const row of rows) {
  for (const what of ["amount", "time"]) {
    const both = inputs(row, what);
    for (const one of both) {
      one.addEventListener("input", () => {
        for (const other of both) if (other !== one) other.value = one.value;
        if (one.value === "") return;
        compose();
        follow("drag");
      });
      one.addEventListener("change", () => follow("rest"));
    }
  }
}

/** @type {{row: HTMLElement, from: number, at: number, hours: number} | null} */
let held = null;
box.addEventListener("pointerdown", (event) => {
  const mark = event.target instanceof Element ? event.target.closest("[data-dose]") : null;
  if (!mark || !bands || !draggable()) return;
  const row = rows[Number(mark.getAttribute("data-dose"))];
  held = { row, from: event.clientX, at: Number(inputs(row, "time")[0].value), hours: hoursPerPixel(bands, panelWidth(box)) };
  box.setPointerCapture(event.pointerId);
  event.preventDefault();
});
box.addEventListener("pointermove", (event) => {
  if (!held) return;
  const scale = Number(held.row.dataset.perHour);
  const hours = held.at / scale + (event.clientX - held.from) * held.hours;
  const time = plain(String((Math.round(hours * STEPS) / STEPS) * scale));
  for (const one of inputs(held.row, "time")) one.value = String(time);
  compose();
  follow("drag");
});
for (const end of ["pointerup", "pointercancel"]) {
  box.addEventListener(end, () => {
    if (held) follow("rest");
    held = null;
  });
}

document.getElementById("keep")?.addEventListener("click", () => {
  const said = new URLSearchParams(query());
  said.append("protocols", protocol.value);
  location.assign(`/occupancy?${said}`);
});
addEventListener("resize", () => { if (bands) draw(box, bands, draggable()); });
protocol.addEventListener("input", typed);
box.parentElement?.classList.add("live");
typed();  // a browser that comes back fills in what was typed
answers(true);
follow("drag").then(() => { box.dataset.ready = "1"; });
