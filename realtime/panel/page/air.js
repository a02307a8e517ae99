// What others hear, in a word and a colour, how late, and the two buttons that decide it.

import { api } from "./api.js";
import { id, say, set, shown } from "./dom.js";
import { trying } from "./toast.js";

const HINTS = {
  live: "Others hear the restyled sound",
  bypassed: "Others hear the sound as it comes in",
  muted: "Others hear nothing; hold Y to talk",
  none: "Others hear nothing",
};
const REASONS = {
  resting: "No program listens; it wakes when one does",
  replacing: "The sound is coming back",
  starting: "The sound is starting",
};

export class Air {
  constructor(turn) {
    this.turn = turn;
    this.muted = this.talking = this.linked = false;
    id("mute").addEventListener("click", () => this.mute(!this.muted));
    const talk = id("talk");
    talk.addEventListener("pointerdown", () => this.talk(true));
    for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) talk.addEventListener(end, () => this.talk(false));
    document.addEventListener("keyup", (event) => { if (event.key.toLowerCase() === "y") this.talk(false); });
    id("monitor-gain").addEventListener("input", (event) => trying(() => api.monitor(Number(event.target.value))));
    window.addEventListener("blur", () => this.talk(false)); // nobody would hear of the key that is let go
  }

  mute(on) {
    this.talking = false;
    this.turn("mute", Number(on));
  }

  /** Be heard as long as a key or the button is held, where it is muted. */
  talk(on) {
    if (on && !this.muted) return;
    if (!on && !this.talking) return;
    this.talking = on;
    this.turn("mute", Number(!on));
  }

  link(up) {
    this.linked = up;
    if (this.state) this.update(this.state);
  }

  update(state) {
    this.state = state;
    this.muted = state.parameters.some((p) => p.name === "mute" && p.value >= 0.5);
    const sounds = this.linked && ["playing", "moving"].includes(state.host);
    const kind = !sounds ? "none" : this.muted ? "muted" : state.bypass ? "bypassed" : "live";
    id("air").dataset.kind = kind;
    say(id("air-word"), kind === "none" ? "NO SOUND" : kind.toUpperCase());
    say(id("air-hint"), (!this.linked && "The connection is lost") || (!sounds && REASONS[state.host]) || HINTS[kind]);
    const to = state.microphone ?? state.device.output;
    say(id("air-way"), `${state.device.input ?? "no input"} → ${to}`);
    const { total_ms } = state.latency;
    say(id("air-latency"), Number.isFinite(total_ms) ? `${shown(total_ms, "ms")} in all` : "–");
    set(id("mute"), { "aria-pressed": String(this.muted) });
    say(id("mute"), this.muted ? "Unmute" : "Mute");
    id("monitor").classList.toggle("hidden", !state.monitor);
    if (state.monitor) {
      const { name, latency_ms, gain_db } = state.monitor;
      say(id("monitor-name"), `You hear it on ${name}, ${shown(latency_ms, "ms")} later, at ${shown(gain_db, "dB")}`);
      if (document.activeElement !== id("monitor-gain")) id("monitor-gain").value = gain_db;
    }
    id("talk").disabled = !this.muted && !this.talking;
  }
}
