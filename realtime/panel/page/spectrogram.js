// Two scrolling spectrograms; each column of bytes 0..255 is -100..0 dBFS in log-spaced bands.

// Anchors of a perceptually even map from black through violet and orange to pale yellow.
const ANCHORS = [[0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85], [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164]];

const COLOURS = new Uint32Array(256).map((_, i) => {
  const at = Math.min(1, Math.max(0, (i - 40) / 200)) * (ANCHORS.length - 1); // -84 dB is black, -6 dB the top
  const k = Math.min(ANCHORS.length - 2, Math.floor(at));
  const [r, g, b] = ANCHORS[k].map((low, c) => Math.round(low + (at - k) * (ANCHORS[k + 1][c] - low)));
  return (255 << 24) | (b << 16) | (g << 8) | r;
});

const WIDTH = 600; // columns on the screen: 20 s
const LABELS = [[100, "100"], [1000, "1k"], [10000, "10k"]];
const [LOWEST, HIGHEST] = [40, 20000];

class Spectrogram {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.bands = 0;
  }

  prepare(bands) {
    this.bands = bands;
    this.canvas.width = WIDTH;
    this.canvas.height = bands;
    this.context.fillStyle = "#000004";
    this.context.fillRect(0, 0, WIDTH, bands);
  }

  add(columns, bands) {
    if (this.bands !== bands) this.prepare(bands);
    const n = Math.min(columns.length, WIDTH);
    const image = this.context.createImageData(n, bands);
    const pixels = new Uint32Array(image.data.buffer);
    columns.slice(-n).forEach((column, x) => {
      for (let band = 0; band < bands; band++) pixels[(bands - 1 - band) * n + x] = COLOURS[column[band]];
    });
    this.context.drawImage(this.canvas, -n, 0);
    this.context.putImageData(image, WIDTH - n, 0);
  }
}

export class Spectrograms {
  constructor(input, output) {
    this.both = [new Spectrogram(input), new Spectrogram(output)];
    this.waiting = [[], []];
    for (const { canvas } of this.both) {
      const scale = document.createElement("div");
      scale.className = "scale";
      scale.setAttribute("aria-hidden", "true");
      for (const [hertz, text] of LABELS) {
        const mark = document.createElement("span");
        mark.textContent = text;
        mark.style.bottom = `${(100 * Math.log(hertz / LOWEST)) / Math.log(HIGHEST / LOWEST)}%`;
        scale.append(mark);
      }
      canvas.after(scale);
    }
  }

  /** Take a binary message: type, columns, bands, then input and output bands of each column. */
  take(bytes) {
    const [, columns, bands] = bytes;
    this.bands = bands;
    for (let k = 0; k < columns; k++) {
      for (const which of [0, 1]) {
        const start = 3 + (2 * k + which) * bands;
        this.waiting[which].push(bytes.subarray(start, start + bands));
      }
    }
  }

  draw() {
    if (!this.waiting[0].length) return;
    this.both.forEach((one, which) => one.add(this.waiting[which], this.bands));
    this.waiting = [[], []];
  }
}
