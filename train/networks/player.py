"""A player: an ear that hears notes, and a voice that plays them with sound of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..voices.tables import Tables
from .ear import HOP
from .layers import Streamable
from .voice import Voice, controls

GAIN = 10.0 ** (13.3 / 20.0)  # of a voice, so that a note comes out about as loud as it went in
SPAN_DB = 45.0  # of the ear's velocities, which are linear in dB
BUSY, CROWD = 14.0, 10.0  # notes begun lately, and at once, that are still music
FORGET = 0.6  # seconds in which begun notes are forgotten
SETTLED = 96  # hops of silence before the first
BENDS = 32.0  # steps of a semitone: finer ones are the ear's own unrest


class Player(Streamable):
    """Sound in, other sound out, one hop of 256 samples a call.

    Shape: ``x [batch, 1, 256] -> y [batch, 1, 256]`` at 48 kHz.  Controls: those of the voice,
    weights where there are several, the ear's.

    What is heard as more notes at once than hands play, or as a hail of them, is no music that it
    knows: no note begins until it is over.

    Parameters
    ----------
    ear : Streamable
        ``x [batch, 256] -> notes [batch, 4, 69]``, see :class:`train.networks.ear.Ear`.
    voices : sequence of Tables
    leads : sequence of float [s]
        Part of each voice's attack that is skipped by default.
    """

    hop = HOP

    def __init__(
        self, ear: Streamable, voices: Sequence[Tables], leads: Sequence[float] = (0.0,)
    ) -> None:
        super().__init__()
        self.ear, self.voice = ear, Voice(voices)
        self.parameters_of_voice = controls(leads)
        weights = len(voices) if len(voices) > 1 else 0
        self.n_controls = len(self.parameters_of_voice) + weights + ear.n_controls
        self.heard = len(ear.state_shapes)
        self.state_shapes = [*ear.state_shapes, (1,), *self.voice.state_shapes]

    def initial_state(self, batch: int) -> list[Tensor]:
        """The ear's, nothing begun lately, the voice's."""
        mine = [torch.zeros(batch, 1), *self.voice.initial_state(batch)]
        return [*self.ear.initial_state(batch), *mine]

    def settled_state(self, silence: Tensor, controls: Tensor | None = None) -> list[Tensor]:
        """The ear after a moment of silence; the voice at its beginning."""
        states = self.ear.initial_state(1)
        knobs = silence.new_zeros(1, self.ear.n_controls)
        with torch.no_grad():
            for _ in range(SETTLED):
                _, states = self.ear.step(silence.new_zeros(1, HOP), states, knobs)
        return [*states, *self.initial_state(1)[self.heard :]]

    def forward(self, x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """One hop; controls, then states."""
        knobs, states = rest[0], rest[1:]
        own = self.n_controls - self.ear.n_controls
        knobs, mine = knobs[:, :own], [knobs[:, own:]] if self.ear.n_controls else []
        notes, *ear = self.ear(x[:, 0], *mine, *states[: self.heard])
        notes, lately = self._believed(notes, states[self.heard])
        y, voice = self.voice(notes, knobs, *states[self.heard + 1 :])
        return (GAIN * y.unsqueeze(1), *ear, lately, *voice)

    def _believed(self, notes: Tensor, lately: Tensor) -> tuple[Tensor, Tensor]:
        """Notes as the voice takes them: amplitudes as velocities, no note out of a hail."""
        onset, active, level, bend = notes.unbind(dim=1)
        begun = (onset > 0.0).float()
        lately = lately * math.exp(-HOP / 48000 / FORGET) + begun.sum(dim=1, keepdim=True)
        crowd = active.sum(dim=1, keepdim=True)
        music = ((lately <= BUSY) & (crowd <= CROWD)).float()
        # the voice's velocities are square roots of amplitudes
        velocity = torch.exp((onset - 1.0) * (SPAN_DB * math.log(10.0) / 40.0))
        bend = torch.round(bend * BENDS) / BENDS
        return torch.stack([begun * velocity * music, active, level, bend], dim=1), lately

    def offline(
        self, x: Tensor, states: list[Tensor] | None = None, controls: Tensor | None = None
    ) -> Tensor:
        """Hop after hop."""
        first = self.initial_state(1) if states is None else states
        now = [s.to(x).expand(x.shape[0], *s.shape[1:]) for s in first]
        out = []
        for part in torch.split(x, HOP, dim=2):
            y, now = self.step(part, now, controls)
            out.append(y)
        return torch.cat(out, dim=2)
