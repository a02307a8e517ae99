// Views: everything at once, the stage, and on small screens one thing at a time by the bottom bar.

import { api } from "./api.js";
import { el, id, say } from "./dom.js";
import { trying } from "./toast.js";

const MOVED = ["bypass", "tuner"]; // stand in the stage view while it is open

export class Views {
  /** `load(preset)` changes to a preset, `act(action)` steps through the setlist. */
  constructor(load, act) {
    this.load = load;
    this.act = act;
    this.homes = new Map(MOVED.map((name) => [name, id(`${name}-home`)]));
    this.presets = [];
    this.structure = "";
    for (const button of document.querySelectorAll("[data-to]")) {
      button.addEventListener("click", () => this.go(button.dataset.to === document.body.dataset.view ? "play" : button.dataset.to));
    }
    this.go("play");
  }

  async go(view) {
    document.body.dataset.view = view;
    for (const button of document.querySelectorAll("[data-to]")) {
      button.setAttribute("aria-pressed", String(button.dataset.to === view));
    }
    for (const [name, home] of this.homes) (view === "stage" ? id("stage-side") : home).append(id(name));
    if (view !== "stage") return;
    const found = await trying(() => api.presets());
    this.presets = (found ?? []).filter((p) => !p.problem);
    this.structure = "";
    if (this.state) this.update(this.state);
  }

  /** Tiles of the setlist, or of all presets where there is none. */
  update(state) {
    this.state = state;
    const list = state.setlist;
    const songs = list
      ? list.entries.map((e, i) => ({ title: e.title, on: i === list.at, problem: e.problem, go: () => trying(() => api.go(i + 1)) }))
      : this.presets.map((p) => ({ title: p.name, on: p.name === state.preset, go: () => this.load(p.name) }));
    say(id("stage-title"), list ? list.name : "Presets");
    for (const button of document.querySelectorAll("#stage [data-step]")) button.disabled = !list;
    const scenes = state.scenes.map((name) => ({ title: name, on: name === state.scene, go: () => trying(() => api.recall(name)) }));
    const structure = JSON.stringify([songs, scenes]);
    if (structure === this.structure || document.body.dataset.view !== "stage") return;
    this.structure = structure;
    const tile = (kind) => ({ title, on, problem, go }, i) => el("button", { type: "button", class: `song-tile ${kind}`, "aria-current": String(on), disabled: Boolean(problem), onclick: go }, el("span", {}, String(i + 1)), el("b", {}, title));
    id("stage-songs").replaceChildren(...songs.map(tile("")));
    id("stage-scenes").replaceChildren(...scenes.map(tile("scene")));
  }
}
