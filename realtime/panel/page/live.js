// The live connection: what plays comes in thirty times a second, turned knobs go out.

const LONGEST_WAIT = 5000; // ms between attempts
const SEND_EVERY = 17; // ms: what is turned faster is sent with its last value
const SILENT = 350; // ms without a message, seen twice: the server does not answer
const LOOK_EVERY = 50;
const GIVE_UP = 3000; // ms without a message: the connection is made anew

export class Live {
  /** `hear` maps a message's type to a function; "columns" takes spectrogram bytes, "link" a flag. */
  constructor(hear) {
    this.hear = hear;
    this.waiting = {}; // values to be sent
    this.weights = null;
    this.wait = 250;
    this.timer = null;
    this.up = false; // whether what is shown is what is
    this.late = 0;
    this.watching = true; // the spectrogram
    this.open();
    setInterval(() => this.look(), LOOK_EVERY);
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    this.socket = socket;
    this.heard = performance.now();
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = 250;
      this.watch(this.watching);
    };
    socket.onmessage = ({ data }) => {
      this.heard = performance.now();
      this.late = 0;
      if (data instanceof ArrayBuffer) return this.hear.columns?.(new Uint8Array(data));
      const message = JSON.parse(data);
      this.hear[message.type]?.(message);
      this.link(true);
    };
    socket.onclose = () => {
      if (socket !== this.socket) return;
      this.link(false);
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    };
  }

  /** See whether the server still speaks: a message waits thirty times a second. */
  look() {
    const silent = performance.now() - this.heard;
    this.late = silent > SILENT ? this.late + 1 : 0;
    if (this.late >= 2) this.link(false);
    if (silent < GIVE_UP || this.socket.readyState !== WebSocket.OPEN) return;
    const old = this.socket;
    this.open();
    old.close();
  }

  link(up) {
    if (up === this.up) return;
    this.up = up;
    if (!up) [this.waiting, this.weights] = [{}, null];
    this.hear.link(up);
  }

  send(message) {
    if (this.up) this.socket.send(JSON.stringify(message));
  }

  /** Have the spectrogram sent, or not. */
  watch(on) {
    this.watching = on;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "spectrogram", on }));
  }

  /** Turn a knob; the last of many values always arrives. */
  turn(name, value) {
    this.waiting[name] = value;
    this.soon();
  }

  /** Set all weights of a blend. */
  blend(weights) {
    this.weights = weights;
    this.soon();
  }

  soon() {
    if (this.timer !== null) return;
    this.flush();
    this.timer = setTimeout(() => {
      this.timer = null;
      if (this.weights || Object.keys(this.waiting).length) this.soon();
    }, SEND_EVERY);
  }

  flush() {
    if (Object.keys(this.waiting).length) this.send({ type: "set", values: this.waiting });
    if (this.weights) this.send({ type: "blend", weights: this.weights });
    this.waiting = {};
    this.weights = null;
  }
}
