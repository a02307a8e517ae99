"""``restyle bench nam``: what a capture costs, beside other players in the same run.

The real-time factor is the time of one step over the time of the sound it makes, in percent.
*Hot* steps follow each other at once; *paced* ones come when the sound would, with the caches as
cold as they then are.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from realtime.models.nam.build import Variant
from realtime.models.nam.convert import make_player, null_db, to_onnx
from realtime.models.steppable import Steppable
from realtime.models.streaming import StreamingModel
from realtime.native.intrinsics import (
    call_step,
    clock_address,
    flush_denormals,
    monotonic_ns,
    restore_denormals,
    sleep_address,
    sleep_ns,
)

from ..rig import spread
from ..rig.captures import chosen
from ..rig.core import Core, built
from ..rig.tables import Report, Row

ROUNDS = 12  # of ours and the core's in turn
BLOCKS = (16, 32, 64, 128, 256, 512, 1024)
COLUMNS = {
    "capture": "capture", "player": "player", "block": "block", "null_db": "null dB",
    "hot_percent": "hot % p50/p99/p99.9/max", "paced_percent": "paced % p50/p99/p99.9/max",
}  # fmt: skip


RATIO = {
    "capture": "capture", "block": "block", "ratio": "ours / core", "ours_us": "ours µs",
    "core_us": "core µs",
}  # fmt: skip


@njit(nogil=True, error_model="numpy", cache=True)
def _steps(step, argument, times, period, clock, nanosleep):  # type: ignore[no-untyped-def]
    """Time each of ``len(times)`` steps [ns]; wait for `period` ns between starts unless 0."""
    old = flush_denormals()
    due = monotonic_ns(clock)
    for i in range(times.shape[0]):
        if period > 0:
            due += period
            now = monotonic_ns(clock)
            if due > now:
                sleep_ns(nanosleep, due - now)
        begin = monotonic_ns(clock)
        call_step(step, (argument,))
        times[i] = monotonic_ns(clock) - begin
    restore_denormals(old)


def step_factors(model: Steppable, block: int, seconds: float, paced: bool) -> Any:
    """Real-time factors of the steps of one model ``[steps]``."""
    rate = model.card.sample_rate
    period = int(1e9 * block / rate)
    count = int(np.clip(seconds * rate / block, 50, 20000))
    model.x[...] = 0.2 * np.random.default_rng(0).standard_normal(model.x.shape)
    times = np.zeros(count, dtype=np.int64)
    arguments = (model.step_address, model.argument)
    clocks = (clock_address(), sleep_address())
    _steps(*arguments, np.zeros(30, dtype=np.int64), 0, *clocks)
    _steps(*arguments, times, period if paced else 0, *clocks)
    return times / period


def time_steps(model: Steppable, block: int, seconds: float, paced: bool) -> dict[str, float]:
    """Spread of the real-time factor of one model."""
    return spread_of(step_factors(model, block, seconds, paced))


def spread_of(factors: Any) -> dict[str, float]:
    """Median, p99, p99.9 and maximum of real-time factors, in percent of the sound's time."""
    return spread.of_values(100.0 * np.asarray(factors))


def own_rows(name: str, variant: Variant, blocks: Sequence[int], seconds: float) -> list[Row]:
    """The kernel and ONNX Runtime on the same capture."""
    rows = []
    for block in blocks:
        kernel = make_player(variant, name, 1, block)
        graph = StreamingModel(to_onnx(variant, "bench", block)[1], tape=False)
        rng = np.random.default_rng(1)
        x = (0.2 * rng.standard_normal((max(2, 4096 // block), 1, 1, block))).astype(np.float32)
        null = null_db(np.stack([kernel.step(b) for b in x]), np.stack([graph.step(b) for b in x]))
        players: tuple[tuple[str, Steppable], ...] = (
            ("restyle kernel", kernel),
            ("onnxruntime", graph),
        )
        for player, model in players:
            hot, paced = (time_steps(model, block, seconds, paced=p) for p in (False, True))
            row = {"capture": name, "player": player, "block": block, "null_db": round(null, 1)}
            rows.append({**row, "hot_percent": hot, "paced_percent": paced})
        graph.close()
    return rows


def capture_data(variant: Variant) -> dict[str, Any]:
    """A capture as the JSON another player reads."""
    c = variant.capture
    return {
        "version": c.version,
        "architecture": c.architecture,
        "config": c.config,
        "weights": c.weights.tolist(),
        "sample_rate": c.sample_rate,
    }


def library_row(name: str, variant: Variant) -> Row | None:
    """The reference Python library on two seconds at once, one thread; None if not installed."""
    if importlib.util.find_spec("nam") is None or importlib.util.find_spec("torch") is None:
        return None
    for missing in ("librosa", "wavio", "nam.train"):  # its trainer and readers are not needed
        if missing not in sys.modules and (
            missing == "nam.train" or importlib.util.find_spec(missing) is None
        ):
            sys.modules[missing] = types.ModuleType(missing)
    import torch
    from nam.models._from_nam import init_from_nam

    torch.set_num_threads(1)
    data = json.loads(json.dumps(capture_data(variant)))
    for array in data["config"].get("layers", []):
        if "head_size" in array:  # the library reads the newer spelling only
            size, bias = array.pop("head_size"), bool(array.pop("head_bias", False))
            array["head"] = {"out_channels": size, "kernel_size": 1, "bias": bias}
            array.pop("gated", None)
    model = init_from_nam(data).eval()
    x = torch.randn(1, 2 * variant.capture.sample_rate) * 0.2
    factors = []
    with torch.no_grad():
        for _ in range(4):
            begin = time.perf_counter()
            model(x, pad_start=True)
            factors.append((time.perf_counter() - begin) / 2.0)
    row = {"capture": name, "player": "neural-amp-modeler (whole 2 s)", "block": 96000}
    return {**row, "null_db": None, "hot_percent": spread_of(factors[1:]), "paced_percent": None}


def ratio_rows(
    name: str, variant: Variant, program: Path, blocks: Sequence[int], seconds: float
) -> list[Row]:
    """Our step over the core's, the two in turn; the lower quartile of each stands for it."""
    rows = []
    with Core(program, json.dumps(capture_data(variant))) as core:
        for block in blocks:
            ours: Steppable = make_player(variant, name, 1, block)
            rate = ours.card.sample_rate
            count = int(np.clip(seconds * rate / block / ROUNDS, 20, 2000))
            core.times(block, 30)
            spent: dict[str, list[float]] = {"ours": [], "core": []}
            for _ in range(ROUNDS):
                factors = step_factors(ours, block, count * block / rate, False)
                spent["ours"].append(float(np.quantile(factors, 0.25)) * 1e9 * block / rate)
                spent["core"].append(float(np.quantile(core.times(block, count), 0.25)))
            first, second = (float(np.quantile(spent[k], 0.25)) for k in ("ours", "core"))
            row = {"capture": name, "block": block, "ratio": round(first / second, 2)}
            row |= {"ours_us": round(first / 1e3, 2), "core_us": round(second / 1e3, 2)}
            rows.append(row)
            ours.close()
    return rows


def main(argv: Sequence[str]) -> int:
    """Run the benchmark with command-line arguments."""
    parser = argparse.ArgumentParser(prog="restyle bench nam", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help=".nam files; random ones if none")
    parser.add_argument("--blocks", default=",".join(map(str, BLOCKS)))
    parser.add_argument("--seconds", type=float, default=2.0, help="of sound per figure")
    parser.add_argument("--core", type=Path, help="checkout of NeuralAmpModelerCore, built here")
    parser.add_argument("--march", default="native", help="processor to build the core for")
    parser.add_argument("--only-ratio", action="store_true", help="with --core: nothing else")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(list(argv))
    blocks = [int(b) for b in options.blocks.split(",")]
    report = Report("nam", "restyle bench nam " + " ".join(argv))
    rows: list[Row] = []
    ratios: list[Row] = []
    program = built(options.core, options.march) if options.core is not None else None
    for name, variant in chosen(options.files).items():
        report.progress(f"measuring {name}")
        if program is not None:
            ratios += ratio_rows(name, variant, program, blocks, options.seconds)
        if program is not None and options.only_ratio:
            continue
        rows += own_rows(name, variant, blocks, options.seconds)
        library = library_row(name, variant)
        if library is not None:
            rows.append(library)
    if ratios:
        report.table(
            "ratio", "Captures: our step over the C++ core's, in the same run", ratios, RATIO
        )
    if rows:
        report.table("nam", "Captures: time of a step over the time of its sound", rows, COLUMNS)
        report.note("null: kernel against ONNX Runtime on noise, in dB of the signal.")
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
