"""What a check is, and those of taggers and generators, which convert nothing."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..models.load import open_model
from ..models.streaming import StreamingModel

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Check:
    """One check: its name, whether it passed, and what was found."""

    name: str
    passed: bool
    found: str


def hard_signals(n: int) -> Array:
    """Silence, a full-scale square and full-scale noise ``[3, n]``."""
    square = np.where(np.arange(n) // 64 % 2, 1.0, -1.0)
    noise = np.random.default_rng(4).uniform(-1, 1, n)
    return np.stack([np.zeros(n), square, noise]).astype(np.float32)


def probabilities(model: StreamingModel, path: Path) -> Check:
    """A tagger's answers to silence, a full-scale square and noise lie within 0..1."""
    low, high = 1.0, 0.0
    for signal in hard_signals(model.card.hop_length * 96):
        model.reset()
        y = np.stack([model.step(x) for x in signal.reshape(96, 1, 1, -1)])
        low, high = min(low, float(y.min())), max(high, float(y.max()))
    good = low >= 0.0 and high <= 1.0  # not so for NaN
    return Check("bounded", good, f"probabilities within {low:.3f}..{high:.3f}")


def possible_notes(model: StreamingModel, path: Path) -> Check:
    """An ear's notes of silence, a full-scale square and noise are finite and within range."""
    bounds = np.array([(0, 1), (0, 1), (0, 4), (-1, 1)], dtype=np.float32)[:, :, None]
    good, struck = True, 0
    for signal in hard_signals(model.card.hop_length * 96):
        model.reset()
        y = np.stack([model.step(x)[0] for x in signal.reshape(96, 1, 1, -1)])
        good &= bool(((y >= bounds[:, 0]) & (y <= bounds[:, 1])).all())  # not so for NaN
        struck = max(struck, int((y[:, 0] > 0).sum()))
        good &= bool(signal.any()) or not struck  # nothing is heard in silence
    return Check("bounded", good, f"at most {struck} notes in silence, square or noise")


def prompt(model: StreamingModel, path: Path) -> Check:
    """A tagger or an ear hears an impulse in the hop it falls into."""
    struck = 40
    base = 0.05 * np.random.default_rng(5).standard_normal((96, *model.card.step_shape(1)))
    other = base.copy()
    other[struck].flat[-17] += 0.5
    runs = []
    for x in (base, other):
        model.reset()
        runs.append(np.stack([model.step(f) for f in x.astype(np.float32)]))
    changed = np.flatnonzero(np.any(runs[0] != runs[1], axis=(1, 2, 3)))
    found = int(changed[0]) - struck if changed.size else -1
    return Check("prompt", found == 0, f"an impulse changes the answer after {found} hop(s)")


def endless(model: StreamingModel, path: Path) -> Check:
    """A minute of music: finite, within full scale, and never silent for long."""
    hop, rate = model.card.hop_length, model.card.sample_rate
    with closing(open_model(path)) as player:
        y = np.stack([player.step(player.x) for _ in range(60 * rate // hop)])
    seconds = np.abs(y).reshape(len(y), -1).max(axis=1)
    parts = [float(p.max()) for p in np.array_split(seconds, 12)]
    good = bool(np.isfinite(y).all()) and max(parts) <= 1.0 and min(parts) > 1e-3
    return Check(
        "bounded", good, f"peaks of 12 parts of a minute {min(parts):.3f}..{max(parts):.3f}"
    )


def repeats(model: StreamingModel, path: Path) -> Check:
    """The same seed is the same music, another one is other music."""
    hops = 10 * model.card.sample_rate // model.card.hop_length
    runs = []
    with closing(open_model(path)) as player:
        for seed in (1, 1, 2):
            player.reset()
            player.controls[0, -2] = seed
            runs.append(np.stack([player.step(player.x) for _ in range(hops)]))
    same, other = np.array_equal(runs[0], runs[1]), not np.array_equal(runs[0], runs[2])
    text = f"{'equal' if same else 'unequal'} bits, another seed {'differs' if other else 'not'}"
    return Check("seed", same and other, text)
