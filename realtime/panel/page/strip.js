// The status strip: what is heard, in a word and a colour; from where to where and how late; what is
// being changed.  Everything on it was confirmed by the server within the last half second.

import { api } from "./api.js";
import { el, id, say, set, shown } from "./dom.js";
import { trying } from "./toast.js";

const WORDS = { live: "LIVE", bypassed: "BYPASSED", muted: "MUTED", none: "NO SOUND", off: "NOT CONNECTED" };
const HINTS = {
  live: "Restyled sound is heard",
  bypassed: "The input is heard as it comes",
  muted: "Nothing is heard; hold Y to talk",
  off: "The sound may play on; trying to reach restyle again",
};
const REASONS = {
  idle: "Not asked to play yet", starting: "The sound is starting", replacing: "The sound engine is being restarted",
  resting: "No program listens; it wakes when one does", ended: "The input has ended", closing: "restyle is ending", closed: "restyle has ended",
};
const PATIENCE = 0.3; // seconds before a change is worth a line

export class Strip {
  constructor(turn) {
    this.turn = turn;
    this.muted = this.talking = this.linked = false;
    this.skew = 0; // server's clock minus ours [s]
    this.lost = performance.now() / 1000;
    this.lines = new Map(); // of pending changes, by id
    id("mute").addEventListener("click", () => this.mute(!this.muted));
    const talk = id("talk");
    talk.addEventListener("pointerdown", () => this.talk(true));
    for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) talk.addEventListener(end, () => this.talk(false));
    document.addEventListener("keyup", (event) => { if (event.key.toLowerCase() === "y") this.talk(false); });
    id("monitor-gain").addEventListener("input", (event) => trying(() => api.monitor(Number(event.target.value))));
    window.addEventListener("blur", () => this.talk(false)); // nobody would hear of the key that is let go
    setInterval(() => this.tick(), 100);
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
    if (this.linked && !up) this.lost = performance.now() / 1000;
    this.linked = up;
    this.show();
  }

  update(state) {
    this.state = state;
    this.show();
  }

  get kind() {
    if (!this.linked || !this.state) return "off";
    if (!["playing", "moving"].includes(this.state.host)) return "none";
    return this.muted ? "muted" : this.state.bypass ? "bypassed" : "live";
  }

  show() {
    const { state } = this;
    this.muted = Boolean(state?.parameters.some((p) => p.name === "mute" && p.value >= 0.5));
    const kind = this.kind;
    id("air").dataset.kind = document.body.dataset.air = kind;
    say(id("air-word"), WORDS[kind]);
    say(id("air-hint"), kind === "none" ? REASONS[state.host] ?? "The sound is coming back" : HINTS[kind]);
    const known = kind !== "off";
    say(id("air-way"), known ? `${state.device.input ?? "no input"} → ${state.microphone ?? state.device.output}` : "");
    const total = known ? state.latency.total_ms : NaN;
    say(id("air-latency"), Number.isFinite(total) ? `${shown(total, "ms")} in all` : "–");
    set(id("mute"), { "aria-pressed": String(this.muted) });
    id("mute").disabled = !known;
    say(id("mute"), this.muted ? "Unmute" : "Mute");
    id("talk").disabled = !known || (!this.muted && !this.talking);
    id("monitor").classList.toggle("hidden", !known || !state.monitor);
    if (known && state.monitor) {
      const { name, latency_ms, gain_db } = state.monitor;
      say(id("monitor-name"), `You hear it on ${name}, ${shown(latency_ms, "ms")} later, at ${shown(gain_db, "dB")}`);
      if (document.activeElement !== id("monitor-gain")) id("monitor-gain").value = gain_db;
    }
    this.tick();
  }

  /** How long it has been so, and changes that take a while. */
  tick() {
    const now = performance.now() / 1000;
    const { kind } = this;
    const since = kind === "off" ? now - this.lost : kind === "none" ? now + this.skew - this.state.host_since : 0;
    say(id("air-time"), since >= 1 ? lasting(since) : "");
    const pending = kind === "off" ? [] : this.state.pending.filter((p) => now + this.skew - p.since >= PATIENCE);
    for (const [key, line] of this.lines) {
      if (pending.some((p) => p.id === key)) continue;
      line.element.remove();
      this.lines.delete(key);
    }
    for (const p of pending) {
      const line = this.lines.get(p.id) ?? this.line(p);
      say(line.text, `${p.what}: ${p.progress}`);
      say(line.time, lasting(now + this.skew - p.since));
    }
  }

  line(p) {
    const line = { text: el("span", {}), time: el("span", { class: "time", "aria-hidden": "true" }) };
    const cancel = el("button", { type: "button", class: "tool", "aria-label": `Cancel: ${p.what}` }, "Cancel");
    cancel.addEventListener("click", () => trying(() => api.cancel(p.id)));
    line.element = el("div", { class: "change" }, el("i", { class: "spinner" }), line.text, line.time, cancel);
    id("pending").append(line.element);
    this.lines.set(p.id, line);
    return line;
  }
}

const lasting = (seconds) => (seconds < 60 ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`);
