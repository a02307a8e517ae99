"""Mappings: which controller, note or program turns what, and how far.

In a session file::

    [[midi]]
    cc = 1                       # or cc14, note, program
    channel = 1                  # 1..16; any if left out
    port = "nanoKONTROL"         # part of the port's name; any if left out
    parameter = "post.1.room_size"
    low = 0.1                    # the parameter's own range if left out
    high = 0.9
    curve = "linear"             # or "log"
    pickup = true                # take hold only where the knob passes the value

    [[midi]]
    program = 3                  # as sent: 0..127
    preset = "Warm lead"         # or style = "tube-amp"

    [[midi]]
    note = 60
    parameter = "bypass"
    mode = "toggle"              # or "set": on while held
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

from ..errors import ControlError
from ..presets.table import Table
from .surface import Parameter

SOURCES = ("cc", "cc14", "note", "program")
TARGETS = ("parameter", "style", "preset")
CURVES = ("linear", "log")
MODES = ("set", "toggle")
_HIGHEST = 1e12


@dataclass(frozen=True)
class MidiMapping:
    """One source and one target.

    Attributes
    ----------
    source : str
        ``cc``; ``cc14`` (controllers `number` and `number` + 32 as one of 14 bits); ``note``;
        ``program``.
    number : int
        0..127, of ``cc14`` 0..31.
    target : str
        ``parameter``, ``style`` or ``preset``.
    name : str
        Which one.
    channel : int or None
        1..16, None for any.
    port : str
        Part of the port's name, upper or lower case; empty for any.
    low, high : float or None
        Values at the ends of the controller; the parameter's own if None.  `low` may be the larger.
    curve : str
        ``linear`` or ``log`` (equal ratios for equal turns; both ends above 0).
    mode : str
        ``set``, or ``toggle``: a press turns over between `low` and `high`.
    pickup : bool
        Whether the controller must first pass the present value, so that nothing jumps.
    """

    source: str
    number: int
    target: str
    name: str
    channel: int | None = None
    port: str = ""
    low: float | None = None
    high: float | None = None
    curve: str = "linear"
    mode: str = "set"
    pickup: bool = False

    @property
    def key(self) -> tuple[str, int, int | None, str]:
        """What two mappings of the same knob have in common."""
        return self.source, self.number, self.channel, self.port.lower()

    def covers(self, source: str, number: int, channel: int, port: str) -> bool:
        """Whether a message (channel 1..16) is of this source."""
        return (
            (self.source, self.number) == (source, number)
            and self.channel in (None, channel)
            and self.port.lower() in port.lower()
        )

    def value(self, position: float, parameter: Parameter) -> float:
        """The parameter's value at a controller's `position` (0..1)."""
        low, high = self.ends(parameter)
        if self.curve == "log":
            value = low * (high / low) ** position
        else:
            value = low + (high - low) * position
        if parameter.kind == "switch":
            return high if position >= 0.5 else low
        value = round(value) if parameter.kind == "categorical" else value
        return float(min(max(value, min(low, high)), max(low, high)))

    def ends(self, parameter: Parameter) -> tuple[float, float]:
        """Values at both ends.

        Raises
        ------
        ControlError
            Outside the parameter's range, or not above 0 on a logarithmic curve.
        """
        low = parameter.minimum if self.low is None else self.low
        high = parameter.maximum if self.high is None else self.high
        if not isfinite(low) or not isfinite(high):
            raise ControlError(
                f"the mapping of {self.label}: the range of {self.name} is not known here; give"
                " low and high"
            )
        for key, value in (("low", low), ("high", high)):
            if not parameter.minimum <= value <= parameter.maximum:
                raise ControlError(
                    f"the mapping of {self.label}: {key} must be within {parameter.minimum:g}.."
                    f"{parameter.maximum:g}, the range of {self.name}, got {value:g}"
                )
        if self.curve == "log" and min(low, high) <= 0:
            raise ControlError(
                f"the mapping of {self.label}: a log curve needs both ends above 0, it has"
                f" {low:g}..{high:g}; give low and high, or take the linear curve"
            )
        return low, high

    @property
    def label(self) -> str:
        """What to call the source."""
        words = {"cc": "controller", "cc14": "14-bit controller"}
        channel = f" on channel {self.channel}" if self.channel else ""
        return f"{words.get(self.source, self.source)} {self.number}{channel}"

    def to_dict(self) -> dict[str, Any]:
        """The ``[[midi]]`` table; what is at its default is left out."""
        data: dict[str, Any] = {self.source: self.number}
        for key in ("channel", "port"):
            if getattr(self, key):
                data[key] = getattr(self, key)
        data[self.target] = self.name
        for f in fields(self)[6:]:
            value = getattr(self, f.name)
            if value != f.default:
                data[f.name] = value
        return data


def read_mapping(table: Table) -> MidiMapping:
    """Read one ``[[midi]]`` table.

    Raises
    ------
    PresetError
        An unknown key, a value outside its range, or not exactly one source and one target.
    """
    sources = {s: table.whole(s, None, 0, 31 if s == "cc14" else 127) for s in SOURCES}
    targets = {t: table.text(t) for t in TARGETS}
    found = {
        "channel": table.whole("channel", None, 1, 16),
        "port": table.text("port", ""),
        "low": table.number("low", None, -_HIGHEST, _HIGHEST),
        "high": table.number("high", None, -_HIGHEST, _HIGHEST),
        "curve": table.text("curve", "linear", choices=CURVES),
        "mode": table.text("mode", "set", choices=MODES),
        "pickup": table.flag("pickup"),
    }
    table.done()
    given = [(s, n) for s, n in sources.items() if n is not None]
    wanted = [(t, n) for t, n in targets.items() if n is not None]
    for these, names in ((given, SOURCES), (wanted, TARGETS)):
        if len(these) != 1:
            has = " and ".join(key for key, _ in these) or "none"
            raise table.error(f"a mapping needs exactly one of {', '.join(names)}; it has {has}")
    (source, number), (target, name) = given[0], wanted[0]
    if source == "program" and target == "parameter":
        raise table.error("a program change chooses a preset or a style; give one of them")
    return MidiMapping(source, number, target, name, **found)
