"""From MIDI messages to a surface: mappings, learning, presses, soft take-over.

Messages are taken in batches, as they have come since the last look.  Of a controller that has
moved often the last position is set, presses are counted, and of several presets the last is
loaded: a flood ends where it ended, and costs what one message costs.

Never raises on a message.  What is malformed, or cannot be done, is counted, and the first of each
kind is reported in one sentence.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from ..errors import ConfigError, RestyleError
from ..parameters.mapping import MidiMapping
from ..parameters.parameter import find_parameter
from ..parameters.surface import Surface
from .learn import Learner
from .midi_message import CC14, NOTE, NOTES_OFF, RESET, SOUND_OFF, Control, Malformed
from .midi_message import Reader as MessageReader
from .switches import Switch
from .takeover import Hand

PANIC_SECONDS = 1.0  # 16 channels of "all sound off" are one panic
_LOADS = ("style", "preset", "scene")
_MOST_ROUTES = 1000


class Bindings:
    """Mappings at work on one surface; one thread at a time feeds it, any thread may edit it.

    Parameters
    ----------
    surface : Surface
    mappings : iterable of MidiMapping
    report : callable
        Takes a sentence for the person; called in the thread that feeds.
    channels : iterable of int
        MIDI channels (1..16) that are listened to; all if empty.
    clock : callable
        Seconds that never run backwards.

    Attributes
    ----------
    counts : Counter
        ``messages``, ``malformed``, ``other_channels``, ``unmapped``, ``done`` and ``refused``.
    channels : frozenset of int
        As above.
    """

    def __init__(
        self,
        surface: Surface,
        mappings: Iterable[MidiMapping] = (),
        report: Callable[[str], None] = lambda sentence: None,
        channels: Iterable[int] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._surface, self._report, self._clock = surface, report, clock
        self._hand, self._reader = Hand(surface), MessageReader()
        self._mappings = tuple(mappings)
        self._lock = threading.Lock()
        self._learner: Learner | None = None
        self._said: set[str] = set()
        self._routes: dict[tuple[Any, ...], Sequence[MidiMapping]] = {}
        self._routed = self._mappings  # what the routes were made of
        self._switches: dict[MidiMapping, Switch] = {}
        self._sounding: set[MidiMapping] = set()  # set by a note that is held
        self._panicked = float("-inf")
        self.channels = frozenset(channels)
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
        self,
        parameter: str | None = None,
        done: Callable[[MidiMapping], None] = lambda mapping: None,
        **target: Any,
    ) -> Learner:
        """Bind the controller that moves next; then call `done` with the mapping.

        Parameters
        ----------
        parameter : str, optional
            What it will turn; else `target` is one of ``preset``, ``scene`` and ``action``.

        Returns the learner, whose ``wait`` gives the mapping.  Another call takes its place.

        Raises
        ------
        ConfigError
            There is no such parameter, or no such target.
        """
        found = None
        if parameter is not None:
            found = find_parameter(self._surface.parameters(), parameter)
            target["parameter"] = found.name
        if len(target) != 1 or not target.keys() <= {"parameter", "preset", "scene", "action"}:
            raise ConfigError("a controller learns one of parameter, preset, scene and action")
        learner = Learner(target, found, done)
        with self._lock:
            self._learner = learner
        return learner

    def stop_learning(self) -> None:
        """Leave the learning mode without a mapping."""
        with self._lock:
            self._learner = None

    def _learn(self, control: Control, now: float) -> bool:
        learner = self._learner
        if learner is None:
            return False
        mapping = learner.hear(control, now)
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
        self.feed_all((data,), port)

    def feed_all(self, messages: Iterable[Sequence[int]], port: str = "") -> None:
        """Take messages that have come by one port, in their order."""
        batch = _Batch()
        for data in messages:
            self.counts["messages"] += 1
            try:
                controls = self._reader.read(data, port)
            except (Malformed, TypeError):
                self._malformed(data, port)
                continue
            if not controls:
                continue  # clock, active sensing and the like
            if self.channels and controls[0].channel not in self.channels:
                self.counts["other_channels"] += 1
                continue
            now = self._clock()
            if self._learner is not None and self._learn(controls[0], now):
                continue
            if not self._take(controls, port, now, batch):
                self.counts["unmapped"] += 1
        self._carry_out(batch)

    def _malformed(self, data: Sequence[int], port: str) -> None:
        self.counts["malformed"] += 1
        shown = " ".join(f"{b:02x}" for b in list(data)[:8] if isinstance(b, int))
        self._say(
            f"malformed {port}",
            f"a malformed MIDI message ({shown or 'empty'}) came from {port or 'the port'};"
            " it and others like it are ignored",
        )

    def _take(self, controls: list[Control], port: str, now: float, batch: _Batch) -> bool:
        """Note what the controls of one message have to do; return whether there is anything."""
        # a controller and its fine part that are mapped as one are no plain ones
        fine = controls[-1].source == CC14 and self._covering(controls[-1], port)
        done = False
        for control in controls[1:] if fine else controls:
            if control.source in (SOUND_OFF, RESET, NOTES_OFF):
                if not done:  # no mapping of the plain controller of that number
                    batch.modes[control.source] = None
                    done = True
                continue
            for mapping in self._covering(control, port):
                done = True
                if mapping.target == "parameter" and mapping.mode == "set":
                    batch.moves.pop(mapping, None)
                    batch.moves[mapping] = control.position
                    if control.source == NOTE:
                        held = self._sounding.add if control.value else self._sounding.discard
                        held(mapping)
                elif self._is_press(mapping, control, now):
                    batch.press(mapping)
        return done

    def _covering(self, control: Control, port: str) -> Sequence[MidiMapping]:
        """The mappings of a control; those of a program that name its bank before the others."""
        source, number, channel, _, _, bank = control
        mappings = self._mappings
        if self._routed is not mappings or len(self._routes) > _MOST_ROUTES:
            self._routed, self._routes = mappings, {}
        key = source, number, channel, bank, port
        found = self._routes.get(key)
        if found is None:
            found = [m for m in mappings if m.covers(source, number, channel, port, bank)]
            found = self._routes[key] = [m for m in found if m.bank is not None] or found
        return found

    def _is_press(self, mapping: MidiMapping, control: Control, now: float) -> bool:
        if mapping.program is not None:
            return True
        switch = self._switches.get(mapping)
        if switch is None:
            switch = self._switches[mapping] = Switch(mapping.switch)
        if mapping.note is not None and control.value == 0 and mapping.switch is None:
            switch.press(0.0, now)
            return False  # a key that is let go is no press, however long it was held
        return switch.press(control.position, now)

    def _carry_out(self, batch: _Batch) -> None:
        for mode in batch.modes:
            self._mode(mode, batch)
        for mapping, position in batch.moves.items():
            self._do(mapping, functools.partial(self._hand.move, mapping, position))
        for mapping, presses in batch.presses.items():
            turns = mapping.target == "parameter"
            for _ in range(presses % 2 if turns else presses):
                self._do(mapping, functools.partial(self._hand.press, mapping))

    def _mode(self, mode: str, batch: _Batch) -> None:
        """Do what a channel mode message says."""
        if mode == RESET:
            self._reader.forget()
            return
        for mapping in self._sounding:
            batch.moves[mapping] = 0.0
        self._sounding.clear()
        now = self._clock()
        if mode == SOUND_OFF and now - self._panicked > PANIC_SECONDS:
            self._panicked = now
            with suppress(RestyleError):  # nothing plays just now
                self._surface.act("panic")

    def _do(self, mapping: MidiMapping, what: Callable[[], bool]) -> None:
        try:
            if what():
                self.counts["done"] += 1
        except RestyleError as error:
            self.counts["refused"] += 1
            self._say(f"refused {mapping}", f"{mapping.label} did nothing: {error}")
        except Exception as error:  # a surface's own fault must not end the thread
            self.counts["refused"] += 1
            self._say(f"failed {mapping}", f"{mapping.label} did nothing: {error!r}")

    def _say(self, kind: str, sentence: str) -> None:
        if kind not in self._said and len(self._said) < 1000:
            self._said.add(kind)
            self._report(sentence)


class _Batch:
    """What messages of one look have to do, in the order of the last of each."""

    def __init__(self) -> None:
        self.modes: dict[str, None] = {}
        self.moves: dict[MidiMapping, float] = {}
        self.presses: dict[MidiMapping, int] = {}

    def press(self, mapping: MidiMapping) -> None:
        """Count a press; of what is loaded the last of its kind alone counts."""
        if mapping.target in _LOADS:
            for other in [m for m in self.presses if m.target == mapping.target]:
                del self.presses[other]
            self.presses[mapping] = 1
        else:
            self.presses[mapping] = self.presses.pop(mapping, 0) + 1
