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

/** Whether it is written in percent, though it goes from 0 to 1. */
const isShare = (p) => p.minimum === 0 && p.maximum === 1 && (p.kind === "blend" || /(^|_)mix$|wet|dry/.test(ownName(p.name)));

/** How a value is written. */
export const written = (p, value) => (isShare(p) ? `${Math.round(100 * value)} %` : shown(value, unit(p)));

/** The number that is there to be typed over: in the unit that is written. */
export const forTyping = (p, value) => String(+((isShare(p) ? 100 : 1) * value).toFixed(4));

/** A value typed as it is written, with its unit or without; NaN where it is no number. */
export function typedValue(p, text) {
  const [, digits, own] = text.trim().replaceAll("−", "-").match(/^([-+]?[\d.,]+(?:e[-+]?\d+)?)\s*(.*)$/i) ?? [];
  const number = digits === undefined ? NaN : Number(digits.replace(",", "."));
  const expected = isShare(p) ? "%" : unit(p);
  if (expected === "Hz" && /^k(hz)?$/i.test(own)) return 1000 * number;
  if (own && own.toLowerCase() !== expected.toLowerCase()) return NaN;
  return isShare(p) ? number / 100 : number;
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
