"""The demo clip, and a clip of every bundled style before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.models.card import Card
from realtime.models.catalog import read_entry

from ..data.pairs import Voice
from ..data.scores.render import SAMPLE_RATE, render
from ..data.scores.scores import compose, to_midi
from ..data.sound.noise import coloured_noise
from ..export.gate import EXPORTED
from ..player import play
from .denoised import KIND
from .generating import played

Array = npt.NDArray[np.float32]
DEMO_SEED, DEMO_SECONDS = 4242, 8.0
DEMO = Voice(27)  # clean electric guitar
KEYS = Voice(0)
CLIP_SECONDS = 3.0  # before and after, each
CLIP_BYTES = 250_000


def render_demo() -> Path:
    """Render the demo clip: a score no recipe has seen, on a clean electric guitar."""
    target = EXPORTED / "demo.flac"
    soundfile.write(str(target), _tune(DEMO, DEMO_SECONDS), SAMPLE_RATE, "PCM_16")
    return target


def _tune(voice: Voice, seconds: float) -> Array:
    score = compose(DEMO_SEED, seconds - 1.0, 40, 76)
    samples = render(to_midi(score, voice.program), seconds, voice.font)
    return np.asarray(0.7 * samples / np.abs(samples).max(), dtype=np.float32)


def write_clip(path: Path) -> Path | None:
    """Write ``<model>.flac``: three seconds of input, then the same three seconds restyled.

    Guitars go through effects, keys through instruments, a synthesised voice through voices.  What
    packs badly is shortened, so that no file is larger than `CLIP_BYTES`.

    A tagger and an ear have no clip, a generator one of its styles in turn.
    """
    entry = read_entry(path)
    if entry.card is None:
        raise ValueError(f"{path} has no card")
    if entry.card.kind in ("tagger", "ear"):
        return None
    target, n = path.with_suffix(".flac"), round(CLIP_SECONDS * SAMPLE_RATE)
    if entry.card.kind == "generator":
        soundfile.write(str(target), _every_style(path, entry.card), SAMPLE_RATE, "PCM_16")
        return target
    x = _clip_input(entry.card.metrics.get("kind", "effect"))
    while True:
        sound = np.clip(before_and_after(path, entry.card, x[:n]), -0.98, 0.98)
        soundfile.write(str(target), sound, SAMPLE_RATE, "PCM_16")
        if target.stat().st_size <= CLIP_BYTES:
            return target
        n = round(0.98 * n * CLIP_BYTES / target.stat().st_size)


def _every_style(path: Path, card: Card) -> Array:
    """A little of each style of a generator, one after the other."""
    styles = [c.name for c in card.controls if c.kind == "blend"]
    piece = 2 * CLIP_SECONDS / len(styles)
    zeros = dict.fromkeys(styles, 0.0)
    parts = [played(path, piece, {**zeros, s: 1.0, "seed": float(k)}) for k, s in enumerate(styles)]
    fade = np.minimum(1.0, np.arange(len(parts[0]))[::-1] / 480).astype(np.float32)
    return np.concatenate([part * fade for part in parts])


def before_and_after(path: Path, card: Card, x: Array) -> Array:
    """The input and what the model makes of it; of a blend, each corner in turn."""
    n = len(x)
    fade = np.minimum(1.0, np.arange(n)[::-1] / 480).astype(np.float32)
    parts = [x * fade]
    corners = [c.name for c in card.controls if c.kind == "blend"]
    if corners:
        for number, corner in enumerate(corners):
            weights = {name: float(name == corner) for name in corners}
            y, piece = play(path, x, weights), n // len(corners)
            parts.append(y[number * piece : (number + 1) * piece] * fade[-piece:])
    else:
        parts.append(play(path, x) * fade)
    return np.concatenate(parts)


def _noisy(x: Array) -> Array:
    """Speech in a room with a fan and a hum, the noise 6 dB below."""
    rng = np.random.default_rng(1)
    noise = coloured_noise(len(x), "pink", rng) + 0.3 * coloured_noise(len(x), "hum", rng)
    noise *= np.float32(0.5 * np.std(x) / np.std(noise))
    return np.asarray(x + noise, dtype=np.float32)


def _clip_input(kind: str) -> Array:
    if kind in ("voice", KIND):
        from ..data.sets.recordings import load_set

        said = load_set("speech", tags={"speaker": "flite rms"}).test
        x = max(said, key=lambda r: len(r.samples)).samples
        x = np.asarray(0.5 * x / np.abs(x).max(), dtype=np.float32)
        return x if kind == "voice" else _noisy(x)
    return _tune(KEYS if kind in ("instrument", "latent") else DEMO, DEMO_SECONDS)
