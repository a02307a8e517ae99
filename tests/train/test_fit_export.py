"""From ten training steps to a file the player streams, and what the gate refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from realtime.errors import ModelError
from realtime.models.streaming import load_model
from realtime.models.strip import paths_in
from realtime.proof.verify import verify
from train.export import gate as export
from train.fit import run as fit
from train.judging.run import CANDIDATES, evaluate
from train.networks.waveform_tcn import WaveformTCN

from .tiny import Tiny, TinySpectrum


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def quiet(text: str) -> None:
    """Log nowhere."""


@pytest.mark.parametrize("make", [Tiny, TinySpectrum])
def test_ten_steps_become_a_file_that_plays(
    make: type[Tiny], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if make is TinySpectrum:  # the listener's proof of one of them is enough
        request.getfixturevalue("without_listener")
    recipe = make()
    fit.fit(recipe, log=quiet, options=fit.Options(board=False))
    network, checkpoint = fit.load(recipe)
    assert checkpoint["schedule"]["steps"] == 10
    first, last = checkpoint["history"][0][1], checkpoint["history"][-1][1]
    assert last < first or recipe.domain == "spectrum", "ten steps lower the error of a waveform"
    figures = evaluate(recipe, network, recipe.data())
    rows = figures["sets"]["test"]["rows"]
    assert set(rows) == set(CANDIDATES)
    assert max(map(abs, rows["oracle"].values())) < 1e-6
    assert rows["copy"]["esr"] > 0.0
    card = recipe.card(network, figures, {"seed": 4})
    path = export.export(recipe, network, card, tmp_path / "tiny.onnx")
    assert paths_in(path.read_bytes()) == [] and b"stack_trace" not in path.read_bytes()
    assert all(c.passed for c in verify(path))

    model = load_model(path, channels=2)
    try:
        steps = np.random.default_rng(0).standard_normal((20, *model.card.step_shape(2)))
        steps = (0.1 * steps).astype(np.float32)
        got = np.concatenate([model.step(s) for s in steps], axis=2)
        assert model.card.proof["streaming_error"] <= export.TOLERANCE
    finally:
        model.close()
    with torch.no_grad():
        whole = torch.from_numpy(np.concatenate(list(steps), axis=2))
        offline = network.offline(whole, export.settled(recipe, network)).numpy()
    np.testing.assert_allclose(got, offline, atol=1e-5 * np.abs(offline).max())


@pytest.mark.usefixtures("without_listener")
def test_an_exported_model_is_silent_from_the_first_sample_on_silence(tmp_path: Path) -> None:
    recipe = Tiny()
    network = recipe.network().eval()
    path = export.export(recipe, network, recipe.card(network, {}, {}), tmp_path / "tiny.onnx")
    model = load_model(path)
    try:
        played = np.concatenate([model.step(np.zeros_like(model.x)) for _ in range(40)], axis=2)
    finally:
        model.close()
    assert np.ptp(played) <= 1e-6, "no start-up transient, only the settled output"


class Detuned(WaveformTCN):
    """A tampered model: what it says offline is not what its graph streams."""

    def offline(self, *signals: Any) -> Tensor:
        return super().offline(*signals) * (1 + 1e-4)


class Hidden(WaveformTCN):
    """Adds the last sample of the previous call, from memory nobody sees."""

    def __init__(self, *shape: Any) -> None:
        super().__init__(*shape)
        self.register_buffer("last", torch.zeros(1, 1, 1))

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        y, *new = super().forward(x, *states)
        y = y + self.last
        self.last = x[:1, :, -1:].clone()
        return (y, *new)


@pytest.mark.parametrize("network", [Detuned, Hidden])
def test_the_gate_refuses_a_model_that_streams_something_else(
    network: type[WaveformTCN], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    recipe, tampered = Tiny(), network(4, 4, (1, 6)).eval()
    card = recipe.card(tampered, {}, {})
    with pytest.raises(ModelError):
        export.export(recipe, tampered, card, tmp_path / "bad.onnx")
    assert list(tmp_path.glob("**/*.onnx*")) == []


def test_the_gate_refuses_a_wrong_latency(tmp_path: Path) -> None:
    torch.manual_seed(0)
    recipe = Tiny()
    network = recipe.network().eval()
    card = replace(recipe.card(network, {}, {}), latency=5)
    with pytest.raises(ModelError, match="latency"):
        export.export(recipe, network, card, tmp_path / "bad.onnx")
    assert list(tmp_path.glob("**/*.onnx*")) == []
