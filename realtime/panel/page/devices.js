// Choosing input, output and block size while it plays.

import { api } from "./api.js";
import { closeDialog, fillDialog, openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { toast, trying } from "./toast.js";

const BLOCKS = [16, 32, 64, 128, 256, 512, 1024];

/** Open the dialog for the device that `state` names. */
export async function showDevices(state) {
  openDialog("Audio device", el("p", { class: "small" }, "…"));
  const found = await trying(() => api.devices());
  if (!found) return closeDialog();
  const choice = (side, label) => {
    const usable = found.filter((d) => d[side === "input" ? "inputs" : "outputs"] > 0);
    const options = usable.map((d) => el("option", { value: d.index }, `${d.name} (${d.host_api})`));
    const select = el("select", { id: `device-${side}` }, el("option", { value: "" }, "the system's default"), ...options);
    const now = usable.find((d) => d.name === state.device[side]);
    if (now) select.value = String(now.index);
    return [select, el("label", {}, label, select)];
  };
  const [input, inputField] = choice("input", "Input");
  const [output, outputField] = choice("output", "Output");
  const block = el("select", { id: "device-block" }, el("option", { value: "" }, "the device's own"), ...BLOCKS.map((b) => el("option", { value: b }, `${b} samples`)));
  if (BLOCKS.includes(state.block)) block.value = String(state.block);
  const channels = (side, label, now) => {
    const field = el("input", { id: `device-${side}`, inputmode: "numeric", placeholder: "the first ones", title: "Numbers from 1, such as 2 or 5,6; 0 for none" });
    field.value = (now ?? []).join(",");
    const numbers = () => (field.value.trim() === "" ? null : field.value.split(",").map((n) => (n.trim() === "" ? NaN : Number(n))));
    return [numbers, el("label", {}, label, field)];
  };
  const [inputs, inputsField] = channels("inputs", "Inputs", state.device.inputs);
  const [outputs, outputsField] = channels("outputs", "Outputs", state.device.outputs);
  const apply = el("button", { type: "submit", class: "main" }, "Play on this");
  const form = el("form", { class: "save" }, inputField, inputsField, outputField, outputsField, el("label", {}, "Block", block), apply);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    for (const [label, typed] of [["Inputs", inputs()], ["Outputs", outputs()]]) {
      if (typed && !typed.every(Number.isInteger)) return toast(`${label}: write numbers from 1, such as 2 or 5,6; 0 for none`, "error");
    }
    apply.disabled = true;
    const number = (select) => (select.value === "" ? null : Number(select.value));
    const done = await trying(() => api.device({ input: number(input), output: number(output), block: number(block), inputs: inputs(), outputs: outputs() }));
    apply.disabled = false;
    if (!done) return;
    toast(`Playing on ${done.device.output}`);
    closeDialog();
  });
  const now = `Now: ${state.device.input} → ${state.device.output}, ${state.sample_rate} Hz, blocks of ${state.block}.`;
  const none = found.length ? "If another device cannot be opened, this one plays on." : "There is no audio device on this machine.";
  fillDialog(el("p", {}, now), el("p", { class: "small" }, none), form);
}
