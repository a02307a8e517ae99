"""The native lane's memory: one record of numbers and addresses that every kernel works on.

A record (rather than Python objects) because the audio callback gets one pointer and nothing else.
Addresses point into arrays owned by :class:`realtime.engine.engine.Engine`.
"""

from __future__ import annotations

import numpy as np
from numba import carray, from_dtype, njit

from ..native.intrinsics import pointer_to

NO_MODEL, WAVEFORM, SPECTRUM = 0, 1, 2

# slots of the parameter arrays (float64: what is asked for, and where the ramps are)
INPUT_GAIN, OUTPUT_GAIN, MIX, CONTROLS = 0, 1, 2, 3

# slots of the meter array (float64)
IN_PEAK, IN_POWER, OUT_PEAK, OUT_POWER, LIMITER_GAIN, N_METERS = 0, 1, 2, 3, 4, 5

_INTEGERS = (
    "channels", "hop", "domain", "n_fft", "synthesis", "n_controls", "latency",
    # addresses of state and scratch
    "analysis_window", "synthesis_window", "table", "work", "frame", "history", "ola",
    "dry_line", "dry", "wet", "model_x", "model_y", "controls", "switched", "targets", "current",
    "meters", "hop_histogram", "model_histogram",
    # the model and the clock, by address
    "step", "reset", "argument", "clock", "address", "hop_function",
    # positions and counters
    "dry_position", "hops", "input_scrubbed", "output_limited", "model_errors", "model_resets",
    # parameter events, in positions of the stream
    "identity", "events", "start", "fronts",
    # the governor: see realtime.engine.governor
    "rest", "resting", "rest_left", "rest_hops", "rest_least", "rest_most", "unheard", "warm_hops",
    "budget_ns", "clean_hops", "overruns", "trips", "rested", "holding", "last",
    # adapter between callback blocks and hops
    "max_block", "prefill", "block", "fifo_in", "fifo_in_fill", "fifo_out", "fifo_out_capacity",
    "fifo_out_read", "fifo_out_written", "resized",
)  # fmt: skip
_FLOATS = ("smoothing", "meter_decay", "limiter_gain", "limiter_release", "pressure", "level")

LANE = np.dtype([(n, np.int64) for n in _INTEGERS] + [(n, np.float64) for n in _FLOATS])
LANE_TYPE = from_dtype(LANE)


_pointer_lane = pointer_to(LANE_TYPE)


@njit(inline="always")
def view_lane(address):  # type: ignore[no-untyped-def]
    """View the record at `address` (borrowed)."""
    return carray(_pointer_lane(address), 1)[0]
