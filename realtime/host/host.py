"""The host: a session in an engine process of its own, changed by name and by operation.

::

    with Host(setup) as host:
        host.set("mix", 0.5)
        host.do(Insert(Stage(effect="Reverb", identity=host.new_identity())))
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import RestyleError
from ..native.ring import Ring
from ..session.session import Change
from ..session.sound import Setup
from .controls_link import Start
from .engine_link import EngineLost, Link, Starter, start_engine
from .front import Front
from .machine import State
from .notes import Notes
from .recorder import Recorder
from .shared_memory import LATENCY, RATE, Board
from .supervisor import Supervisor


class Host(Front):
    """Plays a session and keeps it playing; see :class:`realtime.host.supervisor.Supervisor`.

    Parameters
    ----------
    setup : Setup
    tell : Notes or callable, optional
        Takes one sentence about what happened (an engine restarted, a model moved ...), from
        another thread.
    standby, journal, taps, wait, start_child
        See :class:`realtime.host.supervisor.Supervisor`.
    """

    def __init__(
        self,
        setup: Setup,
        tell: Callable[[str], None] | None = None,
        *,
        standby: bool = True,
        journal: bool = False,
        taps: Iterable[str] = (),
        wait: bool = False,
        start_child: Starter = start_engine,
    ) -> None:
        self.notes = tell if isinstance(tell, Notes) else Notes(tell or (lambda text: None))
        self._tapped = set(taps)
        self._recorder: Recorder | None = None
        self._recording = threading.Lock()
        supervisor = self.supervisor = Supervisor(
            setup,
            self.notes,
            standby=standby,
            journal=journal,
            taps=self._tapped,
            wait=wait,
            start_child=start_child,
        )
        super().__init__(supervisor)
        supervisor.inbox.helpers = {"record": self._record, "end_recording": self._end_recording}
        supervisor.actions.on_switch = self._switch
        supervisor.recording = self._recording_now
        supervisor.launch()
        self.keep("journaled", journal)

    # -- life ----------

    def start(self) -> None:
        """Open the device and play.

        Raises
        ------
        RestyleError
            The session cannot be opened as asked.
        """
        self.supervisor.request("start")

    def start_controls(self, start: Start) -> Mapping[str, Any] | None:
        """Have MIDI, OSC and page run in a process of their own, which is kept alive.

        Returns
        -------
        mapping
            What it says once it is up; empty where it does not come up at once.

        Raises
        ------
        ControlError
            It refuses to begin as asked.
        """
        found: Mapping[str, Any] | None = self.supervisor.request("controls", start=start)
        return found

    def stop(self) -> None:
        """Stop the sound and all processes; the board stays readable."""
        with suppress(EngineLost):
            self.supervisor.request("stop")

    def close(self) -> None:
        """Stop, and end the recording there is."""
        self.stop()
        if self._recorder is not None:
            self._recorder.stop()
        with suppress(EngineLost):
            self.board.close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def link(self) -> Link:
        """The engine that plays, or is about to."""
        link = self.supervisor.crew.engine or self.supervisor.crew.fresh
        if link is None:
            raise EngineLost("there is no engine")
        return link

    @property
    def active(self) -> bool:
        """Whether there is, or will be, sound."""
        return self.view.state not in (State.ENDED, State.CLOSING, State.CLOSED)

    @property
    def starting(self) -> str:
        """What an engine that is to play next does just now; empty where there is none."""
        link = self.supervisor.crew.fresh
        return "" if link is None else link.progress

    def wait(self, seconds: float | None = None) -> None:
        """Return after `seconds`, or when the device ends by itself."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.active and (end is None or time.monotonic() < end):
            nap = 0.5 if self.view.state == State.RESTING else 0.05
            left = nap if end is None else max(0.0, min(nap, end - time.monotonic()))
            time.sleep(left)

    def changes(self) -> list[Change]:
        """The changes heard out so far."""
        found: list[Change] = self.supervisor.request("log")
        return found

    # -- recordings ----------

    @property
    def taps(self) -> dict[str, Ring]:
        """The rings of a recording, dry and wet."""
        return _rings(self.board)

    @property
    def recorder(self) -> Recorder | None:
        """The recording under way."""
        return self._recorder

    def record(self, files: Mapping[str, Path]) -> Recorder:
        """Record ``dry``, ``wet`` or both, aligned; stop it before :meth:`close`.

        From now on, or from the first sample on where the host was made with these ``taps``.

        Raises
        ------
        AudioFileError
            A file cannot be written.
        """
        self._record(files)
        assert self._recorder is not None
        return self._recorder

    def stop_recording(self) -> Recorder | None:
        """End the recording there is, write what waits, and return it."""
        recorder = self._recorder
        self._end_recording()
        return recorder

    def _record(self, files: Mapping[str, Path]) -> None:
        with self._recording:
            if set(files) != self._tapped:
                self.supervisor.request("want", tap=frozenset(files))
            self._tapped = set(files)
            board = self.board
            latency = int(board.status[LATENCY])
            try:
                self._recorder = Recorder(
                    {name: ring for name, ring in _rings(board).items() if name in files},
                    files,
                    int(board.status[RATE]),
                    skip={"wet": latency} if "dry" in files else None,
                    lost=_lost_by(board),
                    tell=self.notes,
                )
            except RestyleError:
                self._untap()
                raise

    def _end_recording(self) -> Mapping[str, Any] | None:
        with self._recording:
            recorder = self._recorder
            if recorder is None:
                return None
            recorder.stop()
            found = self._recording_now()
            self._recorder = None
            self._untap()
        return found

    def _untap(self) -> None:
        self._tapped = set()
        with suppress(RestyleError):  # an engine that has ended taps nothing
            self.supervisor.request("want", tap=frozenset())

    def _recording_now(self) -> Mapping[str, Any] | None:
        recorder = self._recorder
        if recorder is None:
            return None
        rate = recorder.sample_rate
        return {
            "seconds": {n: round(w / rate, 6) for n, w in recorder.written.items()},
            "gaps": recorder.gaps,
        }

    def _switch(self, old: Board, new: Board) -> None:
        recorder = self._recorder
        if recorder is not None:
            rings = {n: r for n, r in _rings(new).items() if n in recorder.written}
            recorder.switch(rings, _lost_by(new), lambda: silent_samples(old, new))


def _rings(board: Board) -> dict[str, Ring]:
    return {name: Ring.attach(board.part(name)) for name in ("dry", "wet")}


def _lost_by(board: Board) -> Callable[[], int]:
    return lambda: int(board.record[0]["tap_lost"])


def silent_samples(old: Board, new: Board) -> int | None:
    """Samples between the last block of one engine and the first of the next, by the clock.

    None as long as there is none of the next.
    """
    last, first = int(old.record[0]["last_ns"]), int(new.record[0]["first_ns"])
    if not first:
        return None
    if not last:
        return 0
    rate, record = float(new.record[0]["sample_rate"]), old.record[0]
    block = int(record["samples"]) / max(1, int(record["callbacks"]))
    return max(0, round((first - last) * 1e-9 * rate - block))
