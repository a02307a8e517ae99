// Changes that take a while: what they do just now, and a button that calls each one off.

import { api } from "./api.js";
import { el } from "./dom.js";
import { trying } from "./toast.js";

const PATIENCE = 700; // ms before a change is worth a line

export class PendingChanges {
  constructor(place) {
    this.place = place;
    this.rows = new Map(); // by id
  }

  /** Show what is pending now, as the state has it. */
  show(pending) {
    const ids = new Set(pending.map((p) => p.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      clearTimeout(row.timer);
      row.line.remove();
      this.rows.delete(id);
    }
    for (const p of pending) {
      const row = this.rows.get(p.id) ?? this.add(p);
      row.text.textContent = `${p.what}: ${p.progress}`;
    }
  }

  add(p) {
    const text = el("span", {});
    const cancel = el("button", { type: "button", class: "tool", "aria-label": `Cancel: ${p.what}` }, "Cancel");
    cancel.addEventListener("click", () => trying(() => api.cancel(p.id)));
    const line = el("div", { class: "toast" }, text, cancel);
    const row = { text, line, timer: setTimeout(() => this.place.append(line), PATIENCE) };
    this.rows.set(p.id, row);
    return row;
  }
}
