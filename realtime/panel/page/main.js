// Puts the parts together: what the live connection brings goes to each, what is turned goes out.

import { api, musical } from "./api.js";
import { BlendPad } from "./blend-pad.js";
import { prepareBring } from "./bring.js";
import { Chain, styleOf } from "./chain.js";
import { Concert } from "./concert.js";
import { showDevices } from "./devices.js";
import { prepareDialog } from "./dialog.js";
import { el, id, say } from "./dom.js";
import { listenToKeys, showHelp } from "./keys.js";
import { Keyboard } from "./keyboard.js";
import { Choice, Knob } from "./knob.js";
import { Health, showCounters, showLatency, showProcessor, showTags } from "./latency.js";
import { Live } from "./live.js";
import { Meters } from "./meters.js";
import { Midi } from "./midi.js";
import { ownName, title } from "./names.js";
import { loadPreset, showPresets } from "./presets.js";
import { RecordButton, showRecordings } from "./recording.js";
import { Spectrograms } from "./spectrogram.js";
import { Strip } from "./strip.js";
import { Styles } from "./styles.js";
import { prepareTheme } from "./theme.js";
import { toast, trying } from "./toast.js";
import { Tools } from "./tools.js";
import { Views } from "./views.js";

const LEVELS = [["input_gain_db", "gain in"], ["mix", "mix"], ["output_gain_db", "gain out"]];
const OWN = ["mix", "input_gain_db", "output_gain_db", "bypass", "mute"]; // of every sound
const LOWEST_GAIN = -40; // dB: a knob's travel; more is silence to the ear
const BIG = 4; // knobs of the style in sight

const knobs = new Map(); // by parameter
let state = null; // as the server has confirmed it
let newest = null; // the last meters message, drawn at the next frame
let told = null; // when the last incident happened that is known here [s]

const live = new Live({
  link: (up) => {
    strip.link(up);
    for (const part of document.querySelectorAll(".guarded")) part.setAttribute("aria-disabled", String(!up));
    if (up) trying(() => api.midi()).then((found) => found && midi.update(found));
    if (up && !styles.styles.length) styles.fetch().then(() => state && show(state));
    if (!up) forget();
  },
  state: (message) => show(message.state),
  values: (message) => {
    for (const p of state?.parameters ?? []) if (p.name in message.values) p.value = message.values[p.name];
    if (state) showValues();
  },
  meters: (message) => { newest = message; soon(); strip.skew = message.now - performance.now() / 1000; },
  columns: (bytes) => spectrograms.take(bytes), // drawn with the next meters
  midi: (message) => midi.update(message),
  error: (message) => toast(musical(400, message.error), "error"),
});

const turn = (name, value) => live.turn(name, value);
const meters = new Meters(id("meters"));
const health = new Health();
const spectrograms = new Spectrograms(id("spectrum-in"), id("spectrum-out"));
const styles = new Styles(id("models"), id("model-search"), loadPreset);
const refetch = () => styles.fetch().then(() => state && show(state));
document.addEventListener("presets", refetch);
prepareBring(refetch);
const pad = new BlendPad(id("pad"), (weights) => live.blend(weights));
const chain = new Chain(id("chain"), turn, knobs);
const midi = new Midi(knobs);
const tools = new Tools(turn);
const keyboard = new Keyboard();
const strip = new Strip(turn);
const recording = new RecordButton();
const concert = new Concert(id("concert"));
const views = new Views(loadPreset, (action) => concert.act(action));

function show(next) {
  const before = state;
  state = next;
  for (const p of next.parameters) if (/^(in|out)put_gain_db$/.test(p.name)) p.minimum = LOWEST_GAIN;
  const about = next.style ? styles.of(next.style) : null; // no style has a tile, too
  say(id("style-title"), about?.title ?? next.style ?? (next.preset || "No style"));
  say(id("style-summary"), next.style ? about?.summary ?? "" : next.preset ? "A preset of effects, without a model." : "The sound passes through the other pedals alone.");
  say(id("lane"), next.lane === "worker" ? "computed beside the audio callback (worker lane)" : "computed inside the audio callback");
  say(id("preset-name"), next.preset ? `Preset: ${next.preset}` : "Presets");
  id("open-presets").classList.toggle("modified", next.modified);
  id("open-presets").title = next.modified ? "Changed since it was loaded or kept" : "";
  id("undo").disabled = !next.undo;
  id("redo").disabled = !next.redo;
  const device = next.device.simulated ? "simulated device" : `${next.device.input} → ${next.device.output}`;
  say(id("where"), `${device} · ${next.sample_rate / 1000} kHz · ${next.block} samples · ${next.channels[0]} in, ${next.channels[1]} out`);
  document.title = `${next.style ?? (next.preset || "no style")} – restyle`;
  styles.show(next);
  keyboard.show(about?.kind === "player");
  showLatency(next.latency);
  showControls(before);
  chain.update(next);
  midi.mark();
  recording.show(next.recording);
  concert.update(next);
  views.update(next);
  showValues();
  tell(next.incidents);
}

/** Say what has happened since the page was opened; what was before is in the details. */
function tell(incidents) {
  for (const incident of told === null ? [] : incidents.filter((i) => i.at > told)) toast(incident.text, "error");
  told = Math.max(told ?? 0, ...incidents.map((i) => i.at));
  id("incidents").replaceChildren(...incidents.slice(-8).reverse().map((i) => el("li", {}, `${new Date(1000 * i.when).toLocaleTimeString()} ${i.text}`)));
}

/** Show nothing that is not confirmed: knobs go back, meters rest. */
function forget() {
  newest = null;
  meters.forget();
  keyboard.draw(null);
  health.forget();
  pad.settle();
  for (const knob of knobs.values()) knob.settle();
  if (state) showValues();
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
  const [few, more] = [id("controls"), id("more-controls")];
  for (const knob of document.querySelectorAll(".voice [data-parameter]")) knobs.delete(knob.dataset.parameter);
  few.replaceChildren();
  more.lastElementChild.replaceChildren();
  const shown = controlsOf(state).filter((p) => p.kind !== "blend");
  shown.forEach((p, i) => addKnob(i < BIG ? few : more.lastElementChild, p, title(p.name)));
  more.classList.toggle("hidden", shown.length <= BIG);
  say(more.firstElementChild, `${shown.length - BIG} more knobs`);
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
  strip.update(state);
}

function bypass() {
  if (state) live.send({ type: "bypass", on: !state.bypass });
}

const edit = (what) => live.up && trying(() => api[what]());

const still = matchMedia("(prefers-reduced-motion: reduce)");
const SELDOM = 250; // ms
let asked = false;
function soon() { // a frame for what came, none for nothing; a few a second where motion is not wanted
  if (asked) return;
  asked = true;
  if (still.matches) setTimeout(() => requestAnimationFrame(draw), SELDOM);
  else requestAnimationFrame(draw);
}

function draw(now) {
  asked = false;
  if (newest && live.up) {
    meters.draw(newest, now);
    tools.draw(newest, now);
    keyboard.draw(newest.notes);
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
  health.show(message, now);
  showTags(message.tags);
  if (!id("details").open) return;
  showProcessor(message);
  showCounters(message.counters);
}

for (const kind of ["pointerdown", "click", "dblclick", "keydown", "wheel", "input", "change", "dragstart"]) document.addEventListener(kind, guard, { capture: true, passive: false });
prepareDialog();
prepareTheme(id("theme"));
id("bypass").addEventListener("click", bypass);
id("open-presets").addEventListener("click", () => showPresets(state?.preset));
id("open-devices").addEventListener("click", () => state && showDevices(state));
id("open-recordings").addEventListener("click", showRecordings);
id("open-midi").addEventListener("click", () => midi.show());
id("open-help").addEventListener("click", showHelp);
id("undo").addEventListener("click", () => edit("undo"));
id("redo").addEventListener("click", () => edit("redo"));
id("menu").addEventListener("click", () => menu(!document.body.classList.contains("menu-open")));
id("tools").addEventListener("click", () => menu(false));
id("ribbon").addEventListener("click", () => {
  const open = id("spectra").classList.toggle("open");
  id("ribbon").setAttribute("aria-expanded", String(open));
});
for (const button of document.querySelectorAll("[data-step]")) button.addEventListener("click", () => concert.act(button.dataset.step));
document.addEventListener("visibilitychange", () => live.watch(!document.hidden));
listenToKeys({
  bypass, undo: () => edit("undo"), redo: () => edit("redo"), record: () => recording.toggle(), presets: () => showPresets(state?.preset),
  learn: () => midi.mode(!midi.choosing), mix: () => knobs.get("mix")?.element.focus(), search: () => { if (!id("model-search").checkVisibility()) views.go("styles"); id("model-search").focus(); },
  next: () => concert.act("next"), previous: () => concert.act("previous"), compare: () => concert.act("compare"),
  tap: () => concert.act("tap"), mute: () => strip.mute(!strip.muted), talk: () => strip.talk(true), scene: (number) => concert.recall(number),
});

function menu(open) {
  document.body.classList.toggle("menu-open", open);
  id("menu").setAttribute("aria-expanded", String(open));
}

/** While nothing is confirmed, nothing can be pressed. */
function guard(event) {
  if (live.up || event.target.closest?.("dialog, .toasts")) return;
  if (event.type === "keydown" && ["Tab", "Escape", "F5"].includes(event.key)) return;
  if (event.type === "keydown" && (event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}
