"""Batch STFT with the host's windows and the host's timing.

Frame `t` covers the newest ``n_fft`` samples ending with hop `t`; hop `t` of the result is what the
streaming host emits at that moment, ``synthesis_length - hop_length`` samples late.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from realtime.dsp.windows import asymmetric_windows


class FrameTransform:
    """Analysis and synthesis for one geometry (samples)."""

    def __init__(
        self, n_fft: int, synthesis_length: int, hop_length: int, fall: int | None = None
    ) -> None:
        analysis, synthesis = asymmetric_windows(n_fft, synthesis_length, hop_length, fall)
        self.n_fft, self.synthesis_length, self.hop = n_fft, synthesis_length, hop_length
        self.analysis, self.synthesis = torch.from_numpy(analysis), torch.from_numpy(synthesis)
        self.latency = synthesis_length - hop_length

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, n]`` with n a multiple of the hop ``-> [batch, 2, n / hop, bins]``."""
        padded = F.pad(x, (self.n_fft - self.hop, 0))
        frames = padded.unfold(1, self.n_fft, self.hop) * self.analysis.to(x)
        spectrum = torch.fft.rfft(frames)
        return torch.stack([spectrum.real, spectrum.imag], dim=1)

    def inverse(self, frames: Tensor) -> Tensor:
        """``[batch, 2, t, bins] -> [batch, t * hop]``, delayed by :attr:`latency`."""
        spectrum = torch.complex(frames[:, 0], frames[:, 1])
        # what a real transform cannot hold is dropped, as the host drops it
        full = torch.fft.irfft(spectrum, n=self.n_fft)
        newest = full[..., -self.synthesis_length :] * self.synthesis.to(full)
        steps, hop, length = newest.shape[1], self.hop, self.synthesis_length
        total = (steps - 1) * hop + length
        added = F.fold(newest.transpose(1, 2), (1, total), (1, length), stride=(1, hop))
        return added[:, 0, 0, : steps * hop]
