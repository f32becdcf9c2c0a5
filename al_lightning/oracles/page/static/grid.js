// Many images that the model takes for one class: click what is wrong, accept the rest.

import { at, element, percent } from "./dom.js";
import { Pictures } from "./pictures.js";

const MOST = 60; // images of one screen

export class GridView {
  constructor(about, server, onLabeled) {
    this.about = about;
    this.server = server;
    this.onLabeled = onLabeled;
    this.items = [];
    this.wrong = new Set();
    this.rejected = new Set(); // of which the guess was wrong: they are labeled one by one
    this.label = null;
    this.state = { guessed: [] };
    this.pictures = new Pictures(server, () => { if (this.items.length) this.hint(); }, "small");
    at("gridaccept").onclick = () => this.accept();
  }

  async open() {
    this.label ??= this.largest();
    await this.load();
  }

  largest() {
    const counts = this.state.guessed ?? [];
    const most = Math.max(0, ...counts);
    return most ? counts.indexOf(most) : null;
  }

  async load() {
    const label = this.label;
    if (label !== this.loaded) this.wrong.clear();
    this.loaded = label;
    this.items = []; // of another class: they must not be accepted as this one
    at("gridaccept").disabled = true;
    const images = label === null ? [] : await this.server.take(MOST + this.rejected.size, label);
    if (label !== this.label) return; // yet another class was chosen meanwhile
    this.items = images.filter((item) => !this.rejected.has(item.id)).slice(0, MOST);
    const here = new Set(this.items.map((item) => item.id));
    this.wrong = new Set([...this.wrong].filter((id) => here.has(id)));
    this.show();
  }

  chips() {
    const counts = this.state.guessed ?? [];
    at("chips").replaceChildren(...counts.flatMap((count, label) => count ? [element(
      "button",
      { type: "button", class: "chip", "aria-pressed": String(label === this.label), onclick: () => { this.label = label; this.load(); } },
      `${this.about.classes[label]} ${count}`,
    )] : []));
  }

  show() {
    this.chips();
    const name = this.about.classes[this.label];
    at("gridaccept").hidden = this.items.length === 0;
    at("tiles").replaceChildren(...this.items.map((item) => element("li", {}, element(
      "button",
      { type: "button", class: "tile", "aria-pressed": String(this.wrong.has(item.id)), "data-id": String(item.id),
        "aria-label": `Image ${item.id}, ${percent(item.confidence)} sure: wrong`, onclick: (event) => this.toggle(item, event.currentTarget) },
      this.picture(item.id),
      element("span", { "aria-hidden": "true" }, percent(item.confidence)),
    ))));
    this.hint();
    if (!this.items.length) {
      at("gridhint").textContent = this.state.guessed?.some(Boolean)
        ? "These are done, or with somebody else. Choose another class, or label what was wrong one by one."
        : "No guesses yet: the model has to learn from the first labels.";
    } else if (!at("grid").hidden) at("tiles").querySelector("button").focus({ preventScroll: true });
    document.body.dataset.grid = this.items.length ? name : "";
  }

  picture(id) {
    const picture = this.pictures.get(id);
    picture.alt = ""; // the button says it
    return picture;
  }

  // Nobody has seen what is being loaded, or is lost: it is not accepted.
  hint() {
    const name = this.about.classes[this.label], rest = this.right().length;
    const lost = this.lost(), loading = this.items.filter(({ id }) => !this.pictures.isVisible(id)).length - lost.length;
    for (const { id } of lost) at("tiles").querySelector(`[data-id="${id}"]`)?.classList.add("lost");
    at("gridhint").textContent = [
      `${this.items.length} images that the model takes for ${name}, the surest first. Mark what is wrong.`,
      ...(loading ? [`${loading} still loading.`] : []),
      ...(lost.length ? [`${lost.length} cannot be shown: label one by one.`] : []),
    ].join(" ");
    at("gridaccept").firstChild.data = `Accept ${rest} as ${name} `;
    at("gridaccept").disabled = loading > 0;
  }

  lost() { return this.items.filter(({ id }) => this.pictures.isLost(id)); }

  right() {
    return this.items.filter(({ id }) => !this.wrong.has(id) && this.pictures.isVisible(id));
  }

  toggle(item, tile) {
    if (!this.wrong.delete(item.id)) this.wrong.add(item.id);
    tile.setAttribute("aria-pressed", String(this.wrong.has(item.id)));
    this.hint();
  }

  async accept() {
    if (!this.items.length || this.busy || at("gridaccept").disabled) return;
    this.busy = true;
    const name = this.about.classes[this.label];
    const right = this.right(), lost = this.lost();
    const saved = right.length ? await this.server.submit(right.map((item) => ({ id: item.id, before: null, after: name }))) : new Set();
    if (saved.size === right.length) { // else the marks stay, and what somebody else has is named
      for (const id of [...this.wrong, ...lost.map((item) => item.id)]) this.rejected.add(id);
      const counts = [...(this.state.guessed ?? [])];
      counts[this.label] = 0;
      const most = Math.max(0, ...counts);
      this.label = most ? counts.indexOf(most) : this.label;
    }
    this.onLabeled(right.filter((item) => saved.has(item.id)), name);
    document.body.dataset.saved = Number(document.body.dataset.saved ?? 0) + saved.size;
    this.busy = false;
    await this.load();
  }

  key(event) {
    if (event.key === "Enter") { this.accept(); return true; }
    const tiles = [...at("tiles").querySelectorAll("button")];
    const now = tiles.indexOf(document.activeElement);
    const wide = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide }[event.key];
    if (step === undefined || !tiles.length) return false;
    tiles[Math.min(Math.max(now + step, 0), tiles.length - 1)].focus();
    return true;
  }

  update(state) {
    this.state = state;
    if (at("grid").hidden) return;
    this.chips();
    if (!this.items.length && state.guessed.some(Boolean) && !this.busy) {
      if (!state.guessed[this.label ?? 0]) this.label = this.largest();
      const open = state.guessed[this.label];
      if (open !== this.tried || state.question !== this.asked) {
        [this.tried, this.asked] = [open, state.question];
        this.load();
      }
    }
  }
}
