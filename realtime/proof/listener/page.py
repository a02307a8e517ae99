"""One HTML page of the proof: figures beside their bounds, and spectrograms to look at."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

import numpy as np
import numpy.typing as npt

from .figures import MEASURES, beside
from .lines import OffGrid
from .material import HISSES, PITCHES
from .picture import HIGH, LOW, RANGE_DB, colours, levels, png
from .prove import Proof, unchanged
from .sounds import hertz

WIDTH, HEIGHT = 520, 240
TICKS = (100, 1000, 10000)  # Hz
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:1120px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:1em 0}td,th{padding:.15em .7em;text-align:right}
td:first-child,th:first-child{text-align:left}tr:nth-child(even){background:#8881}
.over{color:#c00;font-weight:600}figure{display:inline-block;margin:0 8px 16px 0}
figcaption{font-size:13px}svg text{font:11px sans-serif;fill:#fff}"""


def page(proofs: dict[str, Proof]) -> str:
    """The page of some models by name."""
    parts = [f"<h2 id='{escape(n)}'>{escape(n)}</h2>{_pictures(p)}" for n, p in proofs.items()]
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>The listener's proof</title>"
        f"<style>{STYLE}</style><h1>The listener's proof</h1>"
        "<p>Test tones and phrases played by the player. <i>Unchanged</i> is what went in; what"
        " breaks a bound is red. A <i>line</i> is a tone that is no harmonic of the input, and no"
        " partial of a player's voice.</p>"
        f"{_table(proofs)}{''.join(parts)}</html>\n"
    )


def key_name(key: int) -> str:
    """A MIDI key's name: 69 is A4."""
    return f"{NAMES[key % 12]}{key // 12 - 1}"


def _table(proofs: dict[str, Proof]) -> str:
    rate = next(iter(proofs.values())).made.rate
    columns = beside({name: p.figures for name, p in proofs.items()}, unchanged(rate).figures)
    head = "".join(f"<th>{escape(name)}" for name in columns)
    rows = [f"<tr><th>figure{head}<th>bound"]
    for m in MEASURES:
        cells = []
        for figures in columns.values():
            value = figures.get(m.name)
            mark = "" if value is None or m.holds(value, figures) else " class='over'"
            cells.append(f"<td{mark}>{m.text(value)}")
        bound = "" if m.bound is None else f"{'≥' if m.least else '≤'} {m.text(m.bound)}"
        rows.append(f"<tr><td>{escape(m.title)}{''.join(cells)}<td>{bound}")
    return f"<table>{''.join(rows)}</table>"


def _pitches(proof: Proof) -> str:
    def cell(found: OffGrid) -> str:
        mark = " class='over'" if found.line_db > -40.0 else ""
        return f"<td{mark}>{found.line_db:.0f} dB at {found.line_hz:.0f} Hz"

    rows = [
        f"<tr><td>{key_name(k)}, {hertz(k):.0f} Hz{cell(a)}{cell(b)}"
        for k, a, b in zip(PITCHES, proof.sines, proof.partials, strict=True)
    ]
    hisses = ", ".join(
        f"{db:.0f} → {out:.0f}" for db, out in zip(HISSES, proof.hisses, strict=True)
    )
    return (
        "<details><summary>Every pitch, and hiss</summary><table><tr><th>pitch<th>worst line,"
        f" sine<th>worst line, four partials{''.join(rows)}</table>"
        f"<p>White noise in → out, dBFS: {hisses}.</p></details>"
    )


def _pictures(proof: Proof) -> str:
    made, out = proof.made, proof.played
    rows: list[tuple[str, npt.NDArray[np.floating], npt.NDArray[np.floating]]] = [
        ("24 sines, E2 to D6", _joined(made.sines), _joined(out.sines)),
        ("24 tones of four partials", _joined(made.partials), _joined(out.partials)),
    ]
    rows += [(name, c.samples, out.phrases[name]) for name, c in made.phrases.items()]
    titles = ("dc", "hum 50", "hiss -70")
    rows += [(f"{n} (louder)", 300 * made.steady[n], 300 * out.steady[n]) for n in titles]
    figures = [_pair(name, x, y, made.rate) for name, x, y in rows]
    return _pitches(proof) + "".join(figures)


def _joined(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """The last 0.25 s of every row, one after the other."""
    return np.concatenate([row[-rows.shape[1] // 5 :] for row in rows])


def _pair(name: str, x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], rate: int) -> str:
    """Input and output side by side in one scale of colours."""
    both = [levels(s, rate, WIDTH, HEIGHT) for s in (x, y)]
    top = max(float(v.max()) for v in both)
    seconds = len(x) / rate
    found = [
        f"<figure>{_image(level, top, rate)}<figcaption>{escape(name)}, {side}: {seconds:.1f} s,"
        f" {RANGE_DB:.0f} dB deep</figcaption></figure>"
        for side, level in zip(("in", "out"), both, strict=True)
    ]
    return "<div>" + "".join(found) + "</div>"


def _image(level: npt.NDArray[np.float64], top: float, rate: int) -> str:
    data = base64.b64encode(png(colours(level, top))).decode("ascii")
    span = np.log(min(HIGH, 0.49 * rate) / LOW)
    marks: Iterable[str] = (
        f"<line x1='0' x2='6' y1='{y:.0f}' y2='{y:.0f}' stroke='#fff'/>"
        f"<text x='9' y='{y + 4:.0f}'>{hz if hz < 1000 else f'{hz // 1000}k'}</text>"
        for hz, y in ((hz, HEIGHT * (1 - np.log(hz / LOW) / span)) for hz in TICKS)
    )
    return (
        f"<svg width='{WIDTH}' height='{HEIGHT}' role='img'><image width='{WIDTH}'"
        f" height='{HEIGHT}' href='data:image/png;base64,{data}'/>{''.join(marks)}</svg>"
    )
