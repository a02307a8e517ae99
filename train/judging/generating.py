"""How near a generator's music is to what it learnt from, in an embedding that it never heard.

Candidates, all of the same length and level: the exported file by the player's own engine; the same
synth struck by chance (as many notes, any pitch); filtered noise with the long-term spectrum of the
recordings; held-out recordings, which are as near as can be.  The reference are the recordings of
the training split.  Embedding: musicnn; distances: Fréchet, and the maximum mean discrepancy.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import signal

from realtime.models.load import open_model

from ..data.pairs import PairSet
from ..data.scores.render import SAMPLE_RATE
from .judges.timbre import embed, frechet, mmd, principal_basis

Array = npt.NDArray[np.float32]
CLIPS, SECONDS = 8, 20.0
LEVEL = 0.1
WILD = 50.0  # temperature at which every note is as likely as any other
TITLES = {
    "model": "generator", "random": "the same instruments, any notes", "noise": "filtered noise",
    "held_out": "held-out recordings",
}  # fmt: skip


def levelled(x: Array) -> Array:
    """At a root mean square of :data:`LEVEL`."""
    return np.asarray(x * (LEVEL / (np.sqrt(np.square(x).mean()) + 1e-9)), dtype=np.float32)


def played(file: Path, seconds: float, settings: dict[str, float]) -> Array:
    """Music of a generator's file from its beginning ``[n]``."""
    with closing(open_model(file)) as player:
        names = [c.name for c in player.card.controls]
        for name, value in settings.items():
            player.controls[0, names.index(name)] = value
        hops = round(seconds * SAMPLE_RATE / player.card.hop_length)
        return np.concatenate([player.step(player.x)[0, 0] for _ in range(hops)])


def blends(file: Path) -> list[str]:
    """Names of its styles."""
    with closing(open_model(file)) as player:
        return [c.name for c in player.card.controls if c.kind == "blend"]


def clips(file: Path, wildness: float | None = None) -> list[Array]:
    """Clips of all styles in turn, each of its own seed, key and density."""
    styles, made = blends(file), []
    for k in range(CLIPS):
        rng = np.random.default_rng(k)
        settings = dict.fromkeys(styles, 0.0) | {styles[k % len(styles)]: 1.0, "seed": float(k)}
        settings |= {
            "root": float(rng.integers(12)),
            "scale": float(rng.integers(5)),
            "tempo": float(rng.uniform(70, 160)),
            "density": float(rng.uniform(0.3, 0.8)),
        }
        if wildness is not None:
            settings["wildness"] = wildness
        made.append(levelled(played(file, SECONDS, settings)))
    return made


def filtered_noise(recordings: list[Array]) -> list[Array]:
    """Noise with the mean spectrum of some recordings."""
    power = np.mean([signal.welch(x, SAMPLE_RATE, nperseg=2048)[1] for x in recordings], axis=0)
    taps = signal.firwin2(2047, np.linspace(0, 1, len(power)), np.sqrt(power / power.max()))
    rng = np.random.default_rng(0)
    n = round(SECONDS * SAMPLE_RATE)
    return [
        levelled(signal.fftconvolve(rng.standard_normal(n + 2046), taps, "valid"))
        for _ in range(CLIPS)
    ]


def judged_generator(file: Path, data: PairSet, log: Callable[[str], None]) -> dict[str, Any]:
    """Distances of all candidates to the training recordings, as they go into the card."""
    n = round(SECONDS * SAMPLE_RATE)
    train = [levelled(p.dry[:n]) for p in data.train]
    held = [levelled(p.dry[:n]) for p in (*data.validation, *data.test)]
    sounds = {
        "model": clips(file),
        "random": clips(file, WILD),
        "noise": filtered_noise(train),
        "held_out": held,
    }
    reference = embed(train)
    mean, basis = principal_basis(reference)
    near = (reference - mean) @ basis
    rows = {}
    for name, heard in sounds.items():
        found = (embed(heard) - mean) @ basis
        rows[name] = {
            "frechet": round(frechet(found, near), 3),
            "mmd": round(mmd(found, near), 4),
            "clips": len(heard),
        }
        log(f"generator: {TITLES[name]}: Fréchet {rows[name]['frechet']:.2f}")
    return {
        "kind": "generator",
        "command": "restyle train evaluate endless-keys",
        "sets": {"test": {"recordings": len(train), "scores": rows}},
    }


def table(part: dict[str, Any]) -> list[str]:
    """Markdown lines."""
    lines = ["| | Fréchet distance | MMD | clips |", "|---|---|---|---|"]
    for key, title in TITLES.items():
        one = part["scores"][key]
        lines.append(f"| {title} | {one['frechet']:.2f} | {one['mmd']:.3f} | {one['clips']} |")
    return lines
