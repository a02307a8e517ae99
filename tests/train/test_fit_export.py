"""From ten training steps to a file the player streams, and what the gate refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from realtime.errors import ConfigError, ModelError
from realtime.models.card import Card, Spectrum, State
from realtime.models.streaming import load_model
from realtime.models.verify import verify
from train import export, fit
from train.__main__ import main
from train.data.pairs import Pair, PairSet
from train.evaluate import evaluate
from train.losses import esr, stft_distance
from train.networks.frame_cnn import FrameCNN
from train.networks.layers import Streamable
from train.networks.waveform_tcn import WaveformTCN
from train.recipes.base import Recipe, Schedule
from train.stft import FrameTransform

SCHEDULE = Schedule(minutes=1.0, batch=2, segment=1024, learning_rate=3e-3, seed=4, steps=10)


def plucked(seed: int, n: int = 24576) -> np.ndarray:
    """Decaying sines: a tune without a synthesiser."""
    rng, t = np.random.default_rng(seed), np.arange(6144) / 48000
    notes = [np.exp(-8 * t) * np.sin(2 * np.pi * f * t) for f in rng.uniform(100, 800, n // 6144)]
    return (0.4 * np.concatenate(notes)).astype(np.float32)


def pairs() -> PairSet:
    made = [Pair(f"tune{i}", x := plucked(i), np.tanh(4 * x).astype(np.float32)) for i in range(4)]
    return PairSet(tuple(made[:2]), (made[2],), (made[3],))


class Tiny(Recipe):
    """A waveform style small enough for a test."""

    name, schedule, latency, warm_up = "tiny", SCHEDULE, 0, 64
    domain, hop = "waveform", 16

    def data(self) -> PairSet:
        return pairs()

    def network(self) -> Streamable:
        return WaveformTCN(4, 4, (1, 6))

    def convert(self, network: Streamable, dry: Tensor) -> Tensor:
        return network.offline(dry.unsqueeze(1))[:, 0]

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        return esr(y, target)

    def example(self, steps: int) -> Tensor:
        return torch.randn(2, 1, self.hop * steps)

    def card(
        self, network: Streamable, metrics: dict[str, Any], provenance: dict[str, Any]
    ) -> Card:
        states = tuple(State(f"s{i}", s) for i, s in enumerate(network.state_shapes))
        spectrum = Spectrum(64, 32) if self.domain == "spectrum" else None
        return Card(
            self.name, "Tiny", "a test", self.domain, 48000, self.hop, self.latency, "CC0-1.0",
            spectrum=spectrum, states=states, metrics=metrics, provenance=provenance,
        )  # fmt: skip


class TinySpectrum(Tiny):
    """A spectral style small enough for a test."""

    name, domain, latency, warm_up = "tiny-spectrum", "spectrum", 16, 512
    transform = FrameTransform(64, 32, 16)

    def network(self) -> Streamable:
        return FrameCNN(33, 8, (1, 2))

    def convert(self, network: Streamable, dry: Tensor) -> Tensor:
        return self.transform.inverse(network.offline(self.transform.forward(dry)))

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        return stft_distance(y, target)

    def example(self, steps: int) -> Tensor:
        return torch.randn(2, 2, steps, 33)


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(fit, "RUNS", tmp_path / "runs")
    return tmp_path / "runs"


def quiet(text: str) -> None:
    """Log nowhere."""


@pytest.mark.parametrize("make", [Tiny, TinySpectrum])
def test_ten_steps_become_a_file_that_plays(make: type[Tiny], tmp_path: Path) -> None:
    recipe = make()
    fit.fit(recipe, recipe.data(), log=quiet)
    network, checkpoint = fit.load(recipe)
    assert checkpoint["schedule"]["steps"] == 10
    first, last = checkpoint["history"][0][1], checkpoint["history"][-1][1]
    assert last < first or recipe.domain == "spectrum", "ten steps lower the error of a waveform"
    figures = evaluate(recipe, network, recipe.data())
    assert set(figures) >= {"model", "copy", "matched_eq", "level_db", "command"}
    card = recipe.card(network, figures, {"seed": 4})
    path = export.export(recipe, network, card, tmp_path / "tiny.onnx")
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


def test_the_same_seed_trains_the_same_weights() -> None:
    recipe, weights = Tiny(), []
    for _ in range(2):
        fit.fit(recipe, pairs(), log=quiet)
        weights.append(fit.load(recipe)[0].state_dict())
    assert all(torch.equal(a, b) for a, b in zip(*(w.values() for w in weights), strict=True))


class Detuned(WaveformTCN):
    """A tampered model: what it says offline is not what its graph streams."""

    def offline(self, x: Tensor, states: list[Tensor] | None = None) -> Tensor:
        return super().offline(x, states) * (1 + 1e-4)


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


def test_a_checkpoint_of_another_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Tiny()
    fit.fit(recipe, pairs(), replace(SCHEDULE, steps=1), log=quiet)
    monkeypatch.setattr(recipe, "network", lambda: WaveformTCN(5, 4, (1, 6)))
    with pytest.raises(ConfigError, match="another network"):
        fit.load(recipe)


def test_bad_command_lines_end_with_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "tube-amb"]) == 2
    assert "did you mean 'tube-amp'" in capsys.readouterr().err
    assert main(["export", "tube-amp"]) == 2
    assert "no checkpoint" in capsys.readouterr().err
