"""The engine process: owns the device, the callback and the models, and does as it is told.

Its main thread makes the changes, one after the other, however long they take (plug-ins have to be
loaded there).  A second thread, the pulse, reads the pipe, keeps the board up to date and answers
what takes no time.  The sound waits for neither.

Messages to it are ``(number, kind, body)``; see :data:`AT_ONCE` and :data:`IN_TURN` for the kinds.
From it come ``("done", number, result)``, ``("error", number, type, text)`` and ``("fault", number,
text)`` as answers, and unasked ``("ready", warnings)``, ``("progress", number, text)``,
``("changed", setup, now)``, ``("notice", dict)`` and ``("lost", kind, text)``.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from ..devices.monitor import Monitor
from ..devices.plugin_device import PluginDevice
from ..errors import DeviceError, RestyleError
from ..native.cache import watched
from ..native.spared import without_scipy
from ..parameters.readings import READINGS
from ..session.session import Session
from ..session.sound import Setup
from ..session.stats import stats
from ..signals import ignore_endings
from ..stages.plugin import PluginStage
from ..stream.callback import stream_callback
from ..stream.worker import lower_priority, raise_a_little
from .engine_device import describe_device, make_device, make_monitor
from .feedback import Listener
from .late_models import LateModels
from .permissions import lock_memory, try_priority
from .plugin_link import PluginLink
from .practice import practise
from .progress import Cancelled
from .shared_memory import HEARTBEAT, LATENCY, METERS, MODE, PREFILL, RATE, WORK, Board
from .tally import count_missed
from .taps import Taps

TICK_SECONDS = 0.02
HOUSEKEEPING_SECONDS = 0.02
IDLE_SECONDS = 0.5  # instead of both while it stands by
CALM_SECONDS = 0.1  # while a DAW brings nothing: many engines may wait so, one for each plug-in
CALM_AFTER_SECONDS = 1.0
EXIT_SECONDS = 2.0  # what the device gets to stop in
SWITCH_SECONDS = 1e-4  # how often Python's threads take turns: short, for the worker's sake
AT_ONCE = ("stats", "tap", "watch", "listen", "monitor", "cancel", "quit")
IN_TURN = ("open", "edit", "states", "log")

Body = Mapping[str, Any]


def main(board_name: str, pipe: Connection) -> None:
    """Run an engine process until the pipe closes; the target of a spawned process."""
    without_scipy()
    ignore_endings()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        board = Board(board_name)
    except OSError:  # the supervisor has gone already
        os._exit(0)
    server = Server(board, pipe)
    server.start()
    try:
        server.serve()
    finally:
        server.exit()


class Server:
    """One engine process's two threads.

    Parameters
    ----------
    board : Board
    pipe : Connection
        To the supervisor.
    """

    def __init__(self, board: Board, pipe: Connection) -> None:
        self.board, self.pipe = board, pipe
        self.session: Session | None = None
        self.late: LateModels | None = None
        self.feedback: Listener | None = None
        self.monitor: Monitor | None = None
        self.plugin: PluginLink | None = None
        self.taps = Taps(board)
        self._sending = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[int, str, Body]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._number: int | None = None  # of the message that is being worked on
        self._told_lost, self._declared = False, -1
        self._calls, self._called = -1, 0.0  # what a plug-in's device has called, and when last
        self._exiting = threading.Lock()
        self._pulse = threading.Thread(target=self._beat, name="restyle-pulse", daemon=True)

    def start(self) -> None:
        """Start the pulse."""
        self._pulse.start()

    def tell(self, *message: Any) -> None:
        """Send a message; without a supervisor there is nothing left to do."""
        try:
            with self._sending:
                self.pipe.send(message)
        except (OSError, ValueError):
            self.exit()

    def exit(self) -> None:
        """Stop the sound and end the process; nothing of Python's or PortAudio's exit may hang."""
        self._exiting.acquire()  # never given back
        with contextlib.suppress(Exception):
            late = threading.Timer(EXIT_SECONDS, os._exit, (0,))
            late.daemon = True
            late.start()
        session = self.session
        with contextlib.suppress(Exception):
            if session is not None:
                session.stop()
            if self.monitor is not None:
                self.monitor.stop()
        os._exit(0)

    # -- the main thread: one job after the other ----------

    def serve(self) -> None:
        """Get ready, then do what is asked."""
        with watched(self._progress):
            self._progress("loading")
            self.tell("ready", self._prepare())
        raise_a_little()
        while True:
            try:
                number, kind, body = self._jobs.get(timeout=self._pause(HOUSEKEEPING_SECONDS))
            except queue.Empty:
                self._keep_house()
                continue
            self._number = number
            if not self._is_urgent(body):  # it may take long
                lower_priority()
            with watched(self._progress):
                answer = self._answer(number, kind, body)
            raise_a_little()
            self._number = None
            self.tell(*answer)

    def _pause(self, usual: float) -> float:
        """Seconds until it looks again by itself; what is asked wakes it at any time."""
        session = self.session
        if session is None:
            return IDLE_SECONDS
        if self.plugin is None:
            return usual
        calls, now = int(session.stream.memory.record["callbacks"]), time.monotonic()
        if calls != self._calls:
            self._calls, self._called = calls, now
        return CALM_SECONDS if now - self._called > CALM_AFTER_SECONDS else usual

    def _is_urgent(self, body: Body) -> bool:
        if "operation" in body and self.session is not None:
            return self.session.is_loaded(body["operation"])
        return bool(body.get("urgent"))

    def _prepare(self) -> list[str]:
        """Import, compile and touch everything before it is needed; say what is not permitted."""
        stream_callback()
        practise()
        return [*lock_memory(), *try_priority()]

    def _progress(self, text: str) -> None:
        """Tell how far it is.

        Raises
        ------
        Cancelled
            What is being done is not wanted any more.
        """
        if self._number is not None and self._number in self._cancelled:
            raise Cancelled("cancelled")
        self.tell("progress", self._number, text)

    def _answer(self, number: int, kind: str, body: Body) -> tuple[Any, ...]:
        try:
            if number in self._cancelled:
                raise Cancelled("cancelled")
            if kind not in (*AT_ONCE, *IN_TURN):
                raise RestyleError(f"an engine does not know '{kind}'")
            result = getattr(self, f"_do_{kind}")(body)
        except RestyleError as error:
            return ("error", number, type(error).__name__, str(error))
        except Exception as error:  # a fault of ours: told, and the sound goes on
            return ("fault", number, f"{type(error).__name__}: {error}")
        finally:
            self._cancelled.discard(number)
        return ("done", number, result)

    def _need(self) -> Session:
        if self.session is None:
            raise RestyleError("nothing plays yet")
        return self.session

    def _now(self, session: Session) -> tuple[Setup, dict[str, Any]]:
        """What plays, after whatever change."""
        self._declared = session.stream.budget.declared
        counts = list(session.stream.path.counters())
        device = describe_device(session.device, self.monitor)
        return session.now(), {**session.describe(), "device": device, "counts": counts}

    def _do_open(self, body: Body) -> tuple[Setup, dict[str, Any]]:
        setup: Setup = body["setup"]
        self.board.clear()
        self._progress("opening the device")
        device = make_device(setup.device)
        session = Session(
            setup,
            device,
            mark=self.board.status,
            record=self.board.record,
            events=self.board.events,
            progress=self._progress,
            heard=self.board.heard,
        )
        board = self.board.status
        board[RATE], board[LATENCY] = device.sample_rate, session.stream.budget.declared
        if body["journal"]:
            self.board.record[0]["journal"] = self.board.journal.address
        self.taps.record(session.channels, body["tap"])
        gc.collect()
        gc.freeze()
        gc.disable()
        session.start()
        self.taps.watch(session.channels, body["watch"])
        self.taps.listen(session.channels, body["listen"])
        protection = session.stream.memory.protection
        self.feedback = (
            Listener(protection) if protection is not None and device.in_channels else None
        )
        self._open_monitor(session, body["first"])
        if isinstance(device, PluginDevice):
            self.plugin = PluginLink(session, device)
        self.late, self.session = LateModels(session), session
        return self._now(session)

    def _open_monitor(self, session: Session, must: bool) -> None:
        """Let another device play along, where one is named.

        Raises
        ------
        DeviceError
            It cannot be had, and it `must`; else that is told and the stream goes on.
        """
        self._close_monitor()
        try:
            self.monitor = make_monitor(session.setup.device, session.device, session.channels)
        except DeviceError as error:
            if must:
                session.stop()
                raise
            self.tell("notice", {"note": f"there is no monitor: {error}"})
        if self.monitor is not None:
            self.board.record[0]["monitor"] = self.monitor.drift.address

    def _close_monitor(self) -> None:
        monitor, self.monitor = self.monitor, None
        if monitor is not None:
            self.board.record[0]["monitor"] = 0
            self.taps.pass_a_callback()
            monitor.stop()

    def _do_edit(self, body: Body) -> tuple[Setup, dict[str, Any]]:
        session = self._need()
        session.do(body["operation"])
        return self._now(session)

    def _do_log(self, body: Body) -> list[Any]:
        session = self._need()
        session.settle()
        return list(session.log)

    def _do_states(self, body: Body) -> dict[int, str]:
        return {
            slot.identity: slot.stage.save_state()
            for slot in self._need().stream.path.slots()
            if slot.present and isinstance(slot.stage, PluginStage)
        }

    def _keep_house(self) -> None:
        """Free what has ceased to sound; make room for late models; tell of what changed so."""
        session = self.session
        if session is None:
            return
        if session.stream.pending:
            session.stream.tidy()
        if self.plugin is not None and self.plugin.look():
            self.tell("changed", *self._now(session))
        self._follow(session)
        notices = self.late.look() if self.late else []
        if notices or session.stream.budget.declared != self._declared:
            self.tell("changed", *self._now(session))
        for notice in notices:
            self.tell("notice", notice)
        self._load_next(session)

    def _load_next(self, session: Session) -> None:
        """Load one of the sounds that are kept beside the one that plays; changes go before."""
        if session.all_loaded:
            return
        session.interrupted = lambda: not self._jobs.empty()
        if not session.only_resets:  # that is done in milliseconds, and may be wanted again soon
            lower_priority()
        session.load_next()
        raise_a_little()
        self.tell("changed", *self._now(session))

    def _follow(self, session: Session) -> None:
        """Fit the path to blocks of another size, and tell of it."""
        try:
            if not session.follow():
                return
            text = f"the device now brings {session.device.block_size} samples at a time"
            self._open_monitor(session, False)
        except RestyleError as error:
            text = f"nothing fits the device's new block size: {error}"
        self.tell("changed", *self._now(session))
        self.tell("notice", {"note": text})

    # -- the pulse: never waits for the main thread ----------

    def _beat(self) -> None:
        raise_a_little()
        work = _work_clock()
        while True:
            try:
                busy = self._number is not None
                if self.pipe.poll(TICK_SECONDS if busy else self._pause(TICK_SECONDS)):
                    number, kind, body = self.pipe.recv()
                    if kind in AT_ONCE:
                        self.tell(*self._answer(number, kind, body))
                    else:
                        self._jobs.put((number, kind, body))
            except (EOFError, OSError):  # the supervisor is gone
                self.exit()
            self.board.status[HEARTBEAT] += 1
            self.board.status[WORK] = work()
            with contextlib.suppress(Exception):  # a change is being made just now
                self._write_board()
                self._listen_for_feedback()
            self._watch()

    def _write_board(self) -> None:
        if self.session is None:
            return
        status, stream = self.board.status, self.session.stream
        voice, path = stream.voice, stream.path
        status[MODE] = voice.record["mode"]
        status[LATENCY], status[PREFILL] = stream.budget.declared, voice.buffering
        meters = path.meters()
        for i, name in enumerate(METERS):
            self.board.meters[i] = meters[name]
        readings = path.readings()
        self.board.readings[:] = [readings.get(name, math.nan) for name in READINGS]
        counts = list(path.counters().values())
        self.board.engine[: len(counts)] = counts
        if stream.device.paced:
            count_missed(self.board)
        self.board.hops[:] = path.histogram
        self.board.calls[:] = stream.memory.callback_histogram

    def _listen_for_feedback(self) -> None:
        said = self.feedback.listen() if self.feedback is not None else None
        if said is not None:
            self.tell("notice", {"note": said})

    def _watch(self) -> None:
        """Tell of a device or a worker that ended; once."""
        session = self.session
        if session is None or self._told_lost:
            return
        worker, device = session.stream.worker, session.device
        for kind, error in (("device", device.error), ("worker", worker.error if worker else None)):
            if error is not None and not self._told_lost:
                self._told_lost = True
                self.tell("lost", kind, str(error))
        if self.monitor is not None and self.monitor.error is not None:
            self.tell("notice", {"note": f"there is no monitor any more: {self.monitor.error}"})
            self.monitor = None
        if not self._told_lost and not device.active:
            self._told_lost = True
            self.tell("lost", "end", "the device has ended")

    def _do_stats(self, body: Body) -> dict[str, Any]:
        return stats(self._need().stream)

    def _do_tap(self, body: Body) -> int:
        return self.taps.record(self._need().channels, body)

    def _do_watch(self, body: Body) -> None:
        self.taps.watch(self._need().channels, bool(body["on"]))

    def _do_listen(self, body: Body) -> int:
        return self.taps.listen(self._need().channels, bool(body["on"]))

    def _do_monitor(self, body: Body) -> None:
        if self.monitor is not None:
            self.monitor.turn(float(body["gain_db"]))

    def _do_cancel(self, body: Body) -> None:
        self._cancelled.add(int(body["which"]))

    def _do_quit(self, body: Body) -> None:
        self.exit()


def _work_clock() -> Any:
    """Reads the processor time of the main thread, else of the whole process [ns]."""
    ident = threading.main_thread().ident
    if hasattr(time, "pthread_getcpuclockid") and ident is not None:
        clock = time.pthread_getcpuclockid(ident)
        return lambda: time.clock_gettime_ns(clock)
    return time.process_time_ns
