// The pictures of images, loaded before they are shown; and which of them cannot be.

const MOST = 60; // that are kept: those of one screen
const [SOON, LATER] = [200, 2000]; // milliseconds until the next try

export class Pictures {
  // onChange is called with an id when its picture is there, or is known to be lost.
  constructor(server, onChange, size = "large") {
    this.server = server;
    this.size = size;
    this.onChange = onChange;
    this.kept = new Map();
    this.lost = new Set();
  }

  get(id) {
    const picture = this.kept.get(id) ?? this.make(id);
    this.kept.delete(id);
    this.kept.set(id, picture); // what was asked for last is kept
    if (this.kept.size > MOST) this.kept.delete(this.kept.keys().next().value);
    return picture;
  }

  make(id) {
    const picture = new Image();
    picture.alt = `Image ${id}`;
    this.kept.set(id, picture);
    this.lost.delete(id);
    this.load(id, picture, 0, 0);
    picture.decode().catch(() => {});
    return picture;
  }

  isVisible(id) {
    const picture = this.kept.get(id);
    return picture !== undefined && picture.complete && picture.naturalWidth > 0;
  }

  isLost(id) { return this.lost.has(id); }

  // `answered`: the last tries in a row that failed though the server answers.
  load(id, picture, tries, answered) {
    picture.onload = () => this.onChange(id);
    picture.onerror = () => this.failed(id, picture, tries, answered);
    picture.src = this.server.picture(id, this.size) + (tries ? `&${tries}` : "");
  }

  // A picture is lost if the second try fails, too. Where the server does not answer, it is the network: that
  // counts for nothing, nor does the one try that failed just before the network was back.
  async failed(id, picture, tries, before) {
    if (this.kept.get(id) !== picture) return;
    const answered = await this.server.answersFor(id, this.size) ? before + 1 : 0;
    if (answered > 1) {
      this.lost.add(id);
      this.onChange(id);
    } else setTimeout(() => this.load(id, picture, tries + 1, answered), tries ? LATER : SOON);
  }
}
