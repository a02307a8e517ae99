"""A running stream: voice, device and counters under one roof, changed while it plays.

::

    with Session(config, device, model) as session:
        session.set("mix", 0.5)
        session.swap(other_model)
        session.wait(10.0)
        print(session.stats())

One thread at a time may call a session's methods; the sound goes on beside it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..devices.simulated import SimulatedDevice
from ..engine.latency import LatencyBudget, LatencyPart
from ..errors import StreamError
from ..models.steppable import Steppable
from ..native.events import ANYONE, BYPASS, EventQueue
from ..stages.chain import Chain
from ..stream.callback import stream_callback
from ..stream.record import StreamMemory
from ..stream.transport import Transport
from .changes import CHANGE_SECONDS, Rack
from .config import StreamConfig
from .stats import callbacks_expected, stats


class Session(Rack):
    """One stream from device to device.

    Parameters
    ----------
    config : StreamConfig
    device : Transport
    model : Steppable or None
        With as many channels as `channels`; owned by the caller until another is swapped in.
    channels : int
        Engine channels.
    pre, post : Chain or None
        pedalboard chains; either one needs the worker lane.
    in_map, out_map : sequence of int, optional
        See :class:`realtime.stream.record.StreamMemory`.
    fixed_latency : int [samples], optional
        What restyle adds, whatever the model.
    record, events
        Shared memory to use, see :class:`realtime.stream.record.StreamMemory`.

    Attributes
    ----------
    engine : Engine
        The newest one.
    lane : str
        ``inline`` or ``worker``.
    lane_reason : str
        Why, in one sentence.
    budget : LatencyBudget

    Raises
    ------
    ConfigError
        Settings that contradict each other, such as an inline lane with Python stages.
    """

    def __init__(
        self,
        config: StreamConfig,
        device: Transport,
        model: Steppable | None = None,
        *,
        channels: int = 1,
        pre: Chain | None = None,
        post: Chain | None = None,
        in_map: Sequence[int] | None = None,
        out_map: Sequence[int] | None = None,
        fixed_latency: int | None = None,
        record: npt.NDArray[np.void] | None = None,
        events: EventQueue | None = None,
    ) -> None:
        super().__init__(config, device, channels, fixed_latency)
        cross = getattr(device, "cross", None)
        if cross is not None:  # the input device has a clock of its own
            cross(channels, in_map)
        self._now = self._build(model, pre, post, controls=config.controls)
        self.memory = StreamMemory(
            self._playing.voice,
            device.in_channels,
            device.out_channels,
            sample_rate=device.sample_rate,
            in_map=in_map,
            out_map=out_map,
            record=record,
            events=events,
            drift=device.drift,
        )
        self.voice.record["beat"] = self.memory.beat

    @property
    def budget(self) -> LatencyBudget:
        """Latency by part, in the order sound passes them; it follows live changes."""
        voice, path, device = self.voice, self.path, self.device
        ratio = float(voice.record["ratio"])

        def part(name: str, samples: int, kind: str) -> LatencyPart:
            return LatencyPart(name, round(samples / ratio), kind)

        buffering = "worker pre-fill" if self.lane == "worker" else "block adapter"
        inside = []
        if device.drift is not None:
            crossing = device.drift.target * device.sample_rate / device.drift.in_rate
            inside.append(LatencyPart("clock crossing", round(crossing), "buffering"))
        crossed = sum(p.samples for p in inside)
        inside += [part(buffering, voice.buffering, "buffering")]
        if path.pre is not None:
            inside.append(part("pre-chain", path.pre.latency, "algorithmic"))
        inside.append(part("model", path.engine.latency, "algorithmic"))
        if path.post is not None:
            inside.append(part("post-chain", path.post.latency, "algorithmic"))
        if voice.trip is not None:
            rest = voice.latency + crossed - sum(p.samples for p in inside)
            inside.append(LatencyPart("rate conversion", rest, "algorithmic"))
        first = LatencyPart("device input", device.input_latency, "device")
        last = LatencyPart("device output", device.output_latency, "device")
        return LatencyBudget(device.sample_rate, (first, *inside, last))

    # -- parameters -----------------------------------------------------------------------------

    def set(self, name: str, value: float, at: int | None = None) -> None:
        """Ask for a parameter value: a gain factor, ``mix``, ``bypass`` or a model control.

        Parameters
        ----------
        at : int [samples], optional
            Position of the stream from which it holds; by default as soon as may be.

        Raises
        ------
        ConfigError
            Unknown name, or a value outside the range.
        """
        time_ = -1 if at is None else at
        if name == "bypass":
            self._send(time_, ANYONE, BYPASS, float(value >= 0.5))
            return
        slot = self.engine.check(name, value)
        whom = ANYONE if slot < self.engine.fixed_slots else int(self.engine.lane["identity"])
        self._send(time_, whom, slot, value)

    def send(self, slot: int, value: float, at: int | None = None) -> None:
        """Send a parameter event for any slot, see :mod:`realtime.native.events`."""
        self._send(-1 if at is None else at, ANYONE, slot, value)

    def _send(self, at: int, whom: int, slot: int, value: float) -> None:
        end = time.monotonic() + CHANGE_SECONDS
        while not self.memory.events.push(at, whom, slot, value):
            if time.monotonic() > end:
                raise StreamError("parameter changes wait for a device that does not call")
            time.sleep(0.001)

    # -- running --------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the device and let sound through."""
        callback = int(stream_callback().address)
        if isinstance(self.device, SimulatedDevice):
            self.device.open(callback, self.memory.address, True, self.budget.declared)
        else:
            self.device.open(callback, self.memory.address, True)
        worker = self._playing.worker
        if worker is not None:
            worker.start()
        self._running = True
        self.device.start()

    def stop(self) -> None:
        """Stop device and workers; the counters stay readable."""
        self.device.stop()
        self._running = False
        for playable in {id(p): p for p in (self._playing, *(o for o, _ in self._old))}.values():
            if playable.worker is not None:
                playable.worker.stop()
        for model in self._owned:
            if model is not self.engine.model:
                model.close()
        self._owned = [m for m in self._owned if m is self.engine.model]

    def check(self) -> None:
        """Raise :class:`StreamError` if callback, worker or device ran into an error."""
        worker = self._playing.worker
        slots = [s.error for c in self.path.chains for s in c.slots]
        for error in (self.device.error, worker.error if worker else None, *slots):
            if error is not None:
                raise StreamError(f"the stream failed: {error}") from error
        if self.engine.lane["model_errors"] and self.engine.model is not None:
            raise StreamError(
                f"the model '{self.engine.model.card.name}' fails to run:"
                f" {self.engine.model.error}; the dry sound was played instead"
            )

    def wait(self, seconds: float | None = None) -> None:
        """Return after `seconds`, or when the device ends by itself.

        Raises
        ------
        StreamError
            What went wrong in callback, worker or device.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while self.device.active and (end is None or time.monotonic() < end):
            self.check()
            if self._old:
                self.tidy()
            left = 0.05 if end is None else max(0.0, min(0.05, end - time.monotonic()))
            time.sleep(left)
        self.check()

    def __enter__(self) -> Session:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- what happened --------------------------------------------------------------------------

    def callbacks_expected(self) -> float:
        """Callbacks due between the first and the last seen, by the clock and the sample rate."""
        return callbacks_expected(self.memory.counters(), self.device.sample_rate)

    def stats(self) -> dict[str, Any]:
        """Everything measured so far, as plain data; durations in microseconds."""
        return stats(self)
