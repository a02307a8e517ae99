// Keys for playing without a mouse, and the list of them.

import { openDialog } from "./dialog.js";
import { el, id } from "./dom.js";

const KEYS = [
  ["Space or B", "bypass, and back"], ["S", "mute, and back"], ["Y held", "to be heard while muted"], ["R", "record, and stop"], ["Ctrl + Z, Ctrl + Shift + Z", "undo, redo"], ["P", "presets"], ["L", "MIDI learn"], ["/", "find a style"],
  ["M", "to the mix knob"], ["?", "this list"],
  ["N, V", "next and previous preset of the setlist"], ["1 … 9", "the sound's scenes"], ["A", "the other of two sounds"], ["T", "tap the tempo"],
  ["Arrow keys", "turn the knob or move the blend; with Shift finer; Page Up and Down in bigger steps"],
  ["Home, End", "lowest, highest"], ["Delete", "the default, as a double click"], ["Enter", "type a value"],
  ["1 … 9", "on the blend pad: only that style"], ["Alt + arrows", "on a stage's name: move the stage"],
];

/** Wire the keys; `act` names what they do. */
export function listenToKeys(act) {
  document.addEventListener("keydown", (event) => {
    const on = event.target;
    if (event.altKey || id("dialog").open || on.matches("input, select, textarea, audio")) return;
    if (event.ctrlKey || event.metaKey) {
      const edit = { z: event.shiftKey ? act.redo : act.undo, y: act.redo }[event.key.toLowerCase()];
      if (edit) { event.preventDefault(); edit(); }
      return;
    }
    if (event.key === " " && on.matches("button, summary, a")) return; // theirs
    if (/^[1-9]$/.test(event.key) && !event.repeat && !on.closest("#pad")) return act.scene(Number(event.key));
    const done = { n: act.next, v: act.previous, a: act.compare, t: act.tap, " ": act.bypass, b: act.bypass, s: act.mute, y: act.talk, r: act.record, p: act.presets, l: act.learn, m: act.mix, "/": act.search, "?": showHelp }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!done || event.repeat) return;
    event.preventDefault();
    done();
  });
}

/** The list of keys. */
export function showHelp() {
  const rows = KEYS.flatMap(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)]);
  openDialog("Keys", el("dl", { class: "keys" }, ...rows),
    el("p", { class: "small" }, "A right click on a knob binds it to the next MIDI controller that moves. A clip lamp goes out when it is pressed."));
}
