"""The figures of the proof: name, unit, and the bound that a style is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Figures = Mapping[str, float]
NONE: Figures = MappingProxyType({})
TRUE = "_true"  # behind a figure's name: what a player's true patch gets by the same judge
TONES = ("line_sine", "line_partials", "line_corners")
HELD = "held_4"
NEAR_TRUTH = 3.0  # dB
FAINT = -80.0  # dB: what is below is all the same


@dataclass(frozen=True)
class Measure:
    """One figure.

    Attributes
    ----------
    name, title, unit : str
    bound : float or None
        At most that, or at least where `least`; None: told, not judged.
    slack : float
        How far a second measurement may differ from what a card declares.
    """

    name: str
    title: str
    unit: str
    bound: float | None = None
    least: bool = False
    slack: float = 1.0

    def limit(self, figures: Figures) -> float | None:
        """The bound among a model's figures: a player's tones may have the lines of the true patch
        and :data:`NEAR_TRUTH` more, its notes may fade as the true patch's and that much further.
        """
        if self.bound is None:
            return None
        if self.name == HELD and (true := figures.get(self.name + TRUE)) is not None:
            return min(self.bound, max(true, FAINT) - NEAR_TRUTH)
        true = figures.get(self.name + TRUE, figures.get("line_partials" + TRUE))
        if self.name not in TONES or true is None:
            return self.bound
        return max(self.bound, true + NEAR_TRUTH)

    def holds(self, value: float, figures: Figures = NONE) -> bool:
        """Whether a value keeps to the bound."""
        bound = self.limit(figures)
        if bound is None:
            return True
        return max(value, FAINT - NEAR_TRUTH) >= bound if self.least else value <= bound

    def text(self, value: float | None) -> str:
        """Value with its unit, ``-`` where there is none."""
        if value is None:
            return "-"
        if self.unit == "%":
            return f"{100 * value:.0f} %"
        if self.unit == "ms":
            return f"{value:.1f} ms"
        return f"{value:.1f} {self.unit}"


LINE = -40.0  # dB
MEASURES = (
    Measure("line_sine", "worst line, sines", "dB", LINE),
    Measure("line_partials", "worst line, four partials", "dB", LINE),
    Measure("line_corners", "worst line, corners of the blend", "dB", LINE),
    Measure("line_dc", "worst line, DC of -70 dBFS", "dB", LINE),
    Measure("line_hum", "worst line, hum of -60 dBFS", "dB", LINE),
    Measure("noise_sine", "noise around a sine, worst pitch", "dB"),
    Measure("silent_sine", "sines that nothing answers", "%", slack=0.05),
    Measure("silent_partials", "tones of four partials that nothing answers", "%", slack=0.05),
    Measure("hiss", "hiss over the input's and the style's own gain", "dB", 6.0),
    Measure("hiss_raw", "hiss over the input's, -90 .. -50 dBFS", "dB"),
    Measure("burst", "hiss after a note over the input's", "dB"),
    Measure("silence", "silence, 20 Hz and up", "dBFS", -90.0),
    Measure("silence_dc", "mean of silence", "dBFS", -60.0),
    Measure("offset", "mean for a DC of 0.1", "dBFS"),
    Measure("held_4", "a level note after 4 s", "dB", -3.0, least=True),
    Measure("struck_1", "a struck note after 1 s", "dB"),
    Measure("struck_2", "a struck note after 2 s", "dB"),
    Measure("struck_4", "a struck note after 4 s", "dB"),
    Measure("pitch_bass", "pitch right, bass E1 .. A2", "%", slack=0.03),
    Measure("pitch_run", "pitch right, run A2 .. A5", "%", slack=0.03),
    Measure("hnr_run", "harmonics to noise, run", "dB"),
    Measure("hnr_chords", "harmonics to noise, chords", "dB"),
    Measure("onset_late", "onset, median", "ms", slack=0.5),
    Measure("onset_jitter", "onset, 5 % to 95 %", "ms", slack=0.5),
    Measure("onset_missed", "onsets not heard", "%", slack=0.01),
    Measure("repeat_rise", "repetitions stand out by", "dB"),
    Measure("level_bass", "level, bass", "dB"),
    Measure("level_run", "level, run", "dB"),
    Measure("level_chords", "level, chords", "dB"),
    Measure("level_speech", "level, speech", "dB"),
    Measure("rumble", "speech below 80 Hz", "dB"),
)
BY_NAME = {m.name: m for m in MEASURES}


def broken(figures: Figures) -> list[str]:
    """A sentence for every bound that does not hold."""
    return [
        f"{m.title} {m.text(figures[m.name])} ({'at least' if m.least else 'at most'}"
        f" {m.text(m.limit(figures))})"
        for m in MEASURES
        if m.name in figures and not m.holds(figures[m.name], figures)
    ]


def true_of(figures: Figures) -> Figures:
    """Those of a player's true patch among its figures; none where there is none."""
    return {k.removesuffix(TRUE): v for k, v in figures.items() if k.endswith(TRUE)}


def beside(proofs: Mapping[str, Figures], dry: Figures) -> dict[str, Figures]:
    """Columns of a table: each model, after a player its true patch, and doing nothing."""
    columns: dict[str, Figures] = {}
    for name, figures in proofs.items():
        columns[name] = figures
        if true := true_of(figures):
            columns[f"{name}, true patch"] = {**true, **{k + TRUE: v for k, v in true.items()}}
    return {**columns, "unchanged": dry}


def differing(found: Figures, declared: Figures) -> list[str]:
    """A sentence for every figure that is worse or better than a card declares."""
    return [
        f"{m.title} {m.text(found.get(m.name))}, declared {m.text(declared[m.name])}"
        for m in MEASURES
        if m.name in declared and not _near(found.get(m.name), declared[m.name], m)
    ]


def _near(found: float | None, declared: float, measure: Measure) -> bool:
    if found is None:
        return False
    faint = measure.unit.startswith("dB") and max(found, declared) < FAINT
    return faint or abs(found - declared) <= measure.slack
