from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
from scipy.signal import ShortTimeFFT

from realtime.dsp.fft import twiddles
from realtime.dsp.stft import analyse, synthesise
from realtime.dsp.windows import asymmetric_windows
from realtime.errors import ConfigError

from ..signals import impulse, noise

# (n_fft, synthesis_length, hop_length): asymmetric, symmetric, tiny, hop much below half
GEOMETRIES = [
    (1024, 256, 128), (1024, 1024, 256), (512, 128, 16), (256, 256, 128), (2048, 512, 64),
    (64, 24, 12), (64, 20, 5), (16, 2, 1), (16, 16, 8),
]  # fmt: skip


class Stft:
    """The streaming kernels with their memory, one channel."""

    def __init__(self, n_fft: int, synthesis: int, hop: int) -> None:
        self.hop, self.windows = hop, asymmetric_windows(n_fft, synthesis, hop)
        self.history = np.zeros(n_fft, dtype=np.float32)
        self.ola = np.zeros(synthesis, dtype=np.float32)
        self.scratch = (
            np.zeros(n_fft, dtype=np.float32),
            np.zeros((4, n_fft // 2), dtype=np.float32),
            twiddles(n_fft),
        )
        self.re, self.im = np.zeros((2, n_fft // 2 + 1), dtype=np.float32)

    def analyse(self, x: np.ndarray) -> np.ndarray:
        frames = []
        for start in range(0, len(x) - self.hop + 1, self.hop):
            block = x[start : start + self.hop]
            analyse(block, self.history, self.windows[0], self.re, self.im, *self.scratch)
            frames.append(self.re + 1j * self.im)
        return np.array(frames)

    def synthesise(self, frames: np.ndarray) -> np.ndarray:
        y = np.zeros((len(frames), self.hop), dtype=np.float32)
        for spectrum, hop in zip(frames, y, strict=True):
            re, im = spectrum.real.copy(), spectrum.imag.copy()
            synthesise(re, im, self.ola, self.windows[1], hop, *self.scratch)
        return y.ravel()


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_window_products_overlap_add_to_one(geometry: tuple[int, int, int]) -> None:
    n_fft, synthesis, hop = geometry
    analysis, output = asymmetric_windows(n_fft, synthesis, hop)
    product = analysis[n_fft - synthesis :].astype(np.float64) * output
    assert np.abs(product.reshape(-1, hop).sum(axis=0) - 1.0).max() <= 1e-6


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_analysis_equals_scipy_on_explicit_frames(geometry: tuple[int, int, int]) -> None:
    n_fft, _, hop = geometry
    stft = Stft(*geometry)
    x = noise(hop * (2 * n_fft // hop + 3))[0]
    found = stft.analyse(x)
    padded = np.concatenate([np.zeros(n_fft), x]).astype(np.float64)
    frames = [padded[(t + 1) * hop : (t + 1) * hop + n_fft] for t in range(len(found))]
    expected = scipy.fft.rfft(np.array(frames) * stft.windows[0])
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("geometry", [(1024, 256, 128), (512, 128, 16), (256, 256, 128)])
def test_analysis_equals_scipy_short_time_fft(geometry: tuple[int, int, int]) -> None:
    n_fft, _, hop = geometry
    stft = Stft(*geometry)
    x = noise(n_fft + 30 * hop)[0]
    found = stft.analyse(x)
    window = stft.windows[0].astype(np.float64)
    reference = ShortTimeFFT(window, hop, fs=1.0, fft_mode="onesided", phase_shift=None)
    # scipy's slice p is centred on sample p * hop; our frame t ends at sample (t + 1) * hop
    middle = n_fft // 2 // hop
    expected = reference.stft(x.astype(np.float64), p0=middle, p1=middle + 20).T
    ours = found[2 * middle - 1 :][:20]
    assert np.abs(ours - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_synthesis_equals_numpy_overlap_add(geometry: tuple[int, int, int]) -> None:
    n_fft, synthesis, hop = geometry
    stft = Stft(*geometry)
    rng = np.random.default_rng(3)
    spectra = rng.standard_normal((12, n_fft // 2 + 1)) + 1j * rng.standard_normal(
        (12, n_fft // 2 + 1)
    )
    spectra = spectra.astype(np.complex64)
    found = stft.synthesise(spectra)
    expected = np.zeros(12 * hop + synthesis)
    for t, frame in enumerate(scipy.fft.irfft(spectra.astype(np.complex128), n_fft)):
        expected[t * hop : t * hop + synthesis] += frame[n_fft - synthesis :] * stft.windows[1]
    expected = expected[: 12 * hop]
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_reconstruction_is_perfect_after_the_declared_delay(
    geometry: tuple[int, int, int],
) -> None:
    _, synthesis, hop = geometry
    stft = Stft(*geometry)
    x = noise(hop * (8 * synthesis // hop + 4))[0]
    y = stft.synthesise(stft.analyse(x))
    delay = synthesis - hop
    assert np.abs(y[delay:] - x[: len(x) - delay]).max() <= 1e-6
    assert np.abs(y[:delay]).max(initial=0.0) <= 1e-6


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_an_impulse_arrives_synthesis_length_minus_hop_later(
    geometry: tuple[int, int, int],
) -> None:
    _, synthesis, hop = geometry
    for offset in {0, 1 % hop, hop // 2, hop - 1}:
        stft = Stft(*geometry)
        at = 3 * synthesis // hop * hop + offset
        x = impulse(hop * (8 * synthesis // hop + 8), at)[0]
        y = stft.synthesise(stft.analyse(x))
        assert int(np.abs(y).argmax()) - at == synthesis - hop


@pytest.mark.parametrize(
    "geometry",
    [
        (1000, 256, 128),
        (8, 8, 4),
        (1024, 255, 5),
        (1024, 2048, 128),
        (1024, 256, 96),
        (1024, 256, 0),
        (1024, 0, 1),
    ],
)
def test_geometries_that_cannot_reconstruct_are_refused(geometry: tuple[int, int, int]) -> None:
    with pytest.raises(ConfigError, match="must"):
        asymmetric_windows(*geometry)
