"""The plug-in's side of the shared memory in Python, as plain as can be: what the tests talk as."""

from __future__ import annotations

import ctypes
import os
import time

import numpy as np
import numpy.typing as npt

from realtime.devices.plugin_record import CAPACITY, EVENTS, PluginRecord, offset

Array = npt.NDArray[np.float32]
_SYSCALL = ctypes.CDLL(None).syscall


class PlugIn:
    """A host's plug-in that waits for every answer, as in an offline render."""

    def __init__(self, rate: int = 48000, max_block: int = 512) -> None:
        self.record = PluginRecord()
        self.record["owner"] = os.getpid()
        self.prepare(rate, max_block)

    def prepare(self, rate: int, max_block: int, offline: bool = True) -> None:
        record = self.record
        record["sample_rate"], record["max_block"] = rate, max_block
        record["offline"], record["begin"] = offline, record["written"]
        record["take"] += 1

    @property
    def latency(self) -> int:
        return self.record["max_block"] + self.record["latency"]

    def wait(self, seconds: float = 60.0) -> None:
        """Until the engine plays this take, and the sound that was restored last."""
        record, end = self.record, time.monotonic() + seconds
        while (
            record["taken"] != record["take"]
            or record["loaded"] != record.fields["wanted"]["serial"]
        ):
            assert time.monotonic() < end, "the engine does not begin"
            time.sleep(0.005)

    def turn(self, parameter: int, value: float) -> None:
        """Move a parameter from the next block on."""
        at = self.record["events_written"]
        self.record.fields["events"][at % EVENTS] = (self.record["written"], parameter, value)
        self.record["events_written"] = at + 1

    def push(self, x: Array) -> None:
        """Write a block and wake the engine."""
        record, n = self.record, x.shape[1]
        at = (record["written"] + np.arange(n)) % CAPACITY
        record.fields["input"][:, at] = x
        record["written"] += n
        _SYSCALL(202, ctypes.c_void_p(record.address + offset("written")), 1, 1, 0, 0, 0)

    def answers(self, begin: int, end: int, seconds: float = 60.0) -> Array:
        """What the engine made of these positions of the take."""
        record, first = self.record, self.record["begin"]
        until = time.monotonic() + seconds
        while record["answered"] < first + end:
            assert time.monotonic() < until, "the engine does not answer"
            time.sleep(0.0005)
        found: Array = record.fields["output"][:, (first + np.arange(begin, end)) % CAPACITY]
        return found

    def play(self, x: Array, sizes: list[int]) -> Array:
        """All of `x`, block by block, each answer waited for; what came back, latency included."""
        done, k, parts = 0, 0, []
        while done < x.shape[1]:
            n = min(sizes[k % len(sizes)], x.shape[1] - done)
            self.push(x[:, done : done + n])
            parts.append(self.answers(done, done + n))
            done, k = done + n, k + 1
        return np.concatenate(parts, axis=1)

    def close(self) -> None:
        self.record["closed"] = 1
        self.record.memory.release()
