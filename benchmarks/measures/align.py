"""``restyle bench align``: how late captures are by themselves; two of them in parallel.

*Import* is what restyle measures when it opens a file (``realtime/models/lag.py``).  Beside it, by
another method and other sound: the peak of the phase transform (cross-spectrum without its
magnitudes) of swelling tones and noise at several levels; with ``--core`` the same of what the C++
core plays.  *Click* is where the answer to a click of half of full scale first reaches a tenth of
its largest: a capture has learnt from playing, not from clicks, so it may be elsewhere.

A pair is two captures at equal loudness in a group: its level over the sum of both levels, in the
third of an octave from 100 Hz to 4 kHz where it is worst (0 dB: they add up, below: they comb).
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.models.lag import Lag
from realtime.models.nam.build import Variant
from realtime.models.nam.convert import make_player

from ..rig.captures import chosen
from ..rig.core import Core, built
from ..rig.sounds import phrase
from ..rig.tables import Report, Row
from .nam import capture_data

BLOCK, LONGEST = 64, 1000
LEVELS = (-50, -40, -30, -20, -10)  # dBFS of the sound
COLUMNS = {
    "capture": "capture", "import": "import, samples", "levels": "phase transform, -50 … -10 dBFS",
    "core": "the same of the core", "click": "click",
}  # fmt: skip
PAIRS = {
    "pair": "pair", "as_is": "as they are, mean dB", "as_is_worst": "worst",
    "aligned": "aligned, mean dB", "aligned_worst": "worst",
}  # fmt: skip
Signal = npt.NDArray[np.float64]
Player = Callable[[Signal], Signal]


def player_of(variant: Variant) -> tuple[Player, Lag]:
    """What plays ``x [n]`` from the settled state, and the lag found on import."""
    model = make_player(variant, "bench", 1, BLOCK)

    def play(x: Signal) -> Signal:
        model.reset()
        blocks = x[: len(x) // BLOCK * BLOCK].astype(np.float32).reshape(-1, 1, 1, BLOCK)
        return np.concatenate([model.step(b).ravel() for b in blocks]).astype(np.float64)

    return play, model.lag


def transformed(x: Signal, y: Signal) -> Lag:
    """Lag and polarity by the phase transform (C. Knapp, G. Carter, 1976)."""
    size = 2 * len(y)
    cross = np.fft.rfft(y - y.mean(), size) * np.fft.rfft(x[: len(y)], size).conj()
    peak = np.fft.irfft(cross / (np.abs(cross) + 1e-12 * np.abs(cross).max()), size)[:LONGEST]
    at = int(np.abs(peak).argmax())
    return Lag(at, bool(peak[at] < 0))


def told(lags: Sequence[Lag]) -> str:
    """Lags as text: each number once where all are alike."""
    texts = [f"{lag.samples}{' inverted' if lag.inverted else ''}" for lag in lags]
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)


def clicked(play: Player) -> int:
    """Where the answer to a click begins."""
    x = np.zeros(4 * LONGEST)
    rest = play(x)
    x[LONGEST // BLOCK * BLOCK] = 0.5
    moved = np.abs(play(x) - rest)[LONGEST // BLOCK * BLOCK :]
    return int((moved >= 0.1 * moved.max()).argmax())


def level(y: Signal) -> Signal:
    """Level of the thirds of an octave from 100 Hz to 4 kHz."""
    power = np.abs(np.fft.rfft(y * np.hanning(len(y)))) ** 2
    hz = np.fft.rfftfreq(len(y), 1 / 48000)
    edges = 100.0 * 2.0 ** (np.arange(17) / 3.0)
    pairs = itertools.pairwise(edges)
    return np.sqrt([power[(hz >= low) & (hz < high)].sum() for low, high in pairs])


def pair_row(names: tuple[str, str], sounds: tuple[Signal, Signal], lags: tuple[Lag, Lag]) -> Row:
    """Two captures side by side, as they are and as a group aligns them."""
    a, b = (y / np.sqrt(np.mean(np.square(y - y.mean()))) for y in sounds)
    late = max(lag.samples for lag in lags)
    turned = [
        np.roll(y, late - lag.samples) * (-1 if lag.inverted else 1)
        for y, lag in zip((a, b), lags, strict=True)
    ]
    row: Row = {"pair": " + ".join(names)}
    for key, (one, other) in {"as_is": (a, b), "aligned": turned}.items():
        found = 20 * np.log10(level(one + other) / (level(one) + level(other)))
        row |= {key: round(float(found.mean()), 1), f"{key}_worst": round(float(found.min()), 1)}
    return row


def main(argv: Sequence[str]) -> int:
    """Run the benchmark with command-line arguments."""
    parser = argparse.ArgumentParser(prog="restyle bench align", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help=".nam files; random ones if none")
    parser.add_argument("--core", type=Path, help="checkout of NeuralAmpModelerCore, built here")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(list(argv))
    report = Report("align", "restyle bench align " + " ".join(argv))
    program = built(options.core) if options.core is not None else None
    sound = phrase(2.0, 1)[0].astype(np.float64)
    given = [sound * 10 ** (db / 20) / np.sqrt(np.mean(sound**2)) for db in LEVELS]
    rows: list[Row] = []
    played: dict[str, tuple[Signal, Lag]] = {}
    for name, variant in chosen(options.files).items():
        report.progress(f"measuring {name}")
        play, lag = player_of(variant)
        found = [transformed(x, play(x)) for x in given]
        row: Row = {"capture": name, "import": told([lag]), "levels": told(found)}
        if program is not None:
            with Core(program, json.dumps(capture_data(variant))) as core:
                row["core"] = told([transformed(x, core.play(x)) for x in given])
        rows.append(row | {"click": clicked(play)})
        played[name] = play(given[2]), lag
    report.table("captures", "How late captures are by themselves", rows, COLUMNS)
    played["nothing"] = given[2][: len(sound) // BLOCK * BLOCK], Lag()
    pairs = [
        pair_row((a, b), (played[a][0], played[b][0]), (played[a][1], played[b][1]))
        for a, b in itertools.combinations(played, 2)
    ]
    report.table("pairs", "Two side by side, level over the sum of both levels", pairs, PAIRS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
