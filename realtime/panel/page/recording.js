// The record button and the list of what was recorded.

import { api } from "./api.js";
import { fillDialog, openDialog } from "./dialog.js";
import { clock, el, id, say } from "./dom.js";
import { toast, trying } from "./toast.js";

export class RecordButton {
  constructor() {
    this.button = id("record");
    this.on = false;
    this.button.addEventListener("click", () => this.toggle());
  }

  /** What the server says: null, or name and seconds. */
  show(recording) {
    this.on = recording !== null;
    this.button.classList.toggle("on", this.on);
    this.button.setAttribute("aria-pressed", String(this.on));
    say(id("record-text"), this.on ? clock(recording.seconds ?? 0) : "Record");
  }

  async toggle() {
    this.button.disabled = true;
    if (this.on) {
      const done = await trying(() => api.stop());
      this.show(null);
      for (const file of done?.files ?? []) {
        const link = el("a", { href: api.recording(file.name), download: file.name }, "save it");
        const gaps = file.gaps ? `, ${file.gaps} gaps` : "";
        toast(`Recorded ${clock(file.seconds)}${gaps} to ${file.name}`, "note", link);
      }
    } else {
      const begun = await trying(() => api.record(false, "flac"));
      if (begun) this.show({ name: begun.name, seconds: 0 });
    }
    this.button.disabled = false;
  }
}

/** The list of recordings. */
export async function showRecordings() {
  openDialog("Recordings", el("p", { class: "small" }, "…"));
  const found = await trying(() => api.recordings());
  if (!found) return;
  const rows = found.map((r) => el("li", {}, el("div", { class: "recording" },
    el("a", { href: api.recording(r.name), download: r.name }, r.name),
    el("span", { class: "small" }, `${clock(r.seconds)} · ${(r.bytes / 1e6).toFixed(1)} MB`),
    el("audio", { controls: true, preload: "none", src: api.recording(r.name), "aria-label": r.name }))));
  fillDialog(rows.length ? el("ul", { class: "rows" }, ...rows) : el("p", { class: "small" }, "Nothing recorded yet: press Record while you play."));
}
