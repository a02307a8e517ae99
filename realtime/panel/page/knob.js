// A knob: drag, wheel, arrow keys, double-click for the default, Enter to type a value.

import { el, say, set, svg } from "./dom.js";
import { forTyping, position, title, typedValue, valueAt, written } from "./names.js";

const TRAVEL = 180; // pixels of dragging for the whole range
const SWEEP = 270; // degrees
const NOTED = 4000; // ms that it says that a value was clamped
const ECHO = 400; // ms until what was turned has come back from the engine

function arc(from, to, radius = 19) {
  const point = (degrees) => {
    const a = ((degrees - 90) * Math.PI) / 180;
    return `${(24 + radius * Math.cos(a)).toFixed(2)} ${(24 + radius * Math.sin(a)).toFixed(2)}`;
  };
  return `M ${point(from)} A ${radius} ${radius} 0 ${to - from > 180 ? 1 : 0} 1 ${point(to)}`;
}

/** Show what a knob is bound to, such as "CC 7". */
function mark(badge, text) {
  say(badge, text ?? "");
  badge.classList.toggle("hidden", !text);
}

const FACTORS = [1, 2, 4, 8]; // of oversampling

/** What is set once and not turned, as the stage is made anew for it. */
export class Choice {
  /** `turn(value)` is called for every change by hand. */
  constructor(parameter, turn, label = title(parameter.name)) {
    const of = { class: "plain", "aria-label": label };
    this.input = parameter.name.endsWith("oversampling")
      ? el("select", of, ...FACTORS.map((f) => el("option", { value: f }, `${f}×`)))
      : el("input", { ...of, type: "number", min: parameter.minimum, max: parameter.maximum, step: "any" });
    this.input.addEventListener("change", () => this.input.value !== "" && turn(Number(this.input.value)));
    this.badge = el("span", { class: "badge hidden" });
    this.element = el("label", { class: "field" }, el("span", { class: "label" }, label), this.input, this.badge);
    this.element.dataset.parameter = parameter.name;
    this.update(parameter);
  }

  update(parameter) {
    this.parameter = parameter;
    if (document.activeElement !== this.input || this.input.localName === "select") this.input.value = parameter.value;
  }

  settle() {
    this.update(this.parameter);
  }

  mark(text) {
    mark(this.badge, text);
  }
}

export class Knob {
  /** `turn(value)` is called for every change by hand. */
  constructor(parameter, turn, label = title(parameter.name)) {
    this.turn = turn;
    this.label = label;
    this.held = false;
    this.settling = 0;
    this.track = svg("path", { class: "track", d: arc(-135, 135) });
    this.fill = svg("path", { class: "fill" });
    this.hand = svg("line", { class: "hand", x1: 24, y1: 12, x2: 24, y2: 6 });
    this.dial = svg("svg", { viewBox: "0 0 48 48", class: "dial", "aria-hidden": "true" }, this.track, this.fill, this.hand);
    this.number = el("span", { class: "number" });
    this.badge = el("span", { class: "badge hidden" });
    this.element = el("div", {
      class: "knob", role: "slider", tabindex: "0", "aria-label": label, "data-parameter": parameter.name,
      title: `${label}: drag, arrow keys, Enter to type; double-click for the default`,
    }, this.dial, el("span", { class: "label" }, label), this.number, this.badge);
    this.update(parameter);
    this.listen();
  }

  /** Show where a parameter stands now; while it is held by hand, only its range. */
  update(parameter) {
    this.parameter = parameter;
    if (this.settling > performance.now()) {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.update(this.parameter), ECHO);
    } else if (!this.held) {
      this.show(parameter.value);
    }
    const bounds = { "aria-valuemin": parameter.minimum, "aria-valuemax": parameter.maximum };
    set(this.element, bounds);
  }

  show(value) {
    this.value = value;
    const p = this.parameter;
    const degrees = -135 + SWEEP * position(p, value);
    const origin = p.minimum < 0 && p.maximum > 0 ? -135 + SWEEP * position(p, 0) : -135;
    const [from, to] = [Math.min(origin, degrees), Math.max(origin, degrees)];
    this.fill.setAttribute("d", to - from < 0.5 ? "" : arc(from, to));
    this.hand.setAttribute("transform", `rotate(${degrees.toFixed(1)} 24 24)`);
    const text = written(p, value);
    say(this.number, text);
    set(this.element, { "aria-valuenow": +value.toFixed(5), "aria-valuetext": text });
  }

  mark(text) {
    mark(this.badge, text);
  }

  change(value) {
    if (value === this.value) return;
    this.show(value);
    this.settling = performance.now() + ECHO; // what comes back until then may be older
    this.turn(value);
  }

  step(share) {
    const p = this.parameter;
    const whole = p.kind === "categorical" || p.kind === "switch";
    this.change(whole ? Math.min(p.maximum, Math.max(p.minimum, this.value + Math.sign(share))) : valueAt(p, position(p, this.value) + share));
  }

  listen() {
    const e = this.element;
    let start = null;
    e.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.field) return;
      e.setPointerCapture(event.pointerId);
      e.focus({ preventScroll: true });
      this.held = true;
      start = { y: event.clientY, x: event.clientX, at: position(this.parameter, this.value) };
      event.preventDefault();
    });
    e.addEventListener("pointermove", (event) => {
      if (!start || !this.held) return;
      const moved = start.y - event.clientY + (event.clientX - start.x);
      this.change(valueAt(this.parameter, start.at + (moved / TRAVEL) * (event.shiftKey ? 0.1 : 1)));
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      e.addEventListener(end, () => { start = null; this.held = false; });
    }
    e.addEventListener("wheel", (event) => {
      if (document.activeElement !== e) return; // a page that scrolls turns no knobs
      event.preventDefault();
      this.step(event.deltaY < 0 ? 0.02 : -0.02);
    }, { passive: false });
    e.addEventListener("dblclick", () => this.change(this.parameter.default));
    e.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (this.field || event.altKey || event.ctrlKey || event.metaKey) return;
    const p = this.parameter;
    const fine = event.shiftKey ? 0.1 : 1;
    const done = {
      ArrowUp: () => this.step(0.01 * fine), ArrowRight: () => this.step(0.01 * fine),
      ArrowDown: () => this.step(-0.01 * fine), ArrowLeft: () => this.step(-0.01 * fine),
      PageUp: () => this.step(0.1), PageDown: () => this.step(-0.1),
      Home: () => this.change(p.minimum), End: () => this.change(p.maximum),
      Delete: () => this.change(p.default), Backspace: () => this.change(p.default),
      Enter: () => this.type(),
    }[event.key];
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
    done();
  }

  /** Say something at the knob for a moment. */
  note(text) {
    clearTimeout(this.noted);
    this.bubble ??= el("span", { class: "clamped", role: "status" });
    this.element.append(this.bubble);
    say(this.bubble, text);
    this.noted = setTimeout(() => this.bubble.remove(), NOTED);
  }

  /** Let go of what was turned and not confirmed. */
  settle() {
    this.held = false;
    this.settling = 0;
    const field = this.field;
    this.field = null; // or what was typed so far would be taken: it loses the focus
    field?.remove();
    this.update(this.parameter);
  }

  /** Let a value be typed. */
  type() {
    const p = this.parameter;
    this.field = el("input", { class: "typed", inputmode: "decimal", "aria-label": `${this.label}, value` });
    this.field.value = forTyping(p, this.value);
    const close = (keep) => {
      const field = this.field;
      if (!field) return;
      this.field = null;
      const typed = field.value.trim();
      const value = typedValue(p, typed);
      field.remove();
      if (keep && !Number.isFinite(value)) this.note(`“${typed}” is no number`);
      else if (keep) this.change(Math.min(p.maximum, Math.max(p.minimum, value)));
      if (keep && value > p.maximum) this.note(`${written(p, p.maximum)} is the highest`);
      if (keep && value < p.minimum) this.note(`${written(p, p.minimum)} is the lowest`);
      this.element.focus();
    };
    this.field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") close(true);
      if (event.key === "Escape") close(false);
    });
    this.field.addEventListener("blur", () => close(true));
    this.element.append(this.field);
    this.field.select();
  }
}
