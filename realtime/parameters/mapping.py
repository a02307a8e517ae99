"""Mappings: which controller, note or program turns what, and how far.

In a session file::

    [[midi]]
    cc = 1                       # or cc14, note, program
    channel = 1                  # 1..16; any if left out
    port = "nanoKONTROL"         # part of the port's name; any if left out
    parameter = "2.room_size"
    low = 0.1                    # the parameter's own range if left out
    high = 0.9
    curve = "linear"             # or "log"
    pickup = true                # take hold only where the knob passes the value

    [[midi]]
    program = 3                  # as sent: 0..127
    bank = 1                     # CC 0 * 128 + CC 32; any if left out
    preset = "Warm lead"         # or style, scene, action

    [[midi]]
    cc = 80
    parameter = "bypass"
    mode = "toggle"              # at every press; "set": on while held
    switch = "latching"          # or momentary, press; found out if left out

    [[midi]]
    note = 60
    action = "next"              # the next preset of the setlist

    [[osc.map]]                  # messages of another program
    address = "/avatar/parameters/Voice"
    parameter = "mute"
    low = 1.0                    # where the argument is 0
    high = 0.0
"""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from ..errors import ConfigError, ControlError
from .parameter import CATEGORICAL, SWITCH, Parameter

SOURCES = ("cc", "cc14", "nrpn", "note", "program")
TARGETS = ("parameter", "style", "preset", "scene", "action")
Action = Literal["next", "previous", "next_scene", "previous_scene", "compare", "panic", "tap"]
ACTIONS: tuple[str, ...] = get_args(Action)
Number = Annotated[int, Meta(ge=0, le=127)]
End = Annotated[float, Meta(ge=-1e12, le=1e12)]


class ControlMapping(
    msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """What a controller turns, loads or does, and how far: one target.

    Attributes
    ----------
    parameter, style, preset, scene, action : str or None
        Exactly one is given; a scene by its name or its number from 1; actions are
        :data:`ACTIONS`.
    low, high : float or None
        Values at the ends of the controller; the parameter's own if None.  `low` may be the larger.
    curve : str
        ``linear`` or ``log`` (equal ratios for equal turns; both ends above 0).
    mode : str
        ``set``, or ``toggle``: a press turns over between `low` and `high`.
    pickup : bool
        Whether the controller must first pass the present value, so that nothing jumps.
    """

    parameter: str | None = None
    style: str | None = None
    preset: str | None = None
    scene: Annotated[int, Meta(ge=1, le=999)] | str | None = None
    action: Action | None = None
    low: End | None = None
    high: End | None = None
    curve: Literal["linear", "log"] = "linear"
    mode: Literal["set", "toggle"] = "set"
    pickup: bool = False

    def __post_init__(self) -> None:
        _exactly_one(self, TARGETS)

    @property
    def target(self) -> str:
        """Which of :data:`TARGETS`."""
        return next(t for t in TARGETS if getattr(self, t) is not None)

    @property
    def name(self) -> str:
        """Of the parameter, style, preset, scene or action."""
        return str(getattr(self, self.target))

    @property
    def label(self) -> str:
        """What to call the source."""
        raise NotImplementedError

    def value(self, position: float, parameter: Parameter) -> float:
        """The parameter's value at a controller's `position` (0..1)."""
        low, high = self.ends(parameter)
        if self.curve == "log":
            value = low * (high / low) ** position
        else:
            value = low + (high - low) * position
        if parameter.kind == SWITCH:
            return high if position >= 0.5 else low
        value = round(value) if parameter.kind == CATEGORICAL else value
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


class OscMapping(ControlMapping, frozen=True, kw_only=True):
    """An OSC address of another program's and one target: the ``[[osc.map]]`` table itself.

    Attributes
    ----------
    address : str
        Such as ``/avatar/parameters/Voice``.
    first, last : float
        The arguments that stand for `low` and `high`.
    """

    address: Annotated[str, Meta(pattern="^/[^ #*,?\\[\\]{}]+$", extra={"words": "an OSC address"})]
    first: float = 0.0
    last: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.first == self.last:
            raise ConfigError(f"{self.address}: first and last must differ, got {self.first:g}")

    @property
    def label(self) -> str:
        """What to call the source."""
        return f"the OSC address {self.address}"

    def position(self, argument: float) -> float:
        """Where an argument stands between `first` and `last`, 0..1."""
        return min(1.0, max(0.0, (argument - self.first) / (self.last - self.first)))


class MidiMapping(ControlMapping, frozen=True, kw_only=True):
    """One source and one target: the ``[[midi]]`` table itself.

    Attributes
    ----------
    cc, cc14, nrpn, note, program : int or None
        Exactly one is given; ``cc14`` is a controller of 14 bits, of the numbers n and n + 32, and
        takes both from plain mappings of the same channel.
    bank : int or None
        Of a program: CC 0 * 128 + CC 32.  A mapping that names its bank goes before one of any.
    channel : int or None
        1..16, None for any.
    port : str
        Part of the port's name, upper or lower case; empty for any.
    switch : str or None
        What presses: see :mod:`realtime.controllers.switches`; None finds it out.
    """

    cc: Number | None = None
    cc14: Annotated[int, Meta(ge=0, le=31)] | None = None
    nrpn: Annotated[int, Meta(ge=0, le=16383)] | None = None
    note: Number | None = None
    program: Number | None = None
    bank: Annotated[int, Meta(ge=0, le=16383)] | None = None
    channel: Annotated[int, Meta(ge=1, le=16)] | None = None
    port: str = ""
    switch: Literal["momentary", "latching", "press"] | None = None

    def __post_init__(self) -> None:
        _exactly_one(self, SOURCES)
        super().__post_init__()
        if self.program is not None and self.parameter is not None:
            raise ConfigError(
                "a program change chooses a preset, style or scene, or is an action; give one of"
                " them"
            )
        if self.bank is not None and self.program is None:
            raise ConfigError("bank belongs to a program")
        if self.switch is not None and self.target == "parameter" and self.mode == "set":
            raise ConfigError('switch belongs to mode = "toggle"; in mode "set" 0 is off, 127 on')

    @property
    def source(self) -> str:
        """Which of :data:`SOURCES`."""
        return next(s for s in SOURCES if getattr(self, s) is not None)

    @property
    def number(self) -> int:
        """Of the controller, note or program."""
        return int(getattr(self, self.source))

    @property
    def key(self) -> tuple[Any, ...]:
        """What two mappings of the same knob have in common."""
        return self.source, self.number, self.bank, self.channel, self.port.lower()

    def hears(self, channel: int, port: str) -> bool:
        """Whether messages of a channel (1..16) and a port are for this mapping."""
        return self.channel in (None, channel) and self.port.lower() in port.lower()

    def covers(self, source: str, number: int, channel: int, port: str, bank: int = 0) -> bool:
        """Whether a message (channel 1..16) is of this source."""
        return (
            (self.source, self.number) == (source, number)
            and self.bank in (None, bank)
            and self.hears(channel, port)
        )

    @property
    def label(self) -> str:
        """What to call the source."""
        words = {"cc": "controller", "cc14": "14-bit controller", "nrpn": "NRPN"}
        bank = f" of bank {self.bank}" if self.bank is not None else ""
        channel = f" on channel {self.channel}" if self.channel else ""
        return f"{words.get(self.source, self.source)} {self.number}{bank}{channel}"


def _exactly_one(mapping: ControlMapping, names: tuple[str, ...]) -> None:
    given = [n for n in names if getattr(mapping, n) is not None]
    if len(given) != 1:
        has = " and ".join(given) or "none"
        raise ConfigError(f"a mapping needs exactly one of {', '.join(names)}; it has {has}")
