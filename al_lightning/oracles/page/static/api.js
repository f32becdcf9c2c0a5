// Requests to the server. Labels are sent in their order, and again until the server has them on its disk.

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch((error) => {
    if (response.ok) throw error; // the server has ended in the middle of its answer
    return { problem: `The server says ${response.status}` };
  });
  return { status: response.status, answer };
}

export class Server {
  constructor(tab, by, onChange, onProblem) {
    this.tab = tab;
    this.by = by;
    this.onChange = onChange;
    this.onProblem = onProblem;
    this.unsaved = [];
    this.sending = false;
    addEventListener("beforeunload", (event) => {
      if (this.unsaved.length) event.preventDefault();
    });
  }

  async take(count, predicted = null) {
    try {
      const { status, answer } = await post("/take", { tab: this.tab, by: this.by, count, predicted });
      if (status === 200) return answer.images;
      this.onProblem(answer.problem);
    } catch { /* the stream of events says that the server is away */ }
    return [];
  }

  // Resolves to whether the labels are on the disk.
  say(said) {
    return new Promise((resolve) => {
      this.unsaved.push({ said, resolve });
      this.onChange();
      this.send();
    });
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    while (this.unsaved.length) {
      const [first] = this.unsaved;
      let saved = false;
      try {
        const { status, answer } = await post("/say", { tab: this.tab, by: this.by, said: first.said });
        if (status >= 500) throw new Error(answer.problem);
        saved = status === 200;
        this.onProblem(saved ? "" : answer.problem ?? "Refused");
      } catch (error) {
        this.onProblem(error.message.startsWith("Not saved") ? error.message : "The server does not answer: the last labels are not saved yet");
        await new Promise((resolve) => setTimeout(resolve, 1000));
        continue;
      }
      this.unsaved.shift();
      this.onChange();
      first.resolve(saved);
    }
    this.sending = false;
  }

  // Resolves to a list, or to null where there is none: the page says why.
  async list(path) {
    try {
      const response = await fetch(path);
      const answer = await response.json();
      if (response.ok) return answer;
      this.onProblem(answer.problem);
    } catch { /* the stream of events says that the server is away */ }
    return null;
  }

  stop() {
    return post("/stop", {});
  }

  addClass(name) {
    return post("/class", { tab: this.tab, by: this.by, name });
  }

  picture(id, size = "large") {
    return `/image/${id}/${size}?${this.run}`;
  }
}
