"""Offline render: seconds of sound for each second of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from realtime.models.load import open_model
from realtime.session.render import render_samples
from realtime.stages.model import model_path

from .cost import Section
from .plan import Plan
from .rounds import Rounds, rotated
from .yardstick import Yardstick


def render_section(
    models: list[tuple[str, Path]], plan: Plan, tell: Callable[[str], None]
) -> Section:
    """One row for each model, one thread."""
    found, reference, opened = Rounds(), Yardstick(), []
    for name, path in models:
        opened.append((name, model_path(open_model(path))))
    for r in range(plan.rounds):
        tell(f"offline render, round {r + 1} of {plan.rounds}")
        reference.begin_round()
        for name, played in rotated(opened, r * max(1, len(opened) // plan.rounds)):
            samples = int(plan.render_s * played.sample_rate)
            x = np.random.default_rng(0).uniform(-0.3, 0.3, (1, samples))
            begin = time.perf_counter()
            render_samples(played, x.astype(np.float32))
            found.add(name, [plan.render_s / (time.perf_counter() - begin)])
            reference.measure()
    rows = [{"model": name, "times_real_time": found.value(name)} for name, _ in opened]
    for _, played in opened:
        played.close()
    return {"reference": reference.figures(), "rows": rows, "notes": []}
