"""What all live connections are sent, made once: meters, spectrogram columns, the state.

Works only while somebody is connected.  Everything here runs in the server's event loop and takes
no lock of the engine's; what may take time is done in a thread.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..errors import RestyleError
from ..parameters.readings import given
from .console_protocol import Console
from .levels import FLOOR_DB, Level
from .spectrum import BANDS, Spectrum

FRAMES = 30.0  # a second
_SILENT = dict.fromkeys(
    ("input_peak_db", "input_rms_db", "output_peak_db", "output_rms_db"), FLOOR_DB
) | {"limiter_db": 0.0}
COLUMNS = 1  # message type of the spectrogram


@dataclass(frozen=True)
class Frame:
    """One thirtieth of a second.

    Attributes
    ----------
    number : int
    meters : str
        JSON text.
    columns : bytes
        Empty where nobody asked.
    state : dict
        As it is now; the same object while nothing changes.
    midi_changes : int
        See :class:`realtime.controllers.midi_desk.MidiDesk`.
    """

    number: int
    meters: str
    columns: bytes
    state: dict[str, Any]
    midi_changes: int


class Hub:
    """Makes a :class:`Frame` thirty times a second.

    Parameters
    ----------
    console : Console
    counts : Counter
        Refusals, for the meters.

    Attributes
    ----------
    clients, watchers : int
        Connections; those that asked for the spectrogram.
    """

    def __init__(self, console: Console, counts: Counter[str]) -> None:
        self._console, self._counts = console, counts
        self.clients = self.watchers = 0
        self._marks: tuple[object, ...] | None = None
        self._state: dict[str, Any] = {}
        self._levels = Level(), Level()
        self._spectra: tuple[Spectrum, Spectrum] | None = None
        self._frame: Frame | None = None
        self._number = 0
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._begin = time.monotonic()

    def join(self) -> None:
        """One more connection (in the event loop)."""
        self.clients += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, watching: bool) -> None:
        """One connection less."""
        self.clients -= 1
        self.watchers -= watching

    async def next(self, after: int) -> Frame:
        """The newest frame, once it is newer than number `after`."""
        while self._frame is None or self._frame.number <= after:
            await self._news.wait()
        return self._frame

    async def _run(self) -> None:
        """Make frames while there are connections."""
        while self.clients:
            self._frame, self._marks = None, None
            begun = asyncio.create_task(asyncio.to_thread(self._watch, True))
            due = time.monotonic()
            while self.clients:
                self._tick()
                due = max(due + 1.0 / FRAMES, time.monotonic() - 1.0)
                await asyncio.sleep(max(0.001, due - time.monotonic()))
            await begun
            await asyncio.to_thread(self._watch, False)
        self._task = None

    def _watch(self, on: bool) -> None:
        with suppress(RestyleError):  # the meters come from the engine then
            self._console.watch(on)

    def _tick(self) -> None:
        try:
            self._number += 1
            self._frame = self._make(self._number)
        except Exception:  # an engine is being replaced; meters are not worth a fault
            self._counts["failed"] += 1
            return
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _make(self, number: int) -> Frame:
        marks = self._console.marks()
        if self._marks is None or any(a is not b for a, b in zip(marks, self._marks, strict=True)):
            self._state, self._marks = self._console.state(), marks
        columns = self._listen()
        figures = self._console.figures()
        try:
            levels, notes = self._console.levels(), self._console.notes()
        except RestyleError:  # an engine is being replaced: what there is to tell is told
            levels, notes = _SILENT, None
        if self._spectra is None:  # nothing is copied here: the engine's own meters
            sides = [
                {
                    "peak_db": levels[f"{s}_peak_db"],
                    "rms_db": levels[f"{s}_rms_db"],
                    "clip": levels[f"{s}_peak_db"] > -0.0003,
                }
                for s in ("input", "output")
            ]
        else:
            sides = [level.to_dict() for level in self._levels]
        refused = [n for kind, n in self._counts.items() if kind.startswith("refused")]
        figures["counters"] |= {"refused": sum(refused), "throttled": self._counts["throttled"]}
        meters = {
            "type": "meters",
            "input": sides[0],
            "output": sides[1],
            "limiter_db": round(levels["limiter_db"], 2),
            "readings": {k: round(v, 3) for k, v in given(levels).items()},
            "notes": None if notes is None else sorted(notes.items()),
            **figures,
            "now": round(time.monotonic(), 3),
            "seconds": round(time.monotonic() - self._begin, 3),
        }
        text = json.dumps(meters, allow_nan=False)
        return Frame(number, text, columns, self._state, self._console.midi.changes)

    def _listen(self) -> bytes:
        """Take what was heard and played since the last frame."""
        heard = self._console.heard()
        if heard is None:
            self._spectra = None
            return b""
        rate = float(self._state.get("sample_rate") or 48_000)
        if self._spectra is None or self._spectra[0].sample_rate != rate:
            self._spectra = Spectrum(rate), Spectrum(rate)
        for x, level, spectrum in zip(heard, self._levels, self._spectra, strict=True):
            level.take(x, rate)
            spectrum.take(x)
        if not self.watchers:
            return b""
        sides = b"".join(s.column() for s in self._spectra)
        return bytes([COLUMNS, 1, BANDS]) + sides
