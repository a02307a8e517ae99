"""The memory by the gradient equals the one by the layers, and the one by trying it out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from train.explain.memory import analytic, measure
from train.networks.frame_tcn import FrameTCN
from train.networks.layers import Streamable
from train.networks.tag_cnn import TagCNN
from train.networks.waveform_tcn import WaveformTCN

NETWORKS: dict[str, Callable[[], Streamable]] = {
    "samples": lambda: WaveformTCN(3, 4, (1, 3, 9)),
    "samples, blended": lambda: WaveformTCN(3, 3, (1, 2, 4), n_controls=2),
    "frames": lambda: FrameTCN(33, 5, (1, 2, 4), narrow=24, wide=6),
    "tags": lambda: TagCNN(3, 6, (1, 2), hop=64, n_fft=256, bands=16),
}


def answer(network: Streamable, x: torch.Tensor, controls: torch.Tensor | None) -> torch.Tensor:
    with torch.no_grad():
        y = network.offline(x, controls=controls)
    return y[:, :, -1] if y.ndim == 4 else y[..., -1]


@pytest.mark.parametrize("name", NETWORKS)
def test_measured_is_analytic_and_a_changed_sample_agrees(name: str) -> None:
    torch.manual_seed(7)
    network = NETWORKS[name]().eval()
    if isinstance(network, FrameTCN):  # what forgets is in reach, but too faint for float32
        torch.nn.init.zeros_(network.forget.weight)
        torch.nn.init.constant_(network.forget.bias, -20.0)
    controls = torch.tensor([[0.3, 0.7]]) if "blended" in name else None
    found = measure(network, controls, 64, 256)
    assert found.measured == found.analytic == analytic(network)
    if found.unit == "frames":
        assert found.samples == 256 + (found.analytic - 1) * 64
        x = torch.randn(1, 2, found.analytic + 5, 33)
    else:
        unit = 64 if name == "tags" else 1
        x = torch.randn(1, 1, -(-(found.analytic + 5) // unit) * unit)
    before = answer(network, x, controls)
    for back, changes in ((found.analytic, True), (found.analytic + 1, False)):
        touched = x.clone()
        touched[:, :, x.shape[2] - back] += 30.0
        assert bool((answer(network, touched, controls) != before).any()) is changes


def test_a_network_without_a_formula_is_refused() -> None:
    class Other(Streamable):
        pass

    with pytest.raises(TypeError, match="Other has no formula"):
        analytic(Other())
