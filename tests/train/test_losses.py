"""Losses against values worked out by hand and against NumPy, SciPy and auraloss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from train.losses import (
    RESOLUTIONS,
    RandomFeatures,
    esr,
    feature_matching,
    gram,
    gram_distance,
    hinge_discriminator,
    hinge_generator,
    identity,
    k_weighting,
    level_distance,
    loudness_distance,
    lsgan_discriminator,
    lsgan_generator,
    magnitudes,
    pre_emphasis,
    short_term_level,
    statistics_distance,
    stft_distance,
)
from train.losses.level import K_HIGH_PASS, K_SHELF
from train.losses.mel import mel_matrix


def test_esr_by_hand() -> None:
    target = torch.tensor([[1.0, 2.0, 2.0]])  # power 9
    y = torch.tensor([[1.0, 1.0, 3.0]])  # errors 0, 1, 1
    assert float(esr(y, target)) == pytest.approx(2 / 9)
    assert float(esr(target, target)) == 0.0
    assert float(esr(torch.zeros(1, 3), target)) == pytest.approx(1.0)


def test_pre_emphasis_by_hand() -> None:
    x = torch.tensor([[1.0, 2.0, 4.0]])
    torch.testing.assert_close(pre_emphasis(x, 0.5), torch.tensor([[1.5, 3.0]]))


def test_magnitudes_equal_numpys() -> None:
    n_fft, hop = 256, 64
    x = np.random.default_rng(0).standard_normal(2048)
    padded = np.pad(x, n_fft // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    starts = range(0, len(padded) - n_fft + 1, hop)
    expected = np.stack([np.abs(np.fft.rfft(window * padded[s : s + n_fft])) for s in starts], 1)
    got = magnitudes(torch.from_numpy(x)[None], n_fft, hop)[0].numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=4e-4)  # the floor is 1e-7 in power


def test_distance_of_a_halved_signal_by_hand() -> None:
    """All magnitudes halve: convergence 1/2, log difference ln 2."""
    x = torch.randn(2, 48000, generator=torch.Generator().manual_seed(1))
    assert float(stft_distance(0.5 * x, x)) == pytest.approx(0.5 + np.log(2), abs=1e-3)
    assert float(stft_distance(x, x)) == 0.0


def test_distance_is_the_mean_over_resolutions() -> None:
    generator = torch.Generator().manual_seed(2)
    y, t = torch.randn(2, 1, 9600, generator=generator)
    single = [float(stft_distance(y, t, (r,))) for r in RESOLUTIONS]
    assert float(stft_distance(y, t)) == pytest.approx(np.mean(single), rel=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_distances_equal_auralosss(seed: int) -> None:
    """On one signal; on a batch auraloss takes spectral convergence for each example alone."""
    import auraloss

    generator = torch.Generator().manual_seed(seed)
    y, t = torch.randn(2, 1, 24000, generator=generator)
    sizes, hops = ([r[i] for r in RESOLUTIONS] for i in (0, 1))
    theirs = auraloss.freq.MultiResolutionSTFTLoss(sizes, hops, sizes)
    assert float(stft_distance(y, t)) == pytest.approx(float(theirs(y[None], t[None])), rel=1e-5)
    ratio = auraloss.time.ESRLoss()
    assert float(esr(y, t)) == pytest.approx(float(ratio(y[None], t[None])), rel=1e-5)


def test_identity_by_hand() -> None:
    x = torch.randn(2, 100, generator=torch.Generator().manual_seed(0))
    assert float(identity(lambda s: 0.5 * s, x)) == pytest.approx(0.5, abs=1e-4)
    assert float(identity(lambda s: 0 * s, x)) == pytest.approx(1.0, abs=1e-4)

    def late(s: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.full((2, 3), 9.0), s[:, :-3]], dim=1)

    assert float(identity(late, x, latency=3)) == 0.0
    assert float(identity(late, x)) > 0.5


def test_levels_by_hand() -> None:
    x = torch.cat([torch.full((1, 400), 0.1), torch.zeros(1, 400)], dim=1)
    levels = short_term_level(x, 200, 200)[0]
    torch.testing.assert_close(levels, torch.tensor([-20.0, -20, -60, -60]), atol=1e-3, rtol=0)
    assert short_term_level(x[:, :50]).shape == (1, 1), "a short signal is one window"
    y = torch.randn(1, 48000, generator=torch.Generator().manual_seed(3))
    assert float(level_distance(0.5 * y, y)) == pytest.approx(20 * np.log10(2), abs=1e-3)


def test_k_weighting_equals_scipys_filters() -> None:
    from scipy.signal import lfilter

    x = np.random.default_rng(0).standard_normal((2, 24000))
    expected = lfilter(*K_HIGH_PASS, lfilter(*K_SHELF, x))
    got = k_weighting(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-9)


def test_loudness_of_the_reference_tone_of_bs_1770() -> None:
    """A 997 Hz sine at full scale reads -3.01 LKFS (ITU-R BS.1770-5, annex 1)."""
    t = torch.arange(96000, dtype=torch.float64) / 48000
    tone = torch.sin(2 * torch.pi * 997 * t)[None]
    momentary = short_term_level(k_weighting(tone))[0, 5] - 0.691
    assert float(momentary) == pytest.approx(-3.01, abs=0.01)
    assert float(loudness_distance(0.1 * tone, tone)) == pytest.approx(20.0, abs=0.01)


def test_gram_matrices_by_hand() -> None:
    features = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    expected = torch.tensor([[[2.5, 5.5], [5.5, 12.5]]])
    torch.testing.assert_close(gram(features), expected)
    assert float(gram_distance(features, features)) < 1e-5
    twice = float(gram_distance(np.sqrt(2) * features, features))
    assert twice == pytest.approx(1.0, abs=1e-5), "|2G - G| / |G|"
    shuffled = features[:, :, [1, 0]]
    assert float(gram_distance(shuffled, features)) < 1e-5, "time is averaged away"


def test_statistics_by_hand() -> None:
    y = torch.tensor([[[0.0, 2.0], [5.0, 5.0]]])  # means 1, 5; deviations 1, 0
    style = torch.tensor([[[1.0, 1.0, 1.0], [1.0, 4.0, 1.0]]])  # means 1, 2; deviations 0, sqrt 2
    expected = (0 + 3) / 2 + (1 + np.sqrt(2)) / 2
    assert float(statistics_distance(y, style)) == pytest.approx(expected, abs=2e-3)
    assert float(statistics_distance(y, y)) == 0.0


def test_mel_bands_by_hand() -> None:
    """Three bands up to 4 kHz (2146 mel): centres at 537, 1073 and 1610 mel."""
    bands = mel_matrix(8000, 3, 8000).T.numpy()  # one bin per hertz
    mels = 2595 * np.log10(1 + np.arange(4001) / 700)
    np.testing.assert_allclose(mels[bands.argmax(axis=1)], [536.5, 1073.0, 1609.5], atol=2)
    np.testing.assert_allclose(bands.sum(axis=1), 1, atol=1e-5)
    edges = np.array([[0, 1073], [536.5, 1609.5], [1073, 2146]])
    for band, (low, high) in zip(bands, edges, strict=True):
        inside = mels[band > 0]
        assert inside.min() == pytest.approx(low, abs=3) and inside.max() == pytest.approx(
            high, abs=3
        )


def test_random_features_know_a_texture_whenever_it_sounds() -> None:
    net = RandomFeatures(channels=32, n_fft=512, hop=128)
    assert torch.equal(net.weights, RandomFeatures(channels=32).weights), "seeded"
    generator = torch.Generator().manual_seed(0)
    hiss, again = torch.randn(2, 1, 48000, generator=generator)
    t = torch.arange(48000) / 48000
    tone = torch.sin(2 * torch.pi * 440 * t)[None]
    f = [net(x) for x in (hiss, again, tone)]
    for distance in (gram_distance, statistics_distance):
        assert float(distance(f[0], f[1])) < 0.1 * float(distance(f[0], f[2]))


def test_adversarial_losses_by_hand() -> None:
    real = [torch.tensor([0.5, 2.0]), torch.tensor([[1.0]])]
    fake = [torch.tensor([-2.0, 0.0]), torch.tensor([[0.5]])]
    # hinge: scale 1: (0.5 + 0) / 2 + (0 + 1) / 2; scale 2: 0 + 1.5
    assert float(hinge_discriminator(real, fake)) == pytest.approx((0.75 + 1.5) / 2)
    assert float(hinge_generator(fake)) == pytest.approx((1.0 - 0.5) / 2)
    # least squares: (0.25 + 1) / 2 + (4 + 0) / 2; 0 + 0.25
    assert float(lsgan_discriminator(real, fake)) == pytest.approx((2.625 + 0.25) / 2)
    assert float(lsgan_generator(fake)) == pytest.approx(((9 + 1) / 2 + 0.25) / 2)


def test_feature_matching_by_hand() -> None:
    real = [[torch.tensor([2.0, -2.0])], [torch.tensor([1.0])]]
    fake = [[torch.tensor([3.0, -3.0])], [torch.tensor([0.0])]]
    assert float(feature_matching(real, fake)) == pytest.approx((0.5 + 1.0) / 2, abs=1e-4)
    leaf = torch.tensor([1.0], requires_grad=True)
    other = torch.tensor([0.5], requires_grad=True)
    feature_matching([[leaf]], [[other]]).backward()
    assert leaf.grad is None and other.grad is not None


def test_gradients_are_finite_on_silence() -> None:
    net = RandomFeatures(channels=8, n_fft=512, hop=128)
    y = torch.zeros(1, 4096, requires_grad=True)
    target = torch.zeros(1, 4096)
    total = stft_distance(y, target) + esr(y, target) + identity(lambda s: s + y, target)
    total = total + level_distance(y, target) + loudness_distance(y, target)
    total = total + gram_distance(net(y), net(target))
    total = total + statistics_distance(net(y), net(target))
    total.backward()
    assert y.grad is not None and torch.isfinite(y.grad).all()
