// The live connection: what plays comes in thirty times a second, turned knobs go out.

const LONGEST_WAIT = 5000; // ms between attempts
const SEND_EVERY = 17; // ms: what is turned faster is sent with its last value

export class Live {
  /** `hear` maps a message's type to a function; "columns" takes spectrogram bytes, "link" a flag. */
  constructor(hear) {
    this.hear = hear;
    this.waiting = {}; // values to be sent
    this.weights = null;
    this.wait = 250;
    this.timer = null;
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.wait = 250;
      this.hear.link?.(true);
      this.send({ type: "spectrogram", on: !document.hidden });
    };
    this.socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) return this.hear.columns?.(new Uint8Array(data));
      const message = JSON.parse(data);
      this.hear[message.type]?.(message);
    };
    this.socket.onclose = () => {
      this.hear.link?.(false);
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    };
  }

  get up() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(message) {
    if (this.up) this.socket.send(JSON.stringify(message));
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
