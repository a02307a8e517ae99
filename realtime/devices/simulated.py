"""A device without a sound card: drives the very callback PortAudio would call.

It plays an array (a file, a generated signal) into the callback and records what comes back, paced
by the clock like a sound card or as fast as possible (virtual time).  The driving loop is native:
a Python thread lends its stack and does not hold the GIL.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..dsp.drift_record import Drift
from ..errors import DeviceError
from ..native import events, ring
from ..native.intrinsics import (
    call_stream,
    clock_address,
    load_acquire,
    monotonic_ns,
    sleep_address,
    sleep_ns,
)
from ..native.late_numba import njit
from ..stream.record import TAP_DRY, TAP_WET, view_stream
from ..stream.voice import WORKER, view_voice
from ..stream.worker import raise_priority
from .driven import POSITION, STOP, DrivenDevice

Array = npt.NDArray[np.float32]
HOLD = 2
NEVER = 1 << 62


@njit(nogil=True, error_model="numpy", cache=True)
def settle_worker(address, control, nanosleep):  # type: ignore[no-untyped-def]
    """Virtual time: wait until a voice's worker has answered every whole block it was given."""
    if address == 0:
        return
    v = view_voice(address)
    if v.mode != WORKER:
        return
    given = load_acquire(v.ring_in + 8 * ring.WRITTEN) - v.begun
    due = given // v.block_length * v.block_length + v.answered
    while control[STOP] == 0 and load_acquire(v.ring_out + 8 * ring.WRITTEN) < due:
        sleep_ns(nanosleep, 10_000)


@njit(nogil=True, error_model="numpy", cache=True)
def _wait_for_writer(s, control, nanosleep):  # type: ignore[no-untyped-def]
    """Virtual time: wait until whoever records has made room for another block."""
    for tap, bit in ((s.tap_dry, TAP_DRY), (s.tap_wet, TAP_WET)):
        while s.taps & bit and ring.write_available(tap) < s.max_block and control[STOP] == 0:
            sleep_ns(nanosleep, 200_000)
    while s.journal != 0 and events.room(s.journal) < 64 and control[STOP] == 0:
        sleep_ns(nanosleep, 200_000)


@njit(nogil=True, error_model="numpy", cache=True)
def _drive(callback, record, tapes, sizes, paced, lockstep, control, clock, nanosleep, begun):  # type: ignore[no-untyped-def]
    """Call `callback` over the tapes ``[input, output, in width, out width, samples, length]``.

    Tapes of `length` are played round and round until `samples` are through.  `begun` is when, by
    the monotonic clock, the first sample of the tape was due; 0 for now.
    """
    s = view_stream(record)
    position, k = control[POSITION], 0
    begin = begun if begun != 0 else monotonic_ns(clock)
    while position < tapes[4] and control[STOP] == 0:
        while position >= control[HOLD] and control[STOP] == 0:
            sleep_ns(nanosleep, 100_000)
        if control[STOP] != 0:  # one that is held and stopped plays no further block
            break
        place = position % tapes[5]
        n = min(sizes[k % sizes.shape[0]], tapes[5] - place)
        k += 1
        if paced:
            due = begin + int((position + n) / s.sample_rate * 1e9)
            now = monotonic_ns(clock)
            if due > now:
                sleep_ns(nanosleep, due - now)
        source = tapes[0] + 4 * place * tapes[2]
        target = tapes[1] + 4 * place * tapes[3]
        call_stream(callback, (source, target, n, 0, 0, record))
        position += n
        control[POSITION] = position
        if lockstep:
            settle_worker(s.voice, control, nanosleep)
            settle_worker(s.incoming, control, nanosleep)
            settle_worker(s.tail, control, nanosleep)
            _wait_for_writer(s, control, nanosleep)


class SimulatedDevice(DrivenDevice):
    """Plays `signal` through a stream callback and keeps what comes back.

    Parameters
    ----------
    signal : ndarray [shape=(channels, n), float32]
        What the "microphone" hears.
    sample_rate : int [Hz]
    block_size : int or sequence of int [samples]
        Size of each callback; a sequence is cycled through.
    paced : bool
        True: in real time, each block delivered when its last sample would have been recorded.
        False: virtual time, as fast as possible and without underruns.
    out_channels : int or None
        Those of `signal` when None.
    rounds : int
        How often the tape is played; each round is recorded over the one before.
    """

    def __init__(
        self,
        signal: Array,
        sample_rate: int,
        block_size: int | Sequence[int] = 128,
        *,
        paced: bool = False,
        out_channels: int | None = None,
        rounds: int = 1,
    ) -> None:
        super().__init__(np.array([0, 0, NEVER], dtype=np.int64))
        sizes = [block_size] if isinstance(block_size, int) else list(block_size)
        if not sizes or min(sizes) < 1:
            raise DeviceError(f"block size must be at least 1 sample, got {block_size}")
        signal = np.atleast_2d(np.asarray(signal, dtype=np.float32))
        if signal.shape[1] == 0:
            raise DeviceError("the simulated device was given no sound to play")
        self.name = "simulated device"
        self.drift: Drift | None = None
        self.sample_rate, self.paced = sample_rate, paced
        self.block_size = sizes[0] if len(set(sizes)) == 1 else None
        self.largest_block = max(sizes)
        self.in_channels = signal.shape[0]
        self.out_channels = out_channels or self.in_channels
        self.input_latency = self.output_latency = 0
        self.length = signal.shape[1]
        self._signal = signal
        self._sizes = np.array(sizes, dtype=np.int64)
        self._begun, self._rounds = 0, rounds

    def cross(self, channels: int, in_map: Sequence[int] | None = None) -> None:
        """Input and output have one clock."""

    def open(self, callback: int, record: int, lockstep: bool, tail: int = 0) -> None:
        """Lay out the tapes: the signal and, played once, silence to hear out the latency."""
        block = self.largest_block
        total = self.length + (tail if self._rounds == 1 else 0)
        total += -total % block if self.block_size else 0
        self._in: Array = np.zeros((total, self.in_channels), dtype=np.float32)
        self._in[: self.length] = self._signal.T
        self._out: Array = np.zeros((total, self.out_channels), dtype=np.float32)
        self._arguments = (callback, record, lockstep and not self.paced)

    def drive(self) -> None:
        """Play the tape."""
        callback, record, lockstep = self._arguments
        if self.paced:
            raise_priority()
        sides = (self._in, self._out)
        tapes = [a.ctypes.data for a in sides] + [a.shape[1] for a in sides]
        tapes += [self._total, self._in.shape[0]]
        _drive(
            callback,
            record,
            np.array(tapes, dtype=np.int64),
            self._sizes,
            self.paced,
            lockstep,
            self._control,
            clock_address(),
            sleep_address(),
            self._begun,
        )

    def hold(self, position: int | None) -> None:
        """Virtual time: wait before the first block that starts at `position` or later.

        None lets the sound run on.
        """
        self._control[HOLD] = NEVER if position is None else position

    def run_to(self, position: int) -> None:
        """Let the sound run and return when it waits at `position`, or has ended."""
        self.hold(position)
        while self.active and self.position < min(position, self._total):
            time.sleep(0.001)

    @property
    def position(self) -> int:
        """Samples played so far."""
        return int(self._control[POSITION])

    @property
    def _total(self) -> int:
        """Samples of all rounds."""
        return self._rounds * self._in.shape[0]

    def touch(self) -> None:
        """Touch the tape that is recorded on, so that memory does not grow with the sound."""
        self._out.fill(0.0)

    def played(self, begin: int, end: int) -> Array:
        """A part of the tape that was recorded on ``[channels, end - begin]`` (a copy)."""
        return self._out[begin:end].T.copy(order="C")

    @property
    def recording(self) -> Array:
        """What the "loudspeaker" played so far ``[channels, n]``, latency included (a copy).

        Of several rounds the whole tape: the end of it from the round before.
        """
        return self._out[: self.position].T.copy(order="C")
