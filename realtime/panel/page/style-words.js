// Styles in a musician's words: groups, three words each, and what people call them when they search.

export const GROUPS = ["Favourites", "Voice", "Guitar", "Keys", "Makes music", "Yours"];

const SUBTITLES = {
  "amp-blend": "four amps blended", "blend-player": "four players blended", "choir-player": "plays along, sung", clean: "noise taken away", "endless-keys": "plays without end",
  "epiano-player": "plays electric piano", "horn-player": "plays French horns", "marimba-player": "plays a marimba", "organ-player": "plays church organ", "square-player": "plays square lead",
  "radio-voice": "hand-held radio",
  "string-player": "plays along, bowed", tape: "saturated tape machine",
  "tube-amp": "driven tube amp",
  "preset:brighter": "a lighter you", "preset:child": "small and high", "preset:choir": "many of you", "preset:choir-church": "sung, wide, nave", "preset:deeper": "a darker you", "preset:giant": "huge, slow chest", "preset:horn-hall": "horns, wide, hall",
  "preset:microphone": "you, without noise", "preset:monster": "growls and teeth", "preset:organ-church": "pipes, wide, nave", "preset:radio": "short-wave set", "preset:robot": "metal, one pitch", "preset:string-hall": "bowed, wide, hall", "preset:telephone": "down the line", "preset:whisper": "breath without pitch",
};

const SYNONYMS = {
  Voice: "voice vocal vocals vocoder sing singer singing speech speak mic microphone girl woman female boy man male kid anime streamer",
  Guitar: "guitar bass amp rock metal blues drive fuzz distortion overdrive crunch pedal",
  Keys: "keys keyboard piano synth organ church strings violin orchestra pad choir flute brass trumpet horn trombone marimba rhodes wurlitzer epiano ensemble",
  "Makes music": "generate generator music compose random ambient endless accompany",
};

/** The group a style belongs to. */
export function groupOf(m) {
  if (!m.bundled && m.name !== null) return "Yours";
  if (m.preset) return m.stages?.some((s) => s.endsWith("-player")) ? "Keys" : "Voice";
  if (m.kind === "generator") return "Makes music";
  if (m.kind === "player" || /\bkeys\b|piano/.test(m.summary)) return "Keys";
  return /voice|speech|sing/.test(m.summary) ? "Voice" : "Guitar";
}

/** Three words about it; its summary where nobody wrote any. */
export const subtitle = (m) => SUBTITLES[m.key] ?? m.summary ?? "";

const pairs = (text) => new Set([...text].slice(1).map((c, i) => text[i] + c));

/** How alike two words are by their pairs of letters, 0..1 (Dice's coefficient). */
function alike(a, b) {
  const [one, other] = [pairs(a), pairs(b)];
  const both = [...one].filter((p) => other.has(p)).length;
  return one.size + other.size ? (2 * both) / (one.size + other.size) : 0;
}

/** Groups and styles that are near what was typed and found nowhere. */
export function near(text, styles) {
  const typed = text.toLowerCase().split(/\s+/).filter((w) => w.length > 2);
  const groups = Object.keys(SYNONYMS).filter((g) => SYNONYMS[g].split(" ").some((s) => typed.some((w) => s === w || alike(s, w) > 0.7)));
  const close = styles.filter((m) => typed.some((w) => m.text.split(/[^a-z0-9]+/).some((s) => s.length > 2 && (s === w || alike(s, w) > 0.6))));
  return { groups, styles: close.slice(0, 4) };
}

const HUES = { Voice: 200, Guitar: 28, Keys: 270, "Makes music": 145, Yours: 330 };

/** A picture drawn from the name: its colour is the group's, its wave the style's own. */
export function picture(m, svg) {
  let seed = 7;
  for (const c of m.key) seed = (seed * 31 + c.charCodeAt(0)) % 65521;
  const random = () => (seed = (seed * 17364 + 1) % 65521) / 65521;
  const waves = [1, 2, 3].map((k) => [k + Math.floor(3 * random()), random() / k, 6.3 * random()]);
  const height = (x) => waves.reduce((sum, [f, a, phase]) => sum + a * Math.sin(6.283 * f * x + phase), 0);
  const hue = (HUES[groupOf(m)] + Math.round(30 * random()) - 15 + 360) % 360;
  const bars = Array.from({ length: 24 }, (_, i) => {
    const h = 4 + 15 * Math.min(1, Math.abs(height(i / 24)) * Math.sin((Math.PI * (i + 0.5)) / 24) * 1.4);
    return `M${(2.5 + i * 5).toFixed(1)} ${(20 - h).toFixed(1)}v${(2 * h).toFixed(1)}`;
  });
  const view = svg("svg", { viewBox: "0 0 120 40", preserveAspectRatio: "none", class: "picture", "aria-hidden": "true" },
    svg("rect", { width: 120, height: 40, fill: `hsl(${hue} 45% 22%)` }),
    svg("path", { d: bars.join(""), stroke: `hsl(${hue} 70% 66%)`, "stroke-width": 2.4, "stroke-linecap": "round", fill: "none" }));
  return view;
}
