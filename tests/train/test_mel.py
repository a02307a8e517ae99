"""Band distance and whisper teacher against librosa and what they promise."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from train.data.examples.whisper import whisper
from train.losses import mel_distance, mel_matrix


@pytest.mark.parametrize(("n_fft", "bands"), [(2048, 40), (1024, 20)])
def test_bands_are_librosas_scaled_to_sum_one(n_fft: int, bands: int) -> None:
    librosa = pytest.importorskip("librosa")
    theirs = librosa.filters.mel(sr=48000, n_fft=n_fft, n_mels=bands, htk=True, norm=None).T
    ours = mel_matrix(n_fft, bands, 48000).numpy()
    np.testing.assert_allclose(ours, theirs / theirs.sum(axis=0), atol=1e-6)


def test_two_noises_of_one_colour_are_near_and_of_another_far() -> None:
    torch.manual_seed(0)
    a, b = 0.1 * torch.randn(2, 1, 48000)
    darker = torch.nn.functional.avg_pool1d(b, 8, 1, padding=4)[:, :48000]
    near, far = mel_distance(a, b), mel_distance(a, darker)
    assert near < np.log(2.0)  # half of what single bins of two noises differ by, 2 ln 2
    assert far > 2 * near
    assert mel_distance(a, a) == 0.0
    # twice the amplitude is ln 4 in power, in every band above the floor
    assert mel_distance(2 * a, a).item() == pytest.approx(np.log(4.0), rel=0.02)


def test_silence_has_finite_gradients() -> None:
    y = torch.zeros(1, 8192, requires_grad=True)
    mel_distance(y, torch.zeros(1, 8192)).backward()
    assert y.grad is not None and torch.isfinite(y.grad).all()


def test_a_whisper_has_no_pitch_but_the_envelope() -> None:
    if importlib.util.find_spec("pyworld") is None:
        pytest.skip("pyworld is not installed")
    t = np.arange(48000) / 48000
    voice = sum(np.sin(2 * np.pi * 140 * k * t) / k for k in range(1, 30))
    # a formant at 1 kHz
    spectrum = np.fft.rfft(voice)
    hz = np.fft.rfftfreq(48000, 1 / 48000)
    voice = np.fft.irfft(spectrum * (0.05 + np.exp(-(((hz - 1000) / 300) ** 2))))
    x = (0.2 * voice / np.abs(voice).max()).astype(np.float32)
    y = whisper(x)
    assert len(y) == len(x)
    assert np.mean(y**2) == pytest.approx(np.mean(x**2), rel=1e-3)

    def periodicity(s: np.ndarray) -> float:
        part = s[12000:36000].astype(np.float64)
        lag = round(48000 / 140)
        return float(np.corrcoef(part[lag:], part[:-lag])[0, 1])

    assert periodicity(x) > 0.9 and abs(periodicity(y)) < 0.4
    power = np.abs(np.fft.rfft(y)) ** 2
    near = power[(hz > 700) & (hz < 1300)].sum()
    assert near > 5 * power[(hz > 2500) & (hz < 3100)].sum()
