"""Struck notes as sums of partials with envelopes of their own, hop by hop.

Additive synthesis (Serra & Smith, 1990) with all state in the open: phase, envelope and its
smoothed course per partial.  Within a hop the sines are a product with a table, and amplitudes go
straight from the last hop's to this one's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

HIGHEST_HZ = 16000.0
DAMPED = 0.3  # what is left of the notes that sound when others begin: a player's damping hand


def hertz(pitch: Tensor) -> Tensor:
    """Frequency of MIDI pitches in equal temperament, A4 (69) at 440 Hz."""
    return 440.0 * 2.0 ** ((pitch - 69.0) / 12.0)


def blended(weights: Tensor, values: Tensor) -> Tensor:
    """``weights [b, styles], values [styles, n] -> [b, n]``, summed in order.

    Not as a matrix product, whose order of summation is the library's: an envelope is thousands of
    multiplications long, and differences of the last bit would grow.
    """
    total = weights[:, :1] * values[0]
    for k in range(1, len(values)):
        total = total + weights[:, k : k + 1] * values[k]
    return total


def shares(controls: Tensor) -> Tensor:
    """:func:`train.networks.layers.blend_weights`, summed in order, as in :func:`blended`."""
    positive = controls.clamp(min=0.0) + 1e-6
    total = positive[:, :1]
    for k in range(1, controls.shape[1]):
        total = total + positive[:, k : k + 1]
    return positive / total


class Partials(nn.Module):
    """Notes to samples.

    Parameters
    ----------
    lowest, notes, partials : int
        MIDI pitch of the lowest note; how many semitones; partials of each.
    styles, hop, rate : int

    Attributes
    ----------
    amplitude, decay : Tensor [shape=(styles, notes * partials)]
        Of a struck note's partials; factor per hop.
    attack : Tensor [shape=(styles, notes * partials)]
        Share of the way to its envelope that a partial goes per hop.
    """

    amplitude: Tensor
    decay: Tensor
    attack: Tensor
    turn: Tensor
    cosines: Tensor
    sines: Tensor
    rise: Tensor

    def __init__(
        self, lowest: int, notes: int, partials: int, styles: int, hop: int, rate: int
    ) -> None:
        super().__init__()
        self.notes, self.partials, self.hop, self.rate = notes, partials, hop, rate
        self.lowest = lowest
        self.count = notes * partials
        pitch = lowest + torch.arange(notes, dtype=torch.float64)
        hz = hertz(pitch)[:, None] * torch.arange(1, partials + 1)
        self.heard = (hz < HIGHEST_HZ).flatten()
        turns = (hz.flatten() / rate)[:, None] * torch.arange(1, hop + 1)
        self.register_buffer("turn", (turns[:, -1] % 1.0).float(), persistent=False)
        self.register_buffer("cosines", torch.cos(2 * math.pi * turns).float(), persistent=False)
        self.register_buffer("sines", torch.sin(2 * math.pi * turns).float(), persistent=False)
        self.register_buffer("rise", torch.arange(1, hop + 1) / hop, persistent=False)
        for name, value in (("amplitude", 0.0), ("decay", 0.99), ("attack", 0.5)):
            self.register_buffer(name, torch.full((styles, self.count), value), persistent=False)
        self.state_shapes = [(self.count,)] * 3

    def forward(
        self, struck: Tensor, weights: Tensor, phase: Tensor, envelope: Tensor, course: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One hop.

        Parameters
        ----------
        struck : Tensor [shape=(batch, notes)]
            Loudness of the notes that begin, 0 for the others.
        weights : Tensor [shape=(1 or batch, styles)]
        phase, envelope, course : Tensor [shape=(batch, notes * partials)]
            Turns in 0..1, envelopes, and what is heard of them.

        Returns
        -------
        Tensor [shape=(batch, hop)]
            Samples; then the new states.
        """
        anew = (struck.amax(dim=1, keepdim=True) > 0.0).to(struck)
        envelope = envelope * (1.0 - (1.0 - DAMPED) * anew)
        begins = torch.repeat_interleave(struck, self.partials, dim=1)
        fresh = begins * blended(weights, self.amplitude)
        envelope = torch.maximum(envelope * blended(weights, self.decay), fresh)
        new = course + (envelope - course) * blended(weights, self.attack)
        angle = 2 * math.pi * phase
        sine, cosine = torch.sin(angle), torch.cos(angle)
        both = torch.stack([course, new], dim=1)  # [batch, 2, partials]: at the hop's two ends
        waves = (both * sine.unsqueeze(1)) @ self.cosines + (
            both * cosine.unsqueeze(1)
        ) @ self.sines
        y = waves[:, 0] + (waves[:, 1] - waves[:, 0]) * self.rise
        phase = phase + self.turn
        return y, phase - torch.floor(phase), envelope, new
