"""A running stream: engine, lane, device and counters under one roof.

::

    with Session(config, device, model) as session:
        session.wait(10.0)
        print(session.stats())
"""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Any

import numpy as np

from .chain.stage import Chain
from .config import StreamConfig
from .dsp.meters import percentiles_us, total_seconds
from .engine import Engine
from .errors import ConfigError, StreamError
from .io.callback import stream_callback
from .io.simulated import SimulatedDevice
from .io.stream import StreamMemory
from .io.transport import Transport
from .io.worker import Worker
from .latency import LatencyBudget, LatencyPart, adapter_latency
from .models.steppable import Steppable
from .path import BlockPath

INLINE_LIMIT = 0.6  # share of a block's time the slowest measured callback may take
WARM_HOPS = 1000
UNKNOWN_BLOCK = 1024  # samples; assumed largest callback where sizes vary


class Session:
    """One stream from device to device.

    Parameters
    ----------
    config : StreamConfig
    device : Transport
    model : Steppable or None
        With as many channels as `channels`; owned by the caller.
    channels : int
        Engine channels.
    pre, post : Chain or None
        pedalboard chains; either one needs the worker lane.

    Attributes
    ----------
    engine : Engine
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
    ) -> None:
        self.config, self.device = config, device
        self.engine = Engine(
            model,
            channels=channels,
            sample_rate=device.sample_rate,
            block_size=device.block_size,
            mix=config.mix,
            input_gain=config.input_gain,
            output_gain=config.output_gain,
            controls=config.controls,
        )
        self.path = BlockPath(self.engine, pre, post)
        self._warm_up()
        self.lane, self.lane_reason = self._choose_lane()
        worker_prefill = self._worker_prefill() if self.lane == "worker" else None
        conceal = (worker_prefill or 0) + self.path.latency
        self.memory = StreamMemory(
            self.engine, device.in_channels, device.out_channels, worker_prefill,
            self.path.block_length, conceal,
        )  # fmt: skip
        self._worker = (
            Worker(self.memory, self.path, device.paced) if self.lane == "worker" else None
        )
        self._worker_prefill_samples = worker_prefill or 0
        self._started_at = 0.0

    # -- before the start -----------------------------------------------------------------------

    def _warm_up(self) -> None:
        """Compile, touch memory and measure blocks on quiet noise; then forget it all.

        Measured in the thread's own processor time: what other programs take away is no cost of
        ours, and the callback has a higher priority than they.
        """
        rng = np.random.default_rng(0)
        shape = (self.engine.channels, self.path.block_length)
        block = (1e-3 * rng.standard_normal(shape)).astype(np.float32)
        spent = []
        for _ in range(max(100, WARM_HOPS * self.engine.hop_length // shape[1])):
            fresh = block.copy()
            begin = time.thread_time_ns()
            self.path.process(fresh)
            spent.append(time.thread_time_ns() - begin)
        hops = shape[1] // self.engine.hop_length
        steady = spent[len(spent) // 4 :]  # the first ones compile and fill caches
        self._warm_us = float(np.quantile(steady, 0.999)) / 1000 / hops
        self.path.reset()

    def _choose_lane(self) -> tuple[str, str]:
        config, engine = self.config, self.engine
        python_stages = not self.path.native
        if config.lane == "inline" and python_stages:
            raise ConfigError(
                "the inline lane cannot run a pedalboard chain (it needs Python objects); choose"
                " --lane worker or auto, or leave --chain out"
            )
        if config.lane != "auto":
            return config.lane, "as asked"
        if python_stages:
            return "worker", "the chain needs Python objects"
        if not self.device.paced:
            return "inline", "virtual time: no deadline"
        block = self.device.block_size or engine.hop_length
        hops = math.ceil(block / engine.hop_length)
        need = hops * self._warm_us
        period = 1e6 * block / engine.sample_rate
        verdict = (
            f"{hops} hop(s) took {need:.0f} µs at p99.9, the limit is"
            f" {100 * INLINE_LIMIT:.0f} % of the block's {period:.0f} µs"
        )
        return ("inline" if need <= INLINE_LIMIT * period else "worker"), verdict

    def _worker_prefill(self) -> int:
        block, length = self.device.block_size, self.path.block_length
        largest = block or int(getattr(self.device, "largest_block", UNKNOWN_BLOCK))
        slack = max(largest, length) if block else length + largest
        return adapter_latency(length, block) + self.config.worker_blocks * slack

    @property
    def budget(self) -> LatencyBudget:
        """Latency by part, in the order sound passes them; it follows live changes."""
        path, engine, device = self.path, self.engine, self.device
        parts = [LatencyPart("device input", device.input_latency, "device")]
        if self.lane == "worker":
            parts.append(LatencyPart("worker pre-fill", self._worker_prefill_samples, "buffering"))
        else:
            parts.append(LatencyPart("block adapter", engine.prefill, "buffering"))
        if path.pre is not None:
            parts.append(LatencyPart("pre-chain", path.pre.latency, "algorithmic"))
        parts.append(LatencyPart("model", engine.latency, "algorithmic"))
        if path.post is not None:
            parts.append(LatencyPart("post-chain", path.post.latency, "algorithmic"))
        parts.append(LatencyPart("device output", device.output_latency, "device"))
        return LatencyBudget(engine.sample_rate, tuple(parts))

    # -- running --------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the device and let sound through."""
        callback = int(stream_callback().address)
        lockstep = self.lane == "worker"
        if isinstance(self.device, SimulatedDevice):
            self.device.open(callback, self.memory.address, lockstep, self.budget.declared)
        else:
            self.device.open(callback, self.memory.address, lockstep)
        if self._worker is not None:
            self._worker.start()
        self._started_at = time.monotonic()
        self.device.start()

    def stop(self) -> None:
        """Stop device and worker; the counters stay readable."""
        self.device.stop()
        if self._worker is not None:
            self._worker.stop()

    def check(self) -> None:
        """Raise :class:`StreamError` if callback, worker or device ran into an error."""
        errors = [self.device.error, self._worker.error if self._worker else None]
        for error in errors:
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
        """Callbacks due between the first and the last seen, by the clock and the sample rate.

        PortAudio's flags miss whole skipped cycles; elapsed time does not.
        """
        c = self.memory.counters()
        if c["callbacks"] < 2:
            return float(c["callbacks"])
        mean = c["samples"] / c["callbacks"]
        return 1.0 + (c["last_ns"] - c["first_ns"]) * 1e-9 * self.engine.sample_rate / mean

    def stats(self) -> dict[str, Any]:
        """Everything measured so far, as plain data; durations in microseconds."""
        c = self.memory.counters()
        expected = round(self.callbacks_expected()) if self.device.paced else c["callbacks"]

        def spread(histogram: Any) -> dict[str, float]:
            keys = ("p50", "p99", "p99_9")
            return dict(zip(keys, (round(v, 2) for v in percentiles_us(histogram)), strict=True))

        elapsed = (c["last_ns"] - c["first_ns"]) * 1e-9
        busy = total_seconds(self.memory.callback_histogram)
        return {
            "device": self.device.name,
            "sample_rate": self.engine.sample_rate,
            "block_size": self.device.block_size,
            "hop_length": self.engine.hop_length,
            "channels": self.engine.channels,
            "model": self.engine.model.card.name if self.engine.model else None,
            "lane": self.lane,
            "lane_reason": self.lane_reason,
            "latency": self.budget.to_dict(),
            "callbacks_expected": expected,
            "callbacks_seen": c["callbacks"],
            "callbacks_missed": max(0, expected - c["callbacks"]),
            "deadline_misses": c["deadline_misses"],
            "xruns": {
                k: c[k]
                for k in (
                    "input_underflows", "input_overflows", "output_underflows",
                    "output_overflows", "ring_underflows", "ring_overflows",
                    "concealed_samples", "dropped_samples",
                )
            },
            "callback_us": spread(self.memory.callback_histogram),
            "hop_us": spread(self.engine.histogram("hop")),
            "model_us": spread(self.engine.histogram("model")),
            "interval_us": spread(self.memory.gap_histogram),
            "cpu_percent": round(100 * busy / elapsed, 2) if elapsed > 0 else 0.0,
            "engine": self.engine.counters(),
            "meters": self.engine.meters(),
        }  # fmt: skip
