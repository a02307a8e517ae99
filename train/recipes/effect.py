"""Amplifiers and machines learnt from a teacher chain: tube amp, tape, and a blend of four amps."""

from __future__ import annotations

from ..data.examples import teachers
from ..data.pairs import PairSet, Voice, blend_pairs, teacher_pairs
from .base import Schedule
from .waveform import Waveform

GUITARS = tuple(
    Voice(p, f) for p in (27, 25, 26, 28, 24, 33) for f in ("fluidr3", "musescore")
)  # clean, steel, jazz, muted electric, nylon; finger bass
BAND = (
    *GUITARS,
    *(Voice(p, f) for p in (0, 4, 16, 48, 56, 73) for f in ("musescore", "fluidr3")),
)  # and pianos, organ, strings, trumpet, flute


class TubeAmp(Waveform):
    """A driven guitar amplifier."""

    name, kind, title = "tube-amp", "effect", "Tube amp"
    summary = "driven guitar amplifier"
    limits = (
        "One setting of one made-up amplifier, no cabinet microphone, no sag: it hears the last"
        " 40 ms alone. Input far hotter than full scale was not in the training."
    )

    def data(self) -> PairSet:
        """60 guitar scores of 24 s through the teacher."""
        return teacher_pairs(60, 24.0, GUITARS, teachers.tube_amp, seed=1000)


class Tape(Waveform):
    """A tape recorder pushed hard."""

    name, kind, title = "tape", "effect", "Tape"
    summary = "tape recorder pushed into saturation"
    limits = (
        "Tone and saturation alone: no wow, no flutter, no hiss; those are chance, not a style."
    )
    schedule = Schedule(minutes=8, batch=12, segment=8192, learning_rate=4e-3, average=0.995)

    def data(self) -> PairSet:
        """60 scores of 24 s, all kinds of instruments, through the teacher."""
        return teacher_pairs(60, 24.0, BAND, teachers.tape, seed=35000)


class AmpBlend(Waveform):
    """Four amplifiers in one network, mixed live."""

    name, kind, title = "amp-blend", "blend", "Amp blend"
    summary = "four amplifiers with a live blend: warm, crunch, fuzz, radio"
    limits = (
        "A mix sounds like the four amplifiers side by side, not like one set between them. It"
        " hears the last 40 ms alone."
    )
    styles = ("warm", "crunch", "fuzz", "radio")
    teachers = (teachers.warm, teachers.tube_amp, teachers.fuzz, teachers.radio)
    channels = 32
    schedule = Schedule(minutes=14, batch=12, segment=8192, learning_rate=4e-3, average=0.995)

    def data(self) -> PairSet:
        """50 guitar scores of 24 s, two of the amplifiers and one mix of all for each."""
        return blend_pairs(50, 24.0, GUITARS, self.teachers, seed=45000)
