"""``restyle bench networks``: which network for which job?  Quality, cost and latency in one table.

Every contender trains on the same data for the same CPU time, is exported, and is timed in the
player, paced at real time.  Needs ``restyle[train]`` and what the recipes need.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from realtime.models.streaming import load_model
from train.data.pairs import PairSet
from train.export.gate import export
from train.fit.batches import whole
from train.fit.run import Options, fit, load
from train.losses import esr, stft_distance
from train.networks.frame_tcn import FrameTCN
from train.networks.layers import Streamable
from train.networks.time_frequency_cnn import TimeFrequencyCNN
from train.recipes.base import Recipe
from train.recipes.effect import TubeAmp
from train.recipes.instrument import SquareSynth
from train.recipes.spectral import Spectral
from train.recipes.waveform import Waveform

from ..rig.tables import Report, Row
from . import stages

RECORDINGS, SECONDS = 5, 10


@dataclass(frozen=True)
class Contender:
    """A network on a task: `build` makes it, `geometry` overrides the STFT's."""

    task: str
    network: str
    build: Callable[[int], Streamable] | None  # of the number of bins; None for waveforms
    geometry: tuple[int, int, int] = (1024, 256, 128)


def _frame(**settings: Any) -> Callable[[int], Streamable]:
    def build(bins: int) -> Streamable:
        return FrameTCN(bins, 160, (1, 2, 4, 8, 16, 32, 64), narrow=160, wide=48, **settings)

    return build


def _dense(head: str) -> Callable[[int], Streamable]:
    return lambda bins: TimeFrequencyCNN(bins, 16, head)


CONTENDERS = (
    Contender("square-synth", "frame TCN", _frame()),
    Contender("square-synth", "frame TCN with noise", _frame(noise=True)),
    Contender("square-synth", "frame TCN, window of 2048", _frame(), (2048, 256, 128)),
    Contender("square-synth", "frame TCN, usual window", _frame(), (1024, 1024, 256)),
    Contender("square-synth", "time-frequency CNN, mask", _dense("mask")),
    Contender("square-synth", "time-frequency CNN, mapping", _dense("mapping")),
    Contender("square-synth", "time-frequency CNN, hybrid", _dense("hybrid")),
    Contender("square-synth", "waveform TCN", None),
    Contender("tube-amp", "frame TCN", _frame()),
    Contender("tube-amp", "time-frequency CNN, mask", _dense("mask")),
    Contender("tube-amp", "time-frequency CNN, hybrid", _dense("hybrid")),
    Contender("tube-amp", "waveform TCN", None),
)
COLUMNS = {
    "task": "task",
    "network": "network",
    "weights": "weights",
    "steps": "steps",
    "stft_distance": "STFT distance",
    "esr": "ESR",
    "latency": "latency, samples",
    "hop_us": "hop µs",
    "cpu_percent": "CPU %",
}


def recipe_for(contender: Contender) -> Recipe:
    """The task's data and loss on the contender's network."""
    task: Recipe = {"square-synth": SquareSynth, "tube-amp": TubeAmp}[contender.task]()
    build = contender.build
    slug = "".join(
        c if c.isalnum() else "-" for c in f"compare-{contender.task}-{contender.network}"
    )
    if build is None:

        class Raw(Waveform):
            name, kind, title, summary = slug, task.kind, slug, "a contender"

            def data(self) -> PairSet:
                return task.data()

            def loss(self, y: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
                return task.loss(y, target)

        return Raw()

    class Framed(Spectral):
        name, kind, title, summary = slug, task.kind, slug, "a contender"
        n_fft, synthesis, hop = contender.geometry

        def data(self) -> PairSet:
            return task.data()

        def network(self) -> Streamable:
            return build(self.n_fft // 2 + 1)

        def loss(self, y: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            return task.loss(y, target)

    return Framed()


def measure(
    contender: Contender, data: PairSet, minutes: float, seconds: float = 4.0
) -> dict[str, Any]:
    """Train for `minutes` of CPU time, export, and time a hop in the player."""
    recipe = recipe_for(contender)
    schedule = replace(recipe.schedule, minutes=minutes, steps=None)
    quiet = Options(board=False, fresh=True, check_every=10_000, save_every=10_000)
    fit(recipe, data, schedule, lambda text: None, quiet)
    network, checkpoint = load(recipe)
    found = []
    with torch.no_grad():
        for pair in data.test[:RECORDINGS]:
            n = min(len(pair.dry), SECONDS * 48000) // 1024 * 1024
            y, target = recipe.aligned(network, whole(pair, n))
            found.append((float(stft_distance(y, target)), float(esr(y, target))))
    with tempfile.TemporaryDirectory() as folder:
        card = recipe.card(network, {}, {"data": []})
        model = load_model(export(recipe, network, card, Path(folder) / "contender.onnx"))
        try:
            timed = stages.measure(model, seconds, paced=True)
        finally:
            model.close()
    distance, error = np.mean(found, axis=0)
    return {
        "task": contender.task,
        "network": contender.network,
        "weights": sum(p.numel() for p in network.parameters()),
        "steps": checkpoint["step"],
        "stft_distance": round(float(distance), 3),
        "esr": float(f"{error:.3g}"),
        "latency": recipe.latency,
        "hop_us": timed["hop_us"],
        "cpu_percent": timed["cpu_percent"],
    }


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="restyle bench networks", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=2.0, help="CPU minutes of training for each (default 2)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    torch.set_num_threads(1)
    report = Report("networks", f"restyle bench networks --minutes {options.minutes:g}")
    rows: list[Row] = []
    data: dict[str, PairSet] = {}
    for contender in CONTENDERS:
        report.progress(f"{contender.task}: {contender.network}")
        if contender.task not in data:
            data = {contender.task: recipe_for(contender).data()}
        rows.append(measure(contender, data[contender.task], options.minutes))
    report.table("networks", "Networks at equal CPU time", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0
