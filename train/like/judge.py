"""Who is nearer to the reference?  Judges that no search listened to, on parts it never heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..data.manifest import SAMPLE_RATE
from ..judging.judges import timbre
from ..judging.judges.packages import folder_of, require
from ..losses import k_weighting, short_term_level, stft_distance
from .space import gain_to, play
from .statistics import Likeness

Array = npt.NDArray[np.float32]
# what is added to both sides of a judge's ratio, so that a tenth of a LU decides nothing
JUDGES = {"embedding": 0.0, "mfcc": 0.0, "contrast": 0.0, "loudness_range": 1.0}
LEARNT = "embedding"  # the judge that was trained on music
Row = dict[str, float]


class Panel:
    """Distances of candidates to one reference.

    ``embedding``
        between mean embeddings of musicnn (Pons & Serra, 2019), windows of three seconds;
    ``mfcc``
        between mean MFCCs 1..19;
    ``contrast``
        between mean spectral contrasts (Jiang et al., 2002), dB;
    ``loudness_range``
        of the spread between the 10th and the 95th percentile of the short-term loudness (after
        EBU Tech 3342), LU.

    Parameters
    ----------
    reference : sequence of ndarray [shape=(n,), float32]
        A part that no search heard.
    """

    def __init__(self, reference: Sequence[Array]) -> None:
        self.figures = self._figures(reference)
        self.likeness = Likeness(reference)

    def _figures(self, sounds: Sequence[Array]) -> dict[str, npt.NDArray[np.float64]]:
        librosa = require("librosa")
        whole = np.concatenate(list(sounds))
        whole = whole * np.float32(0.1 / (np.sqrt(np.mean(np.square(whole))) + 1e-9))
        mfcc = librosa.feature.mfcc(y=whole, sr=SAMPLE_RATE, n_mfcc=20).mean(axis=1)[1:]
        contrast = librosa.feature.spectral_contrast(y=whole, sr=SAMPLE_RATE).mean(axis=1)
        weighted = k_weighting(torch.from_numpy(whole)[None])
        levels = short_term_level(weighted)[0].numpy()
        low, high = np.percentile(levels[levels > levels.max() - 40], (10, 95))
        return {
            "embedding": timbre.embed([whole]).mean(axis=0),
            "mfcc": mfcc,
            "contrast": contrast,
            "loudness_range": np.array([high - low]),
        }

    def __call__(self, sounds: Sequence[Array]) -> Row:
        """One candidate's distances."""
        found = self._figures(sounds)
        row = {k: float(np.linalg.norm(found[k] - self.figures[k])) for k in JUDGES}
        return row | {"statistics": self.likeness(sounds)}


def judge(
    panel: Panel, candidates: Mapping[str, Sequence[Array]], truth: Sequence[Array] | None = None
) -> dict[str, Row]:
    """Rows of all candidates; ``copy`` must be among them.

    ``score`` is that of :func:`score`, by the judges that can tell.  Where the truth is known,
    ``esr`` and ``stft`` compare with it after the best gain; the ``reference``, if it is there, is
    other playing and is not compared.
    """
    rows = {name: panel(sounds) for name, sounds in candidates.items()}
    judges = able(rows) or tuple(JUDGES)
    for name, row in rows.items():
        row["score"] = score(row, rows["copy"], judges)
        if truth is not None and name != "reference":
            row |= _against(candidates[name], truth)
    return rows


def score(row: Row, copy: Row, judges: Sequence[str] = tuple(JUDGES)) -> float:
    """Mean over the judges of distance over that of the copy: below 1 is nearer."""
    ratios = [(row[k] + JUDGES[k]) / (copy[k] + JUDGES[k] + 1e-9) for k in judges]
    return float(np.mean(ratios))


def able(rows: Mapping[str, Row]) -> tuple[str, ...]:
    """The judges that can tell: those that put the reference's own beginning before all others.

    One that puts what was made of other playing first hears something else than the sound.
    """
    own = rows.get("reference")
    if own is None:
        return tuple(JUDGES)
    made = [row for name, row in rows.items() if name not in ("reference", "truth")]
    return tuple(k for k in JUDGES if own[k] < min(row[k] for row in made))


def told_by(rows: Mapping[str, Row]) -> str | None:
    """Which figure may choose: ``score``, else ``statistics``, else None: nothing can be told.

    The search lowered the statistics, so that what it found is always near by them; they are asked
    only whether the reference is like itself at all.
    """
    if able(rows):
        return "score"
    own, copy = rows["reference"], rows["copy"]
    return "statistics" if own["statistics"] < copy["statistics"] else None


def _against(sounds: Sequence[Array], truth: Sequence[Array]) -> Row:
    y, t = (np.concatenate(list(part)).astype(np.float64) for part in (sounds, truth))
    gain = float(y @ t) / (float(y @ y) + 1e-12)
    error = float(np.sum((gain * y - t) ** 2) / (np.sum(t**2) + 1e-12))
    level = np.sqrt(np.mean(t**2) / (np.mean(y**2) + 1e-12))
    parts = (torch.from_numpy((v * g).astype(np.float32))[None] for v, g in ((y, level), (t, 1.0)))
    return {"esr": error, "stft": float(stft_distance(*parts))}


def at_level(y: Array, x: Array) -> Array:
    """`y` as loud as `x`, unless it would clip."""
    return play(gain_to(y, x, "model"), y)


def judges_needed() -> None:
    """Look for the judges before the work begins.

    Raises
    ------
    ConfigError
        A package is missing.
    """
    folder_of("musicnn")
    require("librosa")


def table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown."""
    heads = list(dict.fromkeys(k for row in rows.values() for k in row))
    lines = ["| sound | " + " | ".join(h.replace("_", " ") for h in heads) + " |"]
    lines.append("|---|" + "---|" * len(heads))
    for name, row in rows.items():
        cells = (f"{row[h]:.3g}" if h in row else "–" for h in heads)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
