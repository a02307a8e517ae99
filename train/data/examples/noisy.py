"""Noisy speech without end: rooms, fans, hum, keys, wind, music and babble.

Everything is drawn batch-wise with torch, on the device of the speech, so that a graphics card is
never kept waiting and no mixture comes twice.  All rows are independent.  `generator` is one of
:class:`torch.Generator` on the device; with the same state the same mixtures come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

RATE = 48000
KINDS = ("coloured", "fan", "machine", "hum", "wind", "strokes", "music", "babble", "recorded")
SHARES = (0.08, 0.08, 0.2, 0.05, 0.05, 0.11, 0.08, 0.11, 0.24)
OFF = 0.05  # share of rows in which the microphone is off
RESONANCES = 8  # of a machine's housing
STROKES = 14  # at most, in a row
LOWEST_HZ = 20.0


@dataclass(frozen=True)
class Pools:
    """Recorded noise, on the device.

    Attributes
    ----------
    music : Tensor [shape=(n,)]
        Pieces one after the other.
    strokes : Tensor [shape=(count, n)]
        Short events that begin at once: keys, clicks, knocks; peak 1.
    recorded : Tensor [shape=(count, n)]
        Engines, weather and the like, a stretch of a recording each.
    """

    music: Tensor
    strokes: Tensor
    recorded: Tensor


class Draw:
    """Random numbers of one device and generator."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator, self.device = generator, generator.device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Evenly between two numbers."""
        draws = torch.rand(*shape, generator=self.generator, device=self.device)
        return low + (high - low) * draws

    def normal(self, *shape: int) -> Tensor:
        """Gaussian, of unit power."""
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def chance(self, share: float, *shape: int) -> Tensor:
        """1 with this probability, else 0."""
        return (self.uniform(0.0, 1.0, *shape) < share).float()

    def integers(self, below: int, *shape: int) -> Tensor:
        """0 … below - 1."""
        return torch.randint(below, shape, generator=self.generator, device=self.device)


def decibels(db: Tensor) -> Tensor:
    """Amplitude of a level."""
    return 10.0 ** (db / 20.0)


def unit(x: Tensor) -> Tensor:
    """Rows ``[b, n]`` brought to unit power; silence stays silence."""
    return x / (x.square().mean(dim=1, keepdim=True).sqrt() + 1e-9)


def curve(draw: Draw, rows: int, bins: int, db: float, knots: int = 8) -> Tensor:
    """Smooth random amplitude responses ``[rows, bins]`` of an FFT, uniform in +-`db` at knots."""
    octaves = torch.log2(torch.linspace(0.0, 1.0, bins, device=draw.device) * (RATE / 2) + 40.0)
    low, high = math.log2(40.0), math.log2(RATE / 2 + 40.0)
    at = (octaves - low) / (high - low) * (knots - 1)
    left = at.long().clamp(max=knots - 2)
    part = (at - left).clamp(0.0, 1.0)
    levels = draw.uniform(-db, db, rows, knots)
    return decibels(levels[:, left] * (1 - part) + levels[:, left + 1] * part)


def filtered(x: Tensor, response: Tensor) -> Tensor:
    """Rows through responses over the bins of an FFT of their length; they wrap around."""
    return torch.fft.irfft(torch.fft.rfft(x) * response, n=x.shape[1])


def hertz(n: int, device: torch.device) -> Tensor:
    """Frequencies of the bins of an FFT of `n` samples."""
    return torch.arange(n // 2 + 1, device=device) * (RATE / n)


def wander(draw: Draw, rows: int, n: int, hz: float) -> Tensor:
    """Slow random movement ``[rows, n]`` of unit power, nothing above about `hz`."""
    knots = max(4, int(2 * hz * n / RATE) + 4)
    slow = draw.normal(rows, 1, knots)
    return torch.nn.functional.interpolate(slow, n, mode="linear", align_corners=True)[:, 0] * 1.2


def colour(draw: Draw, rows: int, n: int) -> Tensor:
    """Responses ``[rows, bins]`` of any colour: tilt of +5 to -9 dB an octave, a random relief."""
    hz = hertz(n, draw.device).clamp(min=LOWEST_HZ)
    return (hz / 1000.0) ** draw.uniform(-1.5, 0.8, rows, 1) * curve(draw, rows, len(hz), 9.0)


def coloured(draw: Draw, rows: int, n: int) -> Tensor:
    """Steady noise of any colour."""
    shape = colour(draw, rows, n)
    y = unit(filtered(draw.normal(rows, n), shape))
    moved = decibels(2.5 * wander(draw, rows, n, 2.0) * draw.chance(0.5, rows, 1))
    return y * moved


def fan(draw: Draw, rows: int, n: int) -> Tensor:
    """A motor's tones, not quite steady, and blades that beat the air."""
    t = torch.arange(n, device=draw.device) / RATE
    turn = 2.0 ** draw.uniform(4.0, 9.0, rows, 1)  # 16 to 512 Hz
    phase = 2 * math.pi * (turn * t + 0.05 * wander(draw, rows, n, 3.0))
    tones = torch.zeros(rows, n, device=draw.device)
    for k in range(1, 13):
        loud = draw.uniform(0.0, 1.0, rows, 1).square() / k**0.7 * (turn * k < 16000.0)
        tones += loud * torch.sin(k * phase + draw.uniform(0.0, 6.3, rows, 1))
    air = coloured(draw, rows, n) * (1.0 + draw.uniform(0.0, 0.7, rows, 1) * torch.sin(phase))
    return unit(unit(air) + decibels(draw.uniform(-24.0, 3.0, rows, 1)) * unit(tones))


def machine(draw: Draw, rows: int, n: int) -> Tensor:
    """Air or water in a housing that rings, beaten by a motor whose tones may stand above it.

    Vacuum cleaners, kettles, washing machines: unlike a note, most of it is noise.
    """
    t = torch.arange(n, device=draw.device) / RATE
    hz = hertz(n, draw.device)
    shape = colour(draw, rows, n)
    for _ in range(RESONANCES):
        middle = 10.0 ** draw.uniform(1.9, 4.0, rows, 1)
        width = middle * 10.0 ** draw.uniform(-2.0, -0.5, rows, 1)
        peak = decibels(draw.uniform(0.0, 30.0, rows, 1) * draw.chance(0.6, rows, 1)) - 1.0
        shape = shape * (1.0 + peak / (1.0 + ((hz - middle) / width).square()))
    turn = 2.0 ** draw.uniform(0.0, 9.0, rows, 1)  # 1 to 512 Hz
    phase = 2 * math.pi * (turn * t + 0.05 * wander(draw, rows, n, 3.0))
    beat = 1.0 + draw.uniform(0.0, 0.9, rows, 1) * torch.sin(phase)
    unrest = decibels(draw.uniform(0.0, 4.0, rows, 1) * wander(draw, rows, n, 30.0))
    air = unit(filtered(draw.normal(rows, n), shape) * beat * unrest)
    tones = torch.zeros(rows, n, device=draw.device)
    first, count = 2.0 ** draw.uniform(0.0, 4.0, rows, 1), 2.0 ** draw.uniform(0.0, 4.0, rows, 1)
    first = first.floor()  # of a motor's harmonics; often one stands alone
    for k in range(16):
        loud = draw.uniform(0.0, 1.0, rows, 1).square() * (k < count) * (turn * (first + k) < 16000)
        tones += loud * torch.sin((first + k) * phase + draw.uniform(0.0, 6.3, rows, 1))
    tones = unit(torch.where(draw.chance(0.5, rows, 1) > 0, filtered(tones, shape), tones))
    return unit(air + decibels(draw.uniform(-30.0, 6.0, rows, 1)) * tones)


def hum(draw: Draw, rows: int, n: int) -> Tensor:
    """The mains and their harmonics, odd ones louder, over a little hiss."""
    t = torch.arange(n, device=draw.device) / RATE
    base = 50.0 + 10.0 * draw.chance(0.5, rows, 1) + draw.uniform(-0.3, 0.3, rows, 1)
    fall, even = draw.uniform(0.2, 1.6, rows, 1), draw.uniform(0.0, 1.0, rows, 1)
    y = torch.zeros(rows, n, device=draw.device)
    for k in range(1, 31):
        loud = float(k) ** -fall * (1.0 if k % 2 else even)
        y += loud * torch.sin(2 * math.pi * k * base * t + draw.uniform(0.0, 6.3, rows, 1))
    hiss = decibels(draw.uniform(-50.0, -15.0, rows, 1)) * coloured(draw, rows, n)
    return unit(unit(y) + hiss)


def wind(draw: Draw, rows: int, n: int) -> Tensor:
    """Low gusts that swell by 20 dB, and traffic alike."""
    hz = hertz(n, draw.device)
    corner = 2.0 ** draw.uniform(6.0, 9.5, rows, 1)
    y = filtered(draw.normal(rows, n), 1.0 / (1.0 + (hz / corner).square()) * (hz > 15.0))
    gusts = decibels(7.0 * wander(draw, rows, n, 1.5) + 3.0 * wander(draw, rows, n, 8.0))
    return unit(unit(y) * gusts)


STEADY = {"coloured": coloured, "fan": fan, "machine": machine, "hum": hum, "wind": wind}


def strokes(draw: Draw, rows: int, n: int, pool: Tensor) -> Tensor:
    """Keys, clicks and knocks at random times."""
    length = pool.shape[1]
    y = torch.zeros(rows, n + length, device=draw.device)
    steps = torch.arange(length, device=draw.device)
    busy = draw.uniform(0.15, 1.0, rows, 1)
    same = draw.integers(len(pool), rows)
    for _ in range(max(1, round(STROKES * n / (2.0 * RATE)))):
        own = draw.integers(len(pool), rows)
        chosen = torch.where(draw.chance(0.3, rows) > 0, same, own)
        loud = decibels(draw.uniform(-12.0, 0.0, rows, 1)) * (draw.uniform(0, 1, rows, 1) < busy)
        y.scatter_add_(1, draw.integers(n, rows, 1) + steps, pool[chosen] * loud)
    return unit(filtered(y[:, :n], curve(draw, rows, n // 2 + 1, 5.0)))


def made_strokes(draw: Draw, count: int, length: int) -> Tensor:
    """Invented events ``[count, length]``: noise and a few resonances that die away, peak 1."""
    t = torch.arange(length, device=draw.device) / RATE
    decay = torch.exp(-t * 10.0 ** draw.uniform(1.3, 3.0, count, 1))
    y = unit(filtered(draw.normal(count, length), curve(draw, count, length // 2 + 1, 14.0)))
    for ring in range(4):
        hz = 10.0 ** draw.uniform(1.9, 3.9, count, 1)
        rate = 10.0 ** draw.uniform(1.3, 2.6, count, 1)
        loud = draw.uniform(0.0, 2.5, count, 1) * draw.chance(0.6, count, 1)
        tone = torch.exp(-t * rate) * torch.sin(2 * math.pi * hz * t)
        y = (y * decay if ring == 0 else y) + loud * tone
    fall = (1.0 - t / t[-1]).clamp(0.0, 0.1) * 10.0
    y = y * fall * (t * 4000.0).clamp(max=1.0)
    return y / (y.abs().amax(dim=1, keepdim=True) + 1e-9)


def pieces(draw: Draw, rows: int, n: int, pool: Tensor) -> Tensor:
    """Random stretches of a long recording, coloured a little."""
    start = draw.integers(max(1, len(pool) - n), rows, 1)
    found = pool[(start + torch.arange(n, device=draw.device)) % len(pool)].float()
    return unit(filtered(found, curve(draw, rows, n // 2 + 1, 5.0)))


def recorded(draw: Draw, rows: int, n: int, pool: Tensor) -> Tensor:
    """Recordings of noise at another speed, over and over, and coloured a little."""
    length = pool.shape[1]
    speed = 2.0 ** draw.uniform(-0.6, 0.6, rows, 1)
    steps = torch.arange(n, dtype=torch.float64, device=draw.device)
    at = draw.uniform(0.0, 1.0, rows, 1) * length + steps * speed
    left = at.long()
    part = (at - left).float()
    source = pool[draw.integers(len(pool), rows)]
    y = source.gather(1, left % length) * (1 - part) + source.gather(1, (left + 1) % length) * part
    return unit(filtered(y, curve(draw, rows, n // 2 + 1, 5.0)))


def babble(draw: Draw, rows: int, n: int, speech: Tensor) -> Tensor:
    """Three to eight other voices of the batch at once, a little duller than near ones."""
    y = torch.zeros(rows, n, device=draw.device)
    level = unit(speech)
    for k in range(8):
        heard = 1.0 if k < 3 else draw.chance(0.5, rows, 1)
        who = draw.integers(len(speech), rows)
        back = draw.integers(n, rows, 1)
        voice = level[who].gather(1, (torch.arange(n, device=draw.device) - back) % n)
        y = y + heard * decibels(draw.uniform(-6.0, 0.0, rows, 1)) * voice
    far = 1.0 / (1.0 + hertz(n, draw.device) / 10.0 ** draw.uniform(3.2, 4.2, rows, 1))
    return unit(filtered(y, far * curve(draw, rows, n // 2 + 1, 5.0)))


def noise(draw: Draw, speech: Tensor, pools: Pools, alone: Tensor | None = None) -> Tensor:
    """A background of one to two kinds for every row ``[b, n]``, of unit power.

    Where `alone` ``[b, 1]`` is true no voices are in it: nothing would tell them from speech.
    """
    rows, n = speech.shape
    shares = torch.tensor(SHARES, device=draw.device).repeat(rows, 1)
    if alone is not None:
        shares[:, KINDS.index("babble")] *= (~alone[:, 0]).float()
    total = torch.zeros(rows, n, device=draw.device)
    for layer in range(2):
        kinds = torch.multinomial(shares, 1, generator=draw.generator)[:, 0]
        loud = 1.0 if layer == 0 else 0.0
        loud = loud + (layer == 1) * draw.chance(0.4, rows, 1) * decibels(
            draw.uniform(-12.0, 0.0, rows, 1)
        )
        for index, kind in enumerate(KINDS):
            found = (kinds == index).nonzero()[:, 0]
            count = len(found)
            if not count:
                continue
            if kind == "strokes":
                made = strokes(draw, count, n, pools.strokes)
            elif kind == "music":
                made = pieces(draw, count, n, pools.music)
            elif kind == "babble":
                made = babble(draw, count, n, speech)
            elif kind == "recorded":
                made = recorded(draw, count, n, pools.recorded)
            else:
                made = STEADY[kind](draw, count, n)
            total[found] += (loud if isinstance(loud, float) else loud[found]) * made
    return unit(total)


def rooms(draw: Draw, x: Tensor, share: float = 0.5) -> Tensor:
    """Some rows as a microphone a step away hears them: direct sound, early and late reflections.

    Responses are noise that dies away (Polack, 1988), darker as it does, 0.1 to 0.5 s to -60 dB,
    the direct sound 2 to 15 dB above all the rest.
    """
    rows, n = x.shape
    length = RATE // 2
    t = torch.arange(length, device=draw.device) / RATE
    sixty = draw.uniform(0.1, 0.5, rows, 1)
    tail = draw.normal(rows, length) * torch.exp(-6.9 * t / sixty)
    tail = tail * (t > draw.uniform(0.001, 0.02, rows, 1))
    dark = 1.0 / (1.0 + hertz(length, draw.device) / 10.0 ** draw.uniform(3.3, 4.2, rows, 1))
    tail = filtered(tail, dark)
    near = decibels(-draw.uniform(2.0, 15.0, rows, 1)) * draw.chance(share, rows, 1)
    tail = tail / (tail.square().sum(dim=1, keepdim=True).sqrt() + 1e-9) * near
    size = n + length
    late = torch.fft.irfft(torch.fft.rfft(x, size) * torch.fft.rfft(tail, size), size)[:, :n]
    return x + late


def dulled(draw: Draw, x: Tensor, share: float = 0.4) -> Tensor:
    """Some rows as a headset of 16 or 24 kHz sends them: nothing above."""
    hz = hertz(x.shape[1], draw.device)
    corner = draw.uniform(3600.0, 11000.0, len(x), 1)
    corner = torch.where(draw.chance(share, len(x), 1) > 0, corner, torch.full_like(corner, 1e6))
    return filtered(x, 1.0 / torch.sqrt(1.0 + (hz / corner) ** 40))


def pauses(draw: Draw, x: Tensor, share: float = 0.35) -> Tensor:
    """Silence in some rows where speech was: a stretch with soft ends; a few rows wholly silent."""
    rows, n = x.shape
    t = torch.arange(n, device=draw.device)
    begin = draw.uniform(-0.5, 1.0, rows, 1) * n
    end = begin + draw.uniform(0.2, 0.8, rows, 1) * n
    ramp = 0.02 * RATE
    inside = ((t - begin) / ramp).clamp(0.0, 1.0) * ((end - t) / ramp).clamp(0.0, 1.0)
    keep = 1.0 - inside * draw.chance(share, rows, 1)
    return x * keep * (1.0 - draw.chance(0.15, rows, 1))


def notes(draw: Draw, rows: int, n: int) -> Tensor:
    """Held and sung notes ``[rows, n]``, which are to be kept: harmonics under an envelope."""
    t = torch.arange(n, device=draw.device) / RATE
    base = 2.0 ** draw.uniform(6.3, 10.0, rows, 1)
    depth = 0.004 * draw.uniform(0.0, 1.0, rows, 1) * draw.chance(0.6, rows, 1)
    swing = depth * base / 5.5 * torch.sin(2 * math.pi * 5.5 * t + draw.uniform(0, 6.3, rows, 1))
    phase = 2 * math.pi * (base * t + swing)
    fall, count = draw.uniform(0.6, 2.0, rows, 1), draw.uniform(1.0, 24.0, rows, 1)
    y = torch.zeros(rows, n, device=draw.device)
    for k in range(1, 25):
        loud = float(k) ** -fall * (k * base < 14000.0) * (k <= count)
        y += loud * torch.sin(k * phase + draw.uniform(0.0, 6.3, rows, 1))
    begin = draw.uniform(-1.0, 0.6, rows, 1) * n
    rise = ((t * RATE - begin) / (0.01 * RATE)).clamp(0.0, 1.0)
    return unit(filtered(y, curve(draw, rows, n // 2 + 1, 8.0))) * rise


def mixtures(draw: Draw, speech: Tensor, pools: Pools, sung: float = 0.03) -> tuple[Tensor, Tensor]:
    """Noisy rows and what is to be left of them.

    Parameters
    ----------
    speech : Tensor [shape=(b, n)]
        At any level.
    sung : float
        Share of rows that are notes in a quiet room.

    Returns
    -------
    dry, wet : Tensor [shape=(b, n)]
    """
    rows, n = speech.shape
    voice = dulled(draw, filtered(unit(speech), curve(draw, rows, n // 2 + 1, 5.0)))
    active = voice.square().mean(dim=1, keepdim=True).sqrt() + 1e-6
    others = voice
    voice = rooms(draw, pauses(draw, voice))
    ratio = draw.uniform(-5.0, 25.0, rows, 1)
    # noise alone is as loud as speech is: loudness must not tell one from the other
    alone = voice.abs().amax(dim=1, keepdim=True) == 0.0
    ratio = torch.where(alone, 0.5 * ratio - 5.0, ratio)
    quiet = draw.chance(0.08, rows, 1)
    sings = draw.chance(sung, rows, 1)
    if sung > 0:
        voice = torch.where(sings > 0, active * notes(draw, rows, n), voice)
        ratio = torch.where(sings > 0, ratio.clamp(min=20.0), ratio)
    loud = active * decibels(-ratio) * (1.0 - quiet)
    hiss = active * decibels(draw.uniform(-70.0, -45.0, rows, 1)) * draw.chance(0.5, rows, 1)
    dry = voice + loud * noise(draw, others, pools, alone) + hiss * draw.normal(rows, n)
    level = decibels(draw.uniform(-42.0, -14.0, rows, 1)) / active
    level = torch.minimum(level, 0.98 / (dry.abs().amax(dim=1, keepdim=True) + 1e-9))
    level = level * (1.0 - draw.chance(OFF, rows, 1))
    return dry * level, voice * level
