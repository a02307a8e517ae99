"""Log spectra of several windows that end at the newest sample, in thirds of a semitone.

A frame's transform is two small matrix products (Cooley and Tukey's factors of 64 by 64), of which
only what is needed is computed: a graph has no better transform of real numbers.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

RATE, HOP = 48_000, 256
LENGTHS, FALLS = (512, 1024, 2048, 4096), (48, 64, 96, 128)  # samples of a window, and of its end
SIZE, SIDE, COLUMNS = 4096, 64, 11  # of the transform: SIDE * SIDE; SIDE * COLUMNS bins are used
PAST = SIZE - HOP
LOWEST_BIN, PER_SEMITONE = 16.0, 3  # MIDI pitch of the first bin
BINS = 104 * PER_SEMITONE  # up to 8.2 kHz
FLOOR, SCALE = 1e-8, 0.25  # power that counts as silence and is 0; of the natural logarithm


def window(length: int, fall: int) -> Tensor:
    """A slow half-Hann rise and a short fall, of sum 2, so that a sine has its amplitude."""
    rise = length - fall
    up = torch.sin(0.5 * math.pi * (torch.arange(rise) + 0.5) / rise) ** 2
    down = torch.cos(0.5 * math.pi * (torch.arange(fall) + 0.5) / fall) ** 2
    whole = torch.cat([up, down])
    return 2.0 * whole / whole.sum()


def bin_weights() -> Tensor:
    """Triangles over the transform's bins ``[704, bins]``, one bin or the spacing wide."""
    k = torch.arange(SIDE * COLUMNS, dtype=torch.float64)[:, None] * RATE / SIZE
    pitch = LOWEST_BIN + torch.arange(BINS, dtype=torch.float64) / PER_SEMITONE
    centre = 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)
    width = torch.clamp(centre * (2.0 ** (1.0 / (12 * PER_SEMITONE)) - 1.0), min=RATE / SIZE)
    return F.relu(1.0 - (k - centre).abs() / width)


def first_bins(lowest: int, harmonics: tuple[float, ...]) -> Tensor:
    """Bin of each harmonic of the lowest pitch ``[harmonics]``."""
    above = 12.0 * torch.log2(torch.tensor(harmonics, dtype=torch.float64))
    return torch.round((lowest + above - LOWEST_BIN) * PER_SEMITONE).long()


def harmonic_bins(lowest: int, pitches: int, harmonics: tuple[float, ...]) -> Tensor:
    """Bin of each harmonic of each pitch ``[pitches, harmonics]``; too high ones are BINS."""
    found = first_bins(lowest, harmonics) + PER_SEMITONE * torch.arange(pitches)[:, None]
    return found.clamp(max=BINS)


class Spectra(nn.Module):
    """Samples ``[b, 3840 + t * 256] -> [b, t, 4, bins]``, scaled natural logarithms of power."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = len(LENGTHS)
        for i, (n, fall) in enumerate(zip(LENGTHS, FALLS, strict=True)):
            self.register_buffer(f"window_{i}", window(n, fall), persistent=False)
        side = torch.arange(SIDE, dtype=torch.float64)
        turn = -2.0 * math.pi * (side[:, None] * side) / SIDE
        first = torch.cat([turn.cos(), turn.sin()])
        self.register_buffer("first", first.float(), persistent=False)
        twist = turn / SIDE  # [k1, n2]
        self.register_buffer("cosine", twist.cos().float(), persistent=False)
        self.register_buffer("sine", twist.sin().float(), persistent=False)
        c, s = turn[:, :COLUMNS].cos(), turn[:, :COLUMNS].sin()  # [n2, k2]
        second = torch.cat([torch.cat([c, s], dim=1), torch.cat([-s, c], dim=1)])
        self.register_buffer("second", second.float(), persistent=False)
        weights = torch.round(255 * bin_weights()).to(torch.uint8)
        self.register_buffer("weights", weights, persistent=False)
        order = torch.arange(SIDE * COLUMNS).reshape(COLUMNS, SIDE).T.reshape(-1)
        self.register_buffer("turned", weights[order], persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """One frame by matrix products, many by the library's transform."""
        one = samples.shape[1] == SIZE
        weights = (self.turned if one else self.weights).to(samples) * (1.0 / 255.0 / FLOOR)
        power = self._step(samples) if one else self._whole(samples)
        return SCALE * torch.log(1.0 + power @ weights)

    def _windows(self) -> list[Tensor]:
        return [getattr(self, f"window_{i}") for i in range(self.windows)]

    def _whole(self, samples: Tensor) -> Tensor:
        frames = samples.unfold(1, SIZE, HOP)
        found = []
        for w in self._windows():
            spectrum = torch.fft.rfft(frames[:, :, SIZE - len(w) :] * w, n=SIZE)
            spectrum = spectrum[:, :, : SIDE * COLUMNS]
            found.append(spectrum.real.square() + spectrum.imag.square())
        return torch.stack(found, dim=2)

    def _step(self, samples: Tensor) -> Tensor:
        parts = []
        for w in self._windows():
            n1 = len(w) // SIDE
            x = (samples[:, SIZE - len(w) :] * w).reshape(-1, n1, SIDE)
            parts.append(self.first[:, :n1] @ x)  # [b, 2 k1, n2]
        both = torch.stack(parts, dim=1)  # [b, windows, 2 k1, n2]
        real, imag = both[:, :, :SIDE], both[:, :, SIDE:]
        turned = torch.cat(
            [real * self.cosine - imag * self.sine, real * self.sine + imag * self.cosine], dim=3
        )
        y = (turned @ self.second).square()  # [b, windows, k1, 2 k2]
        return (y[..., :COLUMNS] + y[..., COLUMNS:]).flatten(2).unsqueeze(1)
