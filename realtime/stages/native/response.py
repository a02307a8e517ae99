"""Impulse responses: read from a file, brought to the stream's rate, weighed.

A response is played at the level it was recorded with: one that is a single 1 changes nothing.  At
another rate its *frequency response* stays: resampled samples are scaled by the ratio of the rates.
"""

from __future__ import annotations

from math import gcd
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...audio_files import Clip, resample
from ...errors import ChainError
from ...trust.sounds import read_sound

Array = npt.NDArray[np.float64]
LONGEST_SECONDS = 10.0
SILENT = 1e-13  # share of the energy that may be cut off at the end: -130 dB
EARLY = 1e-8  # share that may lie before time 0 after resampling: -80 dB
FLOOR = 1e-4  # of the resampler's response, where its phase is worked out
# K-weighting of ITU-R BS.1770-4 at 48 kHz: a shelf and a highpass
WEIGHTED_AT = 48000
SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (-1.69065929318241, 0.73248077421585),
)
HIGHPASS = (1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)


def read_response(path: str | Path) -> Clip:
    """Read an impulse response.

    Raises
    ------
    AudioFileError
        It cannot be read.
    ChainError
        It is silent, too long, or has more than two channels.
    """
    clip = read_sound(path)
    name = Path(path).name
    if clip.samples.shape[0] > 2:
        raise ChainError(
            f"impulse response {name} has {clip.samples.shape[0]} channels; it should be mono or"
            " stereo"
        )
    if not clip.samples.any():
        raise ChainError(f"impulse response {name} is silent; nothing would be heard through it")
    samples = without_silence(clip.samples)
    seconds = samples.shape[1] / clip.sample_rate
    if seconds > LONGEST_SECONDS:
        raise ChainError(
            f"impulse response {name} lasts {seconds:.6g} s, longer than"
            f" {LONGEST_SECONDS:.0f} s; cut off its end"
        )
    return Clip(samples.astype(np.float32), clip.sample_rate)


def without_silence(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Cut off the end that holds no more than :data:`SILENT` of the energy."""
    power = np.square(samples.astype(np.float64)).sum(axis=0)
    left = np.cumsum(power[::-1])[::-1]
    return samples[:, : max(1, int(np.count_nonzero(left > SILENT * left[0])))]


def at_rate(clip: Clip, rate: int) -> Array:
    """The response at another rate ``[channels, taps]``.

    A resampler's filter rings before a sound as after it.  What would ring before time 0 cannot be
    played without a delay: where that is more than :data:`EARLY`, the filter's phase is turned into
    the minimal one, which leaves its magnitude as it is.
    """
    if clip.sample_rate == rate:
        return clip.samples.astype(np.float64)
    common = gcd(clip.sample_rate, rate)
    step, made = clip.sample_rate // common, rate // common
    parts = -(-1024 // min(step, made))
    ahead = parts * made
    room = np.zeros((clip.samples.shape[0], parts * step), dtype=np.float32)
    given = np.concatenate([room, clip.samples, room], axis=1)
    full = resample(given, clip.sample_rate, rate).astype(np.float64)
    early = np.square(full[:, :ahead]).sum()
    if early > EARLY * np.square(full).sum():
        unit = np.zeros((1, given.shape[1]), dtype=np.float32)
        unit[0, room.shape[1]] = 1.0
        size = 1 << (2 * full.shape[1]).bit_length()
        turned = np.fft.rfft(full, size) * _minimal_phase(
            resample(unit, clip.sample_rate, rate)[0].astype(np.float64), size, ahead
        )
        full = np.fft.irfft(turned, size)[:, : full.shape[1]]
    scaled: Array = full[:, ahead:] * (clip.sample_rate / rate)
    return without_silence(scaled).astype(np.float64)


def _minimal_phase(kernel: Array, size: int, centre: int) -> npt.NDArray[np.complex128]:
    """What turns a filter that is symmetrical about `centre` into its minimum-phase twin.

    By the real cepstrum (Oppenheim and Schafer, "Discrete-Time Signal Processing", §13.7).
    """
    spectrum = np.abs(np.fft.fft(kernel, size))
    cepstrum = np.fft.ifft(np.log(np.maximum(spectrum, FLOOR * spectrum.max()))).real
    cepstrum[1 : size // 2] *= 2.0
    cepstrum[size // 2 + 1 :] = 0.0
    phase = np.fft.fft(cepstrum).imag
    return np.exp(1j * phase[: size // 2 + 1])


def loudness(response: Array, rate: int) -> float:
    """Factor with which pink noise is as loud behind the response as before it (BS.1770)."""
    size = max(1 << 15, 1 << (response.shape[1] - 1).bit_length())
    frequencies = np.fft.rfftfreq(size, 1.0 / rate)[1:]
    heard = (frequencies >= 20.0) & (frequencies <= 0.45 * min(rate, WEIGHTED_AT))
    z = np.exp(-2j * np.pi * frequencies[heard] / WEIGHTED_AT)
    weights = 1.0 / frequencies[heard]
    for b, (a1, a2) in (SHELF, HIGHPASS):
        weights = weights * np.abs((b[0] + b[1] * z + b[2] * z**2) / (1 + a1 * z + a2 * z**2)) ** 2
    power = np.square(np.abs(np.fft.rfft(response, size)[:, 1:][:, heard])).mean(axis=0)
    return float(np.sqrt(weights.sum() / (weights * power).sum()))
