"""A library of made-up models and effects, and a surface on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from realtime.controllers.dry_surface import MemorySurface
from realtime.errors import ModelError, nearest
from realtime.models.card import Card, Control
from realtime.parameters.surface import Parameter, Surface
from realtime.presets.check import Library, check_effect
from realtime.presets.preset import Preset, Stage

CONTROLS = {
    "plain": (),
    "blend": tuple(
        Control(n, default=d, kind="blend") for n, d in (("warm", 1.0), ("fuzz", 0.0), ("lo", 0.0))
    ),
    "synth": (
        Control("cutoff", 20.0, 20000.0, 1000.0, "Hz"),
        Control("wave", 0.0, 3.0, 0.0, kind="categorical"),
    ),
}
RANGES = {
    "Reverb": [Parameter("room_size", "", 0.0, 1.0, 0.5)],
    "NoiseGate": [Parameter("threshold_db", "dB", -100.0, 0.0, -100.0)],
}


def card(model: str) -> Card:
    if model not in CONTROLS:
        raise ModelError(f"there is no model '{model}'{nearest(model, CONTROLS)}")
    return Card(model, model, "", "waveform", 48000, 64, 0, "CC0-1.0", controls=CONTROLS[model])


def stage(entry: Mapping[str, Any]) -> Sequence[Parameter]:
    check_effect(entry)
    return RANGES.get(entry.get("effect", ""), [])


LIBRARY = Library(card, lambda: list(CONTROLS), stage)
CHAIN = (Stage({"effect": "Reverb", "room_size": 0.3}),)


def surface(model: str | None = "blend") -> MemorySurface:
    made = MemorySurface(Preset(name="first", model=model, post=CHAIN), LIBRARY)
    checked: Surface = made  # it is what the protocol asks for
    assert checked is made
    return made


def picture(one: MemorySurface) -> Any:
    """All that could have changed."""
    return one.parameters(), one.status()
