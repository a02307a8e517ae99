// MIDI: learn mode (choose a knob, move a controller) and the list of mappings.

import { api } from "./api.js";
import { fillDialog, openDialog } from "./dialog.js";
import { el, id } from "./dom.js";
import { toast, trying } from "./toast.js";

const WORDS = { note: "note", program: "program", nrpn: "NRPN" };
const source = (m) => `${WORDS[m.kind] ?? "CC"} ${m.number ?? ""}${m.bank ? ` of bank ${m.bank}` : ""}${m.switch ? `, ${m.switch}` : ""}`.trim();
const LEARNABLE = "[data-parameter], [data-learn]";

export class Midi {
  /** `knobs` are the knobs by parameter, to be marked. */
  constructor(knobs) {
    this.knobs = knobs;
    this.state = { available: false, ports: [], mappings: [], learning: null };
    this.button = id("learn");
    this.button.addEventListener("click", () => this.mode(!this.choosing));
    document.addEventListener("pointerdown", (event) => this.choose(event), true);
    document.addEventListener("click", (event) => { // it was chosen, not pressed
      if (this.swallow && event.target.closest("[data-learn]")) { event.preventDefault(); event.stopPropagation(); }
      this.swallow = false;
    }, true);
    document.addEventListener("contextmenu", (event) => this.pick(event, event.target.closest(LEARNABLE)), true);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.choosing) this.mode(false);
      if (event.key === "Enter" && this.choosing) this.pick(event, document.activeElement?.closest(LEARNABLE));
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
    if (on) toast("Choose a knob or a button, then move a controller.");
    else if (this.state.learning) trying(() => api.unlearn()).then((s) => s && this.update(s));
  }

  choose(event) {
    if (!this.choosing || event.target.closest("#learn")) return;
    const target = event.target.closest(LEARNABLE);
    if (target) { this.swallow = true; this.pick(event, target); }
  }

  async pick(event, target) {
    if (!target || target.dataset.parameter === "blend") return;
    event.preventDefault();
    event.stopPropagation();
    const what = target.dataset.learn ? JSON.parse(target.dataset.learn) : { parameter: target.dataset.parameter };
    const state = await trying(() => api.learn(what));
    if (!state) return;
    this.update(state);
    const [name] = Object.values(what);
    toast(what.parameter ? `Move the controller that shall turn ${name}; press a foot switch twice …` : `Press the switch for ${name}, twice …`);
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
    const heard = el("select", { "aria-label": "MIDI channel" }, el("option", { value: "" }, "all channels"),
      ...Array.from({ length: 16 }, (_, i) => el("option", { value: i + 1, selected: state.channels.length === 1 && state.channels[0] === i + 1 }, `channel ${i + 1} alone`)));
    heard.addEventListener("change", async () => {
      const now = await trying(() => api.channels(heard.value ? [Number(heard.value)] : []));
      if (now) this.list(now);
    });
    fillDialog(ports, el("p", {}, "Listens to ", heard), rows.length ? el("ul", { class: "rows" }, ...rows) : el("p", { class: "small" }, "No mapping yet: press Learn, choose a knob, move a controller. A right click on a knob does the same."));
  }
}
