// Short messages that come and go; errors stay longer.

import { el, id } from "./dom.js";

const SECONDS = { note: 5, error: 12 };
const MOST = 4;

/** Show a sentence, perhaps with a link or button after it. */
export function toast(text, kind = "note", more = null) {
  const place = id("toasts");
  for (const old of place.children) if (old.dataset.text === text) old.remove();
  const close = el("button", { type: "button", class: "tool", "aria-label": "Dismiss" }, "×");
  const made = el("div", { class: `toast ${kind}` }, el("span", {}, text), more, close);
  made.dataset.text = text;
  const end = setTimeout(() => made.remove(), 1000 * SECONDS[kind]);
  close.addEventListener("click", () => { clearTimeout(end); made.remove(); });
  place.append(made);
  if (place.matches(":popover-open")) place.hidePopover();
  place.showPopover?.(); // above a dialog that is open
  while (place.children.length > MOST) place.firstChild.remove();
}

/** Run something that may fail; its error is shown.  Returns its result, or undefined. */
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message, "error");
    return undefined;
  }
}
