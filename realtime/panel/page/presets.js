// Presets: load, keep, replace, delete.

import { api } from "./api.js";
import { closeDialog, fillDialog, openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { toast, trying } from "./toast.js";

const CONFLICT = 409; // there is one of that name
const changed = () => document.dispatchEvent(new Event("presets"));

/** Open the dialog; `current` is the preset that was loaded last. */
export async function showPresets(current) {
  openDialog("Presets", el("p", { class: "small" }, "…"));
  await fill(current);
  document.querySelector("#dialog-body input")?.focus();
}

async function fill(current) {
  const found = await trying(() => api.presets());
  if (!found) return;
  const rows = found.map((preset) => row(preset, preset.name === current));
  const list = rows.length ? el("ul", { class: "rows" }, ...rows) : el("p", { class: "small" }, "None yet. Keep the sound as it is now under a name:");
  fillDialog(form(current), list);
}

function form(current) {
  const name = el("input", { id: "preset-to-save", required: true, maxlength: 60, value: current ?? "", autocomplete: "off" });
  const note = el("input", { id: "preset-note", maxlength: 200, autocomplete: "off" });
  const save = el("button", { type: "submit", class: "main" }, "Keep this sound");
  const made = el("form", { class: "save" }, el("label", {}, "Name", name), el("label", {}, "Note", note), save);
  let sure = false;
  name.addEventListener("input", () => { sure = false; save.textContent = "Keep this sound"; });
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await api.save(name.value.trim(), note.value, sure);
      toast(`“${name.value.trim()}” is kept`);
      changed();
      await fill(name.value.trim());
    } catch (error) {
      if (!sure && error.status === CONFLICT) {
        sure = true;
        save.textContent = `Replace “${name.value.trim()}”?`;
      } else {
        toast(error.message, "error");
      }
    }
  });
  return made;
}

function row(preset, isCurrent) {
  const load = el("button", { type: "button", class: "choice", disabled: Boolean(preset.problem) },
    el("b", {}, preset.name), el("span", { class: "small" }, preset.problem ?? ([preset.stages.join(" → "), preset.note].filter(Boolean).join(" · ") || "the sound as it comes")));
  load.addEventListener("click", () => loadPreset(preset.name));
  const remove = el("button", { type: "button", class: "tool", "aria-label": `Delete ${preset.name}` }, "Delete");
  remove.addEventListener("click", async () => {
    if (remove.textContent === "Delete") { remove.textContent = "Sure?"; return; }
    await trying(() => api.forget(preset.name));
    changed();
    await fill(null);
  });
  return el("li", { class: isCurrent ? "on" : "" }, load, preset.bundled ? "" : remove);
}

/** Change to a preset; one that would do more than sound is asked about first. */
export async function loadPreset(name) {
  try {
    await api.load(name);
    closeDialog();
  } catch (error) {
    if (error.data?.asks) askFirst(name, error.data);
    else toast(error.message, "error");
  }
}

/** What a preset would do beyond sounding waits for a yes. */
function askFirst(name, { asks, trust }) {
  openDialog("Presets");
  const yes = el("button", { type: "button", class: "main" }, "I trust it: load");
  yes.addEventListener("click", async () => {
    if (await trying(() => api.load(name, trust))) closeDialog();
  });
  const no = el("button", { type: "button", class: "tool" }, "No");
  no.addEventListener("click", () => fill(null));
  fillDialog(
    el("p", {}, `“${name}” would`),
    el("ul", { class: "rows" }, ...asks.map((what) => el("li", {}, what))),
    el("p", { class: "small" }, "Say yes only if you trust whoever made it."),
    el("p", {}, yes, " ", no),
  );
  no.focus();
}
