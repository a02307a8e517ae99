"""Which outside judges have a say on which kind of style.

A verdict is a function of all clips of a test set and a candidate's name that returns figures by
name; building one may need reference sets, which come from training recordings alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..data.pairs import TAIL, PairSet, Voice
from ..data.scores.render import SAMPLE_RATE, render
from ..data.scores.scores import compose, to_midi
from ..recipes.base import Recipe
from .candidates import Clips
from .judges import instrument, level, musicnn, pitch, timbre, voice
from .judges.memo import remembered
from .judges.packages import folder_of

Array = npt.NDArray[np.float32]
TIMBRE = ("musicnn", "librosa", "pyloudnorm")
PACKAGES = {  # what is looked for before the work begins
    "instrument": (*TIMBRE, "basic_pitch", "mir_eval"),
    "effect": TIMBRE,
    "blend": TIMBRE,
    "latent": (*TIMBRE, "basic_pitch", "mir_eval"),
    "voice": ("pyloudnorm", "swift_f0", "pocketsphinx", "jiwer", "speechmos", "resemblyzer"),
}
Verdict = Callable[[list[Clips], str], dict[str, float]]
FEWER = 12  # of a style among several
REFERENCES = 24  # training recordings that stand for the target (and for the input)
OTHERS = (0, 24, 19, 48, 52, 56, 73, 80)  # General MIDI programs the probe chooses from, too
OTHER_SCORES, OTHER_SECONDS, OTHER_SEED = 4, 12.0, 980_000


def for_recipe(recipe: Recipe, data: PairSet) -> list[Verdict]:
    """The verdicts for this kind of style.

    Raises
    ------
    ConfigError
        A package that one of them needs is missing.
    """
    for package in PACKAGES.get(recipe.kind, ()):
        folder_of(package)
    verdicts: list[Verdict] = [loudness]
    target: Voice | None = getattr(recipe, "target", None)
    if recipe.kind == "instrument" and target is not None:
        others = {f"program {p}": program(p) for p in OTHERS if p != target.program}
        verdicts += [Timbre(data, others, getattr(recipe, "tags", ())), notes]
    elif recipe.kind == "latent":
        verdicts += [StyleTimbre(data, getattr(recipe, "voices", ())), notes]
    elif recipe.kind in ("instrument", "effect", "blend"):
        dry = [p.dry for p in data.train[:REFERENCES]]
        verdicts.append(Timbre(data, {"input": dry}, ()))
    elif recipe.kind == "voice":
        verdicts += [speech, words]
    return verdicts


def program(number: int) -> list[Array]:
    """A few scores of their own played by a General MIDI program, at 0.1 RMS as all pairs are."""
    found = []
    for seed in range(OTHER_SEED, OTHER_SEED + OTHER_SCORES):
        score = compose(seed, OTHER_SECONDS, 43, 84)
        x = render(to_midi(score, number), score.seconds + TAIL)
        found.append(x * np.float32(0.1 / np.sqrt(np.mean(np.square(x)) + 1e-12)))
    return found


def loudness(made: list[Clips], candidate: str) -> dict[str, float]:
    """Loudness over the target's, in LU."""
    over = [level.loudness(c.sounds[candidate]) - level.loudness(c.sounds["oracle"]) for c in made]
    return {"loudness_lu": float(np.mean(over))}


def notes(made: list[Clips], candidate: str) -> dict[str, float]:
    """Frame-pitch and onset F1 against the scores."""
    found = [pitch.scores(c.sounds[candidate], c.pair.notes) for c in made if c.pair.notes]
    if not found:
        return {}
    return {k: float(np.mean([f[k] for f in found])) for k in found[0]}


SPEECH = ("voiced", "pitch_kept", "mos_speech", "mos_overall", "speaker")


def speech(made: list[Clips], candidate: str) -> dict[str, float]:
    """Voiced share, pitch that stayed, DNSMOS and likeness to the speaker."""
    rows = [
        voice_figures(c.sounds[candidate], c.sounds["copy"])
        for c in made
        if c.pair.name.startswith("speech")
    ]
    means = np.mean(rows, axis=0) if rows else ()
    return dict(zip(SPEECH, map(float, means), strict=False))


def voice_figures(y: Array, x: Array) -> Array:
    """:data:`SPEECH` of a candidate `y` for the input `x`; remembered."""

    def judge() -> tuple[Array, ...]:
        q = voice.quality(y)
        row = (voice.voiced_fraction(y), voice.pitch_kept(y, x), q["mos_speech"], q["mos_overall"])
        return (np.array([*row, voice.speaker_similarity(y, x)], dtype=np.float32),)

    return remembered("speech 1", np.concatenate([y, x]), judge)[0]


def words(made: list[Clips], candidate: str) -> dict[str, float]:
    """Word error rate over all sentences of the set whose text is known."""
    said = [c for c in made if c.pair.text]
    if not said:
        return {}
    heard = [recognised(c.sounds[candidate]) for c in said]
    return {"word_errors": voice.word_errors([c.pair.text for c in said], heard)}


def recognised(y: Array) -> str:
    """What the recogniser understands; remembered."""
    (letters,) = remembered(
        "words 1", y, lambda: (np.frombuffer(voice.words(y).encode(), dtype=np.uint8),)
    )
    return letters.tobytes().decode()


class Timbre:
    """Distance to the target set in the outside tagger's embedding, tags, and the probe.

    Parameters
    ----------
    data : PairSet
        Its first training targets are the reference.
    others : dict of name to recordings
        What else a sound might be, for the probe.
    tags : sequence of str
        Which the target should bring up; none: no tag flip.
    """

    def __init__(
        self, data: PairSet, others: dict[str, list[Array]], tags: Sequence[str] = ()
    ) -> None:
        self.tags = tags
        self.closeness = timbre.Closeness([p.wet for p in data.train[:REFERENCES]])
        windows = {k: timbre.embed(v, SAMPLE_RATE) for k, v in others.items()}
        self.centroids = {k: v.mean(axis=0) for k, v in windows.items()}
        self.centroids["target"] = self.closeness.mean

    def __call__(self, made: list[Clips], candidate: str) -> dict[str, float]:
        """Fréchet distance, MMD, MFCC distance, probe, and tag flip where the style names tags."""
        heard = [musicnn.heard(c.sounds[candidate], SAMPLE_RATE) for c in made]
        windows = np.concatenate([h[1] for h in heard]).astype(np.float64)
        here = (windows - self.closeness.mean) @ self.closeness.basis
        row = {
            "frechet": timbre.frechet(here, self.closeness.reference),
            "mmd": timbre.mmd(here, self.closeness.reference),
            "mfcc": float(
                np.mean([timbre.mfcc_distance(c.sounds[candidate], c.pair.wet) for c in made])
            ),
            "probe": instrument.probe(windows, self.centroids, "target"),
        }
        if self.tags:
            row["tag_flip"] = instrument.tag_flip(np.concatenate([h[0] for h in heard]), self.tags)
        return row


class StyleTimbre:
    """:class:`Timbre` for recipes with several styles: that of the style all recordings ask for.

    A set of several styles, or one whose input is wanted back, gets no figures.

    Parameters
    ----------
    voices : sequence of Voice
        What each style's sound is played by, in the order of the controls.
    """

    def __init__(self, data: PairSet, voices: Sequence[Voice]) -> None:
        self.data, self.voices = data, voices
        self.judges: dict[int, Timbre] = {}

    def __call__(self, made: list[Clips], candidate: str) -> dict[str, float]:
        """Figures of the one style, if there is one."""
        asked = {int(np.argmax(c.pair.controls)) for c in made}
        if len(asked) != 1 or all(np.array_equal(c.pair.dry, c.pair.wet) for c in made):
            return {}
        (style,) = asked
        if style not in self.judges:
            wanted = tuple(
                p for p in self.data.train if p.dry is p.wet and p.controls[style] == 1.0
            )
            others = {f"program {p}": program(p) for p in OTHERS if p != self.voices[style].program}
            self.judges[style] = Timbre(PairSet(wanted[:FEWER], (), ()), others)
        return self.judges[style](made, candidate)
