"""``python -m benchmarks.measures.providers``: one hop of every network, on the CPU and on a GPU.

The CPU column is one thread of ONNX Runtime; the GPU column its CUDA provider, states kept on the
card, input sent there and output fetched from there at every hop, as live sound asks for.  Both
hear the same noise from silence on, and how far they are apart is told beside the times.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from ..rig.tables import Report, Row

Array = npt.NDArray[np.float32]
CARD_KEY = "restyle.card"
EXPORTED = Path(__file__).parents[2] / "exported"
WARM, GPU = 100, "CUDAExecutionProvider"
COLUMNS = {
    "model": "network", "hop_ms": "a hop, ms", "cpu": "CPU µs, p50 / p99 / p99.9",
    "gpu": "CUDA µs, p50 / p99 / p99.9", "ratio": "CUDA / CPU", "apart_db": "difference, dB",
}  # fmt: skip
QUERY = ("nvidia-smi", "--query-gpu=name", "--format=csv,noheader")
Step = Callable[[Array], Array]


def session_of(path: Path, provider: str) -> Any:
    """A session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=[provider])


def shape_of(tensor: Any, hop: int) -> tuple[int, ...]:
    """One channel, one hop: the last axis of a waveform is its samples, a frame is one."""
    fixed = [d if isinstance(d, int) else 1 for d in tensor.shape]
    if tensor.name in ("x", "y") and not isinstance(tensor.shape[-1], int):
        fixed[-1] = hop
    return tuple(fixed)


def stepper(session: Any, hop: int, device: str) -> tuple[Step, tuple[int, ...]]:
    """``step(x) -> y`` with states carried on `device` (``cpu`` or ``cuda``), from zeros."""
    shapes = {t.name: shape_of(t, hop) for t in session.get_inputs()}
    value = onnxruntime.OrtValue.ortvalue_from_numpy
    states = {
        n: value(np.zeros(s, np.float32), device, 0)
        for n, s in shapes.items()
        if n not in ("x", "controls")
    }
    controls = {n: value(np.zeros(s, np.float32), device, 0) for n, s in shapes.items()
                if n == "controls"}  # fmt: skip
    names = [t.name for t in session.get_outputs()]

    def step(x: Array) -> Array:
        binding = session.io_binding()
        binding.bind_cpu_input("x", x)
        for name, held in {**states, **controls}.items():
            binding.bind_ortvalue_input(name, held)
        for name in names:
            binding.bind_output(name, "cpu" if name == "y" else device)
        session.run_with_iobinding(binding)
        found = dict(zip(names, binding.get_outputs(), strict=True))
        for name in states:
            states[name] = found[f"{name}_out"]
        y: Array = found["y"].numpy()
        return y

    return step, shapes["x"]


def timed(step: Step, frames: Array) -> tuple[dict[str, float], Array]:
    """Microseconds a hop after :data:`WARM` of them, and all that came out."""
    took, out = [], []
    for frame in frames:
        begin = time.perf_counter_ns()
        out.append(step(frame))
        took.append((time.perf_counter_ns() - begin) * 1e-3)
    late = np.array(took[WARM:])
    spread = {
        key: float(np.percentile(late, q))
        for key, q in (("p50", 50), ("p99", 99), ("p99_9", 99.9), ("max", 100))
    }
    return spread, np.stack(out)


def measure(path: Path, hops: int) -> Row:
    """A file on both."""
    cpu, gpu = session_of(path, "CPUExecutionProvider"), session_of(path, GPU)
    card = json.loads(cpu.get_modelmeta().custom_metadata_map[CARD_KEY])
    hop, rate = int(card["hop_length"]), int(card["sample_rate"])
    (here, shape), (there, _) = stepper(cpu, hop, "cpu"), stepper(gpu, hop, "cuda")
    rng = np.random.default_rng(1)
    frames = (0.1 * rng.standard_normal((WARM + hops, *shape))).astype(np.float32)
    cpu_us, expected = timed(here, frames)
    gpu_us, got = timed(there, frames)
    apart = np.abs(got - expected).max() / max(float(np.abs(expected).max()), 1e-9)
    return {
        "model": path.stem,
        "hop_ms": 1000.0 * hop / rate,
        "cpu": cpu_us,
        "gpu": gpu_us,
        "ratio": gpu_us["p50"] / cpu_us["p50"],
        "apart_db": float(20 * np.log10(max(apart, 1e-10))),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement and print it; 2 where there is no such GPU."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.providers", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="(default: the bundled ones)")
    parser.add_argument("--hops", type=int, default=2000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    if GPU not in onnxruntime.get_available_providers():
        parser.error("expected an ONNX Runtime with CUDA (onnxruntime-gpu), got one without")
    files = options.files or sorted(EXPORTED.glob("*.onnx"))
    report = Report("providers", f"python -m benchmarks.measures.providers --hops {options.hops}")
    probe = session_of(files[0], GPU)
    if GPU not in probe.get_providers():
        parser.error("expected a GPU that CUDA can use, got none; nvidia-smi says what there is")
    rows = []
    for path in files:
        report.progress(path.stem)
        rows.append(measure(path, options.hops))
    report.table("providers", "One hop of a network on one CPU thread and on a GPU", rows, COLUMNS)
    said = subprocess.run(QUERY, capture_output=True, text=True, check=False).stdout
    report.data["machine"]["gpu"] = said.splitlines()[0].strip() if said else "a GPU"
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
