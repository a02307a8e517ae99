"""How far sounds moved towards a heap of recordings, as judges from outside hear it.

No loss and no discriminator has any part of them.  Only what is installed is asked (`make judges`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from .judges import musicnn, voice
from .judges.timbre import gap_share

Array = npt.NDArray[np.float32]
Listener = Callable[[Array], Array]


def listeners() -> dict[str, Listener]:
    """Judges that are installed: ``sound [n] at 48 kHz -> embedding [d]``.

    ``musicnn`` for any sound (mean over its windows of 3 s), ``resemblyzer`` for voices.
    """
    known: dict[str, Listener] = {
        "musicnn": lambda x: np.asarray(musicnn.heard(x)[1].mean(axis=0)),
        "resemblyzer": voice.speaker,
    }
    return {k: v for k, v in known.items() if importlib.util.find_spec(k) is not None}


def shares(
    listen: Listener,
    made: Mapping[str, Sequence[Array]],
    wanted: Sequence[Array],
    others: Sequence[Array],
) -> dict[str, float]:
    """Share of the way from ``copy`` to the wanted heap, by distance of mean embeddings.

    Parameters
    ----------
    made : mapping of candidate to recordings
        ``copy`` among them.
    wanted, others : sequence of ndarray
        Recordings of the wanted heap; how far `others` are from `wanted` is where the way ends.
    """

    def mean(sounds: Sequence[Array]) -> Array:
        return np.asarray(np.mean([listen(x) for x in sounds], axis=0))

    goal = mean(wanted)
    off = {k: float(np.linalg.norm(mean(v) - goal)) for k, v in made.items()}
    floor = float(np.linalg.norm(mean(others) - goal))
    return {k: round(gap_share(off["copy"], d, floor), 3) for k, d in off.items() if k != "copy"}


def pitch_kept(made: Sequence[Array], source: Sequence[Array]) -> float | None:
    """Share of voiced frames whose pitch stayed within 50 cents; None: no judge installed."""
    if importlib.util.find_spec("swift_f0") is None:
        return None
    kept = [voice.pitch_kept(y, x) for y, x in zip(made, source, strict=True)]
    return round(float(np.mean(kept)), 3)
