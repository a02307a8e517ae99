// Names of parameters as people read them, and how far along its travel a knob stands.

import { shown } from "./dom.js";

const UNITS = { db: "dB", hz: "Hz", ms: "ms", seconds: "s", semitones: "st", percent: "%" };

/** `2.cutoff_frequency_hz` to `cutoff_frequency_hz`: without the place of the stage. */
export const ownName = (name) => name.replace(/^([1-9]\d*\.)+/, "");

/** `2.cutoff_frequency_hz` to `cutoff frequency`. */
export function title(name) {
  const words = ownName(name).split("_");
  if (words.length > 1 && words.at(-1) in UNITS) words.pop();
  return words.join(" ");
}

/** `LowpassFilter` to `Lowpass Filter`. */
export const words = (name) => name.replace(/([a-z])([A-Z])/g, "$1 $2");

/** The unit, given or in the name. */
export const unit = (p) => p.unit || UNITS[p.name.split("_").at(-1)] || "";

/** How a value is written. */
export function written(p, value) {
  const share = p.minimum === 0 && p.maximum === 1 && (p.kind === "blend" || /(^|_)mix$|wet|dry/.test(ownName(p.name)));
  return share ? `${Math.round(100 * value)} %` : shown(value, unit(p));
}

/** Whether the range is known and the parameter can be a knob. */
export const isBounded = (p) => Number.isFinite(p.minimum) && Number.isFinite(p.maximum) && p.maximum > p.minimum;

const isPitchLike = (p) => unit(p) === "Hz" && p.minimum > 0 && p.maximum / p.minimum > 20;

/** 0..1 for a value; frequencies by octaves. */
export function position(p, value) {
  const [low, high] = [p.minimum, p.maximum];
  const at = isPitchLike(p) ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.min(1, Math.max(0, at));
}

/** The value at 0..1. */
export function valueAt(p, at) {
  const [low, high] = [p.minimum, p.maximum];
  const share = Math.min(1, Math.max(0, at));
  const value = isPitchLike(p) ? low * (high / low) ** share : low + share * (high - low);
  return p.kind === "categorical" || p.kind === "switch" ? Math.round(value) : Math.min(high, Math.max(low, value));
}
