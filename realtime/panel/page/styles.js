// Styles as tiles: models, the voices that come along and one's own presets, by group, with a sample, a star and an "i".

import { api } from "./api.js";
import { openDialog } from "./dialog.js";
import { el, id, shown, svg } from "./dom.js";
import { GROUPS, groupOf, near, picture, subtitle } from "./style-words.js";
import { toast, trying } from "./toast.js";

const KEPT = "restyle-favourites";

export class Styles {
  /** `load(preset)` changes to a preset. */
  constructor(place, search, load) {
    this.place = place;
    this.search = search;
    this.load = load;
    this.styles = [];
    this.tiles = new Map(); // by key
    this.coming = null;
    this.favourites = new Set();
    try {
      this.favourites = new Set(JSON.parse(localStorage.getItem(KEPT) ?? "[]"));
    } catch {
      // a browser that keeps nothing
    }
    this.player = new Audio();
    this.player.addEventListener("ended", () => this.hear(null));
    search.addEventListener("input", () => this.filter());
  }

  async fetch() {
    const found = await trying(() => Promise.all([api.models(), api.presets()]));
    if (!found) return;
    const [models, presets] = found;
    const kept = presets.map((p) => ({
      ...p, key: `preset:${p.name}`, preset: true, title: p.name[0].toUpperCase() + p.name.slice(1),
      summary: p.note || p.stages?.join(" → ") || "the sound as it comes" }));
    const none = { key: "", name: null, title: "No style", summary: "only the effects", bundled: true };
    this.styles = [...models.map((m) => ({ ...m, key: m.name })), ...kept, none];
    for (const m of this.styles) m.text = `${m.name ?? ""} ${m.title ?? ""} ${m.summary ?? ""} ${subtitle(m)} ${groupOf(m)} ${m.problem ?? ""}`.toLowerCase();
    this.build();
  }

  /** What is known of a model. */
  of(name) {
    return this.styles.find((m) => !m.preset && m.name === name) ?? null;
  }

  build() {
    this.tiles = new Map(this.styles.map((m) => [m.key, this.tile(m)]));
    const group = (m) => (this.favourites.has(m.key) ? "Favourites" : groupOf(m));
    const sections = GROUPS.map((name) => {
      const mine = this.styles.filter((m) => m.name !== null && group(m) === name);
      return mine.length ? el("section", { class: "group", "data-group": name }, el("h3", {}, name), el("ul", { class: "tiles" }, ...mine.map((m) => this.tiles.get(m.key)))) : null;
    });
    this.nothing = el("div", { class: "nothing hidden", role: "status" });
    this.place.replaceChildren(this.nothing, ...sections.filter(Boolean), el("ul", { class: "tiles" }, this.tiles.get("")));
    this.show(this.playing ?? {});
    this.filter();
  }

  tile(m) {
    const name = m.title || m.name;
    const pick = el("button", { type: "button", class: "pick", disabled: Boolean(m.problem), [m.preset ? "data-preset" : "data-model"]: m.name ?? "" },
      m.name === null ? null : picture(m, svg), el("b", {}, name), el("span", { class: "summary" }, m.problem ? `Does not play: ${m.problem}` : subtitle(m)));
    pick.addEventListener("click", () => this.choose(m));
    if (m.name === null || m.problem) return el("li", { class: "card plain" }, pick);
    const kept = this.favourites.has(m.key);
    const star = el("button", { type: "button", class: "chip star", "aria-pressed": String(kept), "aria-label": `${name} is a favourite`, title: "Favourite" }, kept ? "★" : "☆");
    star.addEventListener("click", () => this.favour(m.key));
    const about = el("button", { type: "button", class: "chip", "aria-label": `About ${name}`, "aria-haspopup": "dialog", title: "About" }, "i");
    about.addEventListener("click", () => this.about(m));
    const hear = m.sample ? el("button", { type: "button", class: "chip hear", "aria-pressed": "false", "aria-label": `Hear a sample of ${name}: before, then after`, title: "Hear it: before, then after" }, "▶") : null;
    hear?.addEventListener("click", () => this.hear(this.heard === m.key ? null : m.key));
    return el("li", { class: "card" }, pick, el("div", { class: "chips" }, star, hear, about), el("i", { class: "spinner" }));
  }

  async choose(m) {
    if (this.isOn(m) && !m.preset) return;
    this.coming = m.key;
    this.mark();
    await (m.preset ? this.load(m.name) : trying(() => api.model(m.name)));
    if (this.coming === m.key) this.coming = null;
    this.mark();
  }

  favour(key) {
    if (!this.favourites.delete(key)) this.favourites.add(key);
    try {
      localStorage.setItem(KEPT, JSON.stringify([...this.favourites]));
    } catch {
      // it holds until the page is closed
    }
    this.build();
    this.tiles.get(key).querySelector(".star").focus();
  }

  about(m) {
    const rows = [
      ["Latency", m.latency_samples === undefined ? null : m.latency_samples === 0 ? "none" : shown(m.latency_ms, "ms")],
      ["Processor", m.cpu_percent ? `${shown(m.cpu_percent, "", 2)} % of a core, measured here` : m.preset ? null : "not measured here yet; play it alone for a while"],
      ["Licence", m.licence],
      ["Stages", m.stages?.join(" → ")],
    ].filter(([, what]) => what);
    openDialog(m.title || m.name, el("p", {}, m.summary), el("dl", { class: "keys" }, ...rows.flatMap(([name, what]) => [el("dt", {}, name), el("dd", {}, what)])));
  }

  hear(key) {
    this.player.pause();
    this.heard = key;
    for (const [other, tile] of this.tiles) {
      const button = tile.querySelector(".hear");
      if (!button) continue;
      button.setAttribute("aria-pressed", String(other === key));
      button.textContent = other === key ? "■" : "▶";
    }
    if (key === null) return;
    this.player.src = this.styles.find((m) => m.key === key).sample;
    this.player.play().catch(() => { this.hear(null); toast("This browser cannot play the sample.", "error"); });
  }

  isOn(m) {
    const { style, preset, modified } = this.playing ?? {};
    const stands = (other) => other.preset && other.name === preset && (other.bundled || !modified);
    if (m.preset) return stands(m);
    return m.name === (style ?? null) && !(m.name === null && this.styles.some(stands));
  }

  /** Mark what plays: the style and the preset of a state, which is itself until it is modified. */
  show({ style, preset, modified }) {
    this.playing = { style, preset, modified };
    this.mark();
  }

  mark() {
    for (const m of this.styles) {
      const tile = this.tiles.get(m.key);
      tile?.classList.toggle("on", this.isOn(m));
      tile?.classList.toggle("coming", this.coming === m.key);
      tile?.querySelector(".pick").setAttribute("aria-current", String(this.isOn(m)));
    }
  }

  filter() {
    const words = this.search.value.trim().toLowerCase().split(/\s+/);
    let many = 0;
    for (const m of this.styles) {
      const fits = words.every((w) => m.text.includes(w));
      many += Number(fits);
      this.tiles.get(m.key).classList.toggle("hidden", !fits);
    }
    for (const group of this.place.querySelectorAll(".group")) group.classList.toggle("hidden", !group.querySelector(".card:not(.hidden)"));
    this.nothing.classList.toggle("hidden", many > 0);
    if (!many) this.suggest();
  }

  /** Say that nothing matches, and what is near. */
  suggest() {
    const typed = this.search.value.trim();
    const found = near(typed, this.styles);
    const choice = (text, search) => el("button", { type: "button", class: "tool", onclick: () => { this.search.value = search; this.filter(); this.search.focus(); } }, text);
    const choices = [...found.groups.map((g) => choice(g, g)), ...found.styles.map((m) => choice(m.title || m.name, (m.title || m.name).toLowerCase()))];
    this.nothing.replaceChildren(el("p", {}, `No style matches “${typed}”.`), el("p", {}, choices.length ? "Near it: " : "", ...choices, choice("All styles", "")));
  }
}
