"""``python -m benchmarks.rig.peers.steps JOB``: one hop of a network, the way each peer runs it.

``JOB = {"peer": name of a maker below, "models": {name: path of an .onnx file}}``; each round is
``{"model": name, "seconds": of sound, "paced": bool}`` and its answer a list of durations
[microseconds].  The same input, one channel; what is timed is the network alone, states handed on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rig.worker import serve
from realtime.errors import ModelError
from realtime.models.card import Card
from realtime.models.catalog import read_entry
from realtime.models.streaming import load_model, paired_output

from .loop import time_calls

Step = Callable[[], object]


def _noise(shape: tuple[int, ...]) -> Any:
    return (0.1 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


def _card(path: Path) -> Card:
    entry = read_entry(path)
    if entry.card is None:
        raise ModelError(f"{path.name}: {entry.problem}")
    return entry.card


def onnxruntime_step(path: Path) -> Step:
    """``InferenceSession.run`` with a dictionary of arrays, one thread."""
    import onnxruntime

    model = load_model(path)
    card, states = model.card, dict(model.initial_states())
    model.close()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    outputs = [o.name for o in session.get_outputs()]
    wanted = ["y", *(str(paired_output(k, outputs)) for k in states)]
    feed = {"x": _noise(card.step_shape(1)), **states}
    if card.controls:
        feed["controls"] = np.array([[c.default for c in card.controls]], np.float32)

    def step() -> None:
        _, *new = session.run(wanted, feed)
        feed.update(zip(states, new, strict=True))

    return step


def torch_step(path: Path, *, script: bool) -> Step:
    """The recipe's network; its weights are random, which changes nothing about its cost."""
    import warnings

    import torch

    from train.recipes import get_recipe

    torch.manual_seed(0)
    card = _card(path)
    network: Any = get_recipe(card.name).network().eval()
    x = torch.from_numpy(_noise(card.step_shape(1)))
    held = list(network.initial_state(1))
    controls = [torch.tensor([[c.default for c in card.controls]])] if card.controls else []
    forward = network
    if script:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            forward = torch.jit.freeze(torch.jit.trace(network, (x, *controls, *held)))

    def step() -> None:
        with torch.inference_mode():
            _, *new = forward(x, *controls, *held)
        held[:] = new

    return step


def _settle_torch() -> None:
    """One thread, denormals off: the whole process's, which is why it is not done per step."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def pedalboard_step(path: Path) -> Step:
    """Gate, distortion, filter and gain on one hop: ``Pedalboard.process`` of a running stream."""
    import pedalboard

    card = _card(path)
    board = pedalboard.Pedalboard(
        [
            pedalboard.NoiseGate(threshold_db=-60),
            pedalboard.Distortion(drive_db=12),
            pedalboard.LowpassFilter(8000),
            pedalboard.Gain(-3),
        ]
    )
    block = _noise((1, card.hop_length))

    def step() -> None:
        board.process(block, card.sample_rate, buffer_size=card.hop_length, reset=False)

    return step


MAKERS: dict[str, Callable[[Path], Step]] = {
    "onnxruntime InferenceSession": onnxruntime_step,
    "torch eager": lambda path: torch_step(path, script=False),
    "TorchScript": lambda path: torch_step(path, script=True),
    "pedalboard": pedalboard_step,
}


def prepare(job: dict[str, Any]) -> Callable[[dict[str, Any]], list[float]]:
    """Build the steps; each round runs in a thread of its own, as a callback does."""
    prepared = {}
    if job["peer"] in ("torch eager", "TorchScript"):
        _settle_torch()  # the threads of the rounds inherit it
    for name, path in job["models"].items():
        card = _card(Path(path))
        period_s = card.hop_length / card.sample_rate
        prepared[name] = MAKERS[job["peer"]](Path(path)), period_s

    def answer(wish: dict[str, Any]) -> list[float]:
        found: list[float] = []
        step, period = prepared[wish["model"]]
        calls = max(20, round(wish["seconds"] / period))

        def run() -> None:
            found.extend(time_calls(step, calls, period if wish["paced"] else 0.0))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return [round(v, 2) for v in found]

    return answer


if __name__ == "__main__":
    serve(prepare)
