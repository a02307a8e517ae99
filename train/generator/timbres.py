"""How a note of an instrument sounds: partials' loudness, attack and decay, learnt from notes.

Single notes are rendered, each partial's amplitude is followed by demodulation, and the synth's
envelope (jump, exponential decay, one-pole attack) is fitted to all of a note's partials at once by
gradient descent on log amplitudes.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realtime.audio_files import whole_file

from ..data.pairs import Voice
from ..data.scores.render import SAMPLE_RATE, render
from ..networks.partials import HIGHEST_HZ, Partials, hertz

Floats = npt.NDArray[np.float64]
HELD, HEARD = 1.4, 1.4  # seconds of a note, and of it that are heard
BOWED = {48: (0.6, 0.9)}  # programs that would sound as long as they are held: with their end
EVERY = 3  # semitones between notes that are rendered
WINDOW = 2048
STEPS, RATE = 400, 0.03
FLOOR = 1e-4  # of a note's loudest partial: below all counts as silent
LOUDNESS = 0.12  # root mean square of a note over its first 0.4 s


@dataclass(frozen=True)
class Timbre:
    """Of one instrument for every note of the synth ``[notes, partials]``."""

    amplitude: Floats
    decay: Floats
    attack: Floats


def note(pitch: int, voice: Voice) -> Floats:
    """One note alone ``[n]``."""
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.MetaMessage("set_tempo", tempo=500_000))
    track.append(mido.Message("program_change", program=voice.program))
    track.append(mido.Message("note_on", note=pitch, velocity=100))
    held, heard = BOWED.get(voice.program, (HELD, HEARD))
    track.append(mido.Message("note_off", note=pitch, time=round(held * 960)))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return np.asarray(render(buffer.getvalue(), heard, voice.font), dtype=np.float64)


def courses(x: Floats, hz: float, partials: int, hop: int) -> Floats:
    """Amplitude of each partial, once per hop ``[hops, partials]``, window by window.

    A window is centred on the hop's end; the sound counts as silent before its beginning.
    """
    hops = len(x) // hop
    padded = np.pad(x, WINDOW // 2)
    window = np.hanning(WINDOW + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[hop::hop][:hops] * window
    n = np.arange(WINDOW)
    found = np.zeros((len(frames), partials))
    for k in range(partials):
        frequency = hz * (k + 1)
        if frequency < HIGHEST_HZ:
            wave = np.exp(-2j * np.pi * frequency * n / SAMPLE_RATE)
            found[:, k] = 2.0 * np.abs(frames @ wave) / window.sum()
    return found


def envelopes(amplitude: Tensor, decay: Tensor, attack: Tensor, hops: int) -> Tensor:
    """What :class:`~train.networks.partials.Partials` makes of one note ``[hops, ...]``.

    From ``e_0 = a, e_t = a d^t`` and ``c_t = c_(t-1) + (e_t - c_(t-1)) q`` with ``c_(-1) = 0`` in
    closed form: ``c_t = a q (d^(t+1) - p^(t+1)) / (d - p)`` with ``p = 1 - q``.
    """
    t = torch.arange(1, hops + 1, dtype=amplitude.dtype).reshape(-1, *[1] * amplitude.ndim)
    left = 1.0 - attack
    apart = decay - left
    apart = torch.where(apart.abs() < 1e-4, torch.full_like(apart, 1e-4), apart)
    return amplitude * attack * (decay**t - left**t) / apart


def blurred(made: Tensor, hop: int) -> Tensor:
    """Envelopes ``[hops, ...]`` as :func:`courses` would see them, through its window."""
    side = WINDOW // 2 // hop
    weight = torch.hann_window(2 * side + 1, periodic=False, dtype=made.dtype)
    flat = made.reshape(len(made), -1).T.unsqueeze(1)
    padded = torch.nn.functional.pad(flat, (side, 0))
    padded = torch.nn.functional.pad(padded, (0, side), mode="replicate")
    seen = torch.nn.functional.conv1d(padded, (weight / weight.sum())[None, None])
    return seen[:, 0].T.reshape(made.shape)


def fit(tracks: Floats, hop: int) -> tuple[Floats, Floats, Floats]:
    """Fit envelopes to courses ``[notes, hops, partials]``; each result ``[notes, partials]``."""
    target = torch.from_numpy(tracks).permute(1, 0, 2)  # hops, notes, partials
    top = target.amax(dim=(0, 2), keepdim=True).clamp(min=1e-9)
    target = target / top
    size = torch.log(target.amax(dim=0).clamp(min=FLOOR)).requires_grad_(True)
    fall = torch.full_like(size, -4.0).detach().requires_grad_(True)  # decay = 1 - e^fall
    rise = torch.zeros(target.shape[1], 1, dtype=target.dtype).requires_grad_(True)
    optimiser = torch.optim.Adam([size, fall, rise], RATE)
    wanted = torch.log(target + FLOOR)
    for _ in range(STEPS):
        decay, attack = 1.0 - torch.exp(fall.clamp(-7.5, -1.5)), torch.sigmoid(rise)
        attack = attack.expand_as(decay)
        made = blurred(envelopes(torch.exp(size), decay, attack, len(target)), hop)
        loss = (torch.log(made.clamp(min=0.0) + FLOOR) - wanted).abs().mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        amplitude = torch.exp(size) * top[0]
        amplitude = torch.where(target.amax(dim=0) > 2 * FLOOR, amplitude, 0.0)
        decay = 1.0 - torch.exp(fall.clamp(-7.5, -1.5))
        attack = torch.sigmoid(rise).expand_as(decay)
    return amplitude.numpy(), decay.numpy(), attack.numpy().copy()


def learn(voice: Voice, lowest: int, notes: int, partials: int, hop: int) -> Timbre:
    """A timbre from every third note, the ones between by interpolation."""
    pitches = np.arange(lowest, lowest + notes, EVERY)
    if pitches[-1] != lowest + notes - 1:
        pitches = np.r_[pitches, lowest + notes - 1]
    tracks, loud = [], []
    for pitch in pitches:
        x = note(int(pitch), voice)
        hz = float(hertz(torch.tensor(float(pitch))))
        tracks.append(courses(x, hz, partials, hop))
        loud.append(np.sqrt(np.square(x[: round(0.4 * SAMPLE_RATE)]).mean()) + 1e-9)
    found = fit(np.stack(tracks), hop)
    amplitude = found[0] * (LOUDNESS / np.array(loud))[:, None]
    every = np.arange(lowest, lowest + notes)

    def between(values: Floats) -> Floats:
        columns = [np.interp(every, pitches, values[:, k]) for k in range(partials)]
        return np.stack(columns, axis=1)

    return Timbre(between(amplitude), between(found[1]), between(found[2]))


def learn_all(voices: tuple[Voice, ...], synth: Partials, kept: Path) -> list[Timbre]:
    """Every style's timbre, from `kept` where it was learnt before."""
    key = [str(v) for v in voices]
    shape = (synth.notes, synth.partials)
    if kept.is_file():
        data = json.loads(kept.read_text())
        if data["voices"] == key and tuple(data["shape"]) == shape:
            rows = data["timbres"]
            return [
                Timbre(*(np.array(r[k]) for k in ("amplitude", "decay", "attack"))) for r in rows
            ]
    made = [learn(v, synth.lowest, *shape, synth.hop) for v in voices]
    rows = [
        {k: np.round(getattr(t, k), 7).tolist() for k in ("amplitude", "decay", "attack")}
        for t in made
    ]
    kept.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(kept) as partial:
        partial.write_text(json.dumps({"voices": key, "shape": shape, "timbres": rows}))
    return made


def apply(timbres: list[Timbre], synth: Partials) -> None:
    """Put timbres into a synth, partials above hearing left out."""
    for k, timbre in enumerate(timbres):
        for name in ("amplitude", "decay", "attack"):
            values = torch.from_numpy(getattr(timbre, name).reshape(-1)).float()
            getattr(synth, name)[k] = values
        synth.amplitude[k] *= synth.heard
