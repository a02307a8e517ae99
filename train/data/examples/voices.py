"""Pairs of speech: recordings joined to useful lengths, and what a teacher makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.audio_files import whole_file

from ..manifest import SAMPLE_RATE
from ..pairs import Pair
from ..sets.recordings import Recording

Array = npt.NDArray[np.float32]
CACHE = Path(".data") / "teachers"
GAP = 0.15  # seconds between recordings


def join(recordings: Sequence[Recording], seconds: float, seed: int) -> list[tuple[str, Array]]:
    """Recordings of one split in random order, one after the other, cut where `seconds` are full.

    Each recording is scaled to a random peak between 0.1 and 0.9.

    Returns
    -------
    list of (name, samples [shape=(n,), float32])
    """
    rng = np.random.default_rng(seed)
    gap = np.zeros(round(GAP * SAMPLE_RATE), dtype=np.float32)
    joined: list[tuple[str, Array]] = []
    parts: list[Array] = []
    for index in rng.permutation(len(recordings)):
        x = recordings[index].samples
        peak = float(np.abs(x).max())
        if peak < 1e-4:
            continue
        parts += [x * np.float32(rng.uniform(0.1, 0.9) / peak), gap]
        if sum(map(len, parts)) >= seconds * SAMPLE_RATE:
            joined.append((f"joined{len(joined)}", np.concatenate(parts)))
            parts = []
    if parts:
        joined.append((f"joined{len(joined)}", np.concatenate(parts)))
    return joined


def taught(dry: Array, teacher: Callable[[Array], Array], version: str) -> Array:
    """What a slow teacher makes of `dry`, kept on disk by what went in.

    Parameters
    ----------
    version : str
        Name of the teacher and its settings: another text, another file.
    """
    key = version.encode() + dry.tobytes()
    return kept(key, lambda: teacher(dry))


def kept(key: bytes, make: Callable[[], Array]) -> Array:
    """A sound ``[n]`` or ``[n, channels]`` that takes long to make, kept on disk by its key."""
    path = CACHE / f"{hashlib.sha256(key).hexdigest()[:24]}.wav"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            soundfile.write(str(partial), make(), SAMPLE_RATE, "FLOAT")
    return np.asarray(soundfile.read(str(path), dtype="float32")[0], dtype=np.float32)


def speech_pairs(
    recordings: Sequence[Recording],
    teacher: Callable[[Array], Array],
    version: str,
    *,
    seconds: float = 20.0,
    seed: int = 0,
) -> tuple[Pair, ...]:
    """Pairs of one split."""
    return tuple(
        Pair(name, dry, taught(dry, teacher, version))
        for name, dry in join(recordings, seconds, seed)
    )
