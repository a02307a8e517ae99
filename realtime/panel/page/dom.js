// Elements from names, attributes and children.  Text is always text, never markup.

/** Make an element: `el("button", {class: "tool", onclick: f}, "Save")`. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  set(made, attributes);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Make an SVG element. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Set attributes; `on...` are listeners, null and false take an attribute away. */
export function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(key);
    else element.setAttribute(key, value === true ? "" : value);
  }
}

/** The element with an identity. */
export const id = (name) => document.getElementById(name);

/** Change an element's text, only when it differs: no needless layout. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A number with so many digits that matter, with its unit. */
export function shown(value, unit = "", digits = 3) {
  if (!Number.isFinite(value)) return value < 0 ? "−∞" : "–";
  const size = Math.abs(value);
  let text;
  if (unit === "Hz" && size >= 1000) return `${trim((value / 1000).toPrecision(digits))} kHz`;
  if (size !== 0 && size < 0.001) text = value.toExponential(1);
  else text = trim(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : Math.min(digits - 1, 2)));
  return (unit ? `${text} ${unit}` : text).replace("-", "−");
}

const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

/** A time in minutes and seconds. */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
