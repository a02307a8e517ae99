"""Endless mixtures of single notes: played, tuned, coloured, driven, in rooms, with noise and hum.

Plans are made with numpy, sound and labels with torch on any device, a batch at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .scores import Event, played

RATE, BANK_RATE, HOP, LOWEST, PITCHES = 48_000, 24_000, 256, 28, 69
BEFORE = 48  # samples of the bank before a note begins
HOPS, MOST = 384, 40  # of an example: hops, and notes at most
NEAR, FAR = 2.6, 5.0  # semitones that a note may be tuned away: for variety, at most
AUDIBLE = 10 ** (-36 / 20)  # of a note's loudest moment: below, it sounds no more
UNIT = 1.0 / 8192  # one step of the bank's numbers
COLUMNS = ("begin", "until", "pitch", "velocity", "tuning", "depth", "rate")
EVENT = len(COLUMNS)
SMEAR, LOW_SMEAR, LOW = 8, 12, 45  # hops after a beginning that count as onset; below this pitch
STRUCK = 4  # the same for "something was struck"
UNKNOWN = 9.0  # a velocity or bend that is not asked for
TOP_DB, SPAN_DB = -10.0, 45.0  # level of a note (RMS, full scale 0) with velocity 1, and down to 0

Floats = npt.NDArray[np.float32]


class Notes:
    """A bank on a device, and which notes belong to which instrument.

    Parameters
    ----------
    samples, starts, lengths, pitches, programmes
        As :class:`train.data.notes.bank.Bank` has them.
    """

    def __init__(self, bank: Any, device: torch.device | str = "cpu") -> None:
        self.samples = torch.from_numpy(np.append(bank.samples, np.int16(0))).to(device)
        self.starts, self.lengths, self.pitches = bank.starts, bank.lengths, bank.pitches
        self.instruments = [
            np.flatnonzero(bank.programmes == k) for k in np.unique(bank.programmes)
        ]
        self.audible = np.array(
            [
                _audible(bank.samples[s : s + n])
                for s, n in zip(bank.starts, bank.lengths, strict=True)
            ]
        )
        self.device = torch.device(device)


def _audible(x: npt.NDArray[np.int16]) -> float:
    """Seconds until a note has fallen to :data:`AUDIBLE` of its loudest moment."""
    step = BANK_RATE // 50
    whole = np.asarray(x[: len(x) // step * step], dtype=np.float32).reshape(-1, step)
    level = np.sqrt(np.square(whole).mean(axis=1)) if len(whole) else np.zeros(1, np.float32)
    loud = np.flatnonzero(level >= AUDIBLE * level.max())
    return float((loud[-1] + 1) * step / BANK_RATE)


@dataclass
class Plan:
    """What is to be mixed, in numbers: per note ``[batch, MOST]``, per row ``[batch]``."""

    note: npt.NDArray[np.int64]
    begin: Floats
    end: Floats
    ratio: Floats
    gain: Floats
    fall: Floats  # seconds of an extra decay
    rows: dict[str, Floats]
    events: Floats  # [batch, MOST, 7], see :data:`COLUMNS`; begin and until in hops, -1: no note


def plan(notes: Notes, batch: int, rng: np.random.Generator, hops: int = HOPS) -> Plan:
    """Draw a batch of mixtures."""
    seconds = hops * HOP / RATE
    shape = (batch, MOST)
    made = Plan(
        np.zeros(shape, np.int64),
        *(np.zeros(shape, np.float32) for _ in range(4)),
        np.ones(shape, np.float32),
        _rows(batch, rng),
        np.full((*shape, EVENT), -1, np.float32),
    )
    for b in range(batch):
        base = float(rng.uniform(-30, 8))
        tuning = float(rng.uniform(-0.5, 0.5) if rng.random() < 0.2 else rng.normal(0, 0.07))
        shaky = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.12 else 0.0
        rate = float(rng.uniform(3, 7))
        hands = rng.integers(len(notes.instruments), size=2)
        mixed = rng.random() < 0.15
        fall = float(np.exp(rng.uniform(-2, 0.3))) if rng.random() < 0.25 else 1e3
        events = played(rng, seconds)
        if len(events) > MOST:
            events = events[-MOST:] if rng.random() < 0.5 else events[:MOST]
        k = 0
        for e in events:
            hand = int(hands[int(mixed and rng.random() < 0.5)])
            found = _pick(notes, notes.instruments[hand], e.pitch, rng)
            if found is None:
                continue
            _place(made, b, k, e, found, notes, base, tuning, shaky, rate, fall)
            k += 1
    return made


def _pick(
    notes: Notes, own: npt.NDArray[np.int64], pitch: int, rng: np.random.Generator
) -> int | None:
    away = np.abs(notes.pitches[own] - pitch)
    near = own[away <= NEAR]
    if len(near):
        return int(rng.choice(near))
    return int(own[away.argmin()]) if away.min() <= FAR else None


def _place(
    made: Plan, b: int, k: int, e: Event, note: int, notes: Notes,
    base: float, tuning: float, shaky: float, rate: float, fall: float,
) -> None:  # fmt: skip
    ratio = 2 ** ((e.pitch + tuning - float(notes.pitches[note])) / 12)
    level = base + e.level
    made.note[b, k], made.begin[b, k], made.end[b, k] = note, e.begin, e.end
    made.ratio[b, k], made.gain[b, k], made.fall[b, k] = ratio, 10 ** (level / 20), fall
    sounds = min(e.end, e.begin + float(notes.audible[note]) / ratio, e.begin + 4.1 * fall)
    made.events[b, k] = (
        math.floor(e.begin * RATE / HOP),
        math.ceil(sounds * RATE / HOP),
        e.pitch - LOWEST,
        min(max(1 + (level - 20 - TOP_DB) / SPAN_DB, 0.02), 1.0),  # the bank's notes lie at -20 dB
        tuning,
        shaky,
        rate,
    )


def _rows(n: int, rng: np.random.Generator) -> dict[str, Floats]:
    """What belongs to a whole mixture; a share of 0 leaves a thing out."""

    def some(share: float, values: npt.NDArray[np.float64], otherwise: float = 0.0) -> Floats:
        there = rng.random((n, *[1] * (values.ndim - 1))) < share
        return np.where(there, values, otherwise).astype(np.float32)

    return {
        "release": np.exp(rng.uniform(np.log(0.006), np.log(0.07), n)).astype(np.float32),
        "attack": some(0.25, rng.uniform(0.002, 0.015, n), 1e-5),
        "colour": some(0.85, rng.uniform(-9, 9, (n, 7))),
        "cabinet": some(0.7, rng.uniform(-6, 6, (n, 7))),
        "drive": some(0.3, np.exp(rng.uniform(np.log(0.3), np.log(5.0), n))),
        "skew": rng.uniform(0, 0.4, n).astype(np.float32),
        "wet": some(0.35, 10 ** (rng.uniform(-24, -3, n) / 20)),
        "room": rng.uniform(0.04, 0.35, n).astype(np.float32),
        "noise": some(0.85, 10 ** (rng.uniform(-95, -48, n) / 20)),
        "pink": rng.uniform(0, 1, n).astype(np.float32),
        "hum": some(0.3, 10 ** (rng.uniform(-85, -48, n) / 20)),
        "mains": np.where(rng.random(n) < 0.5, 50.0, 60.0).astype(np.float32),
        "hits": some(0.12, 10 ** (rng.uniform(-40, -12, n) / 20)),
        "hit": rng.uniform(0, 1, (n, 6)).astype(np.float32),
        "dull": rng.uniform(0.2, 8, (n, 6)).astype(np.float32),
    }


def sound(notes: Notes, made: Plan, hops: int = HOPS, seed: int = 0) -> Tensor:
    """Mix ``[batch, hops * 256]`` at 48 kHz on the bank's device."""
    device, n = notes.device, hops * HOP
    random = torch.Generator(device).manual_seed(seed)
    rows = {k: torch.from_numpy(v).to(device) for k, v in made.rows.items()}
    starts = torch.from_numpy(notes.starts[made.note]).to(device)
    lengths = torch.from_numpy(notes.lengths[made.note]).to(device)
    parts = (made.begin, made.end, made.ratio, made.gain, made.fall)
    begin, end, ratio, gain, fall = (torch.from_numpy(p).to(device) for p in parts)
    events = torch.from_numpy(made.events).to(device)
    depth = events[:, :, 5].clamp(min=0) * (math.log(2) / 12)
    speed = 2 * math.pi * events[:, :, 6].clamp(min=1)
    x = torch.zeros(len(begin), n, device=device)
    time = torch.arange(n, device=device) / RATE
    release, attack = rows["release"][:, None], rows["attack"][:, None]
    for k in range(MOST):
        if not (made.gain[:, k] > 0).any():
            break
        b, e = begin[:, k, None], end[:, k, None]
        since = time - b
        bent = depth[:, k, None] / speed[:, k, None] * (1 - torch.cos(speed[:, k, None] * since))
        at = (since + bent) * (BANK_RATE * ratio[:, k, None]) + BEFORE
        last = lengths[:, k, None] - 2
        inside = (at >= 0) & (at < last)
        whole = at.clamp(min=0).minimum(last.to(at)).long()
        place = starts[:, k, None] + whole
        one, two = _two(notes, place)
        value = one + (two - one) * (at - whole)
        shape = gain[:, k, None] * UNIT * torch.exp((e - time).clamp(max=0) / release)
        shape = shape * torch.exp(-since.clamp(min=0) / fall[:, k, None])
        shape = shape * (since / attack).clamp(0, 1) * ((last - at) / 700).clamp(0, 1)
        x += torch.where(inside, value * shape, torch.zeros_like(value))
    return _treated(x, rows, random)


def _two(notes: Notes, place: Tensor) -> tuple[Tensor, Tensor]:
    """Two neighbouring samples of the bank."""
    return notes.samples[place].float(), notes.samples[place + 1].float()


def _treated(x: Tensor, rows: dict[str, Tensor], random: torch.Generator) -> Tensor:
    """Colour, drive, room, then what comes from outside: hits, hum, noise."""
    batch, n = x.shape
    size = n + 32_768
    hertz = torch.fft.rfftfreq(size, 1 / RATE, device=x.device)
    level = x.square().mean(dim=1, keepdim=True).sqrt() + 1e-6
    x = torch.fft.irfft(torch.fft.rfft(x, size) * _curve(rows["colour"], hertz), size)[:, :n]
    drive = rows["drive"][:, None]
    pushed = x / level * drive
    skew = rows["skew"][:, None]
    hot = torch.tanh(pushed + skew) - torch.tanh(skew)
    hot = hot * level / (hot.square().mean(dim=1, keepdim=True).sqrt() + 1e-3)
    x = torch.where(drive > 0, hot, x)
    hits = _hits(batch, n, rows, random, x.device)
    x = x + hits
    room = torch.randn(batch, 24_000, device=x.device, generator=random)
    when = torch.arange(24_000, device=x.device) / RATE
    room = room * torch.exp(-when / (rows["room"][:, None] / 3)) * (when > 0.003)
    room = room / (room.square().sum(dim=1, keepdim=True).sqrt() + 1e-6) * rows["wet"][:, None]
    room[:, 0] = 1.0
    spectrum = torch.fft.rfft(x, size) * torch.fft.rfft(room, size)
    noise = torch.fft.rfft(torch.randn(batch, n, device=x.device, generator=random), size)
    tilt = (hertz.clamp(min=30) / 300) ** (-0.5 * rows["pink"][:, None])
    spectrum = spectrum * _curve(rows["cabinet"], hertz) + noise * tilt * rows["noise"][:, None]
    x = torch.fft.irfft(spectrum, size)[:, :n]
    time = torch.arange(n, device=x.device) / RATE
    for k in range(1, 6):
        wave = torch.sin(2 * math.pi * k * rows["mains"][:, None] * time + k)
        x = x + wave * rows["hum"][:, None] / k
    return x.clamp(-1, 1)


def _hits(
    batch: int, n: int, rows: dict[str, Tensor], random: torch.Generator, device: torch.device
) -> Tensor:
    """Bursts of dull noise, like drums: not notes."""
    if not bool((rows["hits"] > 0).any()):
        return torch.zeros(batch, n, device=device)
    noise = torch.randn(batch, n, device=device, generator=random)
    envelope = torch.zeros_like(noise)
    time = torch.arange(n, device=device) / n
    for k in range(rows["hit"].shape[1]):
        since = time - rows["hit"][:, k, None]
        envelope += torch.where(since > 0, torch.exp(-since * 12 * rows["dull"][:, k, None]), 0.0)
    return noise * envelope * rows["hits"][:, None]


def _curve(gains: Tensor, hertz: Tensor) -> Tensor:
    """Gains in dB at seven frequencies from 60 Hz to 10 kHz, linear in octaves between them."""
    place = (torch.log(hertz.clamp(min=60.0) / 60.0) / math.log(10_000 / 60.0) * 6).clamp(max=5.999)
    low = place.long()
    part = place - low
    db = gains[:, low] * (1 - part) + gains[:, low + 1] * part
    return 10.0 ** (db / 20.0)


def labels(events: Tensor, hops: int = HOPS) -> Tensor:
    """What is to be heard ``[batch, hops, 70, 4]`` of events ``[batch, notes, 7]``.

    Per pitch: onset and activity (0 or 1), velocity and bend, or :data:`UNKNOWN`. The last row's
    first number says whether anything was struck.
    """
    batch, count, _ = events.shape
    y = torch.zeros(batch, hops, PITCHES + 1, 4, device=events.device)
    y[:, :, :, 2:] = UNKNOWN
    hop = torch.arange(hops, device=events.device)[None]
    rows = torch.arange(batch, device=events.device)
    for k in range(count):
        begin, until, pitch, velocity, tuning, depth, rate = events[:, k].unbind(dim=1)
        there = (pitch >= 0)[:, None]
        if not bool(there.any()):
            break
        at = pitch.clamp(min=0).long()
        smear = torch.where(pitch + LOWEST < LOW, LOW_SMEAR, SMEAR)[:, None]
        since = hop - begin[:, None]
        sounds = there & (since >= 0) & (hop < until[:, None])
        onset = there & (since >= 0) & (since < smear) & (hop < until[:, None] + 2)
        old = y[rows, :, at]
        phase = 2 * math.pi * rate[:, None] * (since * HOP / RATE)
        bend = tuning[:, None] + depth[:, None] * torch.sin(phase)
        new = torch.stack(
            [
                torch.maximum(old[:, :, 0], onset.float()),
                torch.maximum(old[:, :, 1], sounds.float()),
                torch.where(onset, velocity[:, None], old[:, :, 2]),
                torch.where(sounds, bend, old[:, :, 3]),
            ],
            dim=2,
        )
        y[rows, :, at] = new
        struck = there & (since >= 0) & (since < STRUCK)
        y[:, :, PITCHES, 0] = torch.maximum(y[:, :, PITCHES, 0], struck.float())
    return y
