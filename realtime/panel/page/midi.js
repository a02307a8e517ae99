// MIDI: learn mode (choose a knob, move a controller) and the list of mappings.

import { api } from "./api.js";
import { fillDialog, openDialog } from "./dialog.js";
import { el, id } from "./dom.js";
import { toast, trying } from "./toast.js";

const source = (m) => `${m.kind === "note" ? "note" : m.kind === "program" ? "program" : "CC"} ${m.number ?? ""}`.trim();

export class Midi {
  /** `knobs` are the knobs by parameter, to be marked. */
  constructor(knobs) {
    this.knobs = knobs;
    this.state = { available: false, ports: [], mappings: [], learning: null };
    this.button = id("learn");
    this.button.addEventListener("click", () => this.mode(!this.choosing));
    document.addEventListener("pointerdown", (event) => this.choose(event), true);
    document.addEventListener("contextmenu", (event) => this.pick(event, event.target.closest("[data-parameter]")), true);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.choosing) this.mode(false);
      if (event.key === "Enter" && this.choosing) this.pick(event, document.activeElement?.closest("[data-parameter]"));
    }, true);
  }

  update(state) {
    const before = this.state.learning;
    this.state = state;
    this.button.classList.toggle("busy", Boolean(state.learning));
    if (before && !state.learning) {
      const found = state.mappings.find((m) => m.parameter === before);
      if (found) toast(`${source(found)} turns ${before}`);
      this.mode(false);
    }
    this.mark();
  }

  mark() {
    for (const [name, knob] of this.knobs) {
      const found = this.state.mappings.find((m) => m.parameter === name);
      knob.mark(found ? source(found) : null);
    }
  }

  mode(on) {
    this.choosing = on;
    this.button.setAttribute("aria-pressed", String(on));
    document.body.classList.toggle("learning", on);
    if (on && !this.state.available) {
      toast("MIDI is not available here; see the MIDI dialog.", "error");
      return this.mode(false);
    }
    if (on) toast("Choose a knob, then move a controller.");
    else if (this.state.learning) trying(() => api.unlearn()).then((s) => s && this.update(s));
  }

  choose(event) {
    if (!this.choosing || event.target.closest("#learn")) return;
    const target = event.target.closest("[data-parameter]");
    if (target) this.pick(event, target);
  }

  async pick(event, target) {
    if (!target || target.dataset.parameter === "blend") return;
    event.preventDefault();
    event.stopPropagation();
    const name = target.dataset.parameter;
    const state = await trying(() => api.learn(name));
    if (!state) return;
    this.update(state);
    toast(`Move the controller that shall turn ${name} …`);
  }

  /** The list of ports and mappings. */
  async show() {
    openDialog("MIDI", el("p", { class: "small" }, "…"));
    const state = await trying(() => api.midi());
    if (state) this.list(state);
  }

  list(state) {
    this.update(state);
    const ports = state.available
      ? el("p", {}, state.ports.length ? `Listening to ${state.ports.join(", ")}.` : "No MIDI input is connected; one that is plugged in will be found.")
      : el("p", {}, "MIDI is not available: install it with  pip install 'restyle[midi]'  or check its driver.");
    const rows = state.mappings.map((m) => {
      const remove = el("button", { type: "button", class: "tool", "aria-label": `Forget ${m.parameter}` }, "Forget");
      remove.addEventListener("click", async () => {
        const left = await trying(() => api.unmap(m.parameter));
        if (left) this.list(left);
      });
      return el("li", {}, el("span", {}, `${source(m)} → ${m.parameter}`), remove);
    });
    fillDialog(ports, rows.length ? el("ul", { class: "rows" }, ...rows) : el("p", { class: "small" }, "No mapping yet: press Learn, choose a knob, move a controller. A right click on a knob does the same."));
  }
}
