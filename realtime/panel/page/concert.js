// On stage: the setlist's next and previous preset, scenes, two sounds compared, tempo, panic.

import { api } from "./api.js";
import { closeDialog, fillDialog, openDialog } from "./dialog.js";
import { el, id, say } from "./dom.js";
import { toast, trying } from "./toast.js";

/** A button that a controller may be bound to: `learn` is what it will do. */
const button = (text, learn, attributes = {}) =>
  el("button", { type: "button", class: "tool", "data-learn": JSON.stringify(learn), ...attributes }, text);

export class Concert {
  constructor(element) {
    this.element = element;
    this.state = null;
    this.previous = button("◀", { action: "previous" }, { "aria-label": "Previous preset", onclick: () => this.act("previous") });
    this.next = button("▶", { action: "next" }, { "aria-label": "Next preset", onclick: () => this.act("next") });
    this.title = el("button", { type: "button", class: "tool song", id: "setlist", "aria-haspopup": "dialog", onclick: () => this.show() }, "Setlist");
    this.scenes = el("div", { class: "scenes", role: "group", "aria-label": "Scenes" });
    this.keep = el("button", { type: "button", class: "tool", id: "keep-scene", onclick: () => this.keepScene() }, "+ Scene");
    this.ab = button("A / B", { action: "compare" }, { id: "compare", "aria-pressed": "false", title: "Turn to the other of two sounds, equally loud", onclick: () => this.act("compare") });
    this.end = el("button", { type: "button", class: "tool", "aria-label": "Compare no more", onclick: () => trying(() => api.endCompare()) }, "Keep this");
    this.tap = button("Tap", { action: "tap" }, { id: "tap", title: "Tap the tempo: delays follow", onclick: () => this.act("tap") });
    this.panic = button("Panic", { action: "panic" }, { id: "panic", title: "Silence what rings", onclick: () => this.act("panic") });
    element.append(this.previous, this.title, this.next, this.scenes, this.keep, el("span", { class: "gap" }), this.ab, this.end, this.tap, this.panic);
  }

  act(action) {
    return trying(() => api.act(action));
  }

  /** The scene of a number from 1, if there is one. */
  recall(number) {
    const name = this.state?.scenes[number - 1];
    if (name) trying(() => api.recall(name));
  }

  update(state) {
    const before = this.state;
    this.state = state;
    const list = state.setlist;
    this.previous.disabled = this.next.disabled = !list;
    const song = list && list.at !== null ? list.entries[list.at].title : list?.name;
    const loading = list && list.loaded < list.entries.length ? ` · loading ${list.loaded}/${list.entries.length}` : "";
    say(this.title, list ? `${list.at === null ? "–" : list.at + 1}/${list.entries.length} ${song}${loading}` : "Setlist");
    if (!before || JSON.stringify([before.scenes, before.scene]) !== JSON.stringify([state.scenes, state.scene])) this.showScenes();
    const compared = state.compare;
    this.ab.setAttribute("aria-pressed", String(Boolean(compared)));
    say(this.ab, compared ? `${compared.on === "A" ? "[A] B" : "A [B]"}${compared.trim_db < -0.05 ? ` ${compared.trim_db.toFixed(1).replace("-", "−")} dB` : ""}` : "A / B");
    this.end.hidden = !compared;
    say(this.tap, state.tempo_bpm ? `Tap ${Math.round(state.tempo_bpm)}` : "Tap");
  }

  showScenes() {
    this.scenes.replaceChildren(...this.state.scenes.map((name, i) => {
      const made = button(name, { scene: name }, { "aria-pressed": String(name === this.state.scene), title: `Scene ${i + 1}; Delete takes it out`, onclick: () => this.recall(i + 1) });
      made.addEventListener("keydown", (event) => {
        if (event.key !== "Delete") return;
        event.stopPropagation();
        trying(() => api.dropScene(name));
      });
      return made;
    }));
  }

  /** Ask for a name and keep where everything stands. */
  keepScene() {
    const name = el("input", { id: "scene-name", required: true, maxlength: 60, value: this.state?.scene ?? `Scene ${(this.state?.scenes.length ?? 0) + 1}`, autocomplete: "off" });
    const form = el("form", { class: "save" }, el("label", {}, "Name", name), el("button", { type: "submit", class: "main" }, "Keep this scene"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!(await trying(() => api.keepScene(name.value.trim())))) return;
      toast(`Scene “${name.value.trim()}” is kept; keep the preset, too, so that it is there next time.`);
      closeDialog();
    });
    const rows = (this.state?.scenes ?? []).map((scene) =>
      el("li", {}, el("span", {}, scene), el("button", { type: "button", class: "tool", "aria-label": `Take scene ${scene} out`, onclick: async () => { await trying(() => api.dropScene(scene)); closeDialog(); } }, "Delete")));
    openDialog("Keep a scene", el("p", { class: "small" }, "A scene is where all knobs and switches of this sound stand. It is recalled at once, without loading anything."), form, rows.length ? el("ul", { class: "rows" }, ...rows) : "");
    name.select();
  }

  /** The setlist's presets, and the setlists there are. */
  async show() {
    openDialog("Setlist", el("p", { class: "small" }, "…"));
    const names = await trying(() => api.setlists());
    if (!names) return;
    const list = this.state?.setlist;
    const songs = (list?.entries ?? []).map((entry, i) => {
      const go = el("button", { type: "button", class: "choice" }, el("b", {}, `${i + 1} ${entry.title}`), el("span", { class: "small" }, entry.problem ?? (entry.title === entry.preset ? "" : entry.preset)));
      go.addEventListener("click", async () => { if (await trying(() => api.go(i + 1))) closeDialog(); });
      return el("li", { class: i === list.at ? "on" : "" }, go);
    });
    const choices = names.map((name) => {
      const use = el("button", { type: "button", class: "tool", "aria-pressed": String(name === list?.name) }, name);
      use.addEventListener("click", async () => { if (await trying(() => api.setlist(name === list?.name ? null : name))) closeDialog(); });
      return use;
    });
    fillDialog(
      songs.length ? el("ul", { class: "rows" }, ...songs) : "",
      choices.length ? el("div", { class: "tools" }, ...choices) : el("p", { class: "small" }, "No setlist yet; make one in a terminal:  restyle preset setlist save NAME PRESET PRESET …"));
  }
}
