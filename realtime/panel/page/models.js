// The browser of styles: a card each, with latency, cost, licence and a sample to hear.

import { api } from "./api.js";
import { el, shown } from "./dom.js";
import { toast, trying } from "./toast.js";

export class Models {
  constructor(place, search) {
    this.place = place;
    this.search = search;
    this.models = [];
    this.cards = new Map();
    this.player = new Audio();
    this.player.addEventListener("ended", () => this.hear(null));
    search.addEventListener("input", () => this.filter());
  }

  async load() {
    const found = await trying(() => api.models());
    if (!found) return;
    this.models = found;
    this.cards = new Map(found.map((m) => [m.name, this.card(m)]));
    const none = this.card({ name: null, title: "No style", summary: "Only the effects", metrics: {} });
    this.cards.set(null, none);
    this.place.replaceChildren(...this.cards.values());
    this.show(this.playing);
  }

  /** What is known of a model. */
  of(name) {
    return this.models.find((m) => m.name === name) ?? null;
  }

  card(m) {
    const facts = m.name === null || m.problem ? [] : [
      m.latency_samples === 0 ? "no latency" : shown(m.latency_ms, "ms"),
      m.cpu_percent === null || m.cpu_percent === undefined ? null : `${shown(m.cpu_percent, "", 2)} % CPU`,
      m.licence,
    ].filter(Boolean);
    const play = el("button", { type: "button", class: "pick", "data-model": m.name ?? "", disabled: Boolean(m.problem) },
      el("b", {}, m.title || m.name), el("span", { class: "summary" }, m.problem ? `Broken: ${m.problem}` : m.summary ?? ""),
      el("span", { class: "facts" }, ...facts.map((f) => el("span", {}, f))));
    play.addEventListener("click", () => m.name !== (this.playing ?? null) && trying(() => api.model(m.name)));
    const hear = m.sample ? el("button", { type: "button", class: "hear", "aria-pressed": "false", "aria-label": `Hear a sample of ${m.name}: before, then after`, title: "Hear it: before, then after" }, "▶") : null;
    hear?.addEventListener("click", () => this.hear(this.heard === m.name ? null : m.name));
    return el("li", { class: "card" }, play, hear);
  }

  hear(name) {
    this.player.pause();
    this.heard = name;
    for (const [other, card] of this.cards) {
      const button = card.querySelector(".hear");
      if (!button) continue;
      button.setAttribute("aria-pressed", String(other === name));
      button.textContent = other === name ? "■" : "▶";
    }
    if (name === null) return;
    this.player.src = this.of(name).sample;
    this.player.play().catch(() => { this.hear(null); toast("This browser cannot play the sample.", "error"); });
  }

  /** Mark what plays. */
  show(name) {
    this.playing = name;
    for (const [other, card] of this.cards) {
      const on = other === (name ?? null);
      card.classList.toggle("on", on);
      card.querySelector(".pick").setAttribute("aria-current", String(on));
    }
  }

  filter() {
    const wanted = this.search.value.trim().toLowerCase();
    for (const card of this.cards.values()) {
      card.classList.toggle("hidden", !card.textContent.toLowerCase().includes(wanted));
    }
  }
}
