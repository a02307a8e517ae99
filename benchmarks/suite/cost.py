"""What one hop costs, stage by stage, for every model: hot and paced, in rounds that take turns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measures import stages
from benchmarks.rig import spread
from benchmarks.rig.pace import wake_lateness
from realtime.models.load import open_model
from realtime.models.steppable import Steppable

from .plan import Plan
from .rounds import Rounds, ratio, rotated
from .yardstick import Yardstick

Section = dict[str, Any]
WAYS = ("hot", "paced")
OF_SPECTRA = ("FFT", "inverse FFT")
STAGES = ("input", "frame", "FFT", "network", "inverse FFT", "overlap-add", "mix and output")
WAKE_PERIOD_US = 1000.0
WARM_UP = 40  # hops, each round again


def timer_section(plan: Plan) -> Section:
    """How late a bare native timer wakes, whatever the program does."""
    found = Rounds()
    for _ in range(plan.rounds):
        found.add("timer", wake_lateness(WAKE_PERIOD_US, plan.timer_wakes))
    row = {"what": "bare native timer, 1 ms", "late_us": found.figure("timer")}
    return {"rows": [row], "notes": []}


def _one_round(found: Rounds, name: str, model: Steppable, plan: Plan) -> None:
    for way, seconds in (("hot", plan.hot_s), ("paced", plan.paced_s)):
        times = stages.sample(model, seconds, paced=way == "paced", warm_up=WARM_UP)
        total, step = times.sum(axis=1), times[:, stages.MODEL]
        fft = times[:, stages.FFT].sum(axis=1)
        found.add((name, way), total)
        found.add((name, way, "own"), total - step - fft)
        if way == "paced":
            found.add((name, "model"), step)
            found.add((name, "fft"), fft)
        for k, stage in enumerate(STAGES):
            found.add((name, "stage", stage, way), times[:, k])


def cost_section(
    models: list[tuple[str, Path]], plan: Plan, tell: Callable[[str], None]
) -> Section:
    """Rows of every model and, as ``stages``, of its stages; the yardstick of the same rounds."""
    found, reference = Rounds(), Yardstick()
    opened = [(name, open_model(path)) for name, path in models]
    for r in range(plan.rounds):
        tell(f"cost of a hop, round {r + 1} of {plan.rounds}")
        reference.begin_round()
        for name, model in rotated(opened, r * max(1, len(opened) // plan.rounds)):
            _one_round(found, name, model, plan)
            reference.measure()
    yardstick, rows, by_stage = reference.figures(), list[Section](), list[Section]()
    for name, model in opened:
        hop_ms = 1000.0 * model.card.hop_length / model.card.sample_rate
        paced = found.figure((name, "paced"))
        spectral = model.card.spectrum is not None
        rows.append(
            {
                "model": name,
                "hop": model.card.hop_length,
                "hop_ms": round(hop_ms, 3),
                "hot_us": found.figure((name, "hot")),
                "paced_us": paced,
                "model_us": found.figure((name, "model")),
                "fft_us": found.figure((name, "fft")) if spectral else None,
                "own_us": found.figure((name, "paced", "own")),
                "cpu_percent": round(paced["p50"] / hop_ms / 10.0, 2),
                "against_reference": ratio(paced, yardstick["paced_us"]),
                "stages_us": {s: found.figure((name, "stage", s, "paced"))["p50"] for s in STAGES},
            }
        )
        by_stage += [
            {"model": name, "stage": s} | {f"{w}_us": _spread(found, name, s, w) for w in WAYS}
            for s in STAGES
            if spectral or s not in OF_SPECTRA
        ]
        model.close()
    return {"reference": yardstick, "rows": rows, "stages": by_stage, "notes": []}


def _spread(found: Rounds, name: str, stage: str, way: str) -> dict[str, float]:
    figure = found.figure((name, "stage", stage, way))
    return {k: figure[k] for k in spread.KEYS}
