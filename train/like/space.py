"""The chains that a search may find: a fixed order of pedalboard effects, each of which may be off.

Compressor, high-pass, a peak before the drive, drive, three equaliser bands, low-pass, chorus,
delay, reverb.  A point is a vector in ``[0, 1]``; every chain is readable, none has more than
twelve stages.  Ranges lie inside those of :mod:`realtime.stages.ranges`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard

from realtime.presets.toml import to_toml

from ..data.manifest import SAMPLE_RATE

Array = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]
PLACES = ("before", "model", "after")
LOUDEST = 0.98  # peak after the level is set
RANGE_GAIN = 24.0  # dB, either way, of one effect


@dataclass(frozen=True)
class Knob:
    """One number: `low` at 0, `high` at 1, evenly or (`log`) by ratio."""

    name: str
    low: float
    high: float
    log: bool = False

    def value(self, u: float) -> float:
        """What position `u` in 0..1 stands for, to three digits."""
        if self.log:
            v = self.low * (self.high / self.low) ** u
        else:
            v = self.low + (self.high - self.low) * u
        return float(f"{v:.3g}")


@dataclass(frozen=True)
class Slot:
    """One effect; it is off where its first knob is nearer to `neutral` than `dead`.

    `place` says who can do it: a network that hears 40 ms learns what is in ``model``; what
    remembers longer stays an effect ``before`` or ``after`` it.
    """

    effect: str
    place: str
    neutral: float
    dead: float
    knobs: tuple[Knob, ...]
    fixed: tuple[tuple[str, float], ...] = ()


SLOTS = (
    Slot("Compressor", "before", 0.0, 3.0, (
        Knob("threshold_db", 0.0, -50.0), Knob("ratio", 1.5, 12.0, log=True),
        Knob("attack_ms", 0.5, 50.0, log=True), Knob("release_ms", 30.0, 500.0, log=True),
    )),
    Slot("HighpassFilter", "model", 20.0, 10.0, (
        Knob("cutoff_frequency_hz", 20.0, 1200.0, log=True),
    )),
    Slot("PeakFilter", "model", 0.0, 1.0, (
        Knob("gain_db", -15.0, 15.0), Knob("cutoff_frequency_hz", 200.0, 4000.0, log=True),
    ), (("q", 0.8),)),
    Slot("Distortion", "model", 0.0, 2.0, (Knob("drive_db", 0.0, 45.0),)),
    Slot("LowShelfFilter", "model", 0.0, 1.0, (
        Knob("gain_db", -15.0, 15.0), Knob("cutoff_frequency_hz", 80.0, 500.0, log=True),
    )),
    Slot("PeakFilter", "model", 0.0, 1.0, (
        Knob("gain_db", -15.0, 15.0), Knob("cutoff_frequency_hz", 250.0, 7000.0, log=True),
        Knob("q", 0.3, 3.0, log=True),
    )),
    Slot("HighShelfFilter", "model", 0.0, 1.0, (
        Knob("gain_db", -18.0, 18.0), Knob("cutoff_frequency_hz", 1200.0, 8000.0, log=True),
    )),
    Slot("LowpassFilter", "model", 20000.0, 1500.0, (
        Knob("cutoff_frequency_hz", 20000.0, 700.0, log=True),
    )),
    Slot("LowpassFilter", "model", 20000.0, 1500.0, (
        Knob("cutoff_frequency_hz", 20000.0, 700.0, log=True),
    )),
    Slot("Chorus", "after", 0.0, 0.06, (
        Knob("mix", 0.0, 0.7), Knob("rate_hz", 0.1, 6.0, log=True), Knob("depth", 0.05, 0.7),
    )),
    Slot("Delay", "after", 0.0, 0.05, (
        Knob("mix", 0.0, 0.6), Knob("delay_seconds", 0.04, 0.8, log=True),
        Knob("feedback", 0.0, 0.7),
    )),
    Slot("Reverb", "after", 0.0, 0.04, (
        Knob("wet_level", 0.0, 0.7), Knob("room_size", 0.05, 0.95), Knob("damping", 0.0, 1.0),
    ), (("dry_level", 0.4),)),
)  # fmt: skip
SIZE = sum(len(slot.knobs) for slot in SLOTS)


@dataclass(frozen=True)
class Stage:
    """An effect with its settings, and where it is played (:data:`PLACES`)."""

    effect: str
    place: str
    settings: Mapping[str, float]


Chain = tuple[Stage, ...]


def spans() -> list[slice]:
    """Which part of a vector belongs to each slot."""
    found, at = [], 0
    for slot in SLOTS:
        found.append(slice(at, at + len(slot.knobs)))
        at += len(slot.knobs)
    return found


def nothing() -> Vector:
    """The point where every effect is off."""
    point = np.full(SIZE, 0.5)
    for slot, span in zip(SLOTS, spans(), strict=True):
        point[span.start] = 0.5 if slot.knobs[0].low == -slot.knobs[0].high else 0.0
    return point


def decode(point: Vector) -> Chain:
    """The chain at a point; effects that are off are left out."""
    stages = []
    for slot, span in zip(SLOTS, spans(), strict=True):
        u = np.clip(point[span], 0.0, 1.0)
        values = {k.name: k.value(float(v)) for k, v in zip(slot.knobs, u, strict=True)}
        if abs(values[slot.knobs[0].name] - slot.neutral) >= slot.dead:
            stages.append(Stage(slot.effect, slot.place, values | dict(slot.fixed)))
    return tuple(stages)


def play(chain: Sequence[Stage], x: Array) -> Array:
    """Run ``x [shape=(n,), float32]`` through a chain at 48 kHz, length kept."""
    if not chain:
        return x
    board = pedalboard.Pedalboard([getattr(pedalboard, s.effect)(**s.settings) for s in chain])
    y = np.asarray(board(x[None], SAMPLE_RATE), dtype=np.float32)[0]
    return np.asarray(np.pad(y, (0, max(0, len(x) - len(y))))[: len(x)], dtype=np.float32)


def levelled(chain: Chain, x: Array) -> Chain:
    """The chain with gains that make it as loud as its input, on the input `x`.

    One gain ends what a model learns, so that its level is right by itself; another ends the
    effects after it.
    """
    parts = [tuple(s for s in chain if s.place == place) for place in PLACES]
    early = play((*parts[0], *parts[1]), x)
    parts[1] = (*parts[1], *gain_to(early, x, "model"))
    if parts[2]:
        parts[2] = (*parts[2], *gain_to(play((*parts[0], *parts[1], *parts[2]), x), x, "after"))
    return tuple(s for part in parts for s in part)


def gain_to(y: Array, x: Array, place: str) -> Chain:
    """Gains that make `y` as loud as `x` without clipping; nothing where it is so already."""
    power = [float(np.mean(np.square(v, dtype=np.float64))) + 1e-12 for v in (x, y)]
    peak = float(np.abs(y).max(initial=1e-6))
    db = min(10 * math.log10(power[0] / power[1]), 20 * math.log10(LOUDEST / peak))
    stages = []
    while abs(db) >= 0.1 and len(stages) < 3:  # one effect turns no farther than its range
        part = round(max(-RANGE_GAIN, min(RANGE_GAIN, db)), 1)
        stages.append(Stage("Gain", place, {"gain_db": part}))
        db -= part
    return tuple(stages)


def text(chain: Chain) -> str:
    """One line a stage, for people."""
    lines = []
    for stage in chain:
        values = ", ".join(f"{k} {v:g}" for k, v in stage.settings.items())
        lines.append(f"{stage.effect}: {values}")
    return "\n".join(lines) or "nothing: the dry sound is as near as any chain"


def to_file(chain: Chain, model: str | None = None) -> str:
    """TOML for ``restyle live --chain``.

    Parameters
    ----------
    model : str, optional
        A model's file that stands for what it was taught of the chain, beside the chain file.
    """
    stages: list[dict[str, Any]] = []
    for stage in chain:
        if model is None or stage.place != "model":
            stages.append({"effect": stage.effect, **stage.settings})
        elif {"model": model} not in stages:
            stages.append({"model": model})
    alone = all("model" in stage for stage in stages)
    return "" if alone else to_toml({"stage": stages})
