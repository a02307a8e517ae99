"""``train.pack``: modules of one's own, streamed against what they compute at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from realtime.errors import RestyleError
from realtime.models.load import open_model
from realtime.models.streaming import load_model
from train.pack import pack

CARD: dict[str, Any] = {
    "name": "own", "title": "t", "summary": "s", "licence": "x", "domain": "waveform",
    "sample_rate": 48000, "hop_length": 64, "latency": 0,
}  # fmt: skip
GUIDE = Path(__file__).parents[2] / "docs" / "import.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("k", range(2))
def test_the_guides_examples_run_as_written(
    k: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(EXAMPLES) == 2 and len(EXAMPLES[k].strip().splitlines()) <= 25
    monkeypatch.chdir(tmp_path)
    exec(EXAMPLES[k], {"__name__": "example"})
    model = open_model(next(tmp_path.glob("*.onnx")), 2)
    assert model.card.states and np.isfinite(model.step(model.x)).all()
    assert model.card.proof["streaming_error"] <= 1e-5
    model.close()


class Deep(nn.Module):
    """Convolutions, an LSTM of two layers, a GRU and a knob."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Sequential(nn.Conv1d(1, 4, 3, dilation=4), nn.PReLU(4), nn.Conv1d(4, 4, 2))
        self.lstm = nn.LSTM(4, 6, num_layers=2, batch_first=True)
        self.gru = nn.GRU(6, 5, batch_first=True)
        self.out = nn.Linear(5, 1)

    def forward(self, x: Tensor, controls: Tensor) -> Tensor:
        y = self.gru(self.lstm(self.first(x).transpose(1, 2))[0])[0]
        return x + controls[:, :1, None] * self.out(y).transpose(1, 2)


def test_layers_with_memory_stream_as_torch_computes_them(tmp_path: Path) -> None:
    module = Deep()
    knob = {"name": "amount", "minimum": 0.0, "maximum": 2.0, "default": 1.0}
    pack(module, {**CARD, "controls": [knob]}, tmp_path / "deep.onnx", settling=0.0)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 1, 64 * 30)).astype(np.float32)
    model = load_model(tmp_path / "deep.onnx", 2)
    model.controls[...] = 1.5
    got = np.concatenate([model.step(s) for s in np.split(x, 30, axis=2)], axis=2)
    whole = module.double()
    with torch.no_grad():  # the module itself, what its convolutions lack in front put there
        signal = torch.from_numpy(x).double()
        y = nn.functional.pad(signal, (8, 0))
        y = nn.functional.pad(whole.first[1](whole.first[0](y)), (1, 0))
        y = whole.gru(whole.lstm(whole.first[2](y).transpose(1, 2))[0])[0]
        expected = (signal + 1.5 * whole.out(y).transpose(1, 2)).numpy()
    assert np.abs(got - expected).max() <= 1e-5


class Leaky(nn.Module):
    """Hands its state on itself: ``y[hop] = x + state``, the state halved towards the hop's end."""

    def initial_state(self, batch: int) -> list[Tensor]:
        return [torch.full((batch, 1), 0.25)]

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        return x + state[:, :, None], state


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=2, keepdim=True)


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.conv(x))


def test_a_module_may_hand_its_states_on_itself(tmp_path: Path) -> None:
    card = pack(Leaky(), CARD, tmp_path / "leaky.onnx")
    assert card.states[0].shape == (1,)
    model = load_model(tmp_path / "leaky.onnx")
    assert np.array_equal(
        model.step(np.zeros((1, 1, 64), np.float32)), np.full((1, 1, 64), 0.25, np.float32)
    )


class Wrap(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x.transpose(1, 2) if isinstance(self.layer, nn.GRU) else x)
        return y[0][:, :, :1].transpose(1, 2) if isinstance(y, tuple) else y


REFUSED = {
    "padding": (Wrap(nn.Conv1d(1, 1, 3, padding=1)), CARD, "stride 1 and padding 0"),
    "stride": (Wrap(nn.Conv1d(1, 1, 3, stride=2)), CARD, "stride 1 and padding 0"),
    "backwards": (Wrap(nn.GRU(1, 4, batch_first=True, bidirectional=True)), CARD, "one direction"),
    "twice": (Twice(), CARD, "called twice"),
    "mean": (Mean(), CARD, "looks at more than one moment"),
    "card": (Wrap(nn.Conv1d(1, 1, 3)), {**CARD, "latency": "none"}, "latency must be"),
    "kind": (Wrap(nn.Conv1d(1, 1, 3)), {**CARD, "kind": "ear"}, "got kind 'ear'"),
    "late": (Wrap(nn.Conv1d(1, 1, 3)), {**CARD, "latency": 5}, "latency"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_stream_is_told_and_nothing_is_written(case: str, tmp_path: Path) -> None:
    module, card, words = REFUSED[case]
    with pytest.raises(RestyleError, match=words) as found:
        pack(module, card, tmp_path / "x.onnx")
    assert "\n" not in str(found.value) and not list(tmp_path.iterdir())
