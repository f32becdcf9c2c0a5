// One image at a time, one key a label.

import { at, element, percent } from "./dom.js";
import { Pictures } from "./pictures.js";

const AHEAD = 8; // images that are fetched before they are needed

export class OneView {
  constructor(about, server) {
    this.about = about;
    this.server = server;
    this.queue = []; // the first one is shown
    this.past = []; // what was labeled here, the last one last
    this.done = new Map(); // values by id, of what was decided in this tab
    this.pictures = new Pictures(server, (id) => { if (this.current?.id === id) this.show(); });
    this.state = {};
    this.chosen = 0; // of the classes found by typing
    at("accept").onclick = () => this.accept();
    at("skip").onclick = () => this.choose("");
    at("back").onclick = () => this.back();
    at("frame").onclick = (event) => this.zoom(event);
    at("frame").onpointermove = (event) => this.pan(event);
    at("find").oninput = () => { this.chosen = 0; at("nomatch").hidden = true; this.showClasses(); };
    this.makeClasses();
  }

  get current() { return this.queue[0]; }

  makeClasses() {
    const { classes, keys } = this.about;
    at("find").hidden = keys !== null;
    document.body.dataset.typing = keys === null ? "yes" : "no";
    at("classes").setAttribute("role", keys ? "list" : "listbox");
    this.buttons = classes.map((name, label) => {
      const button = element("button", { type: "button", class: "choice", onclick: () => this.choose(name) });
      if (keys) button.append(element("kbd", {}, keys[label]));
      button.append(element("span", { class: "name" }, name), element("span", { class: "mark" }));
      const row = element("li", keys ? {} : { role: "option", id: `class${label}` }, button);
      if (!keys) button.tabIndex = -1;
      return { name, button, row };
    });
    at("classes").replaceChildren(...this.buttons.map((one) => one.row));
  }

  async refill() {
    if (this.filling) { this.again = true; return; }
    this.filling = true;
    do {
      this.again = false;
      const settled = new Set([...this.done.keys()].filter((id) => !this.server.isUnsaved(id)));
      const images = await this.server.take(AHEAD);
      // What was open when the server had all of this tab's labels of it, somebody has taken back.
      for (const { id, value } of images) if (value === null && settled.has(id) && !this.server.isUnsaved(id)) this.forget(id);
      const waiting = new Set(this.queue.map((item) => item.id));
      const fresh = images.filter((item) => !this.done.has(item.id) && !waiting.has(item.id));
      // What somebody else has labeled in the meantime is dropped; what is shown stays.
      const mine = new Set(images.map((item) => item.id));
      this.queue = this.queue.filter((item, i) => i === 0 || item.value !== null || mine.has(item.id));
      this.queue.push(...fresh);
      for (const item of fresh) this.pictures.get(item.id);
    } while (this.again);
    this.filling = false;
    this.show();
  }

  // An image has another label now, or none, than this tab knows.
  change(id, value) {
    this.forget(id);
    if (value !== null) this.done.set(id, value);
    for (const item of this.queue) if (item.id === id) item.value = value;
  }

  forget(id) {
    this.done.delete(id);
    this.past = this.past.filter((item) => item.id !== id);
  }

  show() {
    const item = this.current;
    at("label").hidden = !item;
    at("wait").hidden = Boolean(item);
    if (!item) { this.shown = null; this.wait(); return; }
    if (this.shown !== item.id) {
      const picture = this.pictures.get(item.id);
      picture.id = "picture";
      at("picture").replaceWith(picture);
      this.setZoom(false);
      at("find").value = "";
      at("nomatch").hidden = true;
      this.chosen = 0;
      this.shown = item.id;
    }
    const lost = this.pictures.isLost(item.id);
    at("frame").classList.toggle("lost", lost);
    if (lost || this.pictures.isVisible(item.id)) document.body.dataset.image = item.id;
    else delete document.body.dataset.image;
    this.caption(item);
    this.showClasses();
    at("accept").disabled = item.value === null && item.guess === null;
    at("accept").firstChild.data = item.value === null ? "Accept the guess " : "Keep ";
    at("back").disabled = this.past.length === 0;
    if (!at("find").hidden && !document.querySelector("dialog[open]")) at("find").focus({ preventScroll: true });
  }

  caption(item) {
    if (this.pictures.isLost(item.id)) {
      at("caption").textContent = `Image ${item.id} cannot be shown: its file has gone, or is damaged. Skip it, or go on later`;
      return;
    }
    const parts = [`Image ${item.id}`];
    if (!this.pictures.isVisible(item.id)) parts.push("it is being loaded");
    if (item.guess !== null) parts.push(`guess: ${this.about.classes[item.guess]}, ${percent(item.confidence)}`);
    if (item.part) parts.push(`chosen by ${item.part}`);
    if (item.value !== null) parts.push(item.value === "" ? "skipped so far" : `labeled ${item.value}`);
    at("caption").textContent = parts.join(" · ");
  }

  matches() {
    const typed = at("find").value.trim().toLowerCase();
    if (this.about.keys || !typed) return this.buttons.filter((one) => this.about.keys || this.isLikely(one));
    const starts = this.buttons.filter((one) => one.name.toLowerCase().startsWith(typed));
    const holds = this.buttons.filter((one) => !starts.includes(one) && one.name.toLowerCase().includes(typed));
    return [...starts, ...holds].slice(0, 12);
  }

  // Without anything typed: the guess, and the classes that were used last.
  isLikely(one) {
    const guess = this.current?.guess;
    const last = new Set([...this.done.values()].slice(-40));
    return last.has(one.name) || (guess !== null && this.about.classes[guess] === one.name);
  }

  showClasses() {
    const item = this.current;
    if (!item) return;
    const found = this.matches();
    const typing = !this.about.keys;
    this.buttons.forEach((one, label) => {
      const guessed = item.guess === label, now = item.value === one.name;
      one.row.hidden = typing && !found.includes(one);
      one.button.classList.toggle("guess", guessed);
      one.button.classList.toggle("now", now);
      one.button.querySelector(".mark").textContent = now ? "label" : guessed ? `guess ${percent(item.confidence)}` : "";
      if (typing) one.row.setAttribute("aria-selected", String(found[this.chosen] === one && at("find").value.trim() !== ""));
    });
    if (typing) {
      at("classes").append(...found.map((one) => one.row));
      const active = at("find").value.trim() ? found[this.chosen] : null;
      if (active) at("find").setAttribute("aria-activedescendant", active.row.id);
      else at("find").removeAttribute("aria-activedescendant");
    }
  }

  wait() {
    const { phase, doing, done, total, left, stopping } = this.state;
    const model = total ? `${doing}: ${percent(done / total)}` : doing ?? "Connecting";
    let text = `${model}. The next images come as soon as they are chosen.`;
    const unsaved = this.server.waiting;
    if (unsaved && (stopping || phase === "stop" || phase === "end")) text = `Stopped, and ${unsaved} of the last labels are not saved: give them again when the run goes on.`;
    else if (phase === "end") text = `The run has ended: the labels of the budget are given. To correct one: python -m al_lightning.labels ${this.about.folder} --set ID=CLASS. To go on, run the command with a larger budget.total, and correct here.`;
    else if (stopping || phase === "stop") text = "Stopped. All labels are saved; the same command continues.";
    else if (phase === "wait" && left > 0) text = `The last images of this batch are with ${this.server.holders.filter(Boolean).join(" and ") || "somebody else"}. Where nobody does anything for five minutes, you get them.`;
    at("wait").textContent = text;
  }

  choose(value) {
    const item = this.current;
    if (!item) return;
    if (value && value !== item.value && !this.pictures.isVisible(item.id)) return; // nobody has seen it
    this.queue.shift();
    this.past.push(item);
    const before = item.value;
    item.value = value;
    this.done.set(item.id, value);
    if (before !== value) {
      this.server.submit([{ id: item.id, before, after: value }]).then((saved) => {
        if (saved.has(item.id)) document.body.dataset.saved = Number(document.body.dataset.saved ?? 0) + 1;
        else this.takeBack(item, before);
        if (this.queue.length < AHEAD) this.refill();
      });
    }
    this.show();
  }

  // A label that the server has refused.
  takeBack(item, before) {
    item.value = before;
    this.forget(item.id);
    this.refill();
  }

  accept() {
    const item = this.current;
    if (!item) return;
    const typed = !this.about.keys && at("find").value.trim();
    if (typed) {
      const found = this.matches()[this.chosen];
      if (found) this.choose(found.name);
      at("nomatch").textContent = `No class has "${typed}" in its name.`;
      at("nomatch").hidden = Boolean(found);
    } else if (item.value !== null) this.choose(item.value);
    else if (item.guess !== null) this.choose(this.about.classes[item.guess]);
  }

  back() {
    const item = this.past.pop();
    if (item) { this.queue.unshift(item); this.show(); }
  }

  zoom(event) {
    this.setZoom(!at("frame").classList.contains("zoomed"));
    if (event?.clientX) this.pan(event);
  }

  setZoom(on) {
    at("frame").classList.toggle("zoomed", on);
    at("frame").setAttribute("aria-pressed", String(on));
    at("picture").style.transformOrigin = "50% 50%";
  }

  pan(event) {
    if (!at("frame").classList.contains("zoomed")) return;
    const box = at("frame").getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    at("picture").style.transformOrigin = `${100 * x}% ${100 * y}%`;
  }

  move(step) {
    const count = this.matches().length;
    if (count) this.chosen = (this.chosen + step + count) % count;
    this.showClasses();
  }

  // Returns whether the key had a meaning.
  key(event) {
    const typing = !this.about.keys, typed = typing && at("find").value !== "";
    if (event.key === "Enter") this.accept();
    else if (event.key === " " && !typed) this.choose("");
    else if (event.key === "Backspace" && !typed) this.back();
    else if (typing && event.key === "ArrowDown") this.move(1);
    else if (typing && event.key === "ArrowUp") this.move(-1);
    else if (typing && event.key === "Escape") { at("find").value = ""; this.showClasses(); }
    else if (typing) return false;
    else if (event.key.toLowerCase() === "z") this.zoom();
    else {
      const label = this.about.keys.indexOf(event.key.toLowerCase());
      if (label < 0) return false;
      this.choose(this.about.classes[label]);
    }
    return true;
  }

  update(state) {
    const before = this.state;
    this.state = state;
    if (!this.current) this.wait();
    if (at("one").hidden) return; // another view of this tab has images; opening this one takes others
    const more = state.left > 0 && (this.queue.length < AHEAD || before.question !== state.question);
    if (more || before.left !== state.left) this.refill();
  }
}
