"""TorchScript models of RAVE's and Neutone's kind, against the scripts themselves."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from realtime.commands.imports import Ready, convert
from realtime.errors import ModelError
from realtime.models.noise import fill
from realtime.models.streaming import StreamingModel
from realtime.proof.verify import verify
from tests.torchscript import BUFFER, LOOK, PQMF_DELAY, Queue, RaveLike, saved
from train.foreign.draws import NORMAL, SEED, UNIFORM, drawn
from train.foreign.lift import Lifted
from train.foreign.script import Script, followable


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Ready]]:
    folder = tmp_path_factory.mktemp("scripts")
    files = {
        "rave": saved(RaveLike(), folder / "birds.ts"),
        "neutone": saved(Queue(), folder / "late.nm"),
    }
    return {name: (path, convert(path)[0]) for name, path in files.items()}


@pytest.fixture
def careful():
    with followable():
        yield


def run_script(path: Path, x: np.ndarray, **knobs: float) -> np.ndarray:
    """The file itself in torch, block by block, from its beginning; random numbers as they come."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        module = torch.jit.load(str(path))
    out = []
    with torch.no_grad():
        for block in torch.from_numpy(x).reshape(-1, 64).split(1):
            if path.suffix == ".nm":
                params = torch.full((4, 64), 0.0)
                params[1] = knobs.get("drive", 0.25)
                out.append(module.w2w_base(block, params))
            else:
                out.append(module(block[None])[0])
    return torch.cat(out, 1).numpy().ravel()


def played(model: bytes, x: np.ndarray, knobs: dict[int, float] | None = None) -> np.ndarray:
    stream = StreamingModel(model)
    try:
        for at, value in (knobs or {}).items():
            stream.controls[0, at] = value
        return np.concatenate([stream.step(b.reshape(1, 1, -1)).ravel() for b in x.reshape(-1, 64)])
    finally:
        stream.close()


def test_a_neutone_model_plays_as_its_script(made):
    path, ready = made["neutone"]
    card = ready.card
    assert (card.sample_rate, card.hop_length, card.latency) == (48000, BUFFER, LOOK)
    assert (card.title, card.summary) == ("Late Drive", "drives late by A. Author")
    assert card.licence == "unknown" and card.provenance["stated_delay"] == LOOK
    assert [(c.name, c.default) for c in card.controls] == [("drive", 0.25)]
    x = 0.3 * np.random.default_rng(3).standard_normal(64 * 40).astype(np.float32)
    silence = np.zeros(int(0.5 * 48000 / 64) * 64, dtype=np.float32)  # what a model begins after
    for drive in (0.25, 0.9):
        expected = run_script(path, np.concatenate([silence, x]), drive=drive)[-len(x) :]
        got = played(ready.data, x, {0: drive})
        assert np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max()


def test_a_rave_model_plays_as_its_script_but_for_its_noise(made):
    path, ready = made["rave"]
    card = ready.card
    assert (card.sample_rate, card.hop_length, card.latency) == (44100, 64, PQMF_DELAY)
    assert card.proof["error"] <= 1e-4  # against the script with the same numbers drawn
    assert "SplitMix64" in card.provenance["noise"]
    shapes = sorted(s.shape for s in card.states)
    assert (1, 8) not in shapes and all(s[0] == 1 for s in shapes)  # not for 64 batches
    x = 0.3 * np.random.default_rng(4).standard_normal(64 * 60).astype(np.float32)
    got, expected = played(ready.data, x), run_script(path, x)
    late = slice(20 * 64, None)  # its beginning is after silence, the script's before
    noise = np.std(expected[late] - run_script(path, x)[late])  # two runs of the script differ
    assert 0 < noise < 0.02 and np.std(got[late] - expected[late]) < 1.1 * noise


def test_latents_are_knobs_and_the_noise_is_the_same_at_every_run(made):
    _, ready = made["rave"]
    assert [c.name for c in ready.card.controls] == [f"latent_{i}" for i in range(1, 9)]
    x = np.zeros(64 * 20, dtype=np.float32)
    first = played(ready.data, x)
    assert np.std(first) > 1e-4 and np.array_equal(first, played(ready.data, x))
    blocks = first.reshape(-1, 64)
    assert len(np.unique(blocks, axis=0)) == len(blocks)  # and does not repeat
    assert np.std(played(ready.data, x, {0: 1.0})) > 10 * np.std(first)


@pytest.mark.parametrize("kind", ["rave", "neutone"])
def test_every_check_of_verify_passes(made, kind, tmp_path):
    _, ready = made[kind]
    path = tmp_path / "made.onnx"
    path.write_bytes(ready.data)
    assert [c for c in verify(path) if not c.passed] == []


def test_what_is_drawn_is_splitmix64():
    draws = [(UNIFORM, (3, 5)), (NORMAL, (2, 4096))]
    first, second = drawn(draws, 7)
    source = np.empty(15 + 2 * 8192, dtype=np.float32)
    fill(source, SEED, 7 * len(source))
    assert np.array_equal(first.ravel(), (source[:15] + 1) / 2)
    from scipy.stats import kstest

    assert kstest(second.ravel(), "norm").pvalue > 0.01
    assert not np.array_equal(drawn(draws, 8)[1], second)


class Counts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        return x * float(self.count)


class Chooses(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if bool(x.sum() > 0) else -x


class Rolls(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.bernoulli(torch.full_like(x, 0.5))


class Strange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.qr(x.reshape(8, 8))[0].reshape(1, 1, -1)


class Writes(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        torch.save(x, "stolen")
        return x


class Halves(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[..., ::2]


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (Counts, "remembers 'count', which is no tensor"),
        (Chooses, "decides which way its code takes"),
        (Rolls, "aten::bernoulli"),
        (Strange, "operator aten.linalg_qr"),
        (Writes, "opens files"),
        (Halves, "comes back as long"),
    ],
)
def test_what_cannot_be_lifted_is_named(module, said, tmp_path, careful):
    path = saved(module(), tmp_path / "x.ts")
    with pytest.raises(ModelError, match=said):
        Lifted(Script(path), 2).graph()


class TracedInside(nn.Module):
    """As people wrap a network that they traced: a convolution, its memory in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.conv = torch.jit.trace(nn.Conv1d(1, 1, 9), torch.zeros(1, 1, 72))
        self.register_buffer("past", torch.zeros(1, 1, 8))

    def forward(self, x: Tensor) -> Tensor:
        full = torch.cat([self.past, x], -1)
        self.past = full[:, :, -8:]
        return torch.tanh(self.conv(full))


class Lstm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.LSTM(1, 6, batch_first=True), nn.Linear(6, 1)
        self.register_buffer("h", torch.zeros(1, 1, 6))
        self.register_buffer("c", torch.zeros(1, 1, 6))

    def forward(self, x: Tensor) -> Tensor:
        y, state = self.cell(x.transpose(1, 2), (self.h, self.c))
        self.h, self.c = state[0], state[1]
        return self.out(y).transpose(1, 2)


@pytest.mark.parametrize("module", [TracedInside, Lstm])
def test_common_ways_to_write_a_script_play_as_it_does(module, tmp_path):
    torch.manual_seed(3)
    path = saved(module().eval(), tmp_path / "x.ts")
    card, data, _ = convert(path, 48000)[0]
    rng, hop = np.random.default_rng(0), card.hop_length
    x = rng.uniform(-0.5, 0.5, 4 * hop).astype(np.float32)
    stream = StreamingModel(data)
    try:
        y = np.concatenate([stream.step(b.reshape(1, 1, -1)).ravel() for b in x.reshape(4, hop)])
    finally:
        stream.close()
    silence = np.zeros(48000, dtype=np.float32)  # that its memory has settled in
    expected = run_script(path, np.concatenate([silence, x]))
    assert np.abs(y - expected[48000:]).max() < 1e-5


def test_a_script_without_a_sample_rate_asks_for_one(tmp_path):
    class Plain(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0.5 * x

    path = saved(Plain(), tmp_path / "plain.ts")
    with pytest.raises(ModelError, match=r"plain\.ts.*--rate HZ"):
        convert(path)
    ready = convert(path, 32000)[0]
    assert (ready.card.sample_rate, ready.card.latency) == (32000, 0)
    x = np.random.default_rng(0).standard_normal(640).astype(np.float32)
    assert np.array_equal(played(ready.data, x), 0.5 * x)
