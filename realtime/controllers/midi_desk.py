"""MIDI for a panel: ports opened when first asked for, mappings learnt and taken out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from ..errors import ControlError, RestyleError, nearest
from ..parameters.mapping import MidiMapping
from ..parameters.parameter import find_parameter
from ..parameters.surface import Surface
from .bindings import Bindings
from .midi_ports import MidiInputs

RETRY_SECONDS = 10.0  # a system without MIDI is not asked more often


class MidiDesk:
    """Mappings of one surface and the ports that feed them.

    Parameters
    ----------
    surface : Surface
    mappings : iterable of MidiMapping
        From a session file.
    report : callable
        Takes a sentence when something happens.
    channels : iterable of int
        See :class:`realtime.controllers.bindings.Bindings`.

    Attributes
    ----------
    bindings : Bindings
    changes : int
        Grows with everything that changes :meth:`state`.
    """

    def __init__(
        self,
        surface: Surface,
        mappings: Iterable[MidiMapping] = (),
        report: Callable[[str], None] = lambda sentence: None,
        channels: Iterable[int] = (),
    ) -> None:
        self._surface, self._report = surface, report
        self.bindings = Bindings(surface, mappings, report, channels)
        self._inputs: MidiInputs | None = None
        self._lock = threading.Lock()
        self._learning: str | None = None
        self._tried, self._problem = 0.0, ""
        self.changes = 0

    def open(self) -> None:
        """Open the ports there are, if that has not been done.

        Raises
        ------
        ControlError
            MIDI cannot be had here, or could not some seconds ago.
        """
        with self._lock:
            if self._inputs is not None:
                return
            if self._problem and time.monotonic() - self._tried < RETRY_SECONDS:
                raise ControlError(self._problem)
            try:
                self._inputs = MidiInputs(self.bindings.feed_all, report=self._heard)
            except ControlError as error:
                self._tried, self._problem = time.monotonic(), str(error)
                raise

    def close(self) -> None:
        """Close them."""
        with self._lock:
            inputs, self._inputs = self._inputs, None
        if inputs is not None:
            inputs.close()

    def __enter__(self) -> MidiDesk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _heard(self, sentence: str) -> None:
        self.changes += 1
        self._report(sentence)

    def state(self) -> dict[str, Any]:
        """Ports, mappings and what is being learnt, as plain data."""
        problem = None
        try:
            self.open()
        except ControlError as error:
            problem = str(error)
        inputs = self._inputs
        return {
            "available": inputs is not None,
            "problem": problem,
            "ports": inputs.ports if inputs is not None else [],
            "channels": sorted(self.bindings.channels),
            "mappings": [
                {
                    "parameter": self._full(m),
                    "target": m.target,
                    "port": m.port,
                    "channel": m.channel,
                    "number": m.number,
                    "bank": m.bank,
                    "kind": m.source,
                    "mode": m.mode,
                    "switch": m.switch,
                }
                for m in self.bindings.mappings
            ],
            "learning": self._learning,
        }

    def learn(self, parameter: str | None = None, **target: Any) -> None:
        """Bind the controller that moves next; see :meth:`Bindings.learn`.

        Raises
        ------
        RestyleError
            There is no such parameter or target, or no MIDI here.
        """
        if parameter is not None:
            find_parameter(self._surface.parameters(), parameter)
        self.open()
        self.bindings.learn(parameter, self._learnt, **target)
        self._learning = parameter or str(next(iter(target.values())))
        self.changes += 1

    def listen_to(self, channels: Iterable[int]) -> None:
        """Listen to these MIDI channels (1..16) alone; to all where there are none.

        Raises
        ------
        ControlError
            There is no such channel.
        """
        found = frozenset(channels)
        if not found <= set(range(1, 17)):
            listed = ", ".join(map(str, sorted(found)))
            raise ControlError(f"MIDI channels are numbers within 1..16, got {listed}")
        self.bindings.channels = found
        self.changes += 1

    def _learnt(self, mapping: MidiMapping) -> None:
        self._learning = None
        self.changes += 1

    def stop_learning(self) -> None:
        """Leave the learning mode."""
        self.bindings.stop_learning()
        self._learning = None
        self.changes += 1

    def forget(self, name: str) -> None:
        """Take out all mappings of one parameter, style, preset, scene or action.

        Raises
        ------
        ControlError
            There is none.
        """
        found = [m for m in self.bindings.mappings if name in (m.name, self._full(m))]
        if not found:
            names = [self._full(m) for m in self.bindings.mappings]
            raise ControlError(f"no controller turns '{name}'{nearest(name, names)}")
        for mapping in found:
            self.bindings.remove(mapping)
        self.changes += 1

    def _full(self, mapping: MidiMapping) -> str:
        """The full name of what a mapping turns, such as ``1.warm`` for ``warm``."""
        if mapping.target == "parameter":
            with suppress(RestyleError):
                return find_parameter(self._surface.parameters(), mapping.name).name
        return mapping.name
