"""Offline render: seconds of sound for each second of work."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from realtime.engine.engine import Engine
from realtime.models.streaming import load_model
from realtime.session.render import render_samples
from realtime.stream.path import BlockPath

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
        model = load_model(path)
        engine = Engine(model, sample_rate=model.card.sample_rate)
        opened.append((name, model, BlockPath(engine)))
    for r in range(plan.rounds):
        tell(f"offline render, round {r + 1} of {plan.rounds}")
        reference.begin_round()
        for name, model, path in rotated(opened, r * max(1, len(opened) // plan.rounds)):
            rate = model.card.sample_rate
            x = np.random.default_rng(0).uniform(-0.3, 0.3, (1, int(plan.render_s * rate)))
            begin = time.perf_counter()
            render_samples(path, x.astype(np.float32))
            found.add(name, [plan.render_s / (time.perf_counter() - begin)])
            reference.measure()
    rows = [{"model": name, "times_real_time": found.value(name)} for name, _, _ in opened]
    for _, model, _ in opened:
        model.close()
    return {"reference": reference.figures(), "rows": rows, "notes": []}
