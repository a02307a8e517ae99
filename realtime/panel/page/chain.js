// The signal path: stages before and after the style, moved by drag or keys, with their knobs.

import { api } from "./api.js";
import { el, svg } from "./dom.js";
import { Knob } from "./knob.js";
import { isBounded, title, words } from "./names.js";
import { trying } from "./toast.js";
import { chooseEffect } from "./effects.js";

const SHOWN = 8; // knobs of a stage before "more"
const OWN = ["bypass", "stage_mix"];

const powerSign = () => svg("svg", { viewBox: "0 0 20 20", class: "sign", "aria-hidden": "true" },
  svg("path", { d: "M10 2.5v7M5.6 5.4a6.4 6.4 0 1 0 8.8 0" }));

export class Chain {
  /** `turn(name, value)` sends a value; `knobs` collects the knobs by parameter. */
  constructor(place, turn, knobs) {
    this.place = place;
    this.turn = turn;
    this.knobs = knobs;
    this.structure = "";
    this.switches = new Map();
  }

  /** Rebuild where stages changed; values alone only move knobs. */
  update(state) {
    const parameters = new Map(state.parameters.map((p) => [p.name, p]));
    const plain = ["pre", "post"].map((where) => state.chains[where].map((s) => [s.id, s.name, s.parameters]));
    const structure = JSON.stringify([plain, state.style]);
    if (structure !== this.structure) {
      this.structure = structure;
      this.build(state, parameters);
    }
    this.values(parameters);
  }

  values(parameters) {
    for (const [name, button] of this.switches) {
      const p = parameters.get(name);
      if (!p) continue;
      const on = p.value >= 0.5;
      const bypass = name.endsWith(".bypass");
      button.setAttribute("aria-pressed", String(bypass ? !on : on));
      button.closest(".stage")?.classList.toggle("off", bypass ? on : button.closest(".stage").classList.contains("off"));
    }
  }

  build(state, parameters) {
    const kept = document.activeElement?.dataset?.keep; // focus stays with the stage it was on
    for (const name of [...this.knobs.keys()]) if (/^(pre|post)[._]/.test(name)) this.knobs.delete(name);
    this.switches.clear();
    const lane = (where) => this.lane(where, state.chains[where], parameters);
    const model = el("div", { class: "node model" }, el("span", { class: "small" }, "style"), el("b", {}, state.style ?? "none"));
    this.place.replaceChildren(el("div", { class: "node end dry" }, "In"), lane("pre"), model, lane("post"), el("div", { class: "node end wet" }, "Out"));
    if (kept) this.place.querySelector(`[data-keep="${CSS.escape(kept)}"]`)?.focus();
  }

  lane(where, stages, parameters) {
    const before = where === "pre" ? "before the style" : "after the style";
    const list = el("ol", { class: "lane", "aria-label": `Stages ${before}`, "data-place": where });
    stages.forEach((stage, index) => list.append(this.stage(where, stage, index, stages.length, parameters)));
    list.addEventListener("dragover", (event) => this.dragged?.where === where && event.preventDefault());
    list.addEventListener("drop", (event) => this.drop(event, where, list));
    const add = el("button", { type: "button", class: "add", "aria-label": `Add an effect ${before}`, "data-keep": `add-${where}`, title: `Add an effect ${before}` }, "+");
    add.addEventListener("click", () => chooseEffect((entry) => trying(() => api.insert(where, entry)), before));
    const whole = parameters.get(`${where}_mix`);
    const mix = stages.length && whole ? this.knob(whole, "chain mix") : null;
    return el("div", { class: "place" }, list, el("div", { class: "lane-tools" }, add, mix?.element));
  }

  stage(where, stage, index, count, parameters) {
    const of = (name) => parameters.get(`${where}.${index + 1}.${name}`);
    const handle = el("button", {
      type: "button", class: "handle", "data-keep": `stage-${stage.id}`, draggable: "true",
      title: "Drag, or Alt + left and right, to reorder", "aria-label": `${stage.name}, ${index + 1} of ${count}; Alt and arrow keys move it`,
    }, words(stage.name));
    const off = el("button", { type: "button", class: "power", "aria-label": `${stage.name} is heard`, title: "Bypass this stage" }, powerSign());
    off.addEventListener("click", () => this.turn(`${where}.${index + 1}.bypass`, off.getAttribute("aria-pressed") === "true" ? 1 : 0));
    this.switches.set(`${where}.${index + 1}.bypass`, off);
    const remove = el("button", { type: "button", class: "remove", "aria-label": `Remove ${stage.name}`, title: "Remove" }, "×");
    remove.addEventListener("click", () => trying(() => api.remove(where, stage.id)));
    const knobs = stage.parameters.map((name) => parameters.get(name)).filter((p) => p && !OWN.includes(p.name.split(".").slice(2).join(".")));
    const made = knobs.map((p) => this.control(p));
    const first = el("div", { class: "knobs" }, of("stage_mix") ? this.knob(of("stage_mix"), "dry/wet").element : null, ...made.slice(0, SHOWN));
    const more = made.length > SHOWN ? el("details", {}, el("summary", {}, `${made.length - SHOWN} more`), el("div", { class: "knobs" }, ...made.slice(SHOWN))) : null;
    const box = el("li", { class: `stage ${stage.kind}`, "data-stage": stage.id }, el("div", { class: "stage-head" }, off, handle, remove), first, more);
    this.reorder(handle, box, where, stage, index, count);
    return box;
  }

  control(p) {
    const name = title(p.name);
    if (p.kind === "switch") {
      const button = el("button", { type: "button", class: "toggle", "data-parameter": p.name, "aria-pressed": String(p.value >= 0.5) }, name);
      button.addEventListener("click", () => this.turn(p.name, button.getAttribute("aria-pressed") === "true" ? 0 : 1));
      this.switches.set(p.name, button);
      return button;
    }
    if (!isBounded(p)) {
      const field = el("input", { type: "number", step: "any", class: "plain", value: p.value, "aria-label": name });
      field.addEventListener("change", () => field.value !== "" && this.turn(p.name, Number(field.value)));
      return el("label", { class: "field" }, el("span", { class: "label" }, name), field);
    }
    return this.knob(p).element;
  }

  knob(parameter, label) {
    const made = new Knob(parameter, (value) => this.turn(parameter.name, value), label);
    this.knobs.set(parameter.name, made);
    return made;
  }

  reorder(handle, box, where, stage, index, count) {
    const go = (to) => to >= 0 && to < count && to !== index && trying(() => api.move(where, stage.id, to));
    handle.addEventListener("keydown", (event) => {
      if (!event.altKey) return;
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      go(index + step);
    });
    handle.addEventListener("dragstart", (event) => {
      this.dragged = { where, stage: stage.id, index };
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", stage.name);
      event.dataTransfer.setDragImage(box, 20, 16);
      box.classList.add("dragged");
    });
    handle.addEventListener("dragend", () => { this.dragged = null; box.classList.remove("dragged"); });
  }

  drop(event, where, list) {
    const dragged = this.dragged;
    if (dragged?.where !== where) return;
    event.preventDefault();
    const others = [...list.children].filter((c) => Number(c.dataset.stage) !== dragged.stage);
    const to = others.filter((c) => {
      const box = c.getBoundingClientRect();
      const above = event.clientY > box.bottom;
      return above || (event.clientY >= box.top && event.clientX > box.left + box.width / 2);
    }).length;
    if (to !== dragged.index) trying(() => api.move(where, dragged.stage, to));
  }
}
