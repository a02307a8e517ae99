"""A voice that plays notes with sound of its own: partials, narrow-band chance, bands of noise.

Additive synthesis with noise (Serra & Smith, 1990).  A hop is laid out as 16 rows of 16 samples:
``sin(a + b) = sin a cos b + cos a sin b`` makes it one matrix product of phases at the rows'
beginnings and phases inside a row, for any frequencies.  Complex amplitudes go straight from the
last hop's end to this one's.  All chance is read from tables by a counter in the state, so the same
notes from the same state give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from realtime.parameters.parameter import Parameter

from ..voices.tables import BANDS, KNOTS, LOWEST, NOTES, PARTIALS, SILENT, STRETCH, Tables, shapes
from .layers import blend_weights
from .slots import FIELDS, Slots

RATE, HOP, ROW = 48000, 256, 16
SLOTS = 12
TOP_HZ = 20000.0
LENGTH, STRIDE = 16381, 1021  # primes; LENGTH + STRIDE < 2**24, so float32 counts exactly
BAND_LENGTH, UNIT = 16384, 4000.0  # samples; what stands for an amplitude of 1
VIBRATO_HZ, VIBRATO_S = 5.5, 0.4  # and how long it takes to come in
STEEPEST = 0.1  # semitones a hop that a bend may move: a row has one frequency
USUAL = 0.7  # velocity of all notes where velocity is not heeded
CONTROLS = (
    Parameter("brightness", -1.0, 1.0, 0.0),
    Parameter("velocity", 0.0, 1.0, 1.0),
    Parameter("sustain", 0.0, 1.0, 1.0),
    Parameter("vibrato", 0.0, 60.0, 0.0, "ct"),
    Parameter("ensemble", 0.0, 1.0, 0.5),
    Parameter("attack", 0.25, 4.0, 1.0),
    Parameter("release", 0.25, 4.0, 1.0),
    Parameter("lead", 0.0, 60.0, 0.0, "ms"),
)


def controls(leads: Sequence[float] = (0.0,)) -> tuple[Parameter, ...]:
    """A voice's controls; `leads` are the voices' own [s], of which the mean is the default."""
    usual = 1000.0 * sum(leads) / len(leads)
    return (*CONTROLS[:-1], Parameter("lead", 0.0, 60.0, usual, "ms"))


def bands_of_noise(seed: int = 3) -> Tensor:
    """Noise of unit power in every band, without end ``[BAND_LENGTH + 2 HOP, BANDS]``, int16.

    Random phases, magnitudes by :func:`~train.voices.tables.shapes`; :data:`UNIT` is 1.
    """
    rng = np.random.default_rng(seed)
    hz = np.fft.rfftfreq(BAND_LENGTH, 1.0 / RATE)
    spectrum = np.exp(2j * np.pi * rng.random((len(hz), BANDS)))
    spectrum[0] = 0.0
    spectrum[1:] *= np.sqrt(shapes(hz[1:]))
    found = np.fft.irfft(spectrum, axis=0)
    found *= UNIT / np.sqrt(np.mean(np.square(found), axis=0))
    whole = np.concatenate([found, found[: 2 * HOP]])
    return torch.from_numpy(np.clip(np.round(whole), -32767, 32767).astype(np.int16))


class Voice(nn.Module):
    """Notes to samples, one hop of 256 samples at 48 kHz a call.

    Parameters
    ----------
    voices : sequence of Tables
        One, or several to blend, each with its partials side by side.
    slots, seed : int

    Attributes
    ----------
    state_shapes : list of tuple
        Slots; their bend with vibrato; phases (of lines, and of the beat); narrow-band noise (two
        stages of two parts); complex amplitudes at the hop's end; gains of the bands; counter, and
        the vibrato's phase.
    """

    rows: Tensor
    course: Tensor
    normal: Tensor
    noise: Tensor
    group: Tensor
    window: Tensor

    def __init__(self, voices: Sequence[Tables], slots: int = SLOTS, seed: int = 1) -> None:
        super().__init__()
        self.voices, self.seed = len(voices), seed
        self.partials = PARTIALS * len(voices)
        self.sounds = (PARTIALS + BANDS) * len(voices)
        self.slots = Slots(slots, NOTES, HOP / RATE)
        self.count = slots * self.partials
        self._fill([t.every() for t in voices])
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal(LENGTH + 2 * self.count).astype(np.float32)
        self.register_buffer("normal", torch.from_numpy(normal), persistent=False)
        self.register_buffer("noise", bands_of_noise(), persistent=False)
        rise = torch.sin(0.5 * math.pi * (torch.arange(HOP) + 0.5) / HOP)
        self.register_buffer("window", torch.cat([rise.flip(0), rise]), persistent=False)
        n = torch.arange(0, HOP, ROW).float()
        self.register_buffer("begin", n, persistent=False)
        self.register_buffer("inside", torch.arange(ROW).float(), persistent=False)
        self.state_shapes = [
            self.slots.state_shape,
            (slots,),
            (2, self.count),
            (4, self.count),
            (2, self.count),
            (BANDS,),
            (2,),
        ]

    def _fill(self, tables: list[Tables]) -> None:
        """Lay the tables side by side: partials of all voices, then their bands."""

        def joined(name: str) -> Tensor:
            values = [torch.from_numpy(getattr(t, name)) for t in tables]
            parts = [v[..., :PARTIALS] for v in values]
            return torch.cat([*parts, *(v[..., PARTIALS:] for v in values)], dim=-1)

        hz = 440.0 * 2.0 ** ((LOWEST + torch.arange(NOTES).double() - 69.0) / 12.0)
        ratio = joined("ratio").double()
        sound = (ratio > 0.0) & (ratio * hz[:, None] < TOP_HZ)
        turn = (torch.where(sound, ratio, 0.0) * hz[:, None] / RATE).float()
        octaves = torch.log2(ratio.clamp(min=0.25)).float().clamp(-1.0, 5.0)
        pole = torch.exp(-2.0 * math.pi * joined("width") * HOP / RATE)
        # two stages, each of one variance whatever its corner: both parts have unit power together
        drive = torch.sqrt(1.0 - pole**2)
        further = (1.0 - pole**2) * torch.sqrt(0.5 / (1.0 + pole**2))
        course = joined("course")
        course[..., : self.partials] = torch.where(
            sound[:, None, :], course[..., : self.partials], 2.0 * SILENT
        )
        columns = [
            *(joined(name) for name in ("tail", "release", "touch")),
            *(turn, octaves, joined("steady"), joined("second"), joined("random")),
            *((joined("beat") * HOP / RATE), pole, drive, further),
        ]
        self.widths = [c.shape[1] for c in columns]
        self.register_buffer("rows", torch.cat(columns, dim=1), persistent=False)
        flat = course.reshape(NOTES * KNOTS, -1)
        self.register_buffer("course", flat, persistent=False)
        group = torch.arange(self.voices).repeat_interleave(PARTIALS)
        bands = torch.arange(self.voices).repeat_interleave(BANDS)
        one_hot = nn.functional.one_hot(torch.cat([group, bands]), self.voices).float()
        self.register_buffer("group", one_hot.T.contiguous(), persistent=False)

    def initial_state(self, batch: int) -> list[Tensor]:
        """Free slots; phases and chance as if it had run for ever, the same every time."""
        states = [torch.zeros(batch, *shape) for shape in self.state_shapes]
        draw = torch.Generator().manual_seed(self.seed)
        states[0] = self.slots.initial_state(batch)
        states[2][:] = torch.rand(2, self.count, generator=draw)
        states[3][:] = torch.randn(4, self.count, generator=draw)
        states[3][:, 2:] *= math.sqrt(0.5)
        return states

    def forward(
        self, notes: Tensor, controls: Tensor, *states: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """One hop.

        Parameters
        ----------
        notes : Tensor [shape=(batch, 4, NOTES)]
            Onset, active, level, bend of the pitches from :data:`LOWEST` up.
        controls : Tensor [shape=(1 or batch, n)]
            :data:`CONTROLS`, then weights of the voices where there are several.

        Returns
        -------
        Tensor [shape=(batch, HOP)]
            Samples; then the new states.
        """
        slot_state, before, phases, chance, amplitude, gains, counter = states
        batch, slots = notes.shape[0], self.slots.slots
        bright, touch, sustain, depth, ensemble, slow, longer, lead = (
            controls[:, k : k + 1] for k in range(len(CONTROLS))
        )
        loud = amplitude.abs().sum(dim=1).reshape(batch, slots, self.partials).sum(dim=2)
        slot_state, begins, share = self.slots(notes, slot_state, loud, 0.001 * lead, slow)
        pitch, age, velocity, since, _, _, bend = (slot_state[:, k] for k in range(len(FIELDS)))
        row = pitch.clamp(min=0.0).long()
        tail, release, power, turn, octaves, steady, second, random, beat, pole, drive, further = (
            torch.split(self.rows[row], self.widths, dim=2)
        )
        # envelopes: logarithms at the hop's end
        knot = (2.0 * torch.log2(1.0 + age / STRETCH)).clamp(max=KNOTS - 1.001)
        first = torch.floor(knot)
        place = row * KNOTS + first.long()
        low, high = self.course[place], self.course[place + 1]
        end = STRETCH * (2.0 ** ((KNOTS - 1) / 2.0) - 1.0)
        struck = touch * torch.log(velocity.clamp(min=0.02)) + (1.0 - touch) * math.log(USUAL)
        follow = (1.0 - sustain) * torch.log(share.clamp(min=1e-4))
        level = low + (high - low) * (knot - first).unsqueeze(2)
        level = level + tail * (age - end).clamp(min=0.0).unsqueeze(2)
        level = level - release * (since / longer).unsqueeze(2) + power * struck.unsqueeze(2)
        sound = torch.exp((level + follow.unsqueeze(2)).clamp(max=2.0))
        sound = sound * (level > SILENT).float() * (pitch >= 0.0).float().unsqueeze(2)
        if self.voices > 1:
            sound = sound * (blend_weights(controls[:, len(CONTROLS) :]) @ self.group).unsqueeze(1)
        # partials: their line, a second beside it, chance around it
        line = phases[:, 0]
        begun = (begins > 0.0).unsqueeze(2).expand(-1, -1, self.partials).reshape(batch, -1)
        beats = torch.where(begun, 0.0, phases[:, 1])  # a note begins with its two lines in step
        spread = (2.0 * ensemble).clamp(max=1.0).unsqueeze(2)
        wider = (2.0 * ensemble - 1.0).clamp(min=0.0).unsqueeze(2)
        random = random * spread
        random = random + (1.0 - random) * wider
        offset = counter[:, :1]
        entry = offset.long() + torch.arange(2 * self.count, device=notes.device)
        pole, drive, further = (p.reshape(batch, 1, self.count) for p in (pole, drive, further))
        fresh = drive * self.normal[entry].reshape(batch, 2, self.count)
        once = pole * chance[:, :2] + fresh
        twice = pole * chance[:, 2:] + further * once
        tone = (
            torch.exp(math.log(2.0) * bright.unsqueeze(2) * octaves) * sound[:, :, : self.partials]
        )
        scale = tone.reshape(batch, 1, self.count)
        both = torch.stack([torch.cos(2 * math.pi * beats), torch.sin(2 * math.pi * beats)], dim=1)
        fixed = torch.stack([steady, torch.zeros_like(steady)], dim=1).reshape(batch, 2, self.count)
        around = second.reshape(batch, 1, self.count) * both
        by_chance = random.reshape(batch, 1, self.count) * twice
        new = scale * (fixed + around + by_chance)
        # frequencies: the pitch's, bent
        swing = counter[:, 1:]
        wave = 4.0 * swing * (1.0 - swing.abs()) * (age / VIBRATO_S).clamp(max=1.0)
        bend = bend + 0.01 * depth * wave
        bend = torch.where(begins > 0.0, bend, before + (bend - before).clamp(-STEEPEST, STEEPEST))
        now, then = _bent(bend), _bent(torch.where(begins > 0.0, bend, before))
        slope = (now - then) / (2 * HOP)
        time = self.begin.unsqueeze(1)  # [rows, 1]
        passed = then.unsqueeze(1) * time + slope.unsqueeze(1) * time * time  # [batch, rows, slots]
        turns = turn.unsqueeze(1)  # [batch, 1, slots, partials]
        angle = (passed.unsqueeze(3) * turns).reshape(batch, HOP // ROW, self.count)
        y = self._samples(line.unsqueeze(1) + angle, turn, 0.5 * (now + then), amplitude, new)
        ends = 0.5 * HOP * (now + then)
        line = line + (turn * ends.unsqueeze(2)).reshape(batch, self.count)
        beats = beats + beat.reshape(batch, self.count)
        phases = torch.stack([line - torch.floor(line), beats - torch.floor(beats)], dim=1)
        # noise: windows that overlap by half, each from a place of its own
        power_now = sound[:, :, self.partials :].square().sum(dim=1)
        power_now = power_now.reshape(batch, self.voices, BANDS).sum(dim=1)
        now_gains = torch.sqrt(power_now)
        y = y + self._noise(offset, gains, now_gains)
        offset = torch.fmod(offset + STRIDE, float(LENGTH))
        swing = swing + 2.0 * VIBRATO_HZ * HOP / RATE
        swing = torch.where(swing > 1.0, swing - 2.0, swing)
        states_out = [
            slot_state,
            bend,
            phases,
            torch.cat([once, twice], dim=1),
            new,
            now_gains,
            torch.cat([offset, swing], dim=1),
        ]
        return y, states_out

    def _samples(
        self, angle: Tensor, turn: Tensor, bent: Tensor, old: Tensor, new: Tensor
    ) -> Tensor:
        """Sum of partials ``[batch, HOP]``: phases of the rows' beginnings ``[batch, rows, n]``."""
        batch, rows = angle.shape[0], HOP // ROW
        angle = 2 * math.pi * (angle - torch.floor(angle))
        sine, cosine = torch.sin(angle), torch.cos(angle)
        share = (self.begin / HOP).unsqueeze(1)
        away = (new - old).unsqueeze(2)  # [batch, 2, 1, n]
        at = old.unsqueeze(2) + away * share
        real, other = torch.cat([at, away.expand(-1, -1, rows, -1)], dim=2).unbind(dim=1)
        sine, cosine = sine.repeat(1, 2, 1), cosine.repeat(1, 2, 1)
        left = torch.cat([real * sine + other * cosine, real * cosine - other * sine], dim=2)
        step = (turn * (2 * math.pi * bent).unsqueeze(2)).reshape(batch, self.count, 1)
        inside = step * self.inside
        right = torch.cat([torch.cos(inside), torch.sin(inside)], dim=1)  # [batch, 2 n, ROW]
        parts = left @ right  # [batch, 2 rows, ROW]
        y = parts[:, :rows] + parts[:, rows:] * (self.inside / HOP)
        return y.reshape(batch, HOP)

    def _noise(self, offset: Tensor, before: Tensor, now: Tensor) -> Tensor:
        """One hop of the bands ``[batch, HOP]``."""
        last = torch.where(offset < STRIDE, offset + (LENGTH - STRIDE), offset - STRIDE)
        places = torch.cat([last + HOP, offset], dim=1).long().unsqueeze(2)
        index = places + torch.arange(HOP, device=offset.device)  # [batch, 2, HOP]
        noise = self.noise[index].float()
        gains = (torch.stack([before, now], dim=1) / UNIT).unsqueeze(3)
        sound = (noise @ gains).squeeze(3) * self.window.reshape(2, HOP)
        return sound.sum(dim=1)


def _bent(semitones: Tensor) -> Tensor:
    """``2 ^ (semitones / 12)`` by its series: the same bits wherever it is reckoned."""
    x = semitones.clamp(-2.5, 2.5) * (math.log(2.0) / 12.0)
    return 1.0 + x * (1.0 + x * (1.0 / 2.0 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x / 120.0))))
