"""Keys and guitars become another instrument: the same scores played by both, sample-aligned.

One recipe for several targets.  The target may speak as fast as the input or slower; a slower
attack needs no look-ahead, it is part of the style.
"""

from __future__ import annotations

from dataclasses import replace

from realtime.errors import ConfigError

from ..data.pairs import TAIL, Pair, PairSet, Voice, paired, program_pair, program_pairs
from ..data.scores.scores import compose
from ..data.sets.recordings import load_set
from ..data.sets.salamander import play
from .spectral import Spectral

PIANOS = tuple(Voice(p, f) for p in (0, 1, 2) for f in ("fluidr3", "musescore"))
INPUTS = (  # acoustic and electric pianos, harpsichord, vibraphone, guitars, of two soundfonts
    *PIANOS,
    *(Voice(p, f) for p in (4, 5, 6, 11, 24, 25, 26, 27) for f in ("musescore", "fluidr3")),
    *PIANOS,
)
FIRST_HELD, HELD = 140, 8  # scores of the test
UNSEEN = Voice(0, "timgm6mb")


class Instrument(Spectral):
    """One target voice; `seed` of the first score."""

    kind = "instrument"
    limits = (
        "It shapes the partials it hears: a note ends when the input ends, a piano's partials stay"
        " as slightly out of tune with each other as they are, and very low chords get rough. Drums"
        " and voices were not in the training; velocity follows the input's level."
    )
    target: Voice
    seed, scores = 15000, 40  # of the first score; how many
    unseen = 8  # recordings of the unheard soundfont
    tags: tuple[str, ...]  # of the outside tagger, any of which the target should bring up

    def data(self) -> PairSet:
        """Scores of 24 s, input voices in turn; the test's lie apart, so that more may be added."""
        made = program_pairs(self.scores, 24.0, INPUTS, self.target, seed=self.seed)
        held = (
            program_pair(
                i, compose(self.seed + i, 24.0, 43, 84), INPUTS[i % len(INPUTS)], self.target
            )
            for i in range(FIRST_HELD, FIRST_HELD + HELD)
        )
        return PairSet(made.train + made.test, made.validation, tuple(held))

    def outside(self) -> dict[str, tuple[Pair, ...]]:
        """New scores on a soundfont and on a real piano, neither of which any training heard.

        The real piano is left out where its set was not fetched.
        """
        unseen = [
            program_pair(i, compose(990_000 + i, 24.0, 43, 84), UNSEEN, self.target)
            for i in range(self.unseen)
        ]
        sets = {UNSEEN.font: tuple(unseen)}
        try:
            keys = {int(r.tags["midi"]): r.samples for r in load_set("salamander").test}
        except ConfigError:
            return sets
        scores = [compose(995_000 + i, 24.0, 43, 84) for i in range(6)]
        sets["salamander"] = tuple(
            paired(f"score{i}-salamander", s, play(s, keys, s.seconds + TAIL), self.target)
            for i, s in enumerate(scores)
        )
        return sets


class SquareSynth(Instrument):
    """Square lead: speaks as fast as a piano, so nothing is waited for."""

    name, title, target = "square-synth", "Square synth", Voice(80)
    summary = "keys and guitars become a square-lead synth"
    tags = ("synth", "electronic", "techno")


class Strings(Instrument):
    """String ensemble: fades in over a fifth of a second and stays while the input decays."""

    name, title, target = "strings", "Strings", Voice(48)
    summary = "keys and guitars become a string ensemble"
    tags = ("strings", "violin", "cello")
    schedule = replace(Spectral.schedule, steps=5000)


class Choir(Instrument):
    """Choir singing aah, with breath from the noise table."""

    name, title, target = "choir", "Choir", Voice(52)
    summary = "keys and guitars become a choir"
    tags = ("choir", "choral", "opera", "voice", "vocal", "singing")
    noise = True
