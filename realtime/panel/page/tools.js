// The tuner, the beat and the looper: what these stages measure, and the looper's buttons.

import { api } from "./api.js";
import { el, id, say, shown } from "./dom.js";
import { trying } from "./toast.js";

const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const STATES = ["empty", "waits for the beat", "records", "plays", "overdubs", "stopped"];
const IN_TUNE = 2; // cents
const PRESSED = 120; // ms that a switch without a memory stays on

/** Switches of which each press does something. */
export const PRESSED_ONCE = new Set(["undo", "clear"]);

/** Turn a switch on for a moment. */
export function press(turn, name) {
  turn(name, 1);
  setTimeout(() => turn(name, 0), PRESSED);
}

/** The first stage of a name, wherever it stands. */
function find(path, name) {
  for (const stage of path) {
    const inside = stage.name === name && stage.kind === "effect" ? stage : find((stage.group ?? []).flatMap((b) => b.stages), name);
    if (inside) return inside;
  }
  return null;
}

export class Tools {
  /** `turn(name, value)` sends a value. */
  constructor(turn) {
    this.turn = turn;
    this.path = [];
    this.spoken = 0;
    id("open-tuner").addEventListener("click", () => this.toggleTuner());
    for (const name of ["record", "play", "undo", "clear"]) {
      id(`loop-${name}`).addEventListener("click", () => this.loop(name));
    }
  }

  /** Take the stages and values there are. */
  update(state) {
    this.path = state.path;
    this.values = new Map(state.parameters.map((p) => [p.name, p.value]));
    const looper = find(this.path, "Looper");
    id("open-tuner").setAttribute("aria-pressed", String(Boolean(find(this.path, "Tuner"))));
    id("looper").classList.toggle("hidden", !looper);
    if (!looper) return;
    for (const name of ["record", "play"]) {
      id(`loop-${name}`).setAttribute("aria-pressed", String(this.values.get(`${looper.place}.${name}`) >= 0.5));
    }
  }

  /** A muted tuner comes in before all else, or goes. */
  toggleTuner() {
    const tuner = find(this.path, "Tuner");
    return trying(() => (tuner ? api.remove(tuner.id) : api.insert({ effect: "Tuner", mute: true }, { index: 0 })));
  }

  loop(name) {
    const looper = find(this.path, "Looper");
    if (!looper) return;
    const parameter = `${looper.place}.${name}`;
    const records = this.values.get(`${looper.place}.record`) >= 0.5;
    if (name === "play" && records) { // as on a pedal: the loop is closed and plays on
      this.turn(`${looper.place}.record`, 0);
      if (this.values.get(parameter) < 0.5) this.turn(parameter, 1);
      return;
    }
    if (PRESSED_ONCE.has(name)) press(this.turn, parameter);
    else this.turn(parameter, this.values.get(parameter) >= 0.5 ? 0 : 1);
  }

  draw({ readings }, now) {
    this.drawTuner(readings, now);
    if (readings.loop_state !== undefined) {
      const length = readings.loop_seconds > 0 ? `, ${shown(readings.loop_seconds, "s")}` : "";
      say(id("loop-state"), STATES[readings.loop_state] + length);
      id("loop-place").style.transform = `scaleX(${readings.loop_position.toFixed(3)})`;
    }
    const beat = readings.beat > 0 ? `beat ${readings.beat}` : "";
    say(id("beat"), beat);
  }

  drawTuner(readings, now) {
    const there = readings.tuner_hz !== undefined;
    id("tuner").classList.toggle("hidden", !there);
    if (!there) return;
    const heard = readings.tuner_hz > 0;
    const cents = readings.tuner_cents;
    const note = heard ? `${NOTES[readings.tuner_note % 12]}${Math.floor(readings.tuner_note / 12) - 1}` : "–";
    const off = `${cents < 0 ? "−" : "+"}${Math.abs(cents).toFixed(1)} cents`;
    say(id("tuner-note"), note);
    say(id("tuner-cents"), heard ? off : "play a string");
    say(id("tuner-hz"), heard ? `${readings.tuner_hz.toFixed(2)} Hz` : "");
    const needle = id("tuner-needle");
    needle.style.transform = `translateX(${(heard ? Math.max(-50, Math.min(50, cents)) : 0).toFixed(1)}%)`;
    id("tuner").classList.toggle("in-tune", heard && Math.abs(cents) <= IN_TUNE);
    id("tuner").classList.toggle("silent", !heard);
    if (heard && now - this.spoken > 1000) { // for screen readers, now and then
      this.spoken = now;
      say(id("tuner-spoken"), `${note}, ${off}`);
    }
  }
}
