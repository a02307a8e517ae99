"""What a mapping does at a controller's position: set, toggle, load, act; and soft take-over."""

from __future__ import annotations

from ..parameters.mapping import ControlMapping
from ..parameters.parameter import Parameter, find_parameter
from ..parameters.surface import Surface, turn

_NEAR = 1.5 / 127  # how near the knob must come, as a share of its way


class Hand:
    """Turns a surface's knobs by mappings, and remembers where each controller stands.

    With ``pickup`` a controller does nothing until it reaches or passes the parameter's present
    value; it lets go again when something else changes the parameter.
    """

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._held: dict[ControlMapping, tuple[float, float | None]] = {}  # position, value given

    def press(self, mapping: ControlMapping) -> bool:
        """Do what `mapping` says once: load, recall, act, or turn a switch over; always done.

        Raises
        ------
        RestyleError
            The surface refuses, or the mapping does not fit its parameter any more.
        """
        surface = self._surface
        match mapping.target:
            case "style":
                surface.style(mapping.name)
            case "preset":
                surface.load_preset(mapping.name)
            case "scene":
                assert mapping.scene is not None
                surface.recall(mapping.scene)
            case "action":
                surface.act(mapping.name)
            case _:
                parameter = self._find(mapping)
                low, high = mapping.ends(parameter)
                up = abs(parameter.value - high) < abs(parameter.value - low)
                turn(surface, mapping.name, low if up else high)
        return True

    def move(self, mapping: ControlMapping, position: float) -> bool:
        """Set the parameter of `mapping` by a position (0..1); return whether anything was done.

        Raises
        ------
        RestyleError
            As :meth:`press`.
        """
        before, given = self._held.get(mapping, (None, None))
        self._held[mapping] = position, given
        parameter = self._find(mapping)
        mapping.ends(parameter)
        held = given is not None and parameter.value == given
        if mapping.pickup and not held and not _passes(mapping, before, position, parameter):
            self._held[mapping] = position, None
            return False
        turn(self._surface, mapping.name, mapping.value(position, parameter))
        self._held[mapping] = position, self._find(mapping).value
        return True

    def _find(self, mapping: ControlMapping) -> Parameter:
        return find_parameter(self._surface.parameters(), mapping.name)


def _passes(
    mapping: ControlMapping, before: float | None, position: float, parameter: Parameter
) -> bool:
    """Whether the knob reaches or crosses the parameter's value on its way."""
    low, high = mapping.ends(parameter)
    near = abs(high - low) * _NEAR
    here = mapping.value(position, parameter)
    there = here if before is None else mapping.value(before, parameter)
    return min(here, there) - near <= parameter.value <= max(here, there) + near
