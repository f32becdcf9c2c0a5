// Requests to the server. Labels are sent in their order, and again until the server has them on its disk.

const RETRY = 1000, ACTIVE = 60000; // milliseconds
const RESTARTED = "The run was started again: open the address that it prints.";

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch((error) => {
    if (response.ok) throw error; // the server has ended in the middle of its answer
    return { problem: response.status === 403 ? RESTARTED : `The server says ${response.status}` };
  });
  return { status: response.status, answer };
}

const counted = (count) => count === 1 ? "the last label is" : `the last ${count} labels are`;

export class Server {
  constructor(tab, by, onChange, onProblem) {
    this.tab = tab;
    this.by = by;
    this.onChange = onChange;
    this.onProblem = onProblem;
    this.unsaved = []; // requests
    this.sending = false;
    this.holders = []; // names of people who have images that this tab cannot get
    this.active = 0; // when the server last heard of the person
    addEventListener("beforeunload", (event) => {
      if (this.unsaved.length) event.preventDefault();
    });
  }

  // The number of labels that are not on the disk.
  get waiting() { return this.unsaved.reduce((sum, { labels }) => sum + labels.length, 0); }

  isUnsaved(id) { return this.unsaved.some(({ labels }) => labels.some((label) => label.id === id)); }

  async take(count, predicted = null) {
    try {
      const { status, answer } = await post("/take", { tab: this.tab, by: this.by, count, predicted });
      if (status === 200) {
        this.holders = answer.holders;
        return answer.images;
      }
      this.onProblem(answer.problem);
    } catch { /* the stream of events says that the server is away */ }
    return [];
  }

  // Resolves to the ids whose labels are on the disk.
  submit(labels) {
    return new Promise((resolve) => {
      this.unsaved.push({ labels, resolve });
      this.onChange();
      this.send();
    });
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.unsaved.length) {
      const [{ labels, resolve }] = this.unsaved;
      const sent = await this.sent(labels);
      if (sent === null) {
        await new Promise((resume) => setTimeout(resume, RETRY));
        continue;
      }
      this.unsaved.shift();
      this.onChange();
      resolve(sent);
    }
    this.sending = false;
  }

  // Returns the ids that were saved; null where the server shall be asked again.
  async sent(labels) {
    try {
      const { status, answer } = await post("/submit", { tab: this.tab, by: this.by, labels });
      if (status === 403) throw new Error(`${RESTARTED} Here, ${counted(this.waiting)} not saved yet`);
      if (status >= 500) throw new Error(answer.problem);
      const refused = status === 200 ? answer.refused : Object.fromEntries(labels.map(({ id }) => [id, answer.problem ?? "Refused"]));
      const saved = labels.filter(({ id }) => !(id in refused)).map(({ id }) => id);
      this.onProblem(this.told(Object.entries(refused), saved.length));
      return new Set(saved);
    } catch (error) {
      const known = error.message.startsWith("Not saved") || error.message.startsWith(RESTARTED);
      this.onProblem(known ? error.message : `The server does not answer: ${counted(this.waiting)} not saved yet`);
      return null;
    }
  }

  told(refused, saved) {
    if (!refused.length) return "";
    if (refused.length + saved === 1) return refused[0][1];
    const named = refused.slice(0, 5).map(([id, why]) => `image ${id}: ${why}`).join("; ");
    return `${saved} labels are saved, ${refused.length} are not (${named}${refused.length > 5 ? "; ..." : ""})`;
  }

  // Resolves to what the server answers, or to null where it does not: the page says why.
  async read(path) {
    try {
      const response = await fetch(path);
      const answer = await response.json();
      if (response.ok) return answer;
      this.onProblem(answer.problem);
    } catch { /* the stream of events says that the server is away */ }
    return null;
  }

  // Resolves to whether the server answers for an image that could not be shown.
  answersFor(id, size) {
    return fetch(this.picture(id, size), { cache: "no-store" }).then((response) => response.status !== 403, () => false);
  }

  // Says from time to time that a person is here; resolves to whether it has said so now.
  async touch() {
    const now = Date.now();
    if (now - this.active < ACTIVE) return false;
    this.active = now;
    return post("/active", { tab: this.tab }).then(() => true, () => false);
  }

  async confirm(id, label) {
    try {
      const { status, answer } = await post("/confirm", { by: this.by, id, label });
      this.onProblem(status === 200 ? "" : answer.problem);
    } catch { this.onProblem("The server does not answer: this is not saved"); }
  }

  stop() {
    return post("/stop", {});
  }

  addClass(name) {
    return post("/class", { tab: this.tab, by: this.by, name });
  }

  picture(id, size) {
    return `/image/${id}/${size}?${this.run}`;
  }
}
