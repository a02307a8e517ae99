"""What test_jack.py runs in a process of its own: measure round trips on a running JACK server.

PortAudio must be loaded after the server is up, hence the process.  The device's two outputs are
connected to its own two inputs.  On the way between PortAudio and restyle's callback a *tap*
(machine code as well) puts a stimulus on output 0, so that the engine hears it at input 0 one
device round trip later, and keeps all that arrives: the stimulus at input 0 and, at input 1, what
the engine played on output 1.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import jack
import msgspec
import numpy as np
from numba import cfunc, types

from benchmarks.rig.whole_rig import rig
from realtime.devices.one_card import PortAudioDevice
from realtime.errors import RestyleError
from realtime.native.intrinsics import call_stream, view_f32, view_i64
from realtime.session.session import Session
from realtime.session.sound import Device, Setup, Sound

from ..graphs import fir_model, identity_spectrum
from ..signals import Array, noise
from ..sounds import model, path_of, sound

TRIES = 12
LENGTH = 20_000  # samples of the stimulus
QUIET = 8_000  # of it: silence behind an impulse
ROOM = 60 * 48_000  # samples kept; what is older is overwritten
JACK = "JACK Audio Connection Kit"

CALLBACK, RECORD, POSITION, GO, BEGIN, FLAGS, STIMULUS, HEARD, N_SLOTS = range(9)


def make_tap() -> Any:
    """The C callback PortAudio gets; its user data is a table of the slots above."""
    signature = types.intc(
        types.int64, types.int64, types.ulong, types.int64, types.ulong, types.int64
    )

    @cfunc(signature, nopython=True, error_model="numpy")
    def tap(source, target, frames, time_info, flags, table):  # type: ignore[no-untyped-def]
        t = view_i64(table, N_SLOTS)
        status = call_stream(t[CALLBACK], (source, target, frames, time_info, flags, t[RECORD]))
        n = types.int64(frames)
        heard = view_f32(t[HEARD], (ROOM, 2))
        stimulus = view_f32(t[STIMULUS], LENGTH)
        came = view_f32(source, (n, 2))
        goes = view_f32(target, (n, 2))
        if t[GO] == 1 and t[BEGIN] < 0:
            t[BEGIN] = t[POSITION]
        for i in range(n):
            at = t[POSITION] + i
            heard[at % ROOM, 0], heard[at % ROOM, 1] = came[i, 0], came[i, 1]
            k = at - t[BEGIN]
            goes[i, 0] = stimulus[k] if t[BEGIN] >= 0 and k < LENGTH else 0.0
        t[POSITION] += n
        t[FLAGS] |= types.int64(flags)
        return status

    return tap


class Tapped:
    """A device whose callback goes through the tap."""

    def __init__(self, device: PortAudioDevice, tap: Any, stimulus: Array) -> None:
        self._device, self._tap = device, tap
        self._stimulus = stimulus
        self.heard = np.zeros((ROOM, 2), dtype=np.float32)
        self.table = np.zeros(N_SLOTS, dtype=np.int64)
        self.table[BEGIN] = -1
        self.table[STIMULUS], self.table[HEARD] = stimulus.ctypes.data, self.heard.ctypes.data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    @property
    def block_size(self) -> int | None:
        """Of the device."""
        return self._device.block_size

    @block_size.setter
    def block_size(self, samples: int) -> None:
        self._device.block_size = samples

    def follow(self, block: int) -> bool:
        """The device does."""
        return self._device.follow(block)

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Input and output have one clock."""

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        self.table[CALLBACK], self.table[RECORD] = callback, record
        self._device.open(self._tap.address, self.table.ctypes.data, lockstep)


def connect(client: jack.Client) -> None:
    """Connect PortAudio's outputs to its inputs and to nothing else."""
    inputs = client.get_ports("PortAudio:.*", is_input=True)
    outputs = client.get_ports("PortAudio:.*", is_output=True)
    for port in [*inputs, *outputs]:
        for other in client.get_all_connections(port):
            client.disconnect(*((other, port) if port.is_input else (port, other)))
    for source, target in zip(outputs, inputs, strict=True):
        client.connect(source, target)


def stimulus() -> Array:
    """An impulse, silence, and noise to the end, in which a missed cycle cannot hide."""
    x = noise(LENGTH, level=0.25, seed=11)[0]
    x[:QUIET] = 0.0
    x[0] = 0.5
    return np.ascontiguousarray(x)


@contextmanager
def unhurried(client: jack.Client, session: Session) -> Iterator[None]:
    """Let the server wait for its clients, which a busy machine then cannot be too slow for.

    Not for a worker: it has the time between two callbacks, of which there is none left.
    """
    if session.stream.lane == "worker":
        yield
        return
    session.stream.path.set_deadline(0.0)
    insist(lambda: client.set_freewheel(True))
    try:
        yield
    finally:
        insist(lambda: client.set_freewheel(False))


def play_stimulus(session: Session, tapped: Tapped) -> int:
    """Play the stimulus to its end; return the position of its first sample."""
    tapped.table[GO] = 0
    time.sleep(0.05)
    tapped.table[BEGIN] = -1
    tapped.table[GO] = 1
    deadline = time.monotonic() + 60.0
    while tapped.table[BEGIN] < 0 or tapped.table[POSITION] < tapped.table[BEGIN] + LENGTH:
        session.stream.check()
        assert time.monotonic() < deadline, "the stream stands still"
        time.sleep(0.02)
    return int(tapped.table[BEGIN])


def round_trip(heard: Array, begin: int, tapped: Tapped) -> tuple[int, bool]:
    """The device's own round trip, and whether all of the stimulus came through it."""
    trip = int(np.abs(heard[0, begin : begin + QUIET]).argmax())
    came = heard[0, begin + trip : begin + LENGTH]
    return trip, np.array_equal(came, tapped._stimulus[: LENGTH - trip])


def insist(ask: Callable[[], None]) -> None:
    """Ask the server for something; a starved one may need to be asked again."""
    for _ in range(20):
        with suppress(jack.JackErrorCode):
            return ask()
        time.sleep(0.5)
    return ask()


def resize(
    client: jack.Client, tap: Any, setup: Setup, sizes: Sequence[int]
) -> list[dict[str, Any]]:
    """Change the server's period while one session plays; a measurement after each change."""
    device = PortAudioDevice(JACK, JACK, channels=2, block_size=setup.device.block_size)
    tapped = Tapped(device, tap, stimulus())
    session, found = Session(setup, tapped), []
    with session:
        connect(client)
        for size in sizes:
            insist(lambda n=size: setattr(client, "blocksize", n))
            deadline = time.monotonic() + 60.0
            while session.device.block_size != size:
                session.wait(0.1)
                assert time.monotonic() < deadline, f"blocks of {size} are not followed"
            for _ in range(TRIES):
                session.wait(0.5)  # stale sound is gone
                before = session.stream.memory.counters()["concealed_samples"]
                with unhurried(client, session):
                    begin = play_stimulus(session, tapped)
                # a server that waits for nobody may have played for longer than there is room
                heard = tapped.heard.take(range(begin, begin + LENGTH), axis=0, mode="wrap").T
                trip, clean = round_trip(heard, 0, tapped)
                late = session.stream.memory.counters()["concealed_samples"] - before
                if clean and not late:
                    break
            budget = session.stream.budget
            dry = np.zeros(LENGTH, dtype=np.float32)
            whole = budget.declared + 2 * trip  # to the engine, and from it to input 1
            dry[whole:] = tapped._stimulus[: LENGTH - whole]
            found.append(
                {
                    "clean": bool(clean and not late),
                    "lane": session.stream.lane,
                    "block_size": device.block_size,
                    "device_trip": trip,
                    "reported": budget.total("device"),
                    "declared": budget.declared,
                    "impulse_trip": int(np.abs(heard[1, :QUIET]).argmax()) - trip,
                    "dry_equal": bool(np.array_equal(heard[1], dry)),
                }
            )
    return found


def measure(
    client: jack.Client,
    device: PortAudioDevice,
    tap: Any,
    setup: Setup,
) -> dict[str, Any]:
    """One run, repeated while cycles are missed (that shows at input 0 or in the counters)."""
    for attempt in range(1, TRIES + 1):  # noqa: B007
        tapped = Tapped(device, tap, stimulus())
        session = Session(setup, tapped)
        session.stream.path.set_deadline(0.0)  # from the first hop on no stage rests
        with session:
            connect(client)
            with unhurried(client, session):
                begin = play_stimulus(session, tapped)
        assert begin + LENGTH < ROOM, "the stream began too long before the stimulus"
        heard = tapped.heard[: begin + LENGTH].T
        device_trip, clean = round_trip(heard, begin, tapped)
        counters = session.stream.memory.counters()
        # a model that was late for once rests: the machine was busy, and that is no bit's fault
        clean = clean and not session.stream.path.counters()["rested"]
        if clean and not counters["concealed_samples"]:
            break
    # what a path past any adapter makes of the very samples that arrived at input 0
    path = path_of(setup.sound)
    hops = heard.shape[1] // path.hop * path.hop
    wet = path.process_hops(np.ascontiguousarray(heard[:1, :hops]))[0]
    buffering = session.stream.budget.total("buffering")
    later = buffering + device_trip
    n = min(len(wet), heard.shape[1] - later)
    difference = np.abs(heard[1, later + begin : later + n] - wet[begin:n])
    dry = np.zeros(heard.shape[1], dtype=np.float32)
    whole = later + path.latency
    dry[whole:] = heard[0, : len(dry) - whole]
    impulse_begins = -1
    if setup.sound.stages and path.latency == 0:  # the first sample that is not as without it
        unstruck = np.ascontiguousarray(heard[:1, :hops])
        unstruck[0, begin + device_trip] = 0.0
        path.reset()
        without = path.process_hops(unstruck)[0]
        changed = heard[1, later + begin : later + n] != without[begin:n]
        impulse_begins = later + begin + int(changed.argmax())
    return {
        "clean": bool(clean),
        "attempts": attempt,
        "lane": session.stream.lane,
        "block_size": device.block_size,
        "blocks_seen": [counters["min_block"], counters["max_seen_block"]],
        "device_trip": device_trip,
        "reported": session.stream.budget.total("device"),
        "declared": session.stream.budget.declared,
        "impulse_trip": int(np.abs(heard[1, : begin + QUIET]).argmax()) - begin - device_trip,
        "impulse_begins": impulse_begins - begin - device_trip,
        "compared": int(n - begin),
        "difference": float(difference.max()),
        "level": float(np.abs(wet[begin:]).max()),
        "dry_equal": bool(np.array_equal(heard[1, begin:], dry[begin:])),
    }


def lose_server(pid: int) -> dict[str, Any]:
    """Kill the server under a running stream; return what the session says."""
    device = PortAudioDevice(JACK, JACK, channels=2)
    session = Session(Setup(device=Device(lane="inline")), device)
    try:
        with session:
            session.wait(0.3)
            os.kill(pid, signal.SIGKILL)
            session.wait(20.0)
    except RestyleError as error:
        callbacks = session.stream.memory.counters()["callbacks"]
        return {"error": type(error).__name__, "message": str(error), "callbacks": callbacks}
    return {"error": None}


def wait_for_server() -> jack.Client:
    """Return a client once the server is up, before PortAudio is loaded."""
    deadline = time.monotonic() + 20.0
    while True:
        try:
            return jack.Client("restyle-test", no_start_server=True)
        except jack.JackOpenError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def main() -> None:
    """Measure every subject; print the results as JSON."""
    arguments = json.loads(sys.argv[1])
    client = wait_for_server()
    if "kill" in arguments:
        client.close()
        print(json.dumps(lose_server(arguments["kill"])))
        return
    tap = make_tap()
    sounds: dict[str, Sound] = {
        "pass-through": sound(),
        "identity": sound(model(identity_spectrum())),
        "fir": sound(model(fir_model(np.array([1.0, 0.5, -0.25], dtype=np.float32)))),
    }
    sounds |= {p: sound(model(p)) for p in [*arguments["files"], *arguments["captures"]]}
    if arguments.get("rigs"):
        sounds["rig"] = rig(Path(arguments["rigs"]), arguments["captures"][0])
    if "sizes" in arguments:
        one = next(s for n, s in sounds.items() if Path(n).stem == arguments["subject"])
        one = msgspec.structs.replace(one, mix=arguments["mix"])
        settings = Device(
            lane=arguments["lane"], channels=1, block_size=arguments["block"], worker_blocks=4
        )
        print(json.dumps(resize(client, tap, Setup(one, settings), arguments["sizes"])))
        return
    device = PortAudioDevice(JACK, JACK, channels=2)
    results = {}
    for name, what in sounds.items():
        cases = {"inline": (device, "inline", 1.0), "dry": (device, "inline", 0.0)}
        if name == "identity":
            cases["worker"] = (device, "worker", 1.0)
            wanted = PortAudioDevice(JACK, JACK, channels=2, block_size=100)
            cases["asked for 100"] = (wanted, "inline", 1.0)
            assert "jack_bufsize 100" in wanted.note
        for case, (used, lane, mix) in cases.items():
            settings = Device(lane=lane, worker_blocks=4, channels=1)
            setup = Setup(msgspec.structs.replace(what, mix=mix), settings)
            results[f"{Path(name).stem}, {case}"] = measure(client, used, tap, setup)
    print(json.dumps(results))


if __name__ == "__main__":
    jack.set_error_function(lambda text: None)
    jack.set_info_function(lambda text: None)
    main()
