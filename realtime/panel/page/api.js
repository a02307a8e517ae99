// The HTTP side: one function a call, errors as sentences.

/** Ask the server; returns its JSON.  Throws an Error whose message is the server's sentence. */
export async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body instanceof Blob) {
    options.headers["Content-Type"] = "application/octet-stream";
    options.body = body;
  } else if (method !== "GET") {
    options.headers["Content-Type"] = "application/json";
    if (body !== undefined) options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(`api/${path}`, options);
  } catch {
    throw new Error("restyle does not answer; is it still running?");
  }
  let data = null;
  try {
    data = await answer.json();
  } catch {
    // an answer without a body
  }
  if (!answer.ok) throw Object.assign(new Error(musical(answer.status, data?.error)), { data, status: answer.status });
  return data;
}

/** The server's sentence without what only a program can use. */
export function musical(status, sentence) {
  if (status >= 500 && status !== 503) return "That failed through a fault of restyle's own; the sound plays on as it was.";
  if (!sentence || sentence.includes("/api/")) return "This page and restyle do not fit together; reload the page.";
  if (/^there is no stage/.test(sentence)) return "That pedal is gone: somebody has changed the path meanwhile.";
  const plain = sentence.replace(/^the body: /, "").replace(/;? (choose another name )?or send replace/, "; choose another name");
  return /^\S+\.\w+ /.test(plain) ? plain : plain[0].toUpperCase() + plain.slice(1); // a file keeps its name
}

const part = encodeURIComponent;

export const api = {
  state: () => ask("GET", "state"),
  models: () => ask("GET", "models"),
  model: (name) => ask("PUT", "model", { name }),
  monitor: (gain_db) => ask("PUT", "monitor", { gain_db }),
  effects: () => ask("GET", "effects"),
  insert: (stage, where = {}) => ask("POST", "path", { stage, ...where }),
  move: (id, index) => ask("PUT", `path/${id}`, { index }),
  remove: (id) => ask("DELETE", `path/${id}`),
  undo: () => ask("POST", "undo", {}),
  redo: () => ask("POST", "redo", {}),
  cancel: (change) => ask("DELETE", `pending/${change}`),
  presets: () => ask("GET", "presets"),
  save: (name, note, replace) => ask("PUT", `presets/${part(name)}`, { note, replace }),
  load: (name, trust = "") => ask("POST", `presets/${part(name)}/load`, { trust }),
  forget: (name) => ask("DELETE", `presets/${part(name)}`),
  bring: (file) => ask("POST", `import/${part(file.name)}`, file),
  act: (action) => ask("POST", `actions/${action}`, {}),
  recall: (scene) => ask("POST", `scenes/${part(scene)}/recall`, {}),
  keepScene: (scene) => ask("PUT", `scenes/${part(scene)}`, {}),
  dropScene: (scene) => ask("DELETE", `scenes/${part(scene)}`),
  setlists: () => ask("GET", "setlists"),
  setlist: (name) => ask("PUT", "setlist", { name }),
  go: (number) => ask("POST", `setlist/${number}`, {}),
  compare: (preset) => ask("POST", "compare", { preset }),
  endCompare: () => ask("DELETE", "compare"),
  devices: () => ask("GET", "devices"),
  device: (cards) => ask("PUT", "device", cards),
  record: (dry, format) => ask("POST", "recording", { dry, format }),
  stop: () => ask("DELETE", "recording"),
  recordings: () => ask("GET", "recordings"),
  recording: (name) => `api/recordings/${part(name)}`,
  midi: () => ask("GET", "midi"),
  learn: (target) => ask("POST", "midi/learn", target),
  channels: (channels) => ask("PUT", "midi", { channels }),
  unlearn: () => ask("DELETE", "midi/learn"),
  unmap: (parameter) => ask("DELETE", `midi/mappings/${part(parameter)}`),
};
