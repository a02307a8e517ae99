"""Learning a mapping: which controller does the person move?"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..parameters.mapping import MidiMapping
from ..parameters.parameter import SWITCH, Parameter

_LSB = 32


class Learner:
    """Listens until one controller moves.

    A controller counts as moved when it has sent two different values since the learning began, so
    one that repeats its value is passed over.  Where the numbers n and n + 32 of a channel both
    speak, they are one controller of 14 bits.  For a switch, a note will do as well.

    Parameters
    ----------
    parameter : Parameter
        What will be turned.
    done : callable
        Called with the mapping once it is bound.
    """

    def __init__(self, parameter: Parameter, done: Callable[[MidiMapping], None]) -> None:
        self.parameter, self._done = parameter, done
        self._first: dict[tuple[int, int], int] = {}
        self._found = threading.Event()
        self.mapping: MidiMapping | None = None

    def hear(self, kind: str, number: int, channel: int, value: int) -> MidiMapping | None:
        """Take one message (channel 1..16); return the mapping once a controller has moved."""
        name, switch = self.parameter.name, self.parameter.kind == SWITCH
        if kind == "note" and value and switch:
            return MidiMapping(note=number, channel=channel, parameter=name, mode="toggle")
        if kind != "cc":
            return None
        first = self._first.setdefault((channel, number), value)
        if value == first:
            return None
        for coarse in (number, number - _LSB):
            both = {(channel, coarse), (channel, coarse + _LSB)}
            if 0 <= coarse < _LSB and both <= self._first.keys() and not switch:
                return MidiMapping(cc14=coarse, channel=channel, parameter=name)
        return MidiMapping(cc=number, channel=channel, parameter=name)

    def finish(self, mapping: MidiMapping) -> None:
        """Tell those who wait."""
        self.mapping = mapping
        self._found.set()
        self._done(mapping)

    def wait(self, seconds: float | None = None) -> MidiMapping | None:
        """The mapping, or None when `seconds` are over."""
        self._found.wait(seconds)
        return self.mapping
