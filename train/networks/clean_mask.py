"""Gains that cannot whistle: smooth over bins, causal, and steady unless something new begins.

A mask on STFT frames makes tones at the hop rate for two reasons.  Its impulse response is cut off
by the windows: here the log gain is smoothed by a window on its cepstrum and given the minimum
phase that belongs to it (Oppenheim & Schafer, 1975), so that the response is short and causal, and
a window with a steep fall (:func:`realtime.dsp.windows.asymmetric_windows`) leaves it whole.  And
it jumps from frame to frame: here it is a mean over the last frames, which a learnt rate of
forgetting cuts short where a note begins.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SMOOTH = 1 / 8  # of n_fft: cepstral coefficients from here on are left out
FRAMES = 32  # frames a mean goes over where nothing is forgotten
MIDDLE, REACH = -1.0, 3.5  # natural logarithm of the gains: bounds are MIDDLE -+ REACH
TAPS = 12  # bins either side that soften a frame


def limited(log_gain: Tensor) -> Tensor:
    """Bend a log gain into its bounds (-39 to +22 dB), unchanged in the middle."""
    return MIDDLE + REACH * torch.tanh((log_gain - MIDDLE) / REACH)


def unlimited(log_gain: Tensor) -> Tensor:
    """What :func:`limited` bends into a log gain, or into the nearest it can reach."""
    return MIDDLE + REACH * torch.atanh(((log_gain - MIDDLE) / REACH).clamp(-0.95, 0.95))


def minimum_phase(bins: int, smooth: float = SMOOTH) -> tuple[Tensor, Tensor]:
    """Matrices from log gains to smooth log magnitude and to its phase ``[bins, bins]`` each.

    `smooth` is the share of the cepstrum, of ``n_fft``, that is kept.
    """
    n = 2 * (bins - 1)
    cepstrum = torch.fft.irfft(torch.eye(bins, dtype=torch.float64), n)  # a row for each bin
    last = max(2, round(smooth * n))
    at = torch.arange(n, dtype=torch.float64)
    window = torch.where(at < last, 0.5 + 0.5 * torch.cos(math.pi * at / last), 0.0)
    folded = cepstrum * window * torch.where(at == 0, 1.0, 2.0)
    spectrum = torch.fft.rfft(folded)
    return spectrum.real.float(), spectrum.imag.float()


class Mask(nn.Module):
    """Band gains onto a spectrum: ``x [b, 2, t, bins], log gains [b, t, bands] -> as x``.

    Parameters
    ----------
    spread : Tensor [shape=(bands, bins)]
        Interpolation from bands to bins.
    smooth : float
        See :func:`minimum_phase`.
    """

    size: Tensor
    turn: Tensor

    def __init__(self, spread: Tensor, smooth: float = SMOOTH) -> None:
        super().__init__()
        size, turn = minimum_phase(spread.shape[1], smooth)
        self.register_buffer("size", spread @ size, persistent=False)
        self.register_buffer("turn", spread @ turn, persistent=False)

    def forward(self, x: Tensor, log_gain: Tensor) -> Tensor:
        """Scale and turn every bin."""
        size, turn = torch.exp(log_gain @ self.size), log_gain @ self.turn
        real, imag = size * torch.cos(turn), size * torch.sin(turn)
        return torch.stack(
            [x[:, 0] * real - x[:, 1] * imag, x[:, 0] * imag + x[:, 1] * real], dim=1
        )


class Steady(nn.Module):
    """A mean over the last frames that forgets where it is told to.

    Shape: ``values [b, t, c], forget [b, t, 1]`` (>= 0, in nepers a frame), states ``[b, FRAMES -
    1, c]`` and ``[b, FRAMES - 1, 1]``.  A Hann window over the frames leaves nothing of a
    mask's flutter; whatever came before a frame that forgets weighs next to nothing.
    """

    later: Tensor
    age: Tensor
    places: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        place = torch.arange(FRAMES, dtype=torch.float32)
        self.register_buffer("places", place.long(), persistent=False)
        later = (place[:, None] > place[None]).float()  # [i, j]: frame i came after frame j
        self.register_buffer("later", later, persistent=False)
        taper = torch.sin(math.pi * (place + 0.5) / FRAMES).square()
        self.register_buffer("age", torch.log(taper), persistent=False)
        self.state_shapes = [(FRAMES - 1, channels), (FRAMES - 1, 1)]

    def forward(
        self, values: Tensor, forget: Tensor, past: Tensor, past_forget: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Means ``[b, t, c]`` and the new states."""
        full, rates = torch.cat([past, values], dim=1), torch.cat([past_forget, forget], dim=1)
        count = torch.ones_like(values[0, :, 0]).cumsum(dim=0).long() - 1  # 0 .. t - 1
        index = count.unsqueeze(1) + self.places
        weights = torch.softmax(self.age - rates[:, index, 0] @ self.later, dim=2)
        mean = (weights.unsqueeze(2) @ full[:, index]).squeeze(2)
        return mean, full[:, -(FRAMES - 1) :], rates[:, -(FRAMES - 1) :]


class Soften(nn.Module):
    """Frames as a window with a long fall would have seen them: a short convolution over bins.

    A steep fall leaks: a loud low note covers what is 40 dB below it everywhere.  Multiplying the
    frame by a smooth curve that ends at zero is a convolution over bins, and a few taps do.

    Parameters
    ----------
    bins : int
    fall : int [samples]
        How long the curve falls at the frame's newest end; it rises again where frames are silent.
    """

    kernel: Tensor
    order: Tensor
    sign: Tensor

    def __init__(self, bins: int, fall: int) -> None:
        super().__init__()
        n = 2 * (bins - 1)
        taps = min(TAPS, bins - 2)
        at = torch.arange(n, dtype=torch.float64)
        down = torch.sin(0.5 * math.pi * ((n - at) / fall).clamp(max=1.0))
        curve = down * torch.sin(0.5 * math.pi * ((at + 1) / fall).clamp(max=1.0)).square()
        k = torch.fft.fft(curve) / n
        k = torch.cat([k[-taps:], k[: taps + 1]]).flip(0)  # a correlation is what a layer computes
        kernel = torch.stack([torch.stack([k.real, -k.imag]), torch.stack([k.imag, k.real])])
        self.register_buffer("kernel", kernel[:, :, None].float(), persistent=False)
        around = torch.arange(-taps, bins + taps)
        mirrored = torch.where(around >= bins, 2 * (bins - 1) - around, around.abs())
        self.register_buffer("order", mirrored, persistent=False)
        folded = torch.where((around < 0) | (around >= bins), -1.0, 1.0)
        sign = torch.stack([torch.ones_like(folded), folded])[:, None]
        self.register_buffer("sign", sign, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``x [b, 2, t, bins]`` in, the same out."""
        return F.conv2d(x[..., self.order] * self.sign, self.kernel)
