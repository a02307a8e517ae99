"""From MIDI messages to a surface: mappings, learning, soft take-over.

Never raises on a message.  What is malformed, or cannot be done, is counted, and the first of each
kind is reported in one sentence.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import RestyleError
from ..parameters.mapping import MidiMapping
from ..parameters.parameter import find_parameter
from ..parameters.surface import Surface
from .learn import Learner
from .takeover import Hand

_LSB = 32  # from a 14-bit controller's coarse number to its fine one


class Bindings:
    """Mappings at work on one surface; one thread at a time feeds it, any thread may edit it.

    Parameters
    ----------
    surface : Surface
    mappings : iterable of MidiMapping
    report : callable
        Takes a sentence for the person; called in the thread that feeds.

    Attributes
    ----------
    counts : Counter
        ``messages``, ``malformed``, ``unmapped``, ``done`` and ``refused``.
    """

    def __init__(
        self,
        surface: Surface,
        mappings: Iterable[MidiMapping] = (),
        report: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._surface, self._report = surface, report
        self._hand = Hand(surface)
        self._mappings = tuple(mappings)
        self._lock = threading.Lock()
        self._learner: Learner | None = None
        self._said: set[str] = set()
        self._coarse: dict[tuple[str, int, int], int] = {}
        self.counts: Counter[str] = Counter()

    @property
    def mappings(self) -> tuple[MidiMapping, ...]:
        """Those in force."""
        return self._mappings

    def add(self, mapping: MidiMapping) -> None:
        """Add a mapping in place of one of the same knob.

        Raises
        ------
        RestyleError
            Its parameter is not there, or its ends are outside the parameter's range.
        """
        if mapping.target == "parameter":
            mapping.ends(find_parameter(self._surface.parameters(), mapping.name))
        with self._lock:
            others = (m for m in self._mappings if m.key != mapping.key)
            self._mappings = (*others, mapping)

    def remove(self, mapping: MidiMapping) -> None:
        """Take a mapping out, if it is there."""
        with self._lock:
            self._mappings = tuple(m for m in self._mappings if m != mapping)

    # -- learning ---------------------------------------------------------------------------------

    def learn(
        self, parameter: str, done: Callable[[MidiMapping], None] = lambda mapping: None
    ) -> Learner:
        """Bind the controller that moves next to `parameter`; then call `done` with the mapping.

        Returns the learner, whose ``wait`` gives the mapping.  Another call takes its place.

        Raises
        ------
        ConfigError
            There is no such parameter.
        """
        found = find_parameter(self._surface.parameters(), parameter)
        learner = Learner(found, done)
        with self._lock:
            self._learner = learner
        return learner

    def stop_learning(self) -> None:
        """Leave the learning mode without a mapping."""
        with self._lock:
            self._learner = None

    def _learn(self, kind: str, number: int, channel: int, value: int) -> bool:
        learner = self._learner
        if learner is None:
            return False
        mapping = learner.hear(kind, number, channel, value)
        if mapping is not None:
            with self._lock:
                if self._learner is not learner:
                    return True
                self._learner = None
            try:
                self.add(mapping)
            except RestyleError as error:  # the model was changed meanwhile
                self._say(f"learn {mapping.name}", str(error))
            else:
                learner.finish(mapping)
        return True

    # -- messages ---------------------------------------------------------------------------------

    def feed(self, data: Sequence[int], port: str = "") -> None:
        """Take the bytes of one message."""
        import mido

        self.counts["messages"] += 1
        try:
            message = mido.Message.from_bytes(list(data))
        except (ValueError, TypeError, IndexError, KeyError):
            self.counts["malformed"] += 1
            shown = " ".join(f"{b:02x}" for b in list(data)[:8] if isinstance(b, int))
            self._say(
                f"malformed {port}",
                f"a malformed MIDI message ({shown or 'empty'}) came from {port or 'the port'};"
                " it and others like it are ignored",
            )
            return
        self._handle(message, port)

    def _handle(self, message: Any, port: str) -> None:
        channel = getattr(message, "channel", 0) + 1
        if message.type == "control_change":
            number, value = message.control, message.value
            if self._learn("cc", number, channel, value):
                return
            done = self._move("cc", number, channel, port, value / 127)
            if number < _LSB:
                self._coarse[port, channel, number] = value
                done |= self._move("cc14", number, channel, port, value * 128 / 16383)
            elif number < 2 * _LSB:
                coarse = self._coarse.get((port, channel, number - _LSB), 0)
                fine = (coarse * 128 + value) / 16383
                done |= self._move("cc14", number - _LSB, channel, port, fine)
        elif message.type in ("note_on", "note_off"):
            velocity = message.velocity if message.type == "note_on" else 0
            if self._learn("note", message.note, channel, velocity):
                return
            done = self._move("note", message.note, channel, port, float(velocity > 0))
        elif message.type == "program_change":
            if self._learn("program", message.program, channel, 0):
                return
            done = self._move("program", message.program, channel, port, 1.0)
        else:
            return  # clock, active sensing and the like
        if not done:
            self.counts["unmapped"] += 1

    def _move(self, source: str, number: int, channel: int, port: str, position: float) -> bool:
        """Do what the mappings of a source say; return whether there was one."""
        found = [m for m in self._mappings if m.covers(source, number, channel, port)]
        for mapping in found:
            try:
                if self._hand.move(mapping, position):
                    self.counts["done"] += 1
            except RestyleError as error:
                self.counts["refused"] += 1
                self._say(f"refused {mapping}", f"{mapping.label} did nothing: {error}")
            except Exception as error:  # a surface's own fault must not end the thread
                self.counts["refused"] += 1
                self._say(f"failed {mapping}", f"{mapping.label} did nothing: {error!r}")
        return bool(found)

    def _say(self, kind: str, sentence: str) -> None:
        if kind not in self._said and len(self._said) < 1000:
            self._said.add(kind)
            self._report(sentence)
