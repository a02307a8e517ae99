"""rtmixer's way: a C callback moves samples between rings, a Python thread works in between.

The reserve is two blocks, twice that of restyle's worker lane.  When the playing ring runs dry
rtmixer ends the playback; the worker then drops what is stale, fills up and starts again.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.rig.loopback import device_index
from benchmarks.rig.python_host import PythonHost
from realtime.dsp.meters import N_BINS, count_duration
from realtime.stream.transport import Transport

RESERVE_BLOCKS = 2
POLL_S = 0.0005


class RingsAndWorker:
    """A contender of the glitch table, see :class:`benchmarks.rig.contenders.Contender`.

    `counts` counts the blocks that were processed; those that were dropped are missed.
    """

    def __init__(self, device: Transport, path: Path | None) -> None:
        import rtmixer

        self._block = int(device.block_size or 0)
        self._interval, self._callback = np.zeros((2, N_BINS), dtype=np.int64)
        self._slots = np.zeros(1, dtype=np.int64)
        self.counts = int(self._slots.ctypes.data)
        self._host, self._stopped, self.restarts = PythonHost(path, self._block), False, 0
        for _ in range(50):
            self._host.process(np.zeros(self._block, np.float32))
        index = device_index()
        self._stream = rtmixer.MixerAndRecorder(
            device=index, channels=1, blocksize=0, samplerate=device.sample_rate, latency="low"
        )
        size = 1 << (16 * self._block - 1).bit_length()
        self._heard, self._played = (rtmixer.RingBuffer(4, size) for _ in range(2))
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Start stream and worker."""
        self._stream.start()
        self._stream.record_ringbuffer(self._heard)
        self._thread.start()

    def stop(self) -> None:
        """Stop both."""
        self._stopped = True
        self._thread.join(10.0)
        self._stream.abort()
        self._stream.close()

    def _begin(self) -> Any:
        stale = self._heard.read_available
        self._heard.advance_read_index(stale)
        self._played.write(np.zeros(RESERVE_BLOCKS * self._block, np.float32))
        self.restarts += 1
        return self._stream.play_ringbuffer(self._played)

    def _work(self) -> None:
        play, last = self._begin(), time.monotonic_ns()
        block = np.zeros(self._block, np.float32)
        while not self._stopped:
            if play not in self._stream.actions:  # the ring ran dry
                self._played.advance_read_index(self._played.read_available)
                play = self._begin()
            if self._heard.read_available < self._block:
                time.sleep(POLL_S)
                continue
            begin = time.monotonic_ns()
            self._heard.readinto(block)
            self._played.write(np.ascontiguousarray(self._host.process(block), np.float32))
            self._slots[0] += 1
            count_duration(self._interval, begin - last)
            count_duration(self._callback, time.monotonic_ns() - begin)
            last = begin

    def histograms(self) -> dict[str, npt.NDArray[np.int64]]:
        """Between blocks, and of a block's work."""
        return {"interval": self._interval.copy(), "callback": self._callback.copy()}

    def flags(self) -> dict[str, int]:
        """How often the playback ended."""
        return {"restarts": self.restarts}
