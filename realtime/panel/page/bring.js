// Models of one's own: dropped on the page, or chosen; imported, proved, and told what they are.

import { api } from "./api.js";
import { closeDialog, openDialog } from "./dialog.js";
import { el, id } from "./dom.js";
import { toast } from "./toast.js";

/** Take files from the button and from anywhere on the page; `done` is called when one has come. */
export function prepareBring(done) {
  const chooser = id("bring-file");
  id("bring").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => { bring([...chooser.files], done); chooser.value = ""; });
  const holdsFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const over = (on) => document.body.classList.toggle("dropping", on);
  document.addEventListener("dragover", (event) => { if (holdsFiles(event)) { event.preventDefault(); over(true); } });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over(false); });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    over(false);
    bring([...event.dataTransfer.files], done);
  });
}

async function bring(files, done) {
  for (const file of files) {
    toast(`“${file.name}” is looked at and proved; the sound plays on.`);
    try {
      const { models } = await api.bring(file);
      await done();
      tell(file.name, models);
    } catch (error) {
      toast(`“${file.name}” was not taken: ${error.message}`, "error");
    }
  }
}

/** What came: what it is, whose it is, how far its proof is from the original. */
function tell(name, models) {
  const about = (m) => {
    const play = el("button", { type: "button", class: "main" }, `Play ${m.title || m.model}`);
    play.addEventListener("click", async () => {
      try {
        await api.model(m.model);
        closeDialog();
      } catch (error) {
        toast(error.message, "error");
      }
    });
    const rows = [["What it is", m.summary], ["Licence", m.licence === "unknown" ? "not stated" : m.licence], ["Proof", m.proof], ["Name", m.model]];
    return el("section", {}, el("h3", {}, m.title || m.model), el("dl", { class: "keys" }, ...rows.flatMap(([key, what]) => [el("dt", {}, key), el("dd", {}, what)])), play);
  };
  openDialog("It is yours now", el("p", { class: "small" }, `From “${name}”, under Yours from now on.`), ...models.map(about));
}
