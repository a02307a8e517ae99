// The signal path: all stages in the order of the sound, moved by drag or keys, with their knobs.

import { api } from "./api.js";
import { el, svg } from "./dom.js";
import { chooseStage } from "./effects.js";
import { Choice, Knob } from "./knob.js";
import { isBounded, ownName, title, words } from "./names.js";
import { trying } from "./toast.js";
import { press, PRESSED_ONCE } from "./tools.js";

const OWN = ["bypass", "stage_mix"];

const powerSign = () => svg("svg", { viewBox: "0 0 20 20", class: "sign", "aria-hidden": "true" },
  svg("path", { d: "M10 2.5v7M5.6 5.4a6.4 6.4 0 1 0 8.8 0" }));

/** The first model of the path, wherever it stands: what the page calls the style. */
export function styleOf(path) {
  for (const stage of path) {
    if (stage.kind === "model") return stage;
    const inside = styleOf((stage.group ?? []).flatMap((branch) => branch.stages));
    if (inside) return inside;
  }
  return null;
}

export class Chain {
  /** `turn(name, value)` sends a value; `knobs` collects the knobs by parameter. */
  constructor(place, turn, knobs) {
    this.place = place;
    this.turn = turn;
    this.knobs = knobs;
    this.structure = "";
    this.switches = new Map();
    this.opened = new Set(); // stages whose knobs are all shown
    this.made = new Set(); // names of knobs that are this one's
  }

  /** Rebuild where stages changed; values alone only move knobs. */
  update(state) {
    const parameters = new Map(state.parameters.map((p) => [p.name, p]));
    const structure = JSON.stringify(state.path, (key, value) => (key === "bypass" || key === "mix" ? undefined : value));
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
      const bypass = ownName(name) === "bypass";
      button.setAttribute("aria-pressed", String(bypass ? !on : on));
      if (bypass) button.closest(".stage").classList.toggle("off", on);
    }
  }

  build(state, parameters) {
    const kept = document.activeElement?.dataset?.keep; // focus stays with the stage it was on
    for (const name of this.made) this.knobs.delete(name);
    this.made.clear();
    this.switches.clear();
    this.parameters = parameters;
    this.style = styleOf(state.path);
    this.place.replaceChildren(el("div", { class: "node end dry" }, "In"), this.lane(state.path, {}), el("div", { class: "node end wet" }, "Out"));
    if (kept) this.place.querySelector(`[data-keep="${CSS.escape(kept)}"]`)?.focus();
  }

  /** A list of stages: the path's own, or a branch's; `where` names the group and the branch. */
  lane(stages, where) {
    const key = where.group ? `${where.group}-${where.branch}` : "path";
    const label = where.group ? `branch ${where.branch} of the group` : "the signal path";
    const list = el("ol", { class: "lane", "aria-label": `Stages of ${label}`, "data-place": key });
    stages.forEach((stage, index) => list.append(this.stage(key, stage, index, stages.length)));
    list.addEventListener("dragover", (event) => this.dragged?.key === key && event.preventDefault());
    list.addEventListener("drop", (event) => this.drop(event, key, list));
    const add = el("button", { type: "button", class: "add", "aria-label": `Add a stage to ${label}`, "data-keep": `add-${key}`, title: `Add a stage to ${label}` }, "+");
    add.addEventListener("click", () => chooseStage((stage) => trying(() => api.insert(stage, where)), label));
    return el("div", { class: "place" }, list, el("div", { class: "lane-tools" }, add));
  }

  stage(key, stage, index, count) {
    const of = (name) => this.parameters.get(`${stage.place}.${name}`);
    const handle = el("button", {
      type: "button", class: "handle", "data-keep": `stage-${stage.id}`, draggable: "true",
      title: "Drag, or Alt + left and right, to reorder", "aria-label": `${stage.name}, ${index + 1} of ${count}; Alt and arrow keys move it`,
    }, stage.kind === "effect" ? words(stage.name) : stage.name);
    const off = el("button", { type: "button", class: "power", "aria-label": `${stage.name} is heard`, title: "Bypass this stage" }, powerSign());
    off.addEventListener("click", () => this.turn(`${stage.place}.bypass`, off.getAttribute("aria-pressed") === "true" ? 1 : 0));
    this.switches.set(`${stage.place}.bypass`, off);
    const remove = el("button", { type: "button", class: "remove", "aria-label": `Remove ${stage.name}`, title: "Remove" }, "×");
    remove.addEventListener("click", () => trying(() => api.remove(stage.id)));
    const [first, more] = this.inside(stage, of("stage_mix"));
    const unfold = more.length ? this.unfold(stage) : el("span", {});
    const open = this.opened.has(stage.id);
    const box = el("li", { class: `stage ${stage.kind}${open ? " open" : ""}`, "data-stage": stage.id }, el("div", { class: "stage-head" }, handle),
      el("div", { class: "pedal" }, ...first), el("div", { class: "more" }, ...more), el("div", { class: "pedal-foot" }, off, unfold, remove));
    this.reorder(handle, box, key, stage, index, count);
    return box;
  }

  unfold(stage) {
    const open = this.opened.has(stage.id);
    const button = el("button", { type: "button", class: "unfold", "aria-expanded": String(open), "aria-label": `All knobs of ${stage.name}`, title: "All knobs" }, open ? "▴" : "▾");
    button.addEventListener("click", () => {
      if (!this.opened.delete(stage.id)) this.opened.add(stage.id);
      const now = this.opened.has(stage.id);
      button.closest(".stage").classList.toggle("open", now);
      button.setAttribute("aria-expanded", String(now));
      button.textContent = now ? "▴" : "▾";
    });
    return button;
  }

  /** What a pedal shows at once, and what when it is opened; the style's own knobs stand above. */
  inside(stage, mix) {
    const made = (p) => (p ? [this.knob(p, "dry/wet").element] : []);
    if (stage.group) {
      const branches = stage.group.map((branch, k) => {
        const gain = this.parameters.get(branch.gain);
        const knob = gain ? this.knob({ ...gain, minimum: Math.max(gain.minimum, -40) }, "gain").element : null;
        return el("div", { class: "branch" }, knob, this.lane(branch.stages, { group: stage.id, branch: k + 1 }));
      });
      return [[...made(mix), el("div", { class: "branches" }, ...branches)], []];
    }
    const own = stage.id === this.style?.id ? [] : stage.parameters.map((name) => this.parameters.get(name)).filter((p) => p && !OWN.includes(ownName(p.name)));
    const main = own.findIndex((p) => p.live && p.kind !== "switch" && isBounded(p));
    if (main < 0) return [made(mix), own.map((p) => this.control(p))];
    const [one] = own.splice(main, 1);
    return [[this.control(one)], [...made(mix), ...own.map((p) => this.control(p))]];
  }

  control(p) {
    const name = title(p.name);
    if (p.kind === "switch" && PRESSED_ONCE.has(ownName(p.name))) {
      return el("button", { type: "button", class: "toggle", "data-parameter": p.name, onclick: () => press(this.turn, p.name) }, name);
    }
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
    const made = new (parameter.live ? Knob : Choice)(parameter, (value) => this.turn(parameter.name, value), label);
    this.knobs.set(parameter.name, made);
    this.made.add(parameter.name);
    return made;
  }

  reorder(handle, box, key, stage, index, count) {
    const go = (to) => to >= 0 && to < count && to !== index && trying(() => api.move(stage.id, to));
    handle.addEventListener("keydown", (event) => {
      if (!event.altKey) return;
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      go(index + step);
    });
    handle.addEventListener("dragstart", (event) => {
      this.dragged = { key, stage: stage.id, index };
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", stage.name);
      event.dataTransfer.setDragImage(box, 20, 16);
      box.classList.add("dragged");
    });
    handle.addEventListener("dragend", () => { this.dragged = null; box.classList.remove("dragged"); });
  }

  drop(event, key, list) {
    const dragged = this.dragged;
    if (dragged?.key !== key) return;
    event.preventDefault();
    event.stopPropagation();
    const others = [...list.children].filter((c) => Number(c.dataset.stage) !== dragged.stage);
    const to = others.filter((c) => {
      const box = c.getBoundingClientRect();
      const above = event.clientY > box.bottom;
      return above || (event.clientY >= box.top && event.clientX > box.left + box.width / 2);
    }).length;
    if (to !== dragged.index) trying(() => api.move(dragged.stage, to));
  }
}
