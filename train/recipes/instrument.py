"""Keys and guitars become another instrument: the same scores played by both, sample-aligned.

One recipe for several targets.  The target may speak as fast as the input or slower; a slower
attack needs no look-ahead, it is part of the style.
"""

from __future__ import annotations

from ..data.pairs import Pair, PairSet, Voice, program_pair, program_pairs
from ..data.scores import compose
from .spectral import Spectral

PIANOS = tuple(Voice(p, f) for p in (0, 1, 2) for f in ("fluidr3", "musescore"))
INPUTS = (  # acoustic and electric pianos, harpsichord, vibraphone, guitars, of two soundfonts
    *PIANOS,
    *(Voice(p, f) for p in (4, 5, 6, 11, 24, 25, 26, 27) for f in ("musescore", "fluidr3")),
    *PIANOS,
)
UNSEEN = Voice(0, "timgm6mb")


class Instrument(Spectral):
    """One target voice; `seed` of the first score."""

    kind = "instrument"
    target: Voice
    seed: int
    tags: tuple[str, ...]  # of the outside tagger, any of which the target should bring up

    def data(self) -> PairSet:
        """140 scores of 24 s, input voices in turn."""
        return program_pairs(140, 24.0, INPUTS, self.target, seed=self.seed)

    def outside(self) -> dict[str, tuple[Pair, ...]]:
        """New scores on the piano of a soundfont that no training sound came from."""
        unseen = [
            program_pair(i, compose(990_000 + i, 24.0, 43, 84), UNSEEN, self.target)
            for i in range(8)
        ]
        return {UNSEEN.font: tuple(unseen)}


class SquareSynth(Instrument):
    """Square lead: speaks as fast as a piano, so nothing is waited for."""

    name, title, seed, target = "square-synth", "Square synth", 5000, Voice(80)
    summary = "keys and guitars become a square-lead synth"
    tags = ("synth", "electronic", "techno")


class Strings(Instrument):
    """String ensemble: fades in over a fifth of a second and stays while the input decays."""

    name, title, seed, target = "strings", "Strings", 15000, Voice(48)
    summary = "keys and guitars become a string ensemble"
    tags = ("strings", "violin", "cello")


class Choir(Instrument):
    """Choir singing aah, with breath from the noise table."""

    name, title, seed, target = "choir", "Choir", 25000, Voice(52)
    summary = "keys and guitars become a choir"
    tags = ("choir", "choral", "opera", "voice", "vocal", "singing")
    noise = True
