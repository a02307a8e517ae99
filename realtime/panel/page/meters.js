// Input and output levels: RMS bar, peak line held for a moment, clip lamp until it is pressed.

import { el, say } from "./dom.js";

const LOWEST = -60;
const HOLD = 1500; // ms
const FALL = 20; // dB a second

const share = (db) => Math.min(1, Math.max(0, (db - LOWEST) / -LOWEST));

class Meter {
  constructor(name, kind) {
    this.held = LOWEST;
    this.since = 0;
    this.bar = el("div", { class: "level" });
    this.peak = el("div", { class: "peak" });
    this.number = el("span", { class: "db" }, "−∞");
    this.lamp = el("button", { type: "button", class: "clip", title: "Clipped; press to clear", "aria-label": `${name}: not clipped` }, "clip");
    this.lamp.addEventListener("click", () => this.clip(false));
    this.gauge = el("div", { class: `gauge ${kind}`, role: "meter", "aria-label": `${name} level`, "aria-valuemin": LOWEST, "aria-valuemax": 0 }, this.bar, this.peak);
    this.name = name;
    this.element = el("div", { class: "meter" }, el("span", { class: "who" }, name), this.gauge, this.number, this.lamp);
    this.spoken = this.read = 0;
  }

  clip(on) {
    this.lamp.classList.toggle("on", on);
    this.lamp.setAttribute("aria-label", `${this.name}: ${on ? "clipped; press to clear" : "not clipped"}`);
  }

  draw(level, now, seconds) {
    const peak = Number.isFinite(level.peak_db) ? level.peak_db : -200;
    const rms = Number.isFinite(level.rms_db) ? level.rms_db : -200;
    if (peak >= this.held) {
      this.held = peak;
      this.since = now;
    } else if (now - this.since > HOLD) {
      this.held = Math.max(peak, this.held - FALL * seconds);
    }
    this.bar.style.transform = `scaleX(${share(rms).toFixed(4)})`;
    this.peak.style.transform = `translateX(${(share(this.held) * 100).toFixed(2)}%)`;
    if (level.clip) this.clip(true);
    if (now - this.read > 100) { // nobody reads a number faster
      this.read = now;
      say(this.number, this.held <= -100 ? "−∞" : this.held.toFixed(1).replace("-", "−"));
    }
    if (now - this.spoken > 500) { // what a screen reader is told need not follow every frame
      this.spoken = now;
      this.gauge.setAttribute("aria-valuenow", Math.max(LOWEST, Math.round(rms)));
      this.gauge.setAttribute("aria-valuetext", rms <= LOWEST ? "silent" : `${Math.round(rms)} dB`);
    }
  }
}

export class Meters {
  constructor(place) {
    this.input = new Meter("In", "dry");
    this.output = new Meter("Out", "wet");
    this.limiter = el("span", { class: "small" });
    const ticks = [-48, -36, -24, -12, 0].map((db) => {
      const tick = el("span", {}, String(db).replace("-", "−"));
      tick.style.left = `${100 * share(db)}%`;
      return tick;
    });
    const scale = el("div", { class: "meter scale-row", "aria-hidden": "true" }, el("span", {}), el("div", { class: "ticks" }, ...ticks));
    place.append(this.input.element, this.output.element, scale, this.limiter);
    this.then = performance.now();
  }

  /** Nothing is known. */
  forget() {
    for (const meter of [this.input, this.output]) {
      meter.held = LOWEST;
      meter.draw({ peak_db: -200, rms_db: -200, clip: false }, performance.now(), 0);
      say(meter.number, "–");
    }
    say(this.limiter, "");
  }

  draw(message, now) {
    const seconds = Math.min(0.5, (now - this.then) / 1000);
    this.then = now;
    this.input.draw(message.input, now, seconds);
    this.output.draw(message.output, now, seconds);
    const held = message.limiter_db;
    say(this.limiter, held < -0.1 ? `limiter holds back ${(-held).toFixed(1)} dB` : "limiter rests");
  }
}
