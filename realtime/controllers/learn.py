"""Learning a mapping: which controller does the person move, and what kind of switch is it?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..parameters.mapping import MidiMapping
from ..parameters.parameter import SWITCH, Parameter
from .midi_message import CC, FINE, FIRST_MODE, NOTE, NRPN, NRPN_FINE, PROGRAM, RPN_COARSE, Control
from .switches import LATCHING, MOMENTARY, PRESS, QUICK_SECONDS

REPEAT_SECONDS = 0.1  # the same value sooner is a controller that repeats itself, not a press
_BANK = (0, FINE)


class Learner:
    """Listens until one controller moves.

    A knob counts as moved when it has sent two different values since the learning began, so one
    that repeats its value is passed over.  Where the numbers n and n + 32 of a channel both speak,
    they are one controller of 14 bits.  What is switched or pressed may also be a note, or a
    program change where no parameter is turned; a foot switch is known after two presses at most
    (:mod:`realtime.controllers.switches`).

    Parameters
    ----------
    target : mapping
        ``parameter``, ``preset``, ``scene`` or ``action`` with its name, as a mapping has it.
    parameter : Parameter or None
        The one that will be turned.
    done : callable
        Called with the mapping once it is bound.
    """

    def __init__(
        self,
        target: Mapping[str, Any],
        parameter: Parameter | None,
        done: Callable[[MidiMapping], None],
    ) -> None:
        self.target, self._done = dict(target), done
        self._button = parameter is None
        self._presses = parameter is None or parameter.kind == SWITCH
        # by source, number and channel: the first value, and when the last one came
        self._first: dict[tuple[str, int, int], tuple[int, float]] = {}
        self._found = threading.Event()
        self.mapping: MidiMapping | None = None

    def hear(self, control: Control, time: float) -> MidiMapping | None:
        """Take what moved at a time [seconds]; return the mapping once it is known."""
        source, number, channel = control.source, control.number, control.channel
        if source == PROGRAM:
            if not self._button:
                return None
            bank = {"bank": control.bank} if control.bank else {}
            return self._mapping(program=number, channel=channel, **bank)
        if source == NOTE:
            if not (control.value and self._presses):
                return None
            return self._mapping(note=number, channel=channel, **self._toggle(None))
        if source not in (CC, NRPN) or (source == CC and _is_no_knob(number)):
            return None
        key = source, number, channel
        if key not in self._first:
            self._first[key] = control.value, time
            return None
        first, before = self._first[key]
        self._first[key] = first, time
        if self._presses:
            return self._switch(control, first, time - before)
        if control.value == first:
            return None
        if source == NRPN:
            return self._mapping(nrpn=number, channel=channel)
        for coarse in (number, number - FINE):
            both = {(CC, coarse, channel), (CC, coarse + FINE, channel)}
            if 0 <= coarse < FINE and both <= self._first.keys():
                return self._mapping(cc14=coarse, channel=channel)
        return self._mapping(cc=number, channel=channel)

    def _switch(self, control: Control, first: int, seconds: float) -> MidiMapping | None:
        """The mapping of what is pressed, by its first two values and the time between them."""
        top = 16383 if control.source == NRPN else 127
        ends, values = {0, top}, {first, control.value}
        source = {control.source: control.number, "channel": control.channel}
        if control.value == first:
            again = 2 * first > top and seconds > REPEAT_SECONDS
            return self._mapping(**source, **self._toggle(PRESS)) if again else None
        if values != ends:  # a knob: on in its upper half
            return self._mapping(**source)
        slow = seconds >= QUICK_SECONDS
        return self._mapping(**source, **self._toggle(LATCHING if slow else MOMENTARY))

    def _toggle(self, switch: str | None) -> dict[str, Any]:
        mode = {} if self._button else {"mode": "toggle"}
        return {**mode, **({"switch": switch} if switch else {})}

    def _mapping(self, **source: Any) -> MidiMapping:
        return MidiMapping(**source, **self.target)

    def finish(self, mapping: MidiMapping) -> None:
        """Tell those who wait."""
        self.mapping = mapping
        self._found.set()
        self._done(mapping)

    def wait(self, seconds: float | None = None) -> MidiMapping | None:
        """The mapping, or None when `seconds` are over."""
        self._found.wait(seconds)
        return self.mapping


def _is_no_knob(number: int) -> bool:
    """Whether a controller's number chooses banks, parameters or modes, which no knob does."""
    return number in _BANK or NRPN_FINE <= number <= RPN_COARSE or number >= FIRST_MODE
