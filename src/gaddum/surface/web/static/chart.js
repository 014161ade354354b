// @ts-check
/** The chart: one panel a target, bands as paths; what is drawn is what the server counted, axes included. */

/** @typedef {{time_h: number[], median: number[], lower: number[], upper: number[]}} Curve */
/** @typedef {{label: string, curves: Record<string, Curve>, doses: {drug: string, time_h: number}[],
 *   tests: {time_h: number}[]}} Part */
/** @typedef {{axis: {unit: string, per_hour: number, domain: [number, number], marks: number[]}, labels: string[],
 *   parts: Part[]}} Bands */

const PLACE = "http://www.w3.org/2000/svg", HEIGHT = 176, LEFT = 40, RIGHT = 12, TOP = 34, BOTTOM = 36, LEAST = 300;
const COLOURS = 4;

/** @param {string} kind @param {Record<string, string | number>} said @param {string} [text] */
function part(kind, said, text) {
  const one = document.createElementNS(PLACE, kind);
  for (const [name, value] of Object.entries(said)) one.setAttribute(name, String(value));
  if (text !== undefined) one.textContent = text;
  return one;
}

/** Hours that a pixel of a panel stands for.
 * @param {Bands} bands @param {number} width */
export const hoursPerPixel = (bands, width) => {
  const [from, to] = bands.axis.domain;
  return (to - from) / bands.axis.per_hour / (width - LEFT - RIGHT);
};

/** Width of a panel in a box.
 * @param {HTMLElement} box */
export const panelWidth = (box) => {
  const room = Math.floor(box.getBoundingClientRect().width), columns = room >= 2 * LEAST + 20 ? 2 : 1;
  return Math.max(Math.floor((room - 16 * (columns - 1)) / columns) - 1, 200);
};

/** Draw all panels.
 * @param {HTMLElement} box @param {Bands} bands @param {boolean} draggable */
export function draw(box, bands, draggable) {
  const targets = [...new Set(bands.parts.flatMap((one) => Object.keys(one.curves)))];
  const width = panelWidth(box);
  const panels = targets.map((name) => panel(name, bands, width, draggable));
  box.replaceChildren(...panels, ...(bands.parts.length > 1 ? [legend(bands)] : []));
}

/** @param {string} name @param {Bands} bands @param {number} width @param {boolean} draggable */
function panel(name, bands, width, draggable) {
  const { domain: [from, to], per_hour: scale, marks, unit } = bands.axis;
  const x = (/** @type {number} */ hours) => LEFT + ((hours * scale - from) / (to - from)) * (width - LEFT - RIGHT);
  const y = (/** @type {number} */ share) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);
  const svg = part("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img",
    "aria-label": `${name}: occupancy over time; the table holds the numbers` });
  svg.append(part("text", { x: 0, y: 12, class: "name" }, name));
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(part("line", { x1: LEFT, x2: width - RIGHT, y1: y(share), y2: y(share), class: share ? "grid" : "base" }));
    svg.append(part("text", { x: LEFT - 5, y: y(share) + 4, "text-anchor": "end" }, `${100 * share} %`));
  }
  for (const mark of marks) {
    svg.append(part("line", { x1: x(mark / scale), x2: x(mark / scale), y1: y(0), y2: y(0) + 4, class: "base" }));
    svg.append(part("text", { x: x(mark / scale), y: y(0) + 15, "text-anchor": "middle" }, `${mark}`.replace("-", "\u2212")));
  }
  svg.append(part("text", { x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 5, "text-anchor": "middle" },
    `time from the test drug (${unit})`));
  bands.parts.forEach((one, place) => {
    const curve = one.curves[name];
    if (!curve) return;
    const at = curve.time_h.map(x), line = (/** @type {number[]} */ values) => values.map((v, i) => `${at[i].toFixed(1)},${y(v).toFixed(1)}`);
    const around = [...line(curve.upper), ...line(curve.lower).reverse()].join("L"), colour = place % COLOURS;
    svg.append(part("path", { d: `M${around}Z`, class: `band f${colour}${place ? " further" : ""}` }));
    svg.append(part("path", { d: `M${line(curve.median).join("L")}`, class: `line s${colour}${place ? " reference" : ""}` }));
  });
  for (const test of bands.parts[0].tests) {
    svg.append(part("line", { x1: x(test.time_h), x2: x(test.time_h), y1: TOP, y2: y(0), class: "test" }));
  }
  bands.parts[0].doses.forEach((dose, place) => {
    const middle = x(dose.time_h), top = TOP - 13;
    if (middle < LEFT - 1 || middle > width - RIGHT + 1) return;
    const mark = part("path", { d: `M${middle - 7},${top}h14l-7,11z`, class: `dose f0${draggable ? " draggable" : ""}`, "data-dose": place });
    mark.append(part("title", {}, dose.drug));
    svg.append(mark);
  });
  return svg;
}

/** @param {Bands} bands */
function legend(bands) {
  const list = document.createElement("ul");
  list.className = "legend";
  bands.labels.forEach((label, place) => {
    const one = document.createElement("li"), key = part("svg", { width: 30, height: 8, "aria-hidden": "true" });
    key.append(part("line", { x1: 0, x2: 30, y1: 4, y2: 4, class: `line s${place % COLOURS}${place ? " reference" : ""}` }));
    one.append(key, label);
    list.append(one);
  });
  return list;
}
