"""Everything measured about a running session, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..dsp.meters import percentiles_us, total_seconds

if TYPE_CHECKING:
    from .stream import Stream

XRUNS = (
    "input_underflows", "input_overflows", "output_underflows", "output_overflows",
    "ring_underflows", "ring_overflows", "concealed_samples", "dropped_samples",
)  # fmt: skip


def callbacks_expected(counters: Mapping[str, int], sample_rate: float) -> float:
    """Callbacks due between the first and the last seen, by the clock and the sample rate.

    PortAudio's flags miss whole skipped cycles; elapsed time does not.
    """
    callbacks = counters["callbacks"]
    if callbacks < 2:
        return float(callbacks)
    mean = counters["samples"] / callbacks
    return 1.0 + (counters["last_ns"] - counters["first_ns"]) * 1e-9 * sample_rate / mean


def stats(stream: Stream) -> dict[str, Any]:
    """What was measured so far; durations in microseconds."""
    memory, path, device = stream.memory, stream.path, stream.device
    c = memory.counters()
    due = callbacks_expected(c, device.sample_rate) if device.paced else c["callbacks"]
    expected = round(due)

    def spread(histogram: Any) -> dict[str, float]:
        keys = ("p50", "p99", "p99_9")
        return dict(zip(keys, (round(v, 2) for v in percentiles_us(histogram)), strict=True))

    elapsed = (c["last_ns"] - c["first_ns"]) * 1e-9
    busy = total_seconds(memory.callback_histogram)
    return {
        "device": device.name,
        "sample_rate": device.sample_rate,
        "path_rate": path.sample_rate,
        "block_size": device.block_size,
        "hop_length": path.hop,
        "channels": path.channels,
        "stages": [
            {
                "name": slot.name,
                "step_us": spread(slot.placed.record.arrays["histogram"]),
                **{n: int(slot.placed.record[n]) for n in ("errors", "trips", "rested")},
            }
            for slot in path.slots()
        ],
        "lane": stream.lane,
        "lane_reason": stream.lane_reason,
        "latency": stream.budget.to_dict(),
        "callbacks_expected": expected,
        "callbacks_seen": c["callbacks"],
        "callbacks_missed": max(0, expected - c["callbacks"]),
        "deadline_misses": c["deadline_misses"],
        "xruns": {k: c[k] for k in XRUNS},
        "tap_lost": int(memory.record["tap_lost"]),
        "journal_lost": int(memory.record["journal_lost"]),
        "swaps": int(memory.record["swaps"]),
        "callback_us": spread(memory.callback_histogram),
        "hop_us": spread(path.histogram),
        "interval_us": spread(memory.gap_histogram),
        "cpu_percent": round(100 * busy / elapsed, 2) if elapsed > 0 else 0.0,
        "path": path.counters(),
        "meters": path.meters(),
        "protection": memory.protection.figures() if memory.protection is not None else None,
    }
