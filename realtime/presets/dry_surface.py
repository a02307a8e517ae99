"""A surface without sound: it holds what it was told, and refuses what a stream would refuse.

For learning MIDI mappings without a stream, and for tests.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ConfigError, nearest
from ..parameters.parameter import BLEND, Parameter, find_parameter
from ..parameters.surface import shares
from ..session.names import find_knob, knobs
from ..session.operations import DropScene, KeepScene, Operation, Recall, restyle
from ..session.sound import Scene, Setup, Sound, Stage, Value
from .check import Library
from .format import Preset
from .opening import open_preset

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

    Attributes
    ----------
    actions : list of str
        What :meth:`act` was asked for.
    """

    def __init__(self, preset: Preset | None = None, library: Library | None = None) -> None:
        self._library = library or Library()
        self._lock = threading.RLock()
        self.actions: list[str] = []
        self._scene: str | None = None
        self._take(preset or Preset())

    def _take(self, preset: Preset) -> None:
        self._sound, self._known = self._library.checked(preset.sound, preset.name or "preset")
        self._name = preset.name

    def _do(self, *operations: Operation) -> None:
        setup = Setup(self._sound)
        for operation in operations:
            setup = operation.apply(setup)
        self._sound = setup.sound

    @property
    def sound(self) -> Sound:
        """What would play, every stage with its identity."""
        return self._sound

    def do(self, operation: Operation) -> None:
        """Change the sound by an operation.

        Raises
        ------
        RestyleError
            It cannot be made, or names something that there is not; nothing has changed then.
        """
        with self._lock:
            sound = operation.apply(Setup(self._sound)).sound
            self._take(Preset(self._name, sound=sound))

    def parameters(self) -> Sequence[Parameter]:
        """See :class:`~realtime.parameters.surface.Surface`, also for the methods below."""
        with self._lock:
            return knobs(self._sound, self._known)

    def get(self, name: str) -> float:
        """Value last asked for."""
        return find_parameter(self.parameters(), name).value

    def set(self, name: str, value: float) -> None:
        """Hold a value."""
        with self._lock:
            knob = find_knob(self._sound, self._known, name)
            if knob.parameter.kind == BLEND:
                raise ConfigError(f"{name} is a weight of a blend; set all weights with blend")
            self._do(knob.set(value))

    def blend(self, weights: Mapping[str, float]) -> None:
        """Hold the weights, scaled to sum to 1."""
        with self._lock:
            scaled = shares(self.parameters(), weights)
            found = {n: find_knob(self._sound, self._known, n) for n in scaled}
            self._do(*(found[n].set(value) for n, value in scaled.items()))

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
            identity = 1 + max((s.identity for s in self._sound.walk()), default=0)
            stage = None if name is None else Stage(model=name, identity=identity)
            operation = restyle(self._sound, stage)
            if operation is not None:
                self.do(operation)

    def bypass(self, on: bool) -> None:
        """Hold whether the input passes as it is."""
        self.set("bypass", float(on))

    def load_preset(self, name_or_path: str) -> None:
        """Change to a preset, checked wholly before; bypass and mute stay."""
        preset = open_preset(name_or_path, self._library)
        with self._lock:
            kept = {name: self.get(name) for name in ("bypass", "mute")}
            self._take(preset)
            for name, value in kept.items():
                self.set(name, value)

    def recall(self, scene: str | int) -> None:
        """Hold what a scene says."""
        with self._lock:
            self._do(Recall(scene))
            self._scene = self._sound.scene(scene).name

    def keep_scene(self, name: str) -> None:
        """Hold a scene."""
        with self._lock:
            values: dict[str, Value] = {
                p.name: p.value
                for p in self.parameters()
                if p.live and p.name not in ("bypass", "mute") and not self._sound.macro(p.name)
            }
            self._do(KeepScene(Scene(name, values)))
            self._scene = name

    def drop_scene(self, name: str) -> None:
        """Hold it no more."""
        with self._lock:
            self._do(DropScene(name))

    def go(self, number: int) -> None:
        """There is no setlist here."""
        raise ConfigError("there is no setlist where nothing plays")

    def act(self, action: str) -> None:
        """Remember what was asked for; nothing plays."""
        self.actions.append(action)

    def meters(self) -> Mapping[str, float]:
        """Silence."""
        return dict.fromkeys(METERS, -100.0) | {"limiter_db": 0.0}

    def status(self) -> dict[str, Any]:
        """What would play."""
        with self._lock:
            playing = (s.model for s in self._sound.walk() if s.model is not None)
            return {
                "style": next(playing, None),
                "preset": self._name or None,
                "bypass": bool(self.get("bypass")),
                "scenes": [s.name for s in self._sound.scenes],
                "scene": self._scene,
                "setlist": None,
            }
