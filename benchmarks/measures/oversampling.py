"""``restyle bench oversampling``: what it takes away, what it leaves, what it costs.

*Aliases*: of a tone at -6 dBFS, the power up to 16 kHz beside its harmonics over that of all, in
dB; the worst and the mean of tones from 5 to 12 kHz.  *Passband*: the response to a click so soft
that the capture is linear, in thirds of an octave, against the same without oversampling, at its
largest difference.  *Latency*: as declared, and as a slow tone is delayed against the same without
oversampling.  *Cost*: the lower quartile of a step.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.models.nam.build import Variant
from realtime.models.nam.convert import open_capture
from realtime.models.nam.oversample import FACTORS
from realtime.models.steppable import Steppable

from ..rig.captures import chosen
from ..rig.tables import Report, Row
from .nam import step_factors

BLOCK = 64
TONES = (5003, 6007, 7001, 8009, 9001, 10_007, 11_003, 12_007)  # [Hz]; whole periods in a second
LEVEL = 0.5
SOFTEST, MOVED = 1e-5, 1e-4
HEARD = 16_000  # [Hz]
SLOW = 499  # [Hz]
COLUMNS = {
    "capture": "capture", "factor": "oversampling", "latency": "latency declared",
    "delay": "delay measured", "worst_alias_db": "worst alias dB", "mean_alias_db": "mean dB",
    "to_16_khz_db": "tone to 16 kHz ± dB", "to_20_khz_db": "to 20 kHz ± dB",
    "cost_percent": "cost % of a core",
}  # fmt: skip
Signal = npt.NDArray[np.float64]


def play(model: Steppable, x: Signal) -> Signal:
    """Play ``x [n]``, whole blocks of it, from the settled state."""
    model.reset()
    blocks = x[: len(x) // BLOCK * BLOCK].astype(np.float32).reshape(-1, 1, 1, BLOCK)
    return np.concatenate([model.step(b).ravel() for b in blocks]).astype(np.float64)


def alias_db(y: Signal, tone: int, rate: int) -> float:
    """Power up to 16 kHz beside the harmonics of `tone` over that of all, of one second [dB]."""
    power = np.abs(np.fft.rfft(y * np.hanning(len(y)))) ** 2
    own = np.arange(len(power)) > HEARD
    for k in range(0, rate // 2 + 1, tone):
        own[max(0, k - 3) : k + 4] = True
    return float(10 * np.log10(power[~own].sum() / power.sum()))


def _softness(model: Steppable, x: Signal, rest: Signal) -> float:
    """The height of a click that moves the output by :data:`MOVED` at least."""
    height = SOFTEST
    while height < LEVEL:
        x[BLOCK] = height
        if np.abs(play(model, x) - rest).max() >= MOVED:
            break
        height *= 2
    return height


def measured(variant: Variant, factor: int, plain: Any, seconds: float) -> tuple[Row, Any]:
    """The figures of one factor; `plain` is what was kept of 1x, which is returned for it."""
    model = open_capture(variant, "bench", 1, BLOCK, factor)
    rate = model.card.sample_rate
    t = np.arange(-(-2 * rate // BLOCK) * BLOCK) / rate
    aliases = [
        alias_db(play(model, LEVEL * np.sin(2 * np.pi * f * t))[-rate:], f, rate) for f in TONES
    ]
    click = np.zeros(rate // BLOCK * BLOCK)
    rest = play(model, click)
    click[BLOCK] = soft = plain[2] if plain else _softness(model, click, rest)
    spectrum = np.fft.rfft(play(model, click) - rest)
    slow = play(model, soft * np.sin(2 * np.pi * SLOW * t))[-rate:]
    phase = float(np.angle(np.sum(slow * np.exp(-2j * np.pi * SLOW * np.arange(rate) / rate))))
    kept = plain or (spectrum, phase, soft)
    hz = np.fft.rfftfreq(len(click), 1 / rate)
    edges = 50.0 * 2.0 ** (np.arange(28) / 3.0)
    change = []
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        band = (hz >= low) & (hz < high)
        powers = [float(np.sum(np.abs(s[band]) ** 2)) for s in (spectrum, kept[0])]
        change.append((high, abs(10 * np.log10(powers[0] / powers[1]))))
    turned = (kept[1] - phase + np.pi) % (2 * np.pi) - np.pi
    costs = step_factors(model, BLOCK, seconds, False)
    row = {
        "factor": factor,
        "latency": model.card.latency,
        "delay": round(turned / (2 * np.pi * SLOW) * rate, 2),
        "worst_alias_db": round(max(aliases), 1),
        "mean_alias_db": round(float(10 * np.log10(np.mean(10 ** (np.array(aliases) / 10)))), 1),
        "to_16_khz_db": round(max(c for high, c in change if high <= 16_300), 2),
        "to_20_khz_db": round(max(c for high, c in change), 2),
        "cost_percent": round(100 * float(np.quantile(costs, 0.25)), 2),
    }
    model.close()
    return row, kept


def main(argv: Sequence[str]) -> int:
    """Run the benchmark with command-line arguments."""
    parser = argparse.ArgumentParser(prog="restyle bench oversampling", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help=".nam files; random ones if none")
    parser.add_argument("--seconds", type=float, default=2.0, help="of sound for the cost")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(list(argv))
    report = Report("oversampling", "restyle bench oversampling " + " ".join(argv))
    rows: list[Row] = []
    for name, variant in chosen(options.files).items():
        plain = None
        for factor in FACTORS:
            report.progress(f"measuring {name} at {factor} times its rate")
            row, plain = measured(variant, factor, plain, options.seconds)
            rows.append({"capture": name, **row})
    report.table("oversampling", f"Oversampling of captures, blocks of {BLOCK}", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
