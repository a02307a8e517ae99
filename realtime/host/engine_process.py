"""The engine process: owns the device, the callback and the models, and does as it is told.

Its main thread waits for operations, answers each, keeps the board up to date and runs the slow
side of the governor.  The sound never waits for it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

from ..errors import DeviceError, RestyleError
from ..session.editor import Desk
from ..session.lanes import UNKNOWN_BLOCK
from ..session.spec import DeviceSpec, Spec
from ..stages.plugin import PluginStage
from ..stream.transport import Transport
from ..stream.worker import lower_priority, raise_a_little, raise_priority
from .late_models import Relief
from .shared_memory import HEARTBEAT, LATENCY, METERS, MODE, PREFILL, RATE, Board
from .taps import Taps

TICK_SECONDS = 0.01
SWITCH_SECONDS = 1e-4  # how often Python's threads take turns: short, for the worker's sake


def main(board_name: str, pipe: Connection) -> None:
    """Run an engine process until the pipe closes; the target of a spawned process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the control process's to handle
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back until here
    sys.setswitchinterval(SWITCH_SECONDS)
    server = Server(Board(board_name), pipe)
    pipe.send(("ready", os.getpid(), server.prepare()))
    try:
        server.serve()
    except (EOFError, BrokenPipeError):
        pass  # the control process is gone
    finally:
        server.close()
        os._exit(0)  # nothing of Python's or PortAudio's exit may hang


class Server:
    """Answers operations; see :mod:`realtime.session.editor` for those a session understands.

    Besides them: ``open`` (``spec``), ``stats``, ``tap`` (``dry``, ``wet``: channels or 0),
    ``watch`` (``on``), ``listen`` (``on``), ``journal`` (``on``), ``log`` and ``quit``.
    """

    def __init__(self, board: Board, pipe: Connection) -> None:
        self.board, self.pipe = board, pipe
        self.desk: Desk | None = None
        self.relief: Relief | None = None
        self.taps = Taps(board)
        self._told = False
        self.quitting = False

    def prepare(self) -> list[str]:
        """Import, compile and touch everything before it is needed; say what is not permitted."""
        from ..devices.simulated import SimulatedDevice
        from ..session.session import Session
        from ..stream.callback import stream_callback
        from .practice import practise

        stream_callback()
        practise(Session, SimulatedDevice)
        return [*lock_memory(), *try_priority()]

    def serve(self) -> None:
        """Answer until told to quit."""
        raise_a_little()
        while not self.quitting:
            if self.pipe.poll(TICK_SECONDS):
                number, operation = self.pipe.recv()
                lower_priority()  # it may take long
                answer = self._answer(number, operation)
                raise_a_little()
                self.pipe.send(answer)
            self._tick()

    def close(self) -> None:
        """Stop the sound."""
        if self.desk is not None:
            with contextlib.suppress(Exception):
                self.desk.session.stop()

    def _answer(self, number: int, operation: dict[str, Any]) -> tuple[Any, ...]:
        try:
            name = operation["op"]
            own = getattr(self, f"_op_{name}", None)
            if own is not None:
                result = own(operation)
            else:
                result = self._need().do(operation)
        except RestyleError as error:
            return ("error", number, type(error).__name__, str(error))
        except Exception as error:  # a fault of ours: told, and the sound goes on
            return ("fault", number, type(error).__name__, str(error))
        return ("done", number, result)

    def _need(self) -> Desk:
        if self.desk is None:
            raise RestyleError("nothing plays yet")
        return self.desk

    # -- operations -----------------------------------------------------------------------------

    def _op_open(self, operation: dict[str, Any]) -> dict[str, Any]:
        spec = Spec.from_dict(operation["spec"])
        self.board.clear()
        device = make_device(spec.device)
        desk = Desk(
            spec, device, mark=self.board.status, record=self.board.record, events=self.board.events
        )
        board = self.board.status
        board[RATE], board[LATENCY] = device.sample_rate, desk.session.budget.declared
        self.desk = desk
        if operation.get("journal"):
            self.board.record[0]["journal"] = self.board.journal.address
        self._op_tap(operation.get("taps", {}))
        gc.collect()
        gc.freeze()
        gc.disable()
        desk.session.start()
        self.relief = Relief(desk)
        self._tick()
        return {**desk.describe(), "device": describe_device(device)}

    def _op_stats(self, operation: dict[str, Any]) -> dict[str, Any]:
        return self._need().session.stats()

    def _op_log(self, operation: dict[str, Any]) -> list[Any]:
        desk = self._need()
        desk.settle()
        return [tuple(change) for change in desk.log]

    def _op_describe(self, operation: dict[str, Any]) -> dict[str, Any]:
        return self._need().describe()

    def _op_tap(self, operation: dict[str, Any]) -> int:
        return self.taps.record(self._need().channels, operation)

    def _op_watch(self, operation: dict[str, Any]) -> None:
        self.taps.watch(self._need().channels, bool(operation.get("on")))

    def _op_listen(self, operation: dict[str, Any]) -> int:
        return self.taps.listen(self._need().channels, bool(operation.get("on")))

    def _op_states(self, operation: dict[str, Any]) -> dict[int, str]:
        slots = [s for c in self._need().session.path.chains for s in c.slots if s.present]
        return {s.identity: s.stage.save_state() for s in slots if isinstance(s.stage, PluginStage)}

    def _op_quit(self, operation: dict[str, Any]) -> None:
        self.quitting = True

    # -- every few milliseconds -------------------------------------------------------------------

    def _tick(self) -> None:
        status, desk = self.board.status, self.desk
        status[HEARTBEAT] += 1
        if desk is None:
            return
        session = desk.session
        voice = session.voice
        status[MODE] = voice.record["mode"]
        status[LATENCY], status[PREFILL] = session.budget.declared, voice.buffering
        meters = session.engine.meters()
        for i, name in enumerate(METERS):
            self.board.meters[i] = meters[name]
        self.board.hops[:] = session.engine.histogram("hop")
        self.board.calls[:] = session.memory.callback_histogram
        if session.pending:
            session.tidy()
        for notice in self.relief.look() if self.relief else ():
            self.pipe.send(("notice", notice))
        self._watch()

    def _watch(self) -> None:
        """Tell of a device or a worker that ended; once."""
        desk = self._need()
        worker = desk.session.worker
        for kind, error in (
            ("device", desk.session.device.error),
            ("worker", worker.error if worker else None),
        ):
            if error is not None and not self._told:
                self._told = True
                self.pipe.send(("lost", kind, str(error)))
        if not self._told and not desk.session.device.active:
            self._told = True
            self.pipe.send(("lost", "end", "the device has ended"))


def make_device(spec: DeviceSpec) -> Transport:
    """Open what `spec` names.

    Raises
    ------
    DeviceError
    """
    if spec.kind == "tape":
        from ..devices.shared_simulated import Tape, TapeDevice

        assert spec.tape is not None
        return TapeDevice(Tape(spec.tape))
    from ..devices.list import NO_INPUT, find_device
    from ..devices.one_card import PortAudioDevice
    from ..devices.two_cards import SplitDevice, same_clock

    one = (
        spec.input == NO_INPUT
        or spec.clocks == "one"
        or (
            spec.clocks == "auto"
            and same_clock(find_device(spec.input, "input"), find_device(spec.output, "output"))
        )
    )

    def opened(rate: int | None) -> Transport:
        kind = PortAudioDevice if one else SplitDevice
        return kind(
            spec.input,
            spec.output,
            sample_rate=rate,
            block_size=spec.block_size,
            channels=spec.channels,
        )

    if spec.sample_rate is not None or spec.preferred_rate is None:
        return opened(spec.sample_rate)
    try:
        return opened(spec.preferred_rate)
    except DeviceError:
        return opened(None)  # the device's own; the lane converts


def describe_device(device: Transport) -> dict[str, Any]:
    """What was opened, as plain data."""
    names = ("name", "sample_rate", "block_size", "in_channels", "out_channels", "paced")
    largest = int(getattr(device, "largest_block", UNKNOWN_BLOCK))
    sides = {n: getattr(device, f"{n}_name", device.name) for n in ("input", "output")}
    return {**{n: getattr(device, n) for n in names}, **sides, "largest_block": largest}


def try_priority() -> list[str]:
    """Whether threads may have real-time priority; what to do where they may not."""
    if not hasattr(os, "sched_setscheduler"):
        return []
    permitted: list[bool] = []
    trial = threading.Thread(target=lambda: permitted.append(raise_priority()))
    trial.start()
    trial.join()
    if permitted == [True]:
        return []
    return ["no real-time priority (raise 'ulimit -r', see restyle doctor): expect more drop-outs"]


def lock_memory() -> list[str]:
    """Keep the process's memory from being swapped out; say what the system does not permit."""
    if sys.platform != "linux":
        return []
    import ctypes
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    unlimited = resource.RLIM_INFINITY in (soft, hard) or os.geteuid() == 0
    current_and_future = 3
    if not unlimited or ctypes.CDLL(None).mlockall(current_and_future) != 0:
        return ["memory is not locked (raise 'ulimit -l' to let restyle do so)"]
    return []
