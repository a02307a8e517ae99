"""Cleaner: a gain for every band, frame by frame, that keeps speech and turns the rest down.

GTCRN hears the newest 32 ms at every hop (:mod:`train.networks.gtcrn`) and gives the gains up to
its 8 kHz; a recurrent unit that sees the frame as it is finds those above.  Where next to nothing
lies between the partials, there is no noise to take away, and sound passes: GTCRN alone would take
a held note for hum.  What is answered reaches the bins through
:mod:`train.networks.clean_mask`: causal, of minimum phase and smooth, with all of a bin's
neighbours inside the synthesis window, so that no tone comes at the hop rate.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .bands import interpolation
from .clean_mask import Mask
from .gtcrn import BANDS, BINS, GTCRN, LOW
from .layers import Streamable
from .recurrent import Recurrent

N_FFT, RATE, PEER_RATE, WINDOW = 2048, 48000, 16000, 512
FLOOR = 1e-6  # added to powers, so that digital silence has a logarithm
SMOOTH = 1 / 4  # of n_fft: relief of a mask that lies between the harmonics of most voices
LEAST = 1e-3  # gain of what is turned down as far as it goes, -60 dB
FAINT = 3e-3  # gain below which GTCRN's own are not told apart: rounding errors, if not
HIGH = 24  # bands above those of GTCRN
MOST = 0.5  # natural logarithm of the largest gain
TOP = 8  # of GTCRN's bands, whose mean the gains above begin with
PURE, NOISY = -9.7, -8.5  # log flatness of tones alone, -42 dB, and of what may hold noise, -37 dB
FAINTEST = 1e-9  # power of a bin below which it is silent
JUDGED = slice(1, 250)  # bins of 31.25 Hz whose flatness counts, by their frequency above 125 Hz
TAPS = 14  # bins either side that a bin of the other transform is made of


def centres() -> Tensor:
    """Middle of every band [Hz]: GTCRN's, equally apart in ERB above the narrow ones, then more."""

    def erb(hz: float) -> float:
        return 21.4 * math.log10(0.00437 * hz + 1.0)

    step = PEER_RATE / WINDOW
    scale = torch.linspace(erb(LOW * step), erb(PEER_RATE / 2), BANDS - LOW)
    wide = (10 ** (scale / 21.4) - 1.0) / 0.00437
    high = torch.logspace(math.log10(PEER_RATE / 2), math.log10(RATE / 2), HIGH + 1)[1:]
    return torch.cat([torch.arange(LOW) * step, wide, high])


def other_window(analysis: Tensor) -> Tensor:
    """Taps that make spectra of GTCRN's window, sqrt-Hann over 32 ms, of spectra of `analysis`.

    To weigh a frame by a curve is to convolve its bins; three bins of 31.25 Hz lie on four of ours,
    so that one convolution of stride 4 with three outputs makes all of them.

    Returns
    -------
    Tensor [shape=(6, 2, 2 * TAPS + 4)]
    """
    n, ratio = N_FFT, RATE // PEER_RATE
    length = WINDOW * ratio
    at = torch.arange(n, dtype=torch.float64)
    newest = at - (n - length)
    window = torch.sin(math.pi * (newest + 0.5) / length).clamp(min=0.0) * (newest >= 0)
    curve = window / analysis.double().clamp(min=1e-9) / ratio
    kernel = torch.zeros(3, 2 * TAPS + 4, dtype=torch.complex128)
    for r in range(3):
        for tap in range(2 * TAPS + 4):
            m = tap - TAPS  # bin m of ours in bin r of theirs
            turn = 2 * math.pi * (m * at / n - r * newest / length)
            kernel[r, tap] = (curve * torch.exp(1j * turn)).sum() / n
    pairs = torch.stack(
        [torch.stack([kernel.real, -kernel.imag], 1), torch.stack([kernel.imag, kernel.real], 1)], 1
    )
    return pairs.flatten(0, 1).float()


class Heard(nn.Module):
    """Spectra as GTCRN knows them: ``[b, 2, t, bins] -> [b, 2, t, BINS]``."""

    taps: Tensor
    order: Tensor
    sign: Tensor

    def __init__(self, analysis: Tensor) -> None:
        super().__init__()
        self.register_buffer("taps", other_window(analysis), persistent=False)
        places = torch.arange(-TAPS, 4 * (BINS // 3) + TAPS + 4)
        self.register_buffer("order", places.abs(), persistent=False)
        folded = torch.where(places < 0, -1.0, 1.0)
        sign = torch.stack([torch.ones_like(folded), folded])[:, None]
        self.register_buffer("sign", sign, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """A convolution over bins."""
        b, t = x.shape[0], x.shape[2]
        rows = (x[..., self.order] * self.sign).transpose(1, 2).flatten(0, 1)
        y = F.conv1d(rows, self.taps, stride=4)  # [b * t, 3 * 2, 86]
        y = y.reshape(b, t, 3, 2, -1).permute(0, 3, 1, 4, 2).flatten(3)
        return y[..., :BINS]


class Cleaner(Streamable):
    """Spectrum in, spectrum out; one control, `strength`: 0 passes the input, 1 cleans it.

    Shape: ``x [batch, 2, t, bins], controls [1 or batch, 1] -> y [batch, 2, t, bins]``.

    Parameters
    ----------
    analysis : Tensor [shape=(N_FFT,)]
        Window that the frames were weighed by.
    hidden : int
        Channels of the recurrent unit.
    """

    pool: Tensor
    weight: Tensor
    hop_by_hop = True

    def __init__(self, analysis: Tensor, hidden: int = 96) -> None:
        super().__init__()
        self.n_controls = 1
        hz = torch.arange(N_FFT // 2 + 1) * (RATE / N_FFT)
        to_bins = interpolation(centres(), hz)
        self.register_buffer("pool", (to_bins / to_bins.sum(1, keepdim=True)).T, persistent=False)
        self.heard, self.mask = Heard(analysis), Mask(to_bins, SMOOTH)
        self.ear = GTCRN()
        self.encode = nn.Linear(2 * BANDS + HIGH, hidden)
        self.memory = Recurrent(hidden)
        self.decode = nn.Linear(hidden, HIGH)
        nn.init.zeros_(self.decode.weight)
        nn.init.zeros_(self.decode.bias)
        weight = torch.arange(BINS, dtype=torch.float32)[JUDGED].clamp(min=4.0)
        self.register_buffer("weight", weight / weight.mean(), persistent=False)
        self.state_shapes = [*self.ear.state_shapes, self.memory.state_shape]

    def noisy(self, heard: Tensor) -> Tensor:
        """0 where a frame holds tones and nothing between them, 1 where it may: ``[b, t, 1]``.

        By its spectral flatness, the geometric over the arithmetic mean of bins.
        """
        power = (heard.square().sum(dim=1)[..., JUDGED] * self.weight).clamp(min=FAINTEST)
        flat = torch.log(power).mean(dim=2, keepdim=True)
        flat = flat - torch.log(power.mean(dim=2, keepdim=True))
        return ((flat - PURE) / (NOISY - PURE)).clamp(0.0, 1.0)

    def settled_state(self, silence: Tensor, controls: Tensor | None = None) -> list[Tensor]:
        """Zeros, with which GTCRN's recordings began; what it answers silence with is silence."""
        return self.initial_state(1)

    def forward(self, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Hear, decide on gains, and scale the input's bins."""
        controls, *states = rest
        heard = self.heard(x)
        mask, new = self.ear(heard, states[:-1])
        low = 0.5 * torch.log(mask.square().sum(dim=1) + FAINT**2)  # [b, t, BANDS]
        power = torch.log(x.square().sum(dim=1) @ self.pool + FLOOR)
        h = torch.relu(self.encode(torch.cat([0.2 * power, low], dim=2)))
        more, last = self.memory(h, states[-1])
        high = low[..., -TOP:].mean(dim=2, keepdim=True) + self.decode(h + more)
        gain = torch.cat([low, high], dim=2).clamp(math.log(LEAST), MOST) * self.noisy(heard)
        return (self.mask(x, gain * controls.unsqueeze(1)), *new, last)
