"""Level and loudness as they move over time."""

from __future__ import annotations

import torch
from torch import Tensor

FLOOR = 1e-6  # power, -60 dB: nothing below it is told apart
# ITU-R BS.1770-5 annex 1: shelf and high-pass at 48 kHz, (b, a) each
K_SHELF = (
    (1.53512485958697, -2.69169618940638, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
K_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def short_term_level(x: Tensor, window: int = 19200, hop: int = 4800) -> Tensor:
    """Level in dB of sliding windows ``[batch, n] -> [batch, (n - window) // hop + 1]``.

    Windows of 400 ms every 100 ms at 48 kHz by default, as BS.1770 takes them; a shorter signal is
    one window.  Silence is -60 dB.
    """
    window = min(window, x.shape[-1])
    power = x.unfold(-1, window, hop).square().mean(dim=-1)
    return 10 * torch.log10(power + FLOOR)


def k_weighting(x: Tensor) -> Tensor:
    """Filter ``[batch, n]`` at 48 kHz as ITU-R BS.1770-5 hears it.

    Done with an FFT twice as long as the signal: the filter's response has died away by then, and
    the gradient costs one more FFT instead of a loop over samples.
    """
    n = x.shape[-1]
    length = 2 * n
    bins = torch.arange(length // 2 + 1, dtype=torch.float64, device=x.device)
    z = torch.exp(-2j * torch.pi * bins / length)
    response = torch.ones_like(z)
    for numerator, denominator in (K_SHELF, K_HIGH_PASS):
        top, bottom = (c[0] + c[1] * z + c[2] * z * z for c in (numerator, denominator))
        response = response * top / bottom
    spectrum = torch.fft.rfft(x, length) * response.to(torch.promote_types(x.dtype, torch.cfloat))
    return torch.fft.irfft(spectrum, length)[..., :n]


def level_distance(y: Tensor, target: Tensor, window: int = 19200, hop: int = 4800) -> Tensor:
    """Mean absolute difference of short-term levels in dB."""
    a, b = (short_term_level(x, window, hop) for x in (y, target))
    return (a - b).abs().mean()


def loudness_distance(y: Tensor, target: Tensor, window: int = 19200, hop: int = 4800) -> Tensor:
    """The same after K-weighting: momentary loudness, difference in LU."""
    return level_distance(k_weighting(y), k_weighting(target), window, hop)
