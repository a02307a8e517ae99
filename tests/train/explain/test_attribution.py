"""Attributions against their closed forms, and their completeness on networks."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from realtime.errors import ConfigError
from train.explain.attribution import integrated, of_samples, of_spectrum, of_tagger
from train.networks.frame_tcn import FrameTCN
from train.networks.tag_cnn import TagCNN
from train.networks.waveform_tcn import WaveformTCN

from ...signals import noise


def test_a_linear_answer_is_shared_by_its_weights() -> None:
    w, x, base = torch.randn(3, 7, generator=torch.Generator().manual_seed(1)).unbind()
    parts, gap = integrated(lambda v: v @ w, x[None], base[None])
    np.testing.assert_allclose(parts[0], w * (x - base), atol=1e-6)
    assert gap < 1e-5


def test_a_sum_of_cubes_is_shared_by_the_integral_along_the_way() -> None:
    x, base = torch.tensor([[0.5, -1.0, 2.0]]), torch.tensor([[0.1, 0.0, -0.5]])
    parts, _ = integrated(lambda v: v.pow(3).sum(dim=1), x, base)
    np.testing.assert_allclose(parts, x.pow(3) - base.pow(3), rtol=1e-5, atol=1e-6)


def test_what_a_network_does_not_hear_has_no_part_and_the_rest_sums_up() -> None:
    torch.manual_seed(3)
    network = WaveformTCN(4, 3, (1, 2, 4)).eval()
    x = noise(200, level=0.3)[0]
    found = of_samples(network, x, 150)
    heard = np.flatnonzero(found.parts)
    assert heard.max() == 150
    assert heard.min() == 150 - network.receptive_field + 1
    assert found.gap < 1e-4
    assert found.parts.sum() == pytest.approx(found.value - found.baseline, rel=1e-3)


def test_parts_of_a_spectrum_lie_in_the_frames_it_hears() -> None:
    torch.manual_seed(4)
    network = FrameTCN(33, 6, (1, 2), narrow=24, wide=6).eval()
    frames = torch.randn(1, 2, 12, 33)
    found = of_spectrum(network, frames, 9)
    assert found.parts.shape == (33, 12)
    heard = np.flatnonzero(np.abs(found.parts).sum(axis=0))
    assert (heard.min(), heard.max()) == (0, 9)  # its memory is longer than these frames
    assert found.gap < 1e-3


def test_a_planted_tone_is_where_its_tag_comes_from() -> None:
    torch.manual_seed(5)
    network = TagCNN(2, 8, (1,), hop=128, n_fft=512, bands=20).eval()
    with torch.no_grad():  # label 0 hears bands 8 to 11 alone
        network.inward.weight[:] = 0
        network.inward.weight[:, 8:12] = 0.3
    x = np.zeros(128 * 40, dtype=np.float32)
    found = of_tagger(network, x + noise(len(x), level=0.1)[0], 0, "planted")
    by_band = np.abs(found.parts).sum(axis=1)
    assert by_band[8:12].min() > 0
    assert np.delete(by_band, range(8, 12)).max() == 0
    assert found.gap < 1e-3


def test_without_captum_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(ConfigError, match=r"need captum; run: pip install 'restyle\[train\]'"):
        integrated(lambda v: v.sum(dim=1), torch.ones(1, 2), torch.zeros(1, 2))
