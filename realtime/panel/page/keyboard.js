// The keys that a player hears, lit while their notes sound.

import { id, say, svg } from "./dom.js";

const NOTES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const BLACK = new Set([1, 3, 6, 8, 10]); // steps above C
const LOWEST = 28; // E1, as the ear has them
const HIGHEST = 96; // C7
const [WIDE, HIGH, NARROW, SHORT] = [10, 40, 6, 25];

const name = (pitch) => `${NOTES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

export class Keyboard {
  constructor() {
    this.keys = new Map(); // by pitch
    this.lit = new Set();
    let x = 0;
    const [white, black] = [[], []];
    for (let pitch = LOWEST; pitch <= HIGHEST; pitch++) {
      const raised = BLACK.has(pitch % 12);
      const at = raised ? x - NARROW / 2 : x;
      const key = svg("rect", { x: at, y: 0, width: raised ? NARROW : WIDE, height: raised ? SHORT : HIGH, class: raised ? "black" : "white", "data-pitch": pitch });
      (raised ? black : white).push(key);
      this.keys.set(pitch, key);
      if (!raised) x += WIDE;
    }
    id("keyboard-keys").append(svg("svg", { viewBox: `0 0 ${x} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...white, ...black));
  }

  /** Whether the style plays what it hears. */
  show(plays) {
    id("keyboard").classList.toggle("hidden", !plays);
    if (!plays) this.draw(null);
  }

  /** Light the notes `[[pitch, velocity], …]`; null: no player runs. */
  draw(notes) {
    const now = new Map(notes ?? []);
    if (now.size) id("keyboard").classList.remove("hidden"); // a player further down the path
    for (const pitch of this.lit) if (!now.has(pitch)) this.keys.get(pitch)?.classList.remove("on");
    for (const pitch of now.keys()) if (!this.lit.has(pitch)) this.keys.get(pitch)?.classList.add("on");
    this.lit = new Set(now.keys());
    say(id("keyboard-notes"), [...this.lit].map(name).join(" "));
  }
}
