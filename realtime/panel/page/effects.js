// Choosing an effect or plug-in for a place in the chain.

import { api } from "./api.js";
import { closeDialog, fillDialog, openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { words } from "./names.js";
import { trying } from "./toast.js";

const HINTS = {
  Bitcrush: "fewer bits", Chorus: "several voices", Clipping: "hard edges", Compressor: "evens out loudness",
  Convolution: "a room or cabinet from a file", Delay: "echoes", Distortion: "drive", Gain: "louder or softer",
  HighpassFilter: "cuts lows", HighShelfFilter: "treble", LadderFilter: "synth filter", Limiter: "no peaks",
  LowpassFilter: "cuts highs", LowShelfFilter: "bass", NoiseGate: "silences pauses", PeakFilter: "one band",
  Phaser: "sweeping notches", PitchShift: "higher or lower", Reverb: "a room",
};

/** Let an effect be chosen; `add(entry)` gets its table as in a chain file. */
export async function chooseEffect(add, before) {
  openDialog(`Add ${before}`, el("p", { class: "small" }, "Looking for effects and plug-ins …"));
  const found = await trying(() => api.effects());
  if (!found) return closeDialog();
  const button = (label, hint, entry) => {
    const made = el("button", { type: "button", class: "choice" }, el("b", {}, label), el("span", { class: "small" }, hint));
    made.addEventListener("click", () => { closeDialog(); add(entry); });
    return made;
  };
  const effects = found.effects.map((e) => button(words(e.name), HINTS[e.name] ?? "", { effect: e.name }));
  const usable = found.plugins.filter((p) => !p.status || /^(ok|good|works)/.test(p.status));
  const isAlone = (p) => usable.filter((other) => other.path === p.path).length === 1;
  const plugins = usable.map((p) => button(p.name, p.path, { plugin: isAlone(p) ? p.path : p.name }));
  fillDialog(
    el("div", { class: "choices" }, ...effects),
    el("h3", {}, "Plug-ins"),
    plugins.length ? el("div", { class: "choices" }, ...plugins) : el("p", { class: "small" }, "None yet: run “restyle scan” to find those on this machine."),
  );
}
