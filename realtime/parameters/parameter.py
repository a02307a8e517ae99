"""One parameter: a number with a name, a range and a place to stand.

Stages, models, presets, MIDI, OSC, the panel and the terminal all mean this class.  Values are
always numbers; switches are 0 or 1, a choice is the place of its word in :attr:`Parameter.choices`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, Self

import msgspec

from ..errors import ConfigError, nearest
from ..schema import shown as _shown

CONTINUOUS, BLEND, CATEGORICAL, SWITCH = "continuous", "blend", "categorical", "switch"
KINDS = (CONTINUOUS, BLEND, CATEGORICAL, SWITCH)
LOWEST_DB, HIGHEST_DB = -100.0, 24.0  # of every gain
_LISTED = 40  # names in a message
_PLACE = re.compile(r"(?:[1-9]\d*\.)*")  # of a stage: ``3.1.2.``


class Parameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One parameter.

    Attributes
    ----------
    name : str
        Of a stage's own, with its unit where that is customary: ``cutoff_frequency_hz``.
    minimum, maximum : float
        Both included.
    default, value : float
        The value is the one last asked for.
    unit : str
        Empty where there is none.
    kind : str
        ``continuous``; ``blend`` (the weights of all blend parameters of a stage sum to 1);
        ``categorical`` (whole numbers); ``switch`` (0 or 1).
    choices : tuple of str
        What the values 0, 1, 2 … of a categorical parameter are called; may be empty.
    step : float or None
        Distance of neighbouring values where it is constant.
    curve : str
        How a knob covers the range: ``linear`` or ``log``.
    live : bool
        Whether it can be set while the sound runs; the others change the latency.
    """

    name: str
    minimum: float = 0.0
    maximum: float = 1.0
    default: float = 0.0
    unit: str = ""
    kind: str = CONTINUOUS
    choices: tuple[str, ...] = ()
    step: float | None = None
    curve: str = "linear"
    live: bool = True
    value: float = 0.0

    @property
    def own_name(self) -> str:
        """The name without the stage's place: ``room_size`` of ``2.room_size``."""
        return _PLACE.sub("", self.name, count=1)

    @property
    def place(self) -> str:
        """The stage's place, with its dot: ``2.`` of ``2.room_size``; empty for the path's own."""
        return self.name.removesuffix(self.own_name)

    def at(self, value: float) -> Self:
        """The same parameter standing at another value."""
        return msgspec.structs.replace(self, value=value)

    def named(self, name: str) -> Self:
        """The same parameter under another name, such as ``2.room_size`` in a path."""
        return msgspec.structs.replace(self, name=name)

    def number(self, given: Any, owner: str = "") -> float:
        """Return what was given (a number, a choice's word, true or false) as a checked number.

        Parameters
        ----------
        owner : str
            Begins the message where there is one, such as ``effect Reverb``.

        Raises
        ------
        ConfigError
            Another type, outside the range, or no such choice.
        """
        begin = f"{owner}: {self.name}" if owner else self.name
        if isinstance(given, str) and self.choices:
            if given not in self.choices:
                raise ConfigError(
                    f"{begin} must be one of {', '.join(self.choices[:_LISTED])},"
                    f" got '{given[:80]}'{nearest(given, self.choices)}"
                )
            return float(self.choices.index(given))
        if self.kind == SWITCH and given not in (0, 1):
            raise ConfigError(f"{begin} must be true or false, got {_shown(given)}")
        is_number = isinstance(given, int | float) and (
            self.kind == SWITCH or not isinstance(given, bool)
        )
        if not is_number or not _is_finite(given):
            raise ConfigError(f"{begin} must be a number, got {_shown(given)}")
        if not self.minimum <= given <= self.maximum:
            unit = f" {self.unit}" if self.unit else ""
            raise ConfigError(
                f"{begin} must be within {self.minimum:g}..{self.maximum:g}{unit}, got {given:g}"
            )
        if self.kind in (CATEGORICAL, SWITCH) and given != int(given):
            raise ConfigError(f"{begin} takes whole numbers, got {given:g}")
        return float(given)

    def shown(self, value: float) -> str:
        """A value in words: the choice's, on or off, or the number with its unit."""
        if self.choices:
            return self.choices[round(min(max(value, 0), len(self.choices) - 1))]
        if self.kind == SWITCH:
            return "on" if value >= 0.5 else "off"
        return f"{value:g} {self.unit}".rstrip()


def find_parameter(parameters: Iterable[Parameter], name: str, owner: str = "") -> Parameter:
    """Return the parameter called `name`, or the only one whose own name that is.

    Raises
    ------
    ConfigError
        There is none, and the nearest name is suggested; or there are several.
    """
    known = {p.name: p for p in parameters}
    if name in known:
        return known[name]
    same = [p for p in known.values() if p.own_name == name]
    if len(same) == 1:
        return same[0]
    if same:
        several = ", ".join(p.name for p in same[:_LISTED])
        raise ConfigError(f"several stages have a parameter '{name}': {several}; say which")
    listed = ", ".join(list(known)[:_LISTED]) or "none"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    near = nearest(name, known if "." in name else [p.own_name for p in known.values()])
    if owner:
        raise ConfigError(f"{owner} has no parameter '{name[:80]}'{near}; it has {listed}{more}")
    raise ConfigError(f"unknown parameter '{name[:80]}'{near}; there are {listed}{more}")


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number no float can hold
        return False
