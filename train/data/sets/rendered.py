"""Scores played by many instruments through FluidSynth: one performance, aligned by sample.

Soundfonts that people train on (FluidR3, MuseScore) play every split; TimGM6mb plays the test split
alone, so that there is an instrument nobody has learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

from ..manifest import digest, splits_of
from ..pairs import TAIL, Voice
from ..scores import render as synth
from ..scores.humanise import excerpt, humanise, transpose
from ..scores.scores import Score, compose, to_midi
from .packages import installed_version
from .source import Source

Array = npt.NDArray[np.float32]
PROGRAMS = {  # General MIDI, from 0
    0: "acoustic piano", 4: "electric piano", 6: "harpsichord", 11: "vibraphone",
    24: "nylon guitar", 27: "clean guitar", 48: "strings", 52: "choir", 73: "flute",
    80: "square lead",
}  # fmt: skip
VOICES = (*(Voice(p) for p in PROGRAMS), *(Voice(p, "musescore") for p in (0, 4, 24, 27)))
HELD_OUT = tuple(Voice(p, "timgm6mb") for p in (0, 24, 48, 52, 80))
SCORES, SECONDS, FIRST_SEED = 200, 24.0, 700_000
PERFORMANCE = 1  # version of what humanise does


def keys() -> list[Source]:
    """Scores composed by rule."""
    sources: list[Source] = []
    names = {f"score {FIRST_SEED + i}": FIRST_SEED + i for i in range(SCORES)}
    splits = splits_of(names)
    for key, seed in names.items():
        sources += _performances(
            key,
            splits[key],
            f"score-{seed}",
            f"rule {seed}",
            lambda seed=seed: _composed(seed),
            "MIT",
            "scores composed by rule",
            {"take": "0"},
        )
    return sources


def tunes() -> list[Source]:
    """Tunes of the music21 corpus, each as written and once transposed, played like a person."""
    from ..scores.tunes import LICENCE, corpus_tunes, corpus_version, fingerprint

    found = corpus_tunes()
    splits = splits_of(t.key for t in found)
    version, sources = corpus_version(), []
    for tune in found:
        content = fingerprint(tune.score)
        rng = np.random.default_rng(int(content[:12], 16))
        for take, steps in enumerate((0, int(rng.choice([-5, -4, -3, -2, 2, 3, 4, 5])))):
            sources += _performances(
                tune.key,
                splits[tune.key],
                f"{tune.collection}/{tune.name}-{take}",
                f"{content} {steps} {PERFORMANCE}",
                _performer(tune.score, steps, content, take),
                f"MIT AND {LICENCE}",
                f"music21 {version} corpus, {tune.collection}",
                {"take": f"{tune.name}-{take}", "transposed": str(steps)},
            )
    return sources


def _composed(seed: int) -> Score:
    return compose(seed, SECONDS, 43, 84)


def _performer(score: Score, steps: int, content: str, take: int) -> Callable[[], Score]:
    def perform() -> Score:
        rng = np.random.default_rng([int(content[:12], 16), take, PERFORMANCE])
        return humanise(transpose(excerpt(score), steps), rng)

    return perform


def _performances(
    key: str,
    split: str,
    stem: str,
    origin: str,
    perform: Callable[[], Score],
    licence: str,
    source: str,
    tags: dict[str, str],
) -> Iterable[Source]:
    """One source per voice."""
    for voice in (*VOICES, *(HELD_OUT if split == "test" else ())):
        _, package, font_licence = synth.SOUNDFONTS[voice.font]
        version = _version(voice.font)
        yield Source(
            file=f"{voice}/{stem}",
            key=key,
            origin=digest(origin, package, version, str(voice)),
            make=lambda voice=voice: _played(perform(), voice),  # type: ignore[misc]
            licence=licence.replace("MIT", font_licence),
            source=f"{source}, played by {voice.font}",
            package=package,
            version=version,
            tags={
                **tags,
                "program": str(voice.program),
                "font": voice.font,
                "instrument": PROGRAMS[voice.program],
            },
        )


@cache
def _version(font: str) -> str:
    """Version of a soundfont's package; ConfigError where the soundfont is missing."""
    synth.find_soundfont(font)
    return installed_version(synth.SOUNDFONTS[font][1])


def _played(score: Score, voice: Voice) -> Array:
    midi = to_midi(score, voice.program)
    samples = synth.render(midi, score.seconds + TAIL, voice.font)
    synth.forget(midi, voice.font)
    return samples
