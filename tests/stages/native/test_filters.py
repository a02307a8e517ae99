from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import bilinear, lfilter

from .playing import RATE, null_db, phrase, prepared, stepped


def cookbook(kind: str, f: float, db: float, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Bilinear transform of the cookbook's analogue prototypes, corner prewarped."""
    a = 10 ** (db / 40)
    num, den = {
        "Peak": ([1, a / q, 1], [1, 1 / (a * q), 1]),
        "LowShelf": ([1, a**0.5 / q, a], [a, a**0.5 / q, 1]),
        "HighShelf": ([a, a**0.5 / q, 1], [1, a**0.5 / q, a]),
    }[kind]
    if kind == "LowShelf":
        num = [a * v for v in num]
    if kind == "HighShelf":
        num = [a * v for v in num]
    w = 2 * RATE * np.tan(np.pi * f / RATE)
    scale = np.array([w**-2, w**-1, 1.0])
    return bilinear(np.array(num) * scale, np.array(den) * scale, RATE)


@pytest.mark.parametrize("kind", ["Peak", "LowShelf", "HighShelf"])
@pytest.mark.parametrize(
    ("f", "db", "q"),
    [(440.0, 9.0, 0.707), (100.0, -20.0, 2.0), (20.0, 30.0, 0.1), (8000.0, 12.0, 5.0)],
)
def test_equalizers_are_the_cookbooks(kind: str, f: float, db: float, q: float) -> None:
    x = phrase()
    b, a = cookbook(kind, f, db, q)
    expected = lfilter(b, a, x.astype(np.float64))
    given = {"cutoff_frequency_hz": f, "gain_db": db, "q": q}
    found = stepped(prepared(f"{kind}Filter", **given), x, [64])
    assert null_db(found, expected) <= -135.0


@pytest.mark.parametrize("name", ["LowpassFilter", "HighpassFilter"])
def test_passes_are_one_pole(name: str) -> None:
    x = phrase()
    w = 2 * RATE * np.tan(np.pi * 50.0 / RATE)
    b, a = bilinear([w] if name == "LowpassFilter" else [1.0, 0.0], [1.0, w], RATE)
    assert null_db(stepped(prepared(name), x, [64]), lfilter(b, a, x.astype(np.float64))) <= -130.0


@pytest.mark.parametrize("name", ["LowpassFilter", "HighpassFilter", "PeakFilter"])
def test_a_cutoff_above_half_the_rate_stays_stable(name: str) -> None:
    stage = prepared(name, rate=16000, cutoff_frequency_hz=20000.0)
    assert np.abs(stepped(stage, phrase(), [64])).max() < 10.0
