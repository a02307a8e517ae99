"""``restyle bench slots``: what a path adds to the stages in it.

A hop is timed whole, and each stage's step inside it; what is left is the path's own: input and
output stage, and for every slot its dry sound, ramps, fades and clocks.  Empty slots hold a stage
that does nothing, so that a slot's own cost is a difference of rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cfunc, njit, types

from realtime.engine.path import Path as EnginePath
from realtime.engine.placed import Slot
from realtime.engine.slot import view_slot
from realtime.engine.stage import ANY_HOP, view_stage
from realtime.errors import ConfigError
from realtime.models.catalog import find_model
from realtime.native.intrinsics import (
    call_hop,
    clock_address,
    flush_denormals,
    monotonic_ns,
    restore_denormals,
)
from realtime.parameters.parameter import Parameter
from realtime.session.builder import Builder
from realtime.session.sound import Sound, Stage

from ..rig import spread
from ..rig.tables import Report, Row

RATE, HOP = 48_000, 64
WARM_UP = 200  # hops that are not counted
EMPTY = ((0, 0), (1, 0), (2, 0), (4, 0), (8, 0), (8, HOP))  # slots, and each one's latency
SERIES = (("tube-amp",), ("tube-amp",) * 2, ("tube-amp",) * 4, ("tape", "tube-amp", "radio-voice"))
COLUMNS = {
    "path": "path", "slots": "slots", "hop": "hop", "hop_us": "whole hop µs",
    "steps_us": "stages' steps µs", "own_us": "the path's own µs", "per_slot_us": "a slot's own µs",
}  # fmt: skip


@cache
def _nothing() -> tuple[Any, Any]:
    """Step and reset of a stage that returns every block as it came."""
    many = types.int64(types.int64, types.int64, types.int64)

    @cfunc(many, nopython=True, cache=True)
    def step(argument, block, n):  # type: ignore[no-untyped-def]
        return 0

    @cfunc(types.int64(types.int64), nopython=True, cache=True)
    def reset(argument):  # type: ignore[no-untyped-def]
        return 0

    return step, reset


class EmptyStage:
    """A native stage that does nothing; see :class:`realtime.engine.stage.NativeStage`."""

    native, governed, hop, name, error = True, False, ANY_HOP, "empty", None
    settling = 0

    def __init__(self, latency: int = 0) -> None:
        self.latency, self.argument = latency, 0
        step, reset = _nothing()
        self.step_address, self.reset_address = int(step.address), int(reset.address)
        self.values: npt.NDArray[np.float32] = np.zeros(0, dtype=np.float32)

    def parameters(self) -> list[Parameter]:
        """None."""
        return []

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
        """Nothing to allocate."""

    def reset(self) -> None:
        """Nothing to reset."""

    def close(self) -> None:
        """Nothing to free."""


@njit(nogil=True, error_model="numpy", cache=True)
def _hops(function, path, slots, x, block, address, times, clock):  # type: ignore[no-untyped-def]
    """Time ``len(times)`` hops and the steps in each of them ``times [hops, 2], ns``."""
    old = flush_denormals()
    for k in range(times.shape[0]):
        block[...] = x
        begin = monotonic_ns(clock)
        call_hop(function, (path, address, 0))
        times[k, 0] = monotonic_ns(clock) - begin
        steps = 0
        for i in range(slots.shape[0]):
            steps += view_stage(view_slot(slots[i]).stage).spent
        times[k, 1] = steps
    restore_denormals(old)


def sample(path: EnginePath, seconds: float) -> npt.NDArray[np.float64]:
    """Whole hops, and the stages' steps in them ``[hops, 2]`` [microseconds]."""
    hops = max(50, round(seconds * path.sample_rate / path.hop))
    x = np.random.default_rng(0).uniform(-0.3, 0.3, (path.channels, path.hop)).astype(np.float32)
    block = np.zeros_like(x)
    slots = np.array([s.address for s in path.slots()], dtype=np.int64)
    times = np.zeros((WARM_UP + hops, 2), dtype=np.int64)
    function, address = int(path.record["hop_function"]), int(block.ctypes.data)
    _hops(function, path.address, slots, x, block, address, times, clock_address())
    return times[WARM_UP:] / 1000.0


def empty_path(slots: int, latency: int) -> EnginePath:
    """A path of stages that do nothing."""
    made = [Slot(EmptyStage(latency), k + 1, 1, RATE) for k in range(slots)]
    return EnginePath(made, channels=1, sample_rate=RATE, hop=HOP, block_size=HOP)


def models_path(models: Sequence[Path]) -> EnginePath:
    """Models in series."""
    stages = tuple(Stage(model=str(p), identity=k) for k, p in enumerate(models, 1))
    return Builder(1, RATE).path(Sound(stages))


def row(name: str, path: EnginePath, times: npt.NDArray[np.float64], bare_us: float | None) -> Row:
    """All rounds of one path; `bare_us` is the median hop of one without slots."""
    own, many = times[:, 0] - times[:, 1], sum(1 for _ in path.slots())
    per_slot = None
    if bare_us is not None and many:
        per_slot = round((float(np.median(own)) - bare_us) / many, 3)
    return {
        "path": name,
        "slots": many,
        "hop": path.hop,
        "hop_us": spread.of_values(times[:, 0]),
        "steps_us": spread.of_values(times[:, 1]),
        "own_us": spread.of_values(own),
        "per_slot_us": per_slot,
    }


def measure(series: Sequence[Sequence[str]], seconds: float, rounds: int) -> list[Row]:
    """Rows of every path; rounds take turns, so that a slow moment falls on all of them."""
    paths = {f"{n} empty, latency {late}": empty_path(n, late) for n, late in EMPTY}
    for names in series:
        title = " → ".join(Path(n).stem for n in names)
        paths[title] = models_path([find_model(n) for n in names])
    found: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            found[name].append(sample(path, seconds))
    pooled = {name: np.concatenate(parts) for name, parts in found.items()}
    bare = float(np.median(pooled[next(iter(paths))][:, 0]))
    rows = [
        row(name, path, pooled[name], bare if path.hop == HOP else None)
        for name, path in paths.items()
    ]
    for path in paths.values():
        path.close()
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench slots", description=__doc__)
    parser.add_argument(
        "--models",
        action="append",
        metavar="A,B,...",
        help="models in series, commas between; may be given several times",
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="of sound, a round (default 1)")
    parser.add_argument("--rounds", type=int, default=5, help="of all paths in turn (default 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    for name, low, high in (("seconds", 0.01, 600), ("rounds", 1, 100)):
        if not low <= getattr(options, name) <= high:
            raise ConfigError(
                f"--{name} must be within {low}..{high}, got {getattr(options, name):g}"
            )
    series = [text.split(",") for text in options.models] if options.models else SERIES
    report = Report("slots", " ".join(["restyle bench slots", *(arguments or [])]))
    rows = measure(series, options.seconds, options.rounds)
    title = f"Slots in series, one channel at {RATE} Hz, hot: p50 / p99 / p99.9"
    report.table("slots", title, rows, COLUMNS)
    report.note("A spectrum model's frames count as part of its step.")
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
