"""What the autoencoder must beat: principal components of the envelope, the same carrier.

Log band levels over the frame's level, a linear projection on as many numbers, and back; frame by
frame, without memory.  With no components at all it is the carrier under the mean envelope: what
is heard of the input when the latent says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..networks.envelope import QUIETEST, Envelope
from ..networks.frames import FrameTransform
from ..networks.latent import FLOOR

Array = npt.NDArray[np.float32]
AUDIBLE = 1e-4  # of the loudest frame's power: what the components are fitted on


class EnvelopePCA:
    """A linear autoencoder of log band levels.

    Parameters
    ----------
    envelope : Envelope
    transform : FrameTransform
    recordings : sequence of ndarray [shape=(n,)]
        What the components are fitted on.
    """

    def __init__(
        self, envelope: Envelope, transform: FrameTransform, recordings: Sequence[Array]
    ) -> None:
        self.envelope, self.transform = envelope, transform
        rows = []
        for x in recordings:
            _, _, level, bands = self._parts(x)
            heard = level[0, :, 0] > AUDIBLE * level.max()
            rows.append(bands[0][heard])
        all_rows = torch.cat(rows).double()
        self.mean = all_rows.mean(dim=0)
        _, vectors = torch.linalg.eigh(torch.cov(all_rows.T))
        self.basis = vectors.flip(1)  # columns, the strongest first

    def _parts(self, x: Array) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        n = len(x) // self.transform.hop * self.transform.hop
        frames = self.transform.forward(torch.from_numpy(x[None, :n]))
        power = frames.square().sum(dim=1)
        level = power.mean(dim=2, keepdim=True) + FLOOR
        return frames, power, level, torch.log(self.envelope.levels(power) / level + FLOOR)

    def play(self, x: Array, numbers: int) -> Array:
        """Rebuild a recording from `numbers` components and the level, aligned, as long as it.

        What its last samples would need from beyond the end is silence.
        """
        padded = np.pad(x, (0, 2 * self.transform.synthesis_length))
        frames, power, level, bands = self._parts(padded)
        basis = self.basis[:, :numbers]
        back = ((bands.double() - self.mean) @ basis @ basis.T + self.mean).float()
        carrier, _ = self.envelope.carrier(frames, power, QUIETEST * level + FLOOR)
        gain = torch.exp(0.5 * self.envelope.to_bins(back) + 0.5 * torch.log(level))
        y = self.transform.inverse(carrier * gain.unsqueeze(1))[0]
        lag = self.transform.latency
        return np.ascontiguousarray(y[lag : lag + len(x)].numpy())
