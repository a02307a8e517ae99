"""Held-out scores of a tagger: macro-F1 and ROC-AUC beside two others.

Candidates: the exported file by the player's own :class:`realtime.models.tagger.Tagger`; logistic
regression on mean and deviation of MFCCs (Tzanetakis & Cook, 2002, in their successors' form); and
an outside tagger, musicnn, for the labels it knows under a name of its own.  Everyone hears the
same windows of three seconds: recordings, two of them mixed, and noise.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.models.tagger import Tagger

from ..data.examples.tagged import LABELS, row
from ..data.pairs import Pair, PairSet
from ..data.scores.render import SAMPLE_RATE
from .judges.packages import require

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
WINDOW = 3 * SAMPLE_RATE
FIRST = 0.5  # seconds of a window in which the tagger may make up its mind
SILENT = 1e-3  # RMS below which a window is left out
MIXES, NOISES = 0.5, 0.05  # for every window, so many mixed ones and so many of noise
OUTSIDE = {  # label: musicnn's tags for it
    "piano": ("piano",), "harpsichord": ("harpsichord",), "guitar": ("guitar",),
    "strings": ("strings", "violin", "cello"), "choir": ("choir", "choral"),
    "flute": ("flute",), "synth": ("synth", "electronic"),
    "speech": ("voice", "man", "woman", "vocal"), "band": ("drums", "beat"),
}  # fmt: skip
MFCCS = 20


def windows(pairs: tuple[Pair, ...], seed: int = 0) -> tuple[Array, Floats]:
    """Windows ``[n, samples]`` with their truth ``[n, labels]``."""
    rng = np.random.default_rng(seed)
    cut = [
        (part, pair.controls)
        for pair in pairs
        for part in (pair.dry[k : k + WINDOW] for k in range(0, len(pair.dry) - WINDOW + 1, WINDOW))
        if np.sqrt(np.square(part).mean()) > SILENT
    ]
    sounds = [part for part, _ in cut]
    truth = [np.array(labels) for _, labels in cut]
    for _ in range(int(MIXES * len(cut))):
        a, b = rng.integers(len(cut), size=2)
        gain = np.float32(10 ** (rng.uniform(-6, 0) / 20))
        sounds.append(cut[a][0] + gain * cut[b][0])
        truth.append(np.maximum(cut[a][1], cut[b][1]))
    for _ in range(int(np.ceil(NOISES * len(cut)))):
        level = np.float32(10 ** (rng.uniform(-40, -10) / 20))
        sounds.append(level * rng.standard_normal(WINDOW, dtype=np.float32))
        truth.append(np.array(row("noise")))
    return np.stack(sounds), np.stack(truth)


def heard_by_tagger(file: Path, sounds: Array) -> Floats:
    """Mean probabilities of the exported file for every window ``[n, labels]``."""
    found = []
    with Tagger(file, SAMPLE_RATE) as tagger:
        skip = round(FIRST / tagger.hop_seconds)
        for x in sounds:
            tagger.reset()
            found.append(tagger.feed(x)[skip:].mean(axis=0))
    return np.array(found, dtype=np.float64)


def mfcc(sounds: Array) -> Floats:
    """Mean and deviation of MFCCs and their slopes ``[n, 4 * MFCCS]``."""
    librosa = require("librosa")
    rows = []
    for x in sounds:
        c = librosa.feature.mfcc(y=x, sr=SAMPLE_RATE, n_mfcc=MFCCS, n_fft=2048, hop_length=1024)
        slope = np.diff(c, axis=1)
        rows.append(np.concatenate([f(a, axis=1) for a in (c, slope) for f in (np.mean, np.std)]))
    return np.array(rows, dtype=np.float64)


def regression(sounds: Array, truth: Floats) -> Callable[[Array], Floats]:
    """One logistic regression a label on the training windows."""
    require("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), OneVsRestClassifier(LogisticRegression(max_iter=2000)))
    model.fit(mfcc(sounds), truth)
    return lambda x: np.asarray(model.predict_proba(mfcc(x)))


def musicnn(sounds: Array) -> Floats:
    """The outside tagger's likelihoods ``[n, labels]``; NaN for labels it has no tag for."""
    from .judges.musicnn import TAGS, heard

    found = np.full((len(sounds), len(LABELS)), np.nan)
    for number, x in enumerate(sounds):
        tags = heard(x)[0].mean(axis=0)
        for label, names in OUTSIDE.items():
            found[number, LABELS.index(label)] = max(tags[TAGS.index(n)] for n in names)
    return found


def scores(found: Floats, truth: Floats, threshold: float | None = 0.5) -> dict[str, Any]:
    """ROC-AUC and F1 for every label that is both there and not, and their means.

    Parameters
    ----------
    threshold : float or None
        None: no F1, of likelihoods that were never meant for one.
    """
    require("sklearn")
    from sklearn.metrics import f1_score, roc_auc_score

    auc, f1 = {}, {}
    for k, label in enumerate(LABELS):
        known = truth[:, k]
        if np.isnan(found[:, k]).any() or known.min() == known.max():
            continue
        auc[label] = round(float(roc_auc_score(known, found[:, k])), 4)
        if threshold is not None:
            f1[label] = round(float(f1_score(known, found[:, k] >= threshold)), 4)
    result: dict[str, Any] = {"macro_auc": round(float(np.mean(list(auc.values()))), 4), "auc": auc}
    if threshold is not None:
        result |= {"macro_f1": round(float(np.mean(list(f1.values()))), 4), "f1": f1}
    return result


def judged_tags(
    file: Path,
    data: PairSet,
    outside: dict[str, tuple[Pair, ...]],
    log: Callable[[str], None],
) -> dict[str, Any]:
    """Scores of all candidates on every test set, as they go into the card."""
    baseline = regression(*windows(data.train, seed=1))
    sets = {}
    for name, pairs in {"test": data.test, **outside}.items():
        sounds, truth = windows(pairs)
        found = {
            "model": scores(heard_by_tagger(file, sounds), truth),
            "mfcc": scores(baseline(sounds), truth),
            "musicnn": scores(musicnn(sounds), truth, threshold=None),
        }
        shared = list(found["musicnn"]["auc"])
        for one in found.values():  # the labels that all three know
            one["shared_auc"] = round(float(np.mean([one["auc"][k] for k in shared])), 4)
        sets[name] = {"recordings": len(pairs), "windows": len(sounds), "scores": found}
        log(f"tagger: {name}, {len(sounds)} windows")
    return {"kind": "tagger", "command": "restyle train evaluate tagger", "sets": sets}


TITLES = {"model": "tagger", "mfcc": "MFCC and logistic regression", "musicnn": "musicnn"}


def table(part: dict[str, Any]) -> list[str]:
    """Macro scores of all candidates, and the model's by label, as Markdown lines."""
    lines = ["| | macro-F1 | macro ROC-AUC | of the labels musicnn knows |", "|---|---|---|---|"]
    for key, title in TITLES.items():
        one = part["scores"][key]
        f1 = f"{one['macro_f1']:.3f}" if "macro_f1" in one else ""
        lines.append(f"| {title} | {f1} | {one['macro_auc']:.3f} | {one['shared_auc']:.3f} |")
    own, other = part["scores"]["model"], part["scores"]["mfcc"]
    lines += ["", "| label | F1 | ROC-AUC | F1 of the MFCCs |", "|---|---|---|---|"]
    for label in own["auc"]:
        cells = (own["f1"][label], own["auc"][label], other["f1"][label])
        lines.append(f"| {label} | " + " | ".join(f"{v:.3f}" for v in cells) + " |")
    return lines
