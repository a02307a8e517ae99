"""A library of made-up models and effects, and a surface on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from realtime.errors import ModelError, nearest
from realtime.models.card import Card
from realtime.parameters.parameter import Parameter
from realtime.parameters.surface import Surface
from realtime.presets.check import Library, effect_parameters
from realtime.presets.dry_surface import MemorySurface
from realtime.presets.format import Preset
from realtime.session.sound import Sound, Stage

CONTROLS = {
    "plain": (),
    "blend": tuple(
        Parameter(n, default=d, kind="blend")
        for n, d in (("warm", 1.0), ("fuzz", 0.0), ("lo", 0.0))
    ),
    "synth": (
        Parameter("cutoff", 20.0, 20000.0, 1000.0, "Hz"),
        Parameter("wave", 0.0, 3.0, 0.0, kind="categorical"),
    ),
}
RANGES = {
    "Reverb": [Parameter("room_size", default=0.5)],
    "NoiseGate": [Parameter("threshold_db", -100.0, 0.0, -100.0, "dB")],
}


def card(model: str) -> Card:
    if model not in CONTROLS:
        raise ModelError(f"there is no model '{model}'{nearest(model, CONTROLS)}")
    return Card(model, model, "", "waveform", 48000, 64, 0, "CC0-1.0", controls=CONTROLS[model])


def effect(name: str, engine: str | None = None) -> Sequence[Parameter] | None:
    return RANGES[name] if name in RANGES else effect_parameters(name)


LIBRARY = Library(card, lambda: list(CONTROLS), effect)
CHAIN = (Stage(effect="Reverb", parameters={"room_size": 0.3}),)


def sound(model: str | None = None, *, stages: tuple[Stage, ...] = (), **more: Any) -> Sound:
    """A model, if there is one, and what comes after it."""
    first = () if model is None else (Stage(model=model),)
    return Sound((*first, *stages), **more)


def surface(model: str | None = "blend") -> MemorySurface:
    made = MemorySurface(Preset("first", sound=sound(model, stages=CHAIN)), LIBRARY)
    checked: Surface = made  # it is what the protocol asks for
    assert checked is made
    return made


def picture(one: MemorySurface) -> Any:
    """All that could have changed."""
    return one.parameters(), one.status()
