// The column beside the images: labels, budget, what the model does, its accuracy.

import { at, element, percent } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [280, 130, 38, 22, 8, 8];

function shape(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function curve(points) {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const last = points.at(-1);
  svg.append(shape("title", {}, `Accuracy over labels: ${percent(last.accuracy)} with ${last.labels} labels, 95% interval ${percent(last.low)} to ${percent(last.high)}`));
  const most = Math.max(1, last.labels), least = points.length > 1 ? points[0].labels : 0;
  const low = Math.floor(10 * Math.min(...points.map((p) => p.low))) / 10;
  const x = (labels) => LEFT + (WIDTH - LEFT - RIGHT) * (labels - least) / Math.max(1, most - least);
  const y = (share) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - share) / Math.max(0.1, 1 - low);
  for (const share of [low, (low + 1) / 2, 1]) {
    svg.append(shape("line", { class: "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(share), y2: y(share) }));
    svg.append(shape("text", { x: LEFT - 5, y: y(share) + 4, "text-anchor": "end" }, percent(share)));
  }
  for (const [labels, anchor] of [[least, "start"], [most, "end"]]) svg.append(shape("text", { x: x(labels), y: HEIGHT - 5, "text-anchor": anchor }, `${labels} labels`));
  const path = (key, ps) => ps.map((p) => `${x(p.labels)},${y(p[key])}`).join(" ");
  svg.append(shape("polygon", { class: "band", points: `${path("low", points)} ${path("high", [...points].reverse())}` }));
  svg.append(shape("polyline", { class: "line", points: path("accuracy", points) }));
  svg.append(shape("circle", { class: "dot", cx: x(last.labels), cy: y(last.accuracy), r: 3 }));
  return svg;
}

export class Status {
  constructor(about) {
    this.about = about;
    this.drawn = "";
  }

  update(state) {
    at("count").textContent = state.labels.toLocaleString();
    const limit = state.limit ?? 0;
    at("limit").textContent = limit ? `of ${limit.toLocaleString()}, ${state.left} asked for now` : "";
    at("budget").max = Math.max(1, limit);
    at("budget").value = state.labels;
    const people = Object.entries(state.people).filter(([name]) => name).map(([name, count]) => `${name} ${count}`);
    const pace = [`${state.per_minute} a minute`, state.skipped ? `${state.skipped} skipped` : "", ...people];
    at("pace").textContent = pace.filter(Boolean).join(" · ");
    const step = state.step ? `: ${state.step}` : "";
    const text = `${state.doing}${step}`;
    if (at("doing").textContent !== text) at("doing").textContent = text;
    at("progress").hidden = !state.total;
    at("progress").max = Math.max(1, state.total);
    at("progress").value = state.done;
    at("advice").hidden = !state.advice;
    at("advice").textContent = state.advice;
    this.curve(state.curve);
    this.classes(state.by_class);
  }

  curve(points) {
    const drawn = JSON.stringify(points);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    if (!points.length) return;
    const last = points.at(-1);
    at("curve").replaceChildren(
      element("p", {}, element("strong", {}, percent(last.accuracy)), ` accuracy, 95% interval ${percent(last.low)} to ${percent(last.high)}`),
      curve(points),
    );
  }

  classes(counts) {
    const most = Math.max(1, ...counts);
    const rows = counts.map((count, label) => {
      const bar = element("meter", { max: String(most), value: String(count), "aria-hidden": "true" });
      return element("tr", {}, element("th", { scope: "row" }, this.about.classes[label] ?? ""), element("td", {}, bar), element("td", { class: "number" }, String(count)));
    });
    document.querySelector("#byclass tbody").replaceChildren(...rows);
  }
}
