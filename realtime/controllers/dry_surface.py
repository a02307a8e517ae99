"""A surface without sound: it holds what it was told, and refuses what a stream would refuse.

For learning MIDI mappings without a stream, and for tests.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import ConfigError, nearest
from ..parameters.surface import Parameter
from ..parameters.values import check_value, find_parameter, shares
from ..presets.check import Library
from ..presets.preset import Preset
from ..presets.preset_open import open_preset

METERS = ("input_peak_db", "input_rms_db", "output_peak_db", "output_rms_db", "limiter_db")


class MemorySurface:
    """The knobs of a stream that there is not.

    Parameters
    ----------
    preset : Preset
        What it begins with.
    library : Library
        Where models and effects are looked up.

    Raises
    ------
    PresetError
        The preset names something that there is not.
    """

    def __init__(self, preset: Preset | None = None, library: Library | None = None) -> None:
        self._library = library or Library()
        self._lock = threading.RLock()
        self._take(preset or Preset())

    def _take(self, preset: Preset) -> None:
        parameters = self._library.parameters(preset, preset.name or "preset")
        self._parameters = {p.name: p for p in parameters}
        self._preset = preset

    def parameters(self) -> Sequence[Parameter]:
        """See :class:`~realtime.parameters.surface.Surface`, also for the methods below."""
        with self._lock:
            return list(self._parameters.values())

    def get(self, name: str) -> float:
        """Value last asked for."""
        return find_parameter(self.parameters(), name).value

    def set(self, name: str, value: float) -> None:
        """Hold a value."""
        with self._lock:
            parameter = find_parameter(self.parameters(), name)
            if parameter.kind == "blend":
                raise ConfigError(f"{name} is a weight of a blend; set all weights with blend")
            self._parameters[name] = replace(parameter, value=check_value(parameter, value))

    def blend(self, weights: Mapping[str, float]) -> None:
        """Hold the weights, scaled to sum to 1."""
        with self._lock:
            for name, value in shares(self.parameters(), weights).items():
                self._parameters[name] = replace(self._parameters[name], value=value)

    def styles(self) -> Sequence[str]:
        """Names of the models that can be played."""
        return self._library.names()

    def style(self, name: str | None) -> None:
        """Change the model: its controls come at their defaults, all else stays."""
        known = self.styles()
        if name is not None and name not in known:
            listed = ", ".join(known) or "none"
            raise ConfigError(f"there is no style '{name}'{nearest(name, known)}; known: {listed}")
        with self._lock:
            before = self._parameters
            self._take(replace(self._preset, model=name, controls={}))
            own = {c.name for c in self._controls()}
            kept = {n: before[n] for n in self._parameters if n in before and n not in own}
            self._parameters |= kept

    def _controls(self) -> Sequence[Any]:
        card = self._library.card(self._preset.model) if self._preset.model else None
        return card.controls if card else ()

    def bypass(self, on: bool) -> None:
        """Hold whether the input passes as it is."""
        self.set("bypass", float(on))

    def load_preset(self, name_or_path: str) -> None:
        """Change to a preset, checked wholly before; the bypass stays."""
        preset = open_preset(name_or_path, self._library)
        with self._lock:
            bypass = self._parameters["bypass"]
            self._take(preset)
            self._parameters["bypass"] = bypass

    def meters(self) -> Mapping[str, float]:
        """Silence."""
        return dict.fromkeys(METERS, -100.0) | {"limiter_db": 0.0}

    def status(self) -> dict[str, Any]:
        """What would play."""
        with self._lock:
            return {
                "style": self._preset.model,
                "preset": self._preset.name or None,
                "bypass": bool(self.get("bypass")),
            }
