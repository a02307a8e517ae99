"""Which outside judges have a say on which kind of style.

A verdict is a function of all clips of a test set and a candidate's name that returns figures by
name; building one may need reference sets, which come from training recordings alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .data.pairs import PairSet
from .data.render import SAMPLE_RATE
from .judges import instrument, level, musicnn, pitch, timbre, voice
from .recipes.base import Recipe

Verdict = Callable[[list[Any], str], dict[str, float]]
REFERENCES = 24  # training recordings that stand for the target (and for the input)


def for_recipe(recipe: Recipe, data: PairSet) -> list[Verdict]:
    """The verdicts for this kind of style."""
    verdicts: list[Verdict] = [loudness]
    if recipe.kind in ("instrument", "effect", "blend"):
        verdicts.append(Timbre(data, getattr(recipe, "tags", ())))
    if recipe.kind == "instrument":
        verdicts.append(notes)
    if recipe.kind == "voice":
        verdicts += [speech, words]
    return verdicts


def loudness(made: list[Any], candidate: str) -> dict[str, float]:
    """Loudness over the target's, in LU."""
    over = [level.loudness(c.sounds[candidate]) - level.loudness(c.sounds["oracle"]) for c in made]
    return {"loudness_lu": float(np.mean(over))}


def notes(made: list[Any], candidate: str) -> dict[str, float]:
    """Frame-pitch and onset F1 against the scores."""
    found = [pitch.scores(c.sounds[candidate], c.pair.notes) for c in made if c.pair.notes]
    if not found:
        return {}
    return {k: float(np.mean([f[k] for f in found])) for k in found[0]}


def speech(made: list[Any], candidate: str) -> dict[str, float]:
    """Voiced share, DNSMOS and likeness to the speaker."""
    rows = []
    for c in made:
        if not c.pair.name.startswith("speech"):
            continue
        y = c.sounds[candidate]
        rows.append(
            {
                "voiced": voice.voiced_fraction(y),
                **voice.quality(y),
                "speaker": voice.speaker_similarity(y, c.sounds["copy"]),
            }
        )
    return {k: float(np.mean([r[k] for r in rows])) for k in rows[0]} if rows else {}


def words(made: list[Any], candidate: str) -> dict[str, float]:
    """Word error rate over all sentences of the set whose text is known."""
    said = [c for c in made if c.pair.text]
    if not said:
        return {}
    heard = [voice.words(c.sounds[candidate]) for c in said]
    return {"word_errors": voice.word_errors([c.pair.text for c in said], heard)}


class Timbre:
    """Distance to the target set in the outside tagger's embedding, tags, and the probe."""

    def __init__(self, data: PairSet, tags: tuple[str, ...]) -> None:
        self.tags = tags
        some = data.train[:REFERENCES]
        self.closeness = timbre.Closeness([p.wet for p in some])
        self.source = self.closeness.project([p.dry for p in some])

    def __call__(self, made: list[Any], candidate: str) -> dict[str, float]:
        """Fréchet distance, MMD, MFCC distance, probe, and tag flip where the style names tags."""
        tags, windows = [], []
        for c in made:
            found = musicnn.listen(c.sounds[candidate], SAMPLE_RATE)
            tags.append(found[0])
            windows.append((found[1] - self.closeness.mean) @ self.closeness.basis)
        here = np.concatenate(windows)
        row = {
            "frechet": timbre.frechet(here, self.closeness.reference),
            "mmd": timbre.mmd(here, self.closeness.reference),
            "mfcc": float(
                np.mean([timbre.mfcc_distance(c.sounds[candidate], c.pair.wet) for c in made])
            ),
            "probe": instrument.probe(here, self.source, self.closeness.reference),
        }
        if self.tags:
            row["tag_flip"] = instrument.tag_flip(np.concatenate(tags), self.tags)
        return row
