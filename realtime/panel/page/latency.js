// Health in one lamp; the details: latency budget, the processor's share, what was counted.

import { el, id, say, set, shown } from "./dom.js";

/** Draw the parts that sum to the latency. */
export function showLatency(latency) {
  const parts = latency.parts.filter((p) => p.samples > 0 || p.ms > 0);
  const total = parts.reduce((sum, p) => sum + p.ms, 0);
  say(id("latency-sum"), `${shown(latency.ms, "ms")} declared`);
  const bar = id("latency");
  bar.replaceChildren(...parts.map((p, k) => {
    const piece = el("div", { class: `piece p${k % 6}`, title: `${p.name}: ${shown(p.ms, "ms")}` });
    piece.style.flexGrow = String(Math.max(p.ms, total / 100));
    return piece;
  }));
  bar.classList.toggle("empty", parts.length === 0);
  set(bar, { role: "img", "aria-label": `Latency: ${parts.map((p) => `${p.name} ${shown(p.ms, "ms")}`).join(", ") || "none"}` });
  id("latency-legend").replaceChildren(...(parts.length ? parts : latency.parts.slice(0, 1)).map((p, k) =>
    el("li", {}, el("i", { class: parts.length ? `p${k % 6}` : "" }), el("span", {}, p.name), el("b", {}, `${p.samples} · ${shown(p.ms, "ms")}`))));
}

/** Time per hop against what there is. */
export function showProcessor(message) {
  const { p50, p99, budget } = message.hop_us;
  say(id("cpu"), `${shown(message.cpu_percent, "", 2)} % of a core`);
  if (!budget) {
    say(id("hop"), "no deadline here");
    return;
  }
  const bar = id("hopbar");
  if (!bar.firstChild) bar.append(el("div", { class: "p99" }), el("div", { class: "p50" }));
  bar.firstChild.style.transform = `scaleX(${Math.min(1, p99 / budget).toFixed(3)})`;
  bar.lastChild.style.transform = `scaleX(${Math.min(1, p50 / budget).toFixed(3)})`;
  bar.classList.toggle("tight", p99 > TIGHT * budget);
  say(id("hop"), `a hop takes ${shown(p50)} µs, p99 ${shown(p99)} of ${shown(budget)} µs`);
}

/** What a tagger hears in what is played: the likeliest first. */
export function showTags(tags) {
  id("heard").classList.toggle("hidden", !tags);
  if (!tags) return;
  const likely = Object.entries(tags).sort((a, b) => b[1] - a[1]).slice(0, 4);
  id("heard-list").replaceChildren(...likely.map(([name, p]) => {
    const bar = el("i", {});
    bar.style.transform = `scaleX(${p.toFixed(3)})`;
    return el("li", { class: p >= 0.5 ? "sure" : "" }, el("span", {}, name), el("span", { class: "track" }, bar), el("b", {}, `${Math.round(100 * p)} %`));
  }));
}

const NAMED = {
  missed: "callbacks missed", concealed_samples: "samples concealed", input_underflows: "input underflows",
  input_overflows: "input overflows", output_underflows: "output underflows", output_overflows: "output overflows",
  ring_underflows: "late worker blocks", ring_overflows: "worker blocks lost", deadline_misses: "blocks over their time",
  restarts: "engine restarts", model_errors: "model errors", rests: "rests of a slow model",
  refused: "requests refused", throttled: "requests slowed down",
};

const DOUBLE = ["concealed", "dropped_samples"]; // said by another counter
const HEARD = /^(missed|restarts|(input|output|ring)_(under|over)flows)$/; // each is a drop-out
const LATELY = 5000; // ms
const TIGHT = 0.6; // of its time that a block may take

/** One lamp: good, busy or dropping; what was counted before the last reset is forgotten. */
export class Health {
  constructor() {
    this.base = this.total = this.late = 0;
    this.dropped = this.delayed = -Infinity;
    this.since = new Date();
    id("health-reset").addEventListener("click", () => {
      this.base = this.total;
      this.dropped = this.delayed = -Infinity;
      this.since = new Date();
      if (this.last) this.show(...this.last);
    });
  }

  show(message, now) {
    this.last = [message, now];
    const { counters, hop_us } = message;
    const total = Object.entries(counters).reduce((sum, [name, n]) => sum + (HEARD.test(name) ? n : 0), 0);
    const late = counters.deadline_misses ?? 0;
    if (this.seen && total > this.total) this.dropped = now;
    if (this.seen && late > this.late) this.delayed = now;
    if (!this.seen || total < this.base) this.base = total; // what was before this page is not its news
    [this.total, this.late, this.seen] = [total, late, true];
    const tight = hop_us.budget > 0 && hop_us.p99 > TIGHT * hop_us.budget;
    const state = now - this.dropped < LATELY ? "dropping" : tight || now - this.delayed < LATELY ? "busy" : "good";
    id("health").dataset.state = state;
    say(id("health-word"), { dropping: "Dropping", busy: "Busy", good: "Good" }[state]);
    const many = total - this.base;
    const at = this.since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const advice = { dropping: "Close other programs, or choose a bigger block under Device.", busy: "Little time is left for more pedals.", good: "" }[state];
    say(id("health-hint"), `${many ? `${many} drop-out${many > 1 ? "s" : ""} since ${at}.` : `No drop-outs since ${at}.`} ${advice}`.trim());
  }

  /** Nothing is known. */
  forget() {
    id("health").dataset.state = "none";
    say(id("health-word"), "–");
    say(id("health-hint"), "");
  }
}

/** Counters; those that are not zero are listed. */
export function showCounters(counters) {
  const entries = Object.entries(counters).filter(([name, n]) => n > 0 && !DOUBLE.includes(name));
  say(id("dropouts"), entries.length ? "" : "none");
  const rows = entries.map(([name, n]) => `${NAMED[name] ?? name.replaceAll("_", " ")}\n${n}`);
  const list = id("counts");
  if (list.dataset.rows === rows.join("\n")) return;
  list.dataset.rows = rows.join("\n");
  list.replaceChildren(...rows.flatMap((row) => {
    const [name, n] = row.split("\n");
    return [el("dt", {}, name), el("dd", {}, n)];
  }));
}
