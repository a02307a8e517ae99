"""How near a converter comes to a heap of recordings when no true result exists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..data.pairs import PairSet
from ..networks.mel import LogMel
from ..player import play
from .baselines import apply_eq, matched_eq
from .judges.timbre import frechet, gap_share
from .moved import listeners, pitch_kept, shares

Array = npt.NDArray[np.float32]
BANDS, QUIET = 24, -5.0  # of the picture; log power under a recording's mean that is not judged
SECONDS = 12


def frames(sounds: Sequence[Array]) -> npt.NDArray[np.float64]:
    """Log-mel frames that sound, the level of each recording aside ``[frames, BANDS]``."""
    picture, found = LogMel(2048, 1024, BANDS), []
    for x in sounds:
        rows = picture(torch.from_numpy(x[None]))[0].T.double().numpy()
        found.append(rows[np.log(np.exp(rows).mean(axis=1)) > QUIET])
    return np.concatenate(found)


def follows(y: Array, x: Array) -> float:
    """Correlation over time of two recordings' bands: 1 where the one moves as the other does."""
    picture = LogMel(2048, 1024, BANDS)
    a, b = (picture(torch.from_numpy(s[None]))[0].double().numpy() for s in (x, y))
    a, b = (m - m.mean(axis=1, keepdims=True) for m in (a, b))
    return float((a * b).sum() / (np.sqrt((a**2).sum() * (b**2).sum()) + 1e-9))


def judge(file: Path, data: PairSet, command: str) -> dict[str, Any]:
    """Figures of an exported file on held-out recordings of both heaps.

    Returns
    -------
    dict
        ``distance``: Fréchet distance of log-mel frames to the wanted heap's test recordings, for
        input, matched equaliser and model, and its floor, the wanted heap's validation recordings;
        ``gap``: share of the way from input to floor; ``outside``: the same by each judge from
        outside that is installed; ``follows``; ``pitch_kept``; ``level_db`` over the input.
    """
    cut = [(p.dry[: SECONDS * 48000], p.wet[: SECONDS * 48000]) for p in data.test]
    gain = matched_eq(data.train)
    made = {
        "copy": [x for x, _ in cut],
        "matched_eq": [apply_eq(x, gain) for x, _ in cut],
        "model": [play(file, x) for x, _ in cut],
    }
    there = [b for _, b in cut]
    others = [p.wet[: SECONDS * 48000] for p in data.validation]
    wanted = frames(there)
    distance = {name: frechet(frames(sounds), wanted) for name, sounds in made.items()}
    distance["floor"] = frechet(frames(others), wanted)
    kept = [follows(y, x) for y, x in zip(made["model"], made["copy"], strict=True)]
    rms = [np.sqrt(np.mean(np.concatenate(made[k]) ** 2)) for k in ("model", "copy")]
    return {
        "kind": "unpaired",
        "command": command,
        "recordings": len(cut),
        "distance": {k: float(f"{v:.4g}") for k, v in distance.items()},
        "gap": {
            k: round(gap_share(distance["copy"], distance[k], distance["floor"]), 3)
            for k in ("matched_eq", "model")
        },
        "outside": {k: shares(v, made, there, others) for k, v in listeners().items()},
        "pitch_kept": pitch_kept(made["model"], made["copy"]),
        "follows": round(float(np.mean(kept)), 3),
        "level_db": round(float(20 * np.log10(rms[0] / rms[1])), 2),
    }
