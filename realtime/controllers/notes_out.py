"""The notes that a player plays, sent to a MIDI output as they begin and end.

A thread looks into the memory that the audio thread writes (:mod:`realtime.parameters.heard`) every
two milliseconds.  No note is left hanging: where a player is bypassed, ends or is killed, its notes
end a quarter of a second later, and an output that is opened is told first that all notes are off.
JACK loses what a program sends in a cycle that came too late, so that every end is sent once more.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from ..errors import ControlError, RestyleError
from ..parameters.heard import PITCHES, ROWS, HeardNotes, Words, changes
from .midi_ports import POLL_SECONDS, go_first, new_output, output_names

VIRTUAL = "virtual"
LOOK_SECONDS = 0.002
CONNECT_SECONDS = 0.05  # until JACK passes on what is sent
NOTE_ON, NOTE_OFF, CONTROLLER = 0x90, 0x80, 0xB0  # on channel 1
ALL_NOTES_OFF = (CONTROLLER, 123, 0)
NONE: Words = np.zeros((ROWS, PITCHES), dtype=np.int64)


def find_output(wanted: str) -> str | None:
    """The whole name of an output by a part of it; None for one of restyle's own.

    Raises
    ------
    ControlError
        There is none or several, or MIDI cannot be had here.
    """
    if wanted == VIRTUAL:
        if sys.platform == "win32":
            raise ControlError(
                "Windows has no virtual MIDI ports of its own; install loopMIDI and name its port"
            )
        new_output().delete()
        return None
    names = output_names()
    found = [n for n in names if wanted.lower() in n.lower()]
    exact = [n for n in found if n == wanted]
    if len(exact or found) == 1:
        return (exact or found)[0]
    listed = ", ".join(found or names) or "none"
    if found:
        raise ControlError(f"several MIDI outputs are called '{wanted}': {listed}; name one whole")
    raise ControlError(
        f"there is no MIDI output '{wanted}'; there are: {listed}; '{VIRTUAL}' makes one that other"
        " programs can connect to"
    )


class NotesOut:
    """Sends notes to one output, from a thread of its own, until it is closed.

    Parameters
    ----------
    memory : callable
        As :class:`realtime.parameters.heard.HeardNotes` has it.
    wanted : str
        Part of an output's name, or :data:`VIRTUAL`.
    report : callable
        Takes a sentence when the output goes or comes back.
    poll_seconds : float
        Between two looks whether the output is still there.

    Raises
    ------
    ControlError
        As :func:`find_output`, or the output cannot be opened.
    """

    def __init__(
        self,
        memory: Callable[[], Words],
        wanted: str,
        report: Callable[[str], None] = lambda sentence: None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._name, self._report, self._poll_seconds = find_output(wanted), report, poll_seconds
        self._notes, self._before = HeardNotes(memory), NONE
        self._ended = set[int]()  # pitches, since the last look at the output
        self._port: Any = None
        try:
            self._open()
        except Exception as error:  # of the driver
            raise ControlError(f"MIDI output {wanted} cannot be opened: {error}") from None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="restyle-notes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the notes that sound, and the thread."""
        self._ending.set()
        self._thread.join()
        with suppress(Exception):
            self._show(NONE)
            time.sleep(LOOK_SECONDS)  # the driver's thread has it sent
        self._drop()

    def __enter__(self) -> NotesOut:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        self._port = port = new_output()
        if self._name is None:
            port.open_virtual_port("notes")
        else:
            port.open_port(port.get_ports().index(self._name), name="notes")
        time.sleep(CONNECT_SECONDS)
        port.send_message(ALL_NOTES_OFF)
        self._before = NONE

    def _drop(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with suppress(Exception):
                port.close_port()
                port.delete()

    def _run(self) -> None:
        go_first()
        due = time.monotonic() + self._poll_seconds
        while not self._ending.wait(LOOK_SECONDS):
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + self._poll_seconds
                    if self._name is not None:
                        self._follow(self._name)
                    self._end_again()
                self._look()
            except Exception as error:  # of the driver: tried again
                self._report(f"MIDI failed and goes on: {error!r}")
                self._ending.wait(self._poll_seconds)

    def _look(self) -> None:
        try:
            words = self._notes.look()
        except RestyleError:  # an engine is being replaced
            words = None
        if self._port is not None:
            self._show(NONE if words is None else words)

    def _show(self, words: Words) -> None:
        """Send what has changed."""
        before, self._before = self._before, words
        for pitch, velocity in changes(before, words):
            (self._ended.discard if velocity else self._ended.add)(pitch)
            self._port.send_message((NOTE_ON if velocity else NOTE_OFF, pitch, velocity))

    def _end_again(self) -> None:
        ended, self._ended = self._ended, set()
        if self._port is not None:
            for pitch in sorted(ended):
                self._port.send_message((NOTE_OFF, pitch, 0))

    def _follow(self, name: str) -> None:
        """Let go of an output that has gone; take it up when it is back."""
        there = name in output_names()
        if self._port is not None and not there:
            self._drop()
            self._report(f"MIDI output {name} is gone; it will be taken up when it comes back")
        elif self._port is None and there:
            self._open()
            self._report(f"MIDI output {name} is open")
