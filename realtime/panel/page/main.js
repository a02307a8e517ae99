// Puts the parts together: what the live connection brings goes to each, what is turned goes out.

import { Air } from "./air.js";
import { api } from "./api.js";
import { BlendPad } from "./blend-pad.js";
import { Chain, styleOf } from "./chain.js";
import { prepareDialog } from "./dialog.js";
import { showDevices } from "./devices.js";
import { id, say } from "./dom.js";
import { listenToKeys, showHelp } from "./keys.js";
import { Choice, Knob } from "./knob.js";
import { showCounters, showLatency, showProcessor, showTags } from "./latency.js";
import { Live } from "./live.js";
import { Meters } from "./meters.js";
import { Midi } from "./midi.js";
import { Models } from "./models.js";
import { ownName, title } from "./names.js";
import { PendingChanges } from "./pending.js";
import { RecordButton, showRecordings } from "./recording.js";
import { showPresets } from "./presets.js";
import { Concert } from "./concert.js";
import { Spectrograms } from "./spectrogram.js";
import { prepareTheme } from "./theme.js";
import { toast, trying } from "./toast.js";
import { Tools } from "./tools.js";

const LEVELS = [["input_gain_db", "gain in"], ["mix", "mix"], ["output_gain_db", "gain out"]];
const OWN = ["mix", "input_gain_db", "output_gain_db", "bypass", "mute"]; // of every sound
const LOWEST_GAIN = -40; // dB: a knob's travel; more is silence to the ear

const knobs = new Map(); // by parameter
let state = null;
let newest = null; // the last meters message, drawn at the next frame
let incidents = 0;

const live = new Live({
  link: (up) => {
    id("link").classList.toggle("up", up);
    air.link(up);
    id("link").title = up ? "Connected" : "Connection lost; trying again";
    if (!up && state) toast("The connection is lost; the sound may play on. Trying again …", "error");
    if (up) trying(() => api.midi()).then((found) => found && midi.update(found));
  },
  state: (message) => show(message.state),
  values: (message) => {
    for (const p of state?.parameters ?? []) if (p.name in message.values) p.value = message.values[p.name];
    if (state) showValues();
  },
  meters: (message) => { newest = message; },
  columns: (bytes) => spectrograms.take(bytes),
  midi: (message) => midi.update(message),
  error: (message) => toast(message.error, "error"),
});

const turn = (name, value) => {
  const parameter = state?.parameters.find((p) => p.name === name);
  if (parameter) parameter.value = value;
  live.turn(name, value);
};

const meters = new Meters(id("meters"));
const spectrograms = new Spectrograms(id("spectrum-in"), id("spectrum-out"));
const models = new Models(id("models"), id("model-search"));
const pad = new BlendPad(id("pad"), (weights) => {
  for (const p of state?.parameters ?? []) if (p.name in weights) p.value = weights[p.name];
  live.blend(weights);
});
const chain = new Chain(id("chain"), turn, knobs);
const midi = new Midi(knobs);
const tools = new Tools(turn);
const air = new Air((name, value) => { turn(name, value); showValues(); });
const recording = new RecordButton();
const concert = new Concert(id("concert"));
const pending = new PendingChanges(id("pending"));

function show(next) {
  const before = state;
  state = next;
  for (const p of next.parameters) if (/^(in|out)put_gain_db$/.test(p.name)) p.minimum = LOWEST_GAIN;
  const about = models.of(next.style);
  say(id("style-title"), about?.title ?? next.style ?? "No style");
  say(id("style-summary"), about?.summary ?? (next.style ? "" : "The sound passes through the other stages alone."));
  say(id("lane"), next.lane === "worker" ? "worker lane" : "inside the audio callback");
  say(id("preset-name"), next.preset ? `Preset: ${next.preset}` : "Presets");
  const device = next.device.simulated ? "simulated device" : `${next.device.input} → ${next.device.output}`;
  say(id("where"), `${device} · ${next.sample_rate / 1000} kHz · ${next.block} samples · ${next.channels[0]} in, ${next.channels[1]} out`);
  document.title = `${next.style ?? "no style"} – restyle`;
  models.show(next.style);
  showLatency(next.latency);
  showControls(before);
  chain.update(next);
  midi.mark();
  recording.show(next.recording);
  concert.update(next);
  pending.show(next.pending);
  showValues();
  for (const incident of next.incidents.slice(incidents)) toast(incident.text, "error");
  incidents = next.incidents.length;
}

/** The preset's own knobs, then the parameters of the first model, without what every stage has. */
function controlsOf(s) {
  const names = new Set(styleOf(s?.path ?? [])?.parameters ?? []);
  const own = (p) => !p.name.includes(".") && !OWN.includes(p.name);
  return s?.parameters.filter((p) => own(p) || (names.has(p.name) && !["bypass", "stage_mix"].includes(ownName(p.name)))) ?? [];
}

/** Knobs of the levels and of the style, made anew when there are others. */
function showControls(before) {
  const mine = (s) => JSON.stringify(controlsOf(s).map((p) => [p.name, p.kind, p.minimum, p.maximum]));
  if (!knobs.has("mix")) {
    for (const [name, label] of LEVELS) addKnob(id("fixed"), state.parameters.find((p) => p.name === name), label);
  }
  if (before && mine(before) === mine(state)) return;
  for (const knob of id("controls").children) knobs.delete(knob.dataset.parameter);
  id("controls").replaceChildren();
  for (const p of controlsOf(state)) if (p.kind !== "blend") addKnob(id("controls"), p, title(p.name));
}

function addKnob(place, parameter, label) {
  const knob = new (parameter.live ? Knob : Choice)(parameter, (value) => turn(parameter.name, value), label);
  knobs.set(parameter.name, knob);
  place.append(knob.element);
}

/** Put every knob, switch and the pad where the values are. */
function showValues() {
  for (const p of state.parameters) knobs.get(p.name)?.update(p);
  pad.update(controlsOf(state).filter((p) => p.kind === "blend"));
  chain.values(new Map(state.parameters.map((p) => [p.name, p])));
  tools.update(state);
  const bypass = state.parameters.find((p) => p.name === "bypass");
  state.bypass = bypass ? bypass.value >= 0.5 : state.bypass;
  const on = state.bypass;
  id("bypass").setAttribute("aria-pressed", String(on));
  document.body.classList.toggle("bypassed", on);
  say(id("bypass-text"), on ? "Bypassed" : "Restyled");
  say(id("bypass-hint"), on ? "Press to restyle" : "Press to hear the input");
  air.update(state);
}

function bypass() {
  if (!state) return;
  const on = !state.bypass;
  live.send({ type: "bypass", on });
  const parameter = state.parameters.find((p) => p.name === "bypass");
  if (parameter) parameter.value = Number(on);
  state.bypass = on;
  showValues();
}

function draw(now) {
  requestAnimationFrame(draw);
  if (newest) {
    meters.draw(newest, now);
    tools.draw(newest, now);
    if (newest.recording || recording.on) recording.show(newest.recording);
    slow(newest, now);
    newest = null;
  }
  spectrograms.draw();
}

let slowly = 0;
function slow(message, now) { // what nobody reads thirty times a second
  if (now - slowly < 250) return;
  slowly = now;
  showProcessor(message);
  showCounters(message.counters);
  showTags(message.tags);
}

prepareDialog();
prepareTheme(id("theme"));
id("bypass").addEventListener("click", bypass);
id("open-presets").addEventListener("click", () => showPresets(state?.preset));
id("open-devices").addEventListener("click", () => state && showDevices(state));
id("open-recordings").addEventListener("click", showRecordings);
id("open-midi").addEventListener("click", () => midi.show());
id("open-help").addEventListener("click", showHelp);
document.addEventListener("visibilitychange", () => live.send({ type: "spectrogram", on: !document.hidden }));
listenToKeys({
  bypass, record: () => recording.toggle(), presets: () => showPresets(state?.preset),
  learn: () => midi.mode(!midi.choosing), mix: () => knobs.get("mix")?.element.focus(), search: () => id("model-search").focus(),
  next: () => concert.act("next"), previous: () => concert.act("previous"), compare: () => concert.act("compare"),
  tap: () => concert.act("tap"), mute: () => air.mute(!air.muted), talk: () => air.talk(true), scene: (number) => concert.recall(number),
});
models.load().then(() => state && show(state));
requestAnimationFrame(draw);
