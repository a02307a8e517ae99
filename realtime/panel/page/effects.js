// Choosing a stage for a place in the path: an effect, a model, a plug-in or a group.

import { api } from "./api.js";
import { closeDialog, fillDialog, openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { words } from "./names.js";
import { trying } from "./toast.js";

const HINTS = {
  Bitcrush: "fewer bits", Chorus: "several voices", Clipping: "hard edges", Compressor: "evens out loudness",
  AutoGain: "one loudness", Convolution: "a room or cabinet from a file", DeHum: "takes mains hum away", Delay: "echoes", DropTune: "strings and chords lower or higher", Distortion: "drive", Gain: "louder or softer",
  HighpassFilter: "cuts lows", HighShelfFilter: "treble", LadderFilter: "synth filter", Limiter: "no peaks",
  Looper: "records and repeats", LowpassFilter: "cuts highs", LowShelfFilter: "bass", Metronome: "a click", NoiseGate: "silences pauses", PeakFilter: "one band",
  Phaser: "sweeping notches", PitchShift: "higher or lower", Reverb: "a room", Tuner: "shows the pitch", VoiceShift: "pitch and formants of a voice", Widener: "as wide as an ensemble",
};

/** Let a stage be chosen; `add(stage)` gets its table as in a preset. */
export async function chooseStage(add, where) {
  openDialog(`Add to ${where}`, el("p", { class: "small" }, "Looking for effects, styles and plug-ins …"));
  const [found, models] = await trying(() => Promise.all([api.effects(), api.models()])) ?? [];
  if (!found) return closeDialog();
  const button = (label, hint, entry) => {
    const made = el("button", { type: "button", class: "choice" }, el("b", {}, label), el("span", { class: "small" }, hint));
    made.addEventListener("click", () => { closeDialog(); add(entry); });
    return made;
  };
  const effects = found.effects.map((e) => button(words(e.name), HINTS[e.name] ?? "", { effect: e.name, ...e.useful }));
  const usable = found.plugins.filter((p) => !p.status || /^(ok|good|works)/.test(p.status));
  const isAlone = (p) => usable.filter((other) => other.path === p.path).length === 1;
  const plugins = usable.map((p) => button(p.name, p.path, { plugin: isAlone(p) ? p.path : p.name }));
  const styles = models.filter((m) => !m.problem).map((m) => button(m.title || m.name, m.summary ?? "", { model: m.name }));
  const group = button("Two branches", "in parallel, added", { group: [{}, {}] });
  fillDialog(
    el("div", { class: "choices" }, ...effects, group),
    el("h3", {}, "Styles"),
    el("div", { class: "choices" }, ...styles),
    el("h3", {}, "Plug-ins"),
    plugins.length ? el("div", { class: "choices" }, ...plugins) : el("p", { class: "small" }, "None yet: run “restyle scan” to find those on this machine."),
  );
}
