"""A device's clock, filtered: when its callbacks were due, and how long its samples last.

Callbacks come late by what the scheduler pleases.  A second-order delay-locked loop (F. Adriaensen,
"Using a DLL to filter time", LAC 2005) follows count and time stamp of each callback; its bandwidth
starts wide and narrows.  A stamp far beyond the usual lateness is left out; when such stamps
persist, the device lost time for good and the loop steps there.

One thread owns a clock and shows it to one other through a sequence lock (a few words, each stored
with release and loaded with acquire ordering): nobody ever waits.
"""

from __future__ import annotations

import numpy as np

from ..native.intrinsics import load_acquire, pointer_to, store_release, view_i64
from ..native.late_numba import carray, njit

FIRST_HZ, STEADY_HZ, HALVING_S = 2.0, 0.03, 2.0  # bandwidth: at the start, at last, and between
USUAL = 8.0  # a stamp off by so many times the mean error is not believed,
LEAST_NS, MOST_NS = 300_000.0, 5_000_000.0  # within these bounds,
PATIENCE_NS = 100_000_000  # unless there was none but such for so long
_FRACTION = float(1 << 32)  # periods are shown in 2**-32 ns

# int64 slots of what is shown, on a cache line of its own
SEQUENCE, COUNT, TIME, PERIOD, BREAK, SUSPECT, SHOWN_SIZE = 8, 9, 10, 11, 12, 13, 24

CLOCK = np.dtype(
    [(n, np.int64) for n in ("started", "count", "ns", "suspect_ns", "steps", "outliers", "shown")]
    + [(n, np.float64) for n in ("part_ns", "period_ns", "age_s", "noise_ns", "nominal_ns")]
)
"""``ns + part_ns``: filtered time of sample ``count``; ``period_ns``: of one sample."""

_pointer_clock = pointer_to(CLOCK)


@njit(inline="always")
def view_clock(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_clock(address), 1)[0]


@njit(nogil=True, error_model="numpy", cache=True)
def restart(k, count, now):  # type: ignore[no-untyped-def]
    """Believe this one stamp; keep the period if there was one."""
    if k.started == 0:
        k.period_ns, k.age_s, k.noise_ns = k.nominal_ns, 0.0, MOST_NS / USUAL
    k.count, k.ns, k.part_ns, k.started, k.suspect_ns = count, now, 0.0, 1, 0


@njit(nogil=True, error_model="numpy", cache=True)
def tick(k, count, now):  # type: ignore[no-untyped-def]
    """Take the stamp of one callback.

    Parameters
    ----------
    k : record
        :data:`CLOCK`.
    count : int [samples]
        Of the device so far, at the moment `now`; absolute.
    now : int [ns]
        Monotonic clock when the callback began, or the device's own time stamp.
    """
    if k.started == 0:
        restart(k, count, now)
        return
    n = count - k.count
    if n <= 0:
        return
    span = n * k.period_ns
    whole = int(span)
    k.count = count
    k.ns += whole
    k.part_ns += span - whole
    error = float(now - k.ns) - k.part_ns
    if abs(error) > min(MOST_NS, max(LEAST_NS, USUAL * k.noise_ns)):
        k.outliers += 1
        k.suspect_ns += whole
        if k.suspect_ns < PATIENCE_NS:
            return
        k.steps += 1
        restart(k, count, now)
        return
    k.suspect_ns = 0
    seconds = span * 1e-9
    bandwidth = max(STEADY_HZ, FIRST_HZ * 2.0 ** (-k.age_s / HALVING_S))
    k.age_s += seconds
    k.noise_ns += (abs(error) - k.noise_ns) * min(1.0, seconds)
    omega = min(2.0 * np.pi * bandwidth * seconds, 0.5)
    k.part_ns += np.sqrt(2.0) * omega * error
    k.period_ns += omega * omega * error / n
    whole = int(np.floor(k.part_ns))
    k.ns += whole
    k.part_ns -= whole


@njit(nogil=True, error_model="numpy", cache=True)
def show(k, broken):  # type: ignore[no-untyped-def]
    """Publish the clock (owner's side).

    Parameters
    ----------
    broken : int [samples]
        Count at which sound was lost last, so that what lies before does not join what follows.
    """
    slots = k.shown
    number = load_acquire(slots + 8 * SEQUENCE)
    store_release(slots + 8 * SEQUENCE, number + 1)
    store_release(slots + 8 * COUNT, k.count)
    store_release(slots + 8 * TIME, k.ns)
    store_release(slots + 8 * PERIOD, int(k.period_ns * _FRACTION))
    store_release(slots + 8 * BREAK, broken)
    store_release(slots + 8 * SUSPECT, k.suspect_ns)
    store_release(slots + 8 * SEQUENCE, number + 2)


@njit(nogil=True, error_model="numpy", cache=True)
def look(slots, into):  # type: ignore[no-untyped-def]
    """Copy what is shown (the other thread's side); False, and nothing copied, if it is in flux.

    Parameters
    ----------
    slots, into : int
        Addresses of ``SHOWN_SIZE`` int64: the owner's, and the reader's private copy.
    """
    number = load_acquire(slots + 8 * SEQUENCE)
    if number == 0 or number & 1:
        return False
    count, time = load_acquire(slots + 8 * COUNT), load_acquire(slots + 8 * TIME)
    period, broken = load_acquire(slots + 8 * PERIOD), load_acquire(slots + 8 * BREAK)
    suspect = load_acquire(slots + 8 * SUSPECT)
    if load_acquire(slots + 8 * SEQUENCE) != number:
        return False
    copy = view_i64(into, SHOWN_SIZE)
    copy[SEQUENCE], copy[COUNT], copy[TIME] = number, count, time
    copy[PERIOD], copy[BREAK], copy[SUSPECT] = period, broken, suspect
    return True


@njit(nogil=True, error_model="numpy", cache=True)
def count_at(copy_address, ns, part_ns):  # type: ignore[no-untyped-def]
    """Sample count of a :func:`look`-ed at clock at the time ``ns + part_ns``: float, fractional.

    Returned relative to the count in the copy, which keeps it exact over years.
    """
    copy = view_i64(copy_address, SHOWN_SIZE)
    return (float(ns - copy[TIME]) + part_ns) / (copy[PERIOD] / _FRACTION)
