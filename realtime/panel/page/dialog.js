// The one dialog: presets, devices, recordings, MIDI and help take turns in it.

import { id } from "./dom.js";

/** Open it with a title and content; focus goes in, and back to where it was at the end. */
export function openDialog(title, ...content) {
  const dialog = id("dialog");
  id("dialog-title").textContent = title;
  id("dialog-body").replaceChildren(...content);
  if (!dialog.open) dialog.showModal();
}

/** Put other content in, if the dialog is open. */
export function fillDialog(...content) {
  if (id("dialog").open) id("dialog-body").replaceChildren(...content);
}

export function closeDialog() {
  id("dialog").close();
}

/** Wire its own buttons. */
export function prepareDialog() {
  const dialog = id("dialog");
  id("dialog-close").addEventListener("click", closeDialog);
  dialog.addEventListener("click", (event) => event.target === dialog && closeDialog());
  dialog.addEventListener("close", () => id("dialog-body").replaceChildren());
}
