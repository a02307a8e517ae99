"""What a style must beat: doing nothing, equalisers, and a chain of effects made by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pedalboard as pb
import torch
from torch import Tensor

from ..data.pairs import Pair
from ..data.scores.render import SAMPLE_RATE

Array = npt.NDArray[np.float32]
EQ_FFT, EQ_HOP = 2048, 512

_STRINGS = (
    pb.Compressor(-36, 8, 60, 600),
    pb.Distortion(8),
    pb.LowpassFilter(5000),
    pb.Chorus(0.6),
)
# the best a person made in a few minutes of trying, by style
HAND_MADE: dict[str, tuple[pb.Plugin, ...]] = {
    "square-synth": (
        pb.Compressor(-32, 8, 1, 300), pb.Distortion(24), pb.LowpassFilter(7000),
    ),
    "strings": _STRINGS,
    "strings-unpaired": _STRINGS,
    "choir": (
        pb.Compressor(-36, 8, 80, 600), pb.PeakFilter(800, 9, 1.0), pb.LowpassFilter(3000),
        pb.Chorus(0.8, 0.4),
    ),
    "tube-amp": (
        pb.HighpassFilter(90), pb.Distortion(20), pb.PeakFilter(1800, 4, 0.8),
        pb.LowpassFilter(5000),
    ),
    "tape": (pb.Distortion(9), pb.PeakFilter(85, 3, 0.9), pb.LowpassFilter(12000)),
    "amp-blend": (pb.HighpassFilter(90), pb.Distortion(16), pb.LowpassFilter(5000)),
    "radio-voice": (
        pb.HighpassFilter(350), pb.HighpassFilter(350), pb.Distortion(14),
        pb.LowpassFilter(3200), pb.LowpassFilter(3200),
    ),
    "whisper": (pb.HighpassFilter(900), pb.HighShelfFilter(2500, 9), pb.Bitcrush(7)),
}  # fmt: skip


def matched_eq(pairs: tuple[Pair, ...]) -> Tensor:
    """Gain per frequency bin that gives the dry recordings the wet ones' mean spectrum."""
    power = torch.zeros(2, EQ_FFT // 2 + 1, dtype=torch.float64)
    window = torch.hann_window(EQ_FFT)
    for pair in pairs:
        for row, signal in enumerate((pair.dry, pair.wet)):
            frames = torch.stft(
                torch.from_numpy(signal), EQ_FFT, EQ_HOP, window=window, return_complex=True
            )
            power[row] += frames.abs().double().square().sum(dim=1)
    return torch.sqrt(power[1] / (power[0] + 1e-12)).clamp(max=100.0).float()


def apply_eq(dry: Array, gain: Tensor) -> Array:
    """Filter ``dry [shape=(n,)]`` by a static zero-phase gain per bin."""
    x, window = torch.from_numpy(dry)[None], torch.hann_window(EQ_FFT)
    frames = torch.stft(x, EQ_FFT, EQ_HOP, window=window, return_complex=True)
    y = torch.istft(frames * gain[:, None], EQ_FFT, EQ_HOP, window=window, length=len(dry))
    return y[0].numpy()


def hand_made(name: str, dry: Array, target: Array) -> Array:
    """The style's chain, at the target's mean power (which no live chain could know).

    A style without a chain of its own gets the dry sound, which was judged already.
    """
    if name not in HAND_MADE:
        return dry
    board = pb.Pedalboard(list(HAND_MADE[name]))
    y = board(dry[None], SAMPLE_RATE)[0]
    y = np.pad(y, (0, max(0, len(dry) - len(y))))[: len(dry)]
    gain = np.sqrt(np.mean(np.square(target)) / (np.mean(np.square(y)) + 1e-12))
    return np.asarray(y * gain, dtype=np.float32)
