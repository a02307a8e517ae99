"""How far the statistics of `restyle like` move with what is played, and how far with effects."""

from __future__ import annotations

import numpy as np

from train.data.examples import teachers
from train.data.pairs import Voice, played
from train.like.statistics import GROUPS, averages

SCORES, SECONDS, SEED = 14, 24.0, 880_001
GUITARS = (27, 25, 26, 24)
FONTS = ("fluidr3", "musescore")
EFFECTS = {"dry": lambda x: x, "tube-amp": teachers.tube_amp, "warm": teachers.warm}


def content() -> str:
    """Deviation of each group over scores and guitars, and between the means of three effects."""
    rows: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in EFFECTS}
    for k in range(SCORES):
        x = played(SEED + k, SECONDS, Voice(GUITARS[k % 4], FONTS[k % 2]))
        x = np.asarray(0.5 * x / np.abs(x).max(), dtype=np.float32)
        for name, effect in EFFECTS.items():
            rows[name].append(averages([effect(x)])[0])
    lines = ["| statistics | with what is played | with the effect |", "|---|---|---|"]
    for group in GROUPS:
        stacked = {name: np.stack([r[group] for r in found]) for name, found in rows.items()}
        inside = np.mean([_rms(s.std(axis=0)) for s in stacked.values()])
        means = [s.mean(axis=0) for s in stacked.values()]
        pairs = ((0, 1), (0, 2), (1, 2))
        between = np.mean([_rms(means[a] - means[b]) for a, b in pairs])
        lines.append(f"| {group} | {inside:.2f} | {between:.2f} |")
    return "\n".join(lines)


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x))))
