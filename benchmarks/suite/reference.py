"""A fixed piece of native work that never changes: the yardstick of every run.

One call filters a block with :data:`TAPS` taps, :data:`REPEATS` times over: multiplications and
additions that the compiler makes vector code of, in 8 KiB of memory.  Dividing a figure by the
reference of the same round takes most of the machine, and of what else ran on it, out of it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from realtime.native.intrinsics import clock_address, monotonic_ns, sleep_address, sleep_ns

BLOCK, TAPS, REPEATS = 256, 64, 96
WARM_UP = 10  # calls that are not counted
PERIOD_NS = 1_333_333  # 64 samples at 48 kHz
TITLE = f"fixed native workload: {REPEATS} x FIR filter of {TAPS} taps on {BLOCK} samples"


@njit(nogil=True, error_model="numpy", cache=True, fastmath=True)
def _work(x, taps, y):  # type: ignore[no-untyped-def]
    for r in range(REPEATS):
        for i in range(BLOCK):
            total = np.float32(0.0)
            for k in range(TAPS):
                total += taps[k] * x[i + k]
            y[i] = total
        x[r] = np.float32(0.5) * y[r] + np.float32(0.1)  # so that no repetition can be left out


@njit(nogil=True, error_model="numpy", cache=True)
def _time(x, taps, y, times, period, clock, nanosleep):  # type: ignore[no-untyped-def]
    due = monotonic_ns(clock)
    for i in range(times.shape[0]):
        due += period
        now = monotonic_ns(clock)
        if period > 0 and due > now:
            sleep_ns(nanosleep, due - now)
        begin = monotonic_ns(clock)
        _work(x, taps, y)
        times[i] = monotonic_ns(clock) - begin


def _aligned(samples: int) -> npt.NDArray[np.float32]:
    """Zeros that begin at a cache line: where arrays happen to lie would change the speed."""
    raw = np.zeros(samples + 16, dtype=np.float32)
    start = (-raw.ctypes.data % 64) // 4
    return raw[start : start + samples]


def times_us(calls: int, *, paced: bool) -> npt.NDArray[np.float64]:
    """Durations of `calls` calls [microseconds], at once or one each :data:`PERIOD_NS`."""
    rng = np.random.default_rng(0)
    x, taps, y = _aligned(BLOCK + TAPS), _aligned(TAPS), _aligned(BLOCK)
    x[:] = rng.uniform(-1, 1, x.size)
    taps[:] = rng.uniform(-1, 1, TAPS) / TAPS
    times = np.zeros(calls + WARM_UP, dtype=np.int64)
    _time(x, taps, y, times, PERIOD_NS if paced else 0, clock_address(), sleep_address())
    return times[WARM_UP:] / 1000.0
