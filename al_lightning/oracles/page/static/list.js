// All labels so far, the newest first; each can be changed, and taken back until a model has used it.

import { at, element, percent } from "./dom.js";

const STEP = 40;

export class ListView {
  constructor(about, server) {
    this.about = about;
    this.server = server;
    this.shown = STEP;
    at("more").onclick = () => { this.shown += STEP; this.open(); };
  }

  async openReview() {
    const found = await this.server.read("/suspects");
    if (found === null) return;
    at("suspects").replaceChildren(...found.map((item) => this.suspect(item)));
    if (!found.length) at("suspects").append(element("li", { class: "empty" }, "No label contradicts what the model took its image for."));
  }

  async open() {
    const found = await this.server.read(`/history?count=${this.shown}`);
    if (found === null) return;
    at("more").hidden = found.total <= this.shown;
    at("history").replaceChildren(...found.labels.map((item) => this.row(item)));
    if (!found.total) at("history").append(element("li", { class: "empty" }, "No labels yet."));
  }

  row(item) {
    const names = this.about.classes;
    const select = element("select", { "aria-label": `Class of image ${item.id}`, "data-id": String(item.id), onchange: () => this.change(item, select.value) });
    if (!item.fixed || item.value === "") select.append(element("option", { value: "" }, "(skipped)"));
    for (const name of names) select.append(element("option", { value: name }, name));
    select.value = item.value;
    const undo = element("button", { type: "button", "data-undo": String(item.id), disabled: item.fixed, onclick: () => this.change(item, null) }, "Undo");
    if (item.fixed) undo.title = "The model has used this label: choose another class instead";
    const when = item.at && new Date(1000 * item.at).toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
    return element(
      "li", {},
      element("img", { src: this.server.picture(item.id, "small"), alt: `Image ${item.id}`, loading: "lazy" }),
      element("div", {}, select, element("p", {}, [`Image ${item.id}`, item.by, when].filter(Boolean).join(" · "))),
      undo,
    );
  }

  // A label that the model contradicts, beside images of both classes.
  suspect(item) {
    const names = this.about.classes, guess = names[item.guess];
    const beside = item.neighbours.filter(([, ids]) => ids.length).map(([label, ids]) => element(
      "figure", { class: "beside" },
      element("figcaption", {}, `labeled ${names[label]}`),
      ...ids.map((id) => element("img", { src: this.server.picture(id, "small"), alt: `Image ${id}, labeled ${names[label]}`, loading: "lazy" })),
    ));
    const select = element("select", { "aria-label": `Class of image ${item.id}`, "data-id": String(item.id), onchange: () => this.change(item, select.value) });
    for (const name of names) select.append(element("option", { value: name }, name));
    select.value = item.value;
    const agree = element("button", { type: "button", onclick: () => this.change(item, guess) }, `Change to ${guess}`);
    const right = element("button", { type: "button", onclick: () => this.confirm(item) }, `${names.includes(item.value) ? item.value : "The label"} is right`);
    return element(
      "li", { class: "suspect" },
      element("img", { src: this.server.picture(item.id, "small"), alt: `Image ${item.id}`, loading: "lazy" }),
      element("div", {}, select, element("p", {}, `Image ${item.id} · the model took it for ${guess}, ${percent(item.confidence)} sure`), agree, " ", right),
      ...beside,
    );
  }

  async change(item, after) {
    const saved = await this.server.submit([{ id: item.id, before: item.value, after }]);
    if (saved.has(item.id)) this.onChange?.(item.id, after);
    await (at("review").hidden ? this.open() : this.openReview());
  }

  async confirm(item) {
    await this.server.confirm(item.id, item.value);
    await this.openReview();
  }

  key() { return false; }

  update() {}
}
