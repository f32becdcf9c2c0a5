// Puts the page together: views, keys, the stream of events.

import { Server } from "./api.js";
import { at, element } from "./dom.js";
import { GridView } from "./grid.js";
import { ListView } from "./list.js";
import { OneView } from "./one.js";
import { Status } from "./status.js";

const about = JSON.parse(at("about").textContent);
const NO_ANSWER = "The server does not answer";
const given = new URLSearchParams(location.search);
const by = given.get("name") ?? "";
// The cookie has the token from here on: it shall not stay in the address, or in the history.
history.replaceState(null, "", by ? `/?name=${encodeURIComponent(by)}` : "/");

// A reloaded tab keeps its images; a duplicated one is another tab.
const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
const tab = (reloaded && sessionStorage.getItem("tab")) || crypto.getRandomValues(new Uint32Array(2)).join("-");
sessionStorage.setItem("tab", tab);

const status = new Status(about);
const server = new Server(tab, by, showSaved, showProblem);
server.run = about.run;
const one = new OneView(about, server);
const list = new ListView(about, server);
const grid = new GridView(about, server, (items, name) => {
  for (const item of items) one.done.set(item.id, name);
  const labeled = new Set(items.map((item) => item.id));
  one.queue = one.queue.filter((item) => !labeled.has(item.id));
});
list.onChange = (id, after) => { one.change(id, after); one.refill(); };
const views = { one, grid, list, review: { open: () => list.openReview(), key: () => false, update: () => {} } };
let view = "one";
let away = false;
let problem = "";

function showSaved() {
  const left = server.waiting;
  at("saved").textContent = left ? `Saving ${left} ...` : "All saved";
  document.body.dataset.unsaved = left;
  if (!one.current) one.wait();
}

function showProblem(text) {
  problem = text;
  const shown = text || (away ? "The server does not answer. If the run was stopped, start it again, and open the address that it prints." : "");
  at("problem").textContent = shown;
  at("problem").hidden = !shown;
}

function open(name) {
  if (!views[name]) return;
  view = name;
  for (const section of ["one", "grid", "list", "review"]) at(section).hidden = section !== name;
  for (const button of document.querySelectorAll(".view")) button.setAttribute("aria-pressed", String(button.dataset.view === name));
  if (name === "one") one.refill();
  else views[name].open();
  at("main").focus({ preventScroll: true });
}

function showKeys() {
  const rows = [
    ...(about.keys ? about.classes.map((name, label) => [about.keys[label], name]) : [["letters", "the beginning of a class's name, then Enter"]]),
    ["Enter", "accept the guess; in the grid, accept the rest"],
    ["Space", "skip an image that has no class; in the grid, mark what is wrong"],
    ["Backspace", "go back, and correct"],
    ...(about.keys ? [["z", "zoom"]] : []),
    ...(about.addable && about.keys ? [["n", "new class"]] : []),
    ["o, g, l, v", `one by one, grid, list of labels, review${about.keys ? "" : " (not while typing)"}`],
    ["?", "these keys"],
  ];
  at("keylist").replaceChildren(...rows.map(([key, text]) => element("tr", {}, element("th", { scope: "row" }, element("kbd", {}, key)), element("td", {}, text))));
  at("keys").showModal();
}

function isWriting(target) {
  return target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.id !== "find");
}

addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || isWriting(event.target)) return;
  // Space and Enter press the button that has the focus, once; but Enter accepts the whole grid.
  const pressed = event.target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter");
  if (pressed && !event.repeat && !(event.target.matches(".tile") && event.key === "Enter")) return;
  if (event.repeat && event.key !== "Backspace" && !event.key.startsWith("Arrow")) { event.preventDefault(); return; }
  const typing = view === "one" && !about.keys;
  const letter = event.key.toLowerCase(); // whatever CapsLock says
  const jump = typing ? undefined : { o: "one", g: "grid", l: "list", v: "review" }[letter];
  let used = true;
  if (event.key === "?") showKeys();
  else if (jump && views[jump]) open(jump);
  else if (letter === "n" && view === "one" && !typing && about.addable) askForClass();
  else used = views[view].key(event);
  if (used) event.preventDefault();
});
// A click by a pointer leaves no focus, so that the next key is one of the page; a tile is where arrows start.
addEventListener("click", (event) => {
  const button = event.target.closest?.("button");
  if (event.detail && button && !button.matches(".tile")) button.blur();
});
// The server lends images to people who do something.
for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, async () => {
  if (await server.touch() && view === "one") one.refill();
}, { capture: true });
setInterval(() => { if (view === "one" && !one.current && one.state.left > 0) one.refill(); }, 5000);

function takeClasses({ classes, keys, addable }) {
  at("new").hidden = !addable;
  if (JSON.stringify([classes, keys]) === JSON.stringify([about.classes, about.keys])) return;
  Object.assign(about, { classes, keys });
  one.makeClasses();
  one.show();
}

function askForClass(name = "") {
  at("newname").value = name;
  at("newclass").showModal();
}

at("newform").onsubmit = async (event) => {
  event.preventDefault();
  const { status, answer } = await server.addClass(at("newname").value).catch(() => ({ answer: { problem: NO_ANSWER } }));
  at("newclass").close();
  showProblem(status === 200 ? "" : answer.problem);
  if (status !== 200) return;
  if (!about.classes.includes(answer.name)) takeClasses({ ...about, addable: true, classes: [...about.classes, answer.name], keys: answer.keys });
  one.choose(answer.name);
};
at("newcancel").onclick = () => at("newclass").close();
at("new").onclick = () => askForClass(about.keys ? "" : at("find").value.trim());
at("new").hidden = !about.addable;

for (const button of document.querySelectorAll(".view")) button.onclick = () => open(button.dataset.view);
at("help").onclick = showKeys;
at("stop").onclick = () => server.stop().catch(() => showProblem(NO_ANSWER));

const stream = new EventSource(`/events?tab=${encodeURIComponent(tab)}`);
stream.onmessage = (event) => {
  away = false;
  const state = JSON.parse(event.data);
  showProblem(problem);
  takeClasses(state);
  document.body.dataset.phase = state.phase;
  document.body.dataset.labels = state.labels;
  about.addable = state.addable;
  status.update(state);
  for (const each of Object.values(views)) each.update(state);
  if (state.phase === "end" || state.phase === "stop") stream.close();
};
stream.onerror = () => { away = true; showProblem(problem); };
showSaved();
document.body.dataset.ready = "yes";
