"""What a running stream looks like to whoever turns its knobs.

Presets, MIDI, OSC and panels know a stream by this protocol alone.  Parameters are called ``mix``,
``bypass``, ``input_gain_db`` and ``output_gain_db`` of the whole path; a stage's ``2.room_size``,
counted from 1 in the order of the sound, with ``2.bypass`` and ``2.stage_mix`` for the stage
itself; inside a group ``3.1.gain_db`` (branch 1 of stage 3) and ``3.1.2.drive`` (its second stage).
Wherever a name is taken, the own name of exactly one stage (``drive``) is taken, too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..errors import ConfigError
from .parameter import BLEND, Parameter, find_parameter


class Surface(Protocol):
    """The knobs of one stream; every method may be called from any thread.

    A method that raises has changed nothing.  All errors are
    :class:`~realtime.errors.RestyleError` with the nearest valid name.
    """

    def parameters(self) -> Sequence[Parameter]:
        """All parameters as they stand now; others after a change of stages."""

    def get(self, name: str) -> float:
        """Value last asked for."""

    def set(self, name: str, value: float) -> None:
        """Ask for a value; a ``blend`` parameter is set with the others, by :meth:`blend`."""

    def blend(self, weights: Mapping[str, float]) -> None:
        """Ask for all weights of one stage that blends; those not named become 0.

        Weights are shares, none negative, not all 0; they are scaled to sum to 1.
        """

    def styles(self) -> Sequence[str]:
        """Names of the models that can be played."""

    def style(self, name: str | None) -> None:
        """Crossfade the first stage that is a model to another; None takes it out.

        Where no stage is a model, one comes in before all others.
        """

    def bypass(self, on: bool) -> None:
        """Let the input through as it is, or restyle it again."""

    def load_preset(self, name_or_path: str) -> None:
        """Change to a preset; it is checked wholly before anything changes."""

    def recall(self, scene: str | int) -> None:
        """Put parameters where a scene of the sound has them; by name, or number from 1."""

    def keep_scene(self, name: str) -> None:
        """Keep where the parameters stand as a scene, in place of one of that name."""

    def drop_scene(self, name: str) -> None:
        """Take a scene out."""

    def go(self, number: int) -> None:
        """Change to a preset of the setlist, by its number from 1."""

    def act(self, action: str) -> None:
        """Do one of :data:`realtime.parameters.mapping.ACTIONS`."""

    def meters(self) -> Mapping[str, float]:
        """Levels by name, such as ``input_rms_db`` [dBFS]."""

    def status(self) -> dict[str, Any]:
        """What plays, as plain data: ``style``, ``preset``, ``bypass``, ``scenes`` (their names),
        ``scene`` (the one recalled last), ``setlist``, and what the host adds.
        """


def shares(parameters: Sequence[Parameter], weights: Mapping[str, float]) -> dict[str, float]:
    """Scale weights to sum to 1 and name every blend parameter of their stage, the others with 0.

    Raises
    ------
    ConfigError
        No model that blends, an unknown name, weights of two stages, a negative weight, or nothing
        but zeros.
    """
    blends = [p for p in parameters if p.kind == BLEND]
    if not blends:
        raise ConfigError("this model has no styles to blend; choose one such as amp-blend")
    found: dict[str, float] = {}
    for name, weight in weights.items():
        parameter = find_parameter(blends, name)
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise ConfigError(f"the weight of {name} must be a number, got {weight!r}")
        if not (math.isfinite(weight) and weight >= 0):
            raise ConfigError(f"the weight of {name} must be 0 or more, got {weight:g}")
        found[parameter.name] = float(weight)
    stages = {p.place for p in blends if p.name in found}
    if len(stages) > 1:
        raise ConfigError("a blend is of one stage; these weights are of several")
    mine = [p for p in blends if p.place in stages] or blends
    highest = max(found.values(), default=0.0)
    if highest <= 0:
        raise ConfigError(
            f"a blend needs a weight above 0 for one of {', '.join(p.name for p in mine)}"
        )
    scaled = {p.name: found.get(p.name, 0.0) / highest for p in mine}  # cannot overflow
    total = math.fsum(scaled.values())
    return {name: weight / total for name, weight in scaled.items()}


def with_share(parameters: Sequence[Parameter], name: str, weight: float) -> dict[str, float]:
    """Weights where `name` has `weight` (0..1) and its stage's others share the rest as before.

    Where the others were all 0 they share it evenly.
    """
    blends = [p for p in parameters if p.kind == BLEND]
    parameter = find_parameter(blends, name)
    weight = parameter.number(weight)
    others = {p.name: p.value for p in blends if p.place == parameter.place and p is not parameter}
    total = math.fsum(others.values())
    rest = 1.0 - weight
    if not others:
        return {parameter.name: 1.0}
    even = {n: rest / len(others) for n in others}
    shared = {n: rest * (v / total) for n, v in others.items()} if total > 0 else even
    return {parameter.name: weight, **shared}


def turn(surface: Surface, name: str, value: float) -> None:
    """Set any parameter, a blend's weight with its neighbours.

    Raises
    ------
    RestyleError
        Unknown name or a value that is not possible; nothing has changed then.
    """
    parameters = surface.parameters()
    parameter = find_parameter(parameters, name)
    value = parameter.number(value)
    if parameter.kind == BLEND:
        surface.blend(with_share(parameters, parameter.name, value))
    else:
        surface.set(parameter.name, value)
