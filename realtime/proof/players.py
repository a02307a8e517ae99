"""What is asked of a player: it hears notes and plays them itself, and silence leaves it silent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..models.card import Card
from ..models.streaming import StreamingModel
from .checks import Check

Array = npt.NDArray[np.float32]
EVERY = 0.25  # seconds between struck notes
DECAY = 0.35  # seconds to 1 / e
SILENT = 1e-5  # -100 dBFS
STRUCK = 69  # MIDI pitch of the note whose answer is timed


def struck(card: Card, steps: int, seed: int = 0, keys: tuple[int, ...] = ()) -> Array:
    """Plucked tones of four partials, one every quarter of a second ``[steps, 1, 1, hop]``.

    Parameters
    ----------
    keys : tuple of int
        MIDI pitches in turn; none: at random from A2 to A5.
    """
    rng = np.random.default_rng(seed)
    n, rate = steps * card.hop_length, card.sample_rate
    out = np.zeros(n)
    for number, at in enumerate(range(0, n, round(EVERY * rate))):
        key = keys[number % len(keys)] if keys else int(rng.integers(45, 82))
        hz, t = 440.0 * 2.0 ** ((key - 69) / 12), np.arange(n - at) / rate
        tone = sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, 5))
        rise = np.minimum(1.0, t / 0.002)
        out[at:] += rng.uniform(0.05, 0.2) * tone * rise * np.exp(-t / DECAY)
    return out.astype(np.float32).reshape(steps, 1, 1, card.hop_length)


def answers(model: StreamingModel, path: Path) -> Check:
    """Nothing before a note, sound after it: the first sample above -60 dBFS, after its strike."""
    card, before = model.card, 40
    hops = round(0.5 * card.sample_rate / card.hop_length)
    x = np.zeros((before + hops, *card.step_shape(1)), dtype=np.float32)
    x[before:] = struck(card, hops, 1, (STRUCK,))
    model.reset()
    y = np.abs(np.stack([model.step(f) for f in x])).ravel()
    at = before * card.hop_length
    early = float(y[:at].max())
    heard = np.flatnonzero(y[at:] > 1e-3)
    late = 1000.0 * heard[0] / card.sample_rate if heard.size else float("nan")
    text = f"peak {early:.1e} before a note, sound {late:.1f} ms after it"
    return Check("answers a note", early <= SILENT and heard.size > 0, text)


def quiet(model: StreamingModel, path: Path) -> Check:
    """Silence stays silent, and noise of -60 dBFS plays nothing louder than itself."""
    card = model.card
    hops = 4 * card.sample_rate // card.hop_length
    rng, peaks = np.random.default_rng(6), []
    for level in (0.0, 1e-3):
        x = (level * rng.standard_normal((hops, *card.step_shape(1)))).astype(np.float32)
        model.reset()
        y = np.stack([model.step(f) for f in x])
        peaks.append(float(np.sqrt(np.mean(np.square(y, dtype=np.float64)))))
    good = peaks[0] <= SILENT and peaks[1] <= 2e-3
    return Check("quiet", good, f"silence {peaks[0]:.1e}, noise of 1e-3 {peaks[1]:.1e} RMS")
