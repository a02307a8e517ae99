// The blend pad: styles at the corners, the puck between them says how much of each.

import { corners, placeOf, weightsAt } from "./barycentric.js";
import { el, say, svg } from "./dom.js";
import { title } from "./names.js";

const STEP = 0.05;
const ECHO = 400; // ms
const SIZE = 84; // of the polygon inside a view of 200

export class BlendPad {
  /** `turn(weights by name)` is called for every move by hand. */
  constructor(place, turn) {
    this.place = place;
    this.turn = turn;
    this.names = [];
    this.held = false;
    this.settling = 0;
  }

  /** Show the blend parameters of the model that plays; none hides the pad. */
  update(parameters) {
    const names = parameters.map((p) => p.name);
    if (names.join("\n") !== this.names.join("\n")) this.build(names);
    if (names.length < 2 || this.held || this.settling > performance.now()) return;
    const sum = parameters.reduce((total, p) => total + p.value, 0) || 1;
    this.show(parameters.map((p) => p.value / sum));
  }

  build(names) {
    this.names = names;
    this.place.replaceChildren();
    this.place.classList.toggle("hidden", names.length < 2);
    if (names.length < 2) return;
    this.polygon = corners(names.length);
    const [w, h] = names.length === 2 ? [200, 60] : [200, 200];
    this.centre = [w / 2, h / 2];
    const at = ([x, y]) => [this.centre[0] + SIZE * x, this.centre[1] + SIZE * y];
    const points = this.polygon.map((c) => at(c).map((v) => v.toFixed(1)).join(",")).join(" ");
    this.puck = svg("circle", { class: "puck", r: 11 });
    this.rays = this.polygon.map((c) => svg("line", { class: "ray", x1: at(c)[0], y1: at(c)[1] }));
    const dots = this.polygon.map((c) => svg("circle", { class: "corner", cx: at(c)[0], cy: at(c)[1], r: 4 }));
    this.view = svg("svg", { viewBox: `0 0 ${w} ${h}`, "aria-hidden": "true" }, svg("polygon", { class: "field", points }), ...this.rays, ...dots, this.puck);
    this.titles = names.map(title);
    this.texts = this.titles.map((name, k) => {
      const [x, y] = at(this.polygon[k]);
      const tag = el("button", { type: "button", class: "pole", tabindex: "-1", title: `Only ${name}` }, el("b", {}, name), el("span", {}));
      tag.style.left = `${(100 * x) / w}%`;
      tag.style.top = `${(100 * y) / h}%`;
      tag.classList.add(this.polygon[k][1] > 0 ? "below" : "above");
      tag.addEventListener("click", () => this.go(this.polygon[k]));
      return tag;
    });
    this.pad = el("div", { class: "pad", role: "slider", tabindex: "0", "aria-label": "Blend of styles; arrow keys move it", "aria-roledescription": "blend pad", "aria-valuemin": 0, "aria-valuemax": 100, "data-parameter": "blend" }, this.view);
    this.place.append(el("div", { class: `pad-frame n${names.length}` }, this.pad, ...this.texts));
    this.listen();
  }

  show(weights) {
    this.weights = weights;
    const [x, y] = placeOf(weights, this.polygon);
    const [px, py] = [this.centre[0] + SIZE * x, this.centre[1] + SIZE * y];
    this.puck.setAttribute("cx", px.toFixed(2));
    this.puck.setAttribute("cy", py.toFixed(2));
    this.rays.forEach((ray, k) => {
      ray.setAttribute("x2", px.toFixed(2));
      ray.setAttribute("y2", py.toFixed(2));
      ray.style.opacity = (0.08 + 0.9 * weights[k]).toFixed(3);
    });
    this.texts.forEach((text, k) => say(text.lastChild, `${Math.round(100 * weights[k])} %`));
    const spoken = this.titles.map((name, k) => `${name} ${Math.round(100 * weights[k])} %`).join(", ");
    this.pad.setAttribute("aria-valuetext", spoken);
    this.pad.setAttribute("aria-valuenow", Math.round(100 * Math.max(...weights)));
  }

  /** Let go of what was moved and not confirmed. */
  settle() {
    this.held = false;
    this.settling = 0;
  }

  go(point) {
    const weights = weightsAt(point, this.polygon);
    this.show(weights);
    this.settling = performance.now() + ECHO; // what comes back until then may be older
    this.turn(Object.fromEntries(this.names.map((name, k) => [name, +weights[k].toFixed(5)])));
  }

  listen() {
    const point = (event) => {
      const box = this.view.getBoundingClientRect();
      const [w, h] = [2 * this.centre[0], 2 * this.centre[1]];
      const scale = w / box.width;
      return [((event.clientX - box.left) * scale - w / 2) / SIZE, ((event.clientY - box.top) * scale - h / 2) / SIZE];
    };
    this.pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.pad.setPointerCapture(event.pointerId);
      this.pad.focus({ preventScroll: true });
      this.held = true;
      this.go(point(event));
      event.preventDefault();
    });
    this.pad.addEventListener("pointermove", (event) => this.held && this.go(point(event)));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.pad.addEventListener(end, () => { this.held = false; });
    }
    this.pad.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      const corner = this.polygon[Number(event.key) - 1];
      if (!move && !corner) return;
      event.preventDefault();
      event.stopPropagation();
      if (corner) return this.go(corner);
      const [x, y] = placeOf(this.weights, this.polygon);
      const far = event.shiftKey ? STEP / 5 : STEP;
      this.go([x + far * move[0], y + far * move[1]]);
    });
  }
}
