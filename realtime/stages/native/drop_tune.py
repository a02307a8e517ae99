"""DropTune: any sound moved up or down by a fixed interval, chords too, 16 ms late at 48 kHz.

A phase vocoder that moves peaks (J. Laroche and M. Dolson, "New phase-vocoder techniques for pitch
shifting, harmonizing and other exotic effects", WASPAA 1999): in the spectrum of the newest 128 ms
each peak is a partial, whose frequency is told by how far its phase turned since the frame before;
the bins around it are moved by the part of that frequency which is wanted, and turned so that
frames fit together.  Only the newest 16 ms of a frame are heard: its window falls at the end within
8 ms, and what fades frames into each other is divided by it (D. Mauler and R. Martin, "A low delay,
variable resolution, perfect reconstruction spectral analysis-synthesis system", EUSIPCO 2007).
Length decides which partials are told apart; those that are not move together and keep their beat.
All channels are turned alike.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from ...dsp.fft import irfft, rfft, twiddles
from ...native.intrinsics import view_f32
from ...native.late_numba import cfunc, njit, types
from ...native.records import F32 as SINGLE
from ...native.records import FLOAT, I64, INT, Array, Table
from .record import STEP, values, view_effect
from .stage import Inner, Kind

F32 = np.float32
HOP_AT_48K = 128
OVERLAP = 6  # hops that a frame is heard for
HEARD_SECONDS = 0.128  # of sound in a frame
FAINT = 1e-12  # power of a bin below which there is no peak
STILL_HZ = 12.0  # what is lower is an offset, which stays
UNWIND = 0.7  # of the turn that is left after a hop with nothing shifted
SEMITONES = 0

SHIFTER = Table(
    "shifter",
    channels=INT, size=INT, length=INT, hop=INT, position=INT,
    still=FLOAT,  # radians a sample
    window=Array(SINGLE, "length"), fade=Array(SINGLE, f"hop * {OVERLAP}"),
    table=Array(SINGLE, "2, size"), work=Array(SINGLE, "4, size // 2"), frame=Array(SINGLE, "size"),
    # sound that came, and sound that is made, round and round
    came=Array(SINGLE, "channels, size"), made=Array(SINGLE, "channels, size"),
    # spectra of this frame and the one before (real, imaginary, of each channel), of what is made
    here=Array(SINGLE, "2, channels, size // 2 + 1"),
    before=Array(SINGLE, "2, channels, size // 2 + 1"),
    moved=Array(SINGLE, "2, size // 2 + 1"),
    power=Array(SINGLE, "size // 2 + 1"),
    # how far each bin is turned [radians]; the same of the frame to come
    turn=Array(SINGLE, "size // 2 + 1"), turned=Array(SINGLE, "size // 2 + 1"),
    # of each part of the spectrum: its peak, where it begins, by how many bins it is moved
    peaks=Array(I64, "size // 2 + 1"), begins=Array(I64, "size // 2 + 2"),
    moves=Array(I64, "size // 2 + 1"),
)  # fmt: skip
view_shifter = SHIFTER.view
window, fade, table = (SHIFTER.array(name) for name in ("window", "fade", "table"))
work, frame, power = (SHIFTER.array(name) for name in ("work", "frame", "power"))
came, made, moved = (SHIFTER.array(name) for name in ("came", "made", "moved"))
spectrum, earlier = SHIFTER.array("here"), SHIFTER.array("before")
turn, turned = SHIFTER.array("turn"), SHIFTER.array("turned")
peaks, begins, moves = (SHIFTER.array(name) for name in ("peaks", "begins", "moves"))


def hop_of(rate: float) -> int:
    """Samples from frame to frame: a power of two."""
    return max(1, int(2 ** round(math.log2(HOP_AT_48K * rate / 48000))))


def latency_of(rate: int) -> int:
    """Samples until a sound is heard: as long as a frame is."""
    return OVERLAP * hop_of(rate)


@njit(nogil=True, error_model="numpy", cache=True)
def _find_peaks(s):  # type: ignore[no-untyped-def]
    """Cut the spectrum into parts around its peaks; how many there are."""
    p, top, begin = power(s), peaks(s), begins(s)
    bins, count = p.shape[0], 0
    if p[0] > F32(FAINT) and p[0] >= p[1] and p[0] >= p[2]:  # an offset
        top[0] = 0
        count = 1
    for k in range(2, bins - 2):
        here = p[k]
        if here <= F32(FAINT):
            continue
        if here > p[k - 1] and here >= p[k + 1] and here > p[k - 2] and here >= p[k + 2]:
            top[count] = k
            count += 1
    begin[0] = 0
    for j in range(1, count):
        least, at = p[top[j - 1]], top[j - 1]
        for k in range(top[j - 1], top[j] + 1):
            if p[k] < least:
                least, at = p[k], k
        begin[j] = at
    begin[count] = bins
    return count


@njit(nogil=True, error_model="numpy", cache=True)
def _turn(s, count, ratio):  # type: ignore[no-untyped-def]
    """How each part is to be moved and turned, by its peak's frequency."""
    now, was, top, begin = spectrum(s), earlier(s), peaks(s), begins(s)
    old, new, by = turn(s), turned(s), moves(s)
    whole = 2.0 * math.pi
    for j in range(count):
        k = top[j]
        real, imaginary = 0.0, 0.0
        for c in range(s.channels):
            a, b = float(now[0, c, k]), float(now[1, c, k])
            d, e = float(was[0, c, k]), float(was[1, c, k])
            real += a * d + b * e
            imaginary += b * d - a * e
        expected = whole * ((k * s.hop) % s.size) / s.size
        off = math.atan2(imaginary, real) - expected
        off -= whole * math.floor(off / whole + 0.5)
        # the frequency of what sounds, which for a peak in the skirt of another one is the other's
        frequency = whole * k / s.size + off / s.hop
        shift = (ratio - 1.0) * frequency
        angle = float(old[k]) + shift * s.hop
        if ratio == 1.0 or frequency < s.still:
            shift, angle = 0.0, UNWIND * float(old[k])
        by[j] = int(math.floor(shift * s.size / whole + 0.5))
        angle -= whole * math.floor(angle / whole + 0.5)
        for i in range(begin[j], begin[j + 1]):
            new[i] = F32(angle)
    for k in range(old.shape[0]):
        old[k] = new[k]


@njit(nogil=True, error_model="numpy", cache=True)
def _move(s, count, c):  # type: ignore[no-untyped-def]
    """The spectrum of channel `c` with its parts moved and turned about the heard part's middle."""
    now, y, top, begin, by = spectrum(s), moved(s), peaks(s), begins(s), moves(s)
    angles, bins = turn(s), y.shape[1]
    y[...] = F32(0.0)
    centre = s.length - s.hop * OVERLAP // 2
    for j in range(count):
        step, begun, end = by[j], begin[j], begin[j + 1]
        # a part that is moved by whole bins is multiplied by a wave, which is 1 at the middle
        angle = float(angles[top[j]])
        angle -= 2.0 * math.pi * ((step * centre) % s.size) / s.size
        co, si = F32(math.cos(angle)), F32(math.sin(angle))
        for k in range(max(begun, -step), min(end, bins - step)):
            a, b = now[0, c, k], now[1, c, k]
            y[0, k + step] += a * co - b * si
            y[1, k + step] += a * si + b * co


@njit(nogil=True, error_model="numpy", cache=True)
def _hop(s, ratio):  # type: ignore[no-untyped-def]
    """Hear the newest frame and add what it makes to what is to be played."""
    now, was, p, sound = spectrum(s), earlier(s), power(s), frame(s)
    ring, out, shape = came(s), made(s), window(s)
    mask, begin = s.size - 1, s.position - s.length
    p[:] = F32(0.0)
    for c in range(s.channels):
        for i in range(s.length):
            sound[i] = ring[c, (begin + i) & mask] * shape[i]
        sound[s.length :] = F32(0.0)
        rfft(sound, now[0, c], now[1, c], work(s), table(s))
        for k in range(p.shape[0]):
            p[k] += now[0, c, k] * now[0, c, k] + now[1, c, k] * now[1, c, k]
    count = _find_peaks(s)
    if count == 0:
        turn(s)[:] = F32(0.0)
    else:
        _turn(s, count, ratio)
    fades = fade(s)
    first = s.length - fades.shape[0]
    for c in range(s.channels):
        if count > 0:
            y = moved(s)
            _move(s, count, c)
            irfft(y[0], y[1], sound, work(s), table(s))
            for i in range(fades.shape[0]):
                out[c, (begin + first + i) & mask] += sound[first + i] * fades[i]
    for c in range(s.channels):
        for k in range(p.shape[0]):
            was[0, c, k], was[1, c, k] = now[0, c, k], now[1, c, k]


@cache
def drop_tune_step() -> Any:
    """DropTune."""

    @cfunc(STEP, nopython=True, error_model="numpy", cache=True)
    def drop_tune(address, block_address, n):  # type: ignore[no-untyped-def]
        e = view_effect(address)
        s, block = view_shifter(e.inner), view_f32(block_address, (e.channels, n))
        ring, out, mask, late = came(s), made(s), s.size - 1, s.hop * OVERLAP
        ratio = 2.0 ** (float(values(e)[SEMITONES]) / 12.0)
        for i in range(n):
            if s.position % s.hop == 0:
                _hop(s, ratio)
            at, old = s.position & mask, (s.position - late) & mask
            for c in range(e.channels):
                ring[c, at] = block[c, i]
                block[c, i] = out[c, old]
                out[c, old] = F32(0.0)
            s.position += 1
        return 0

    return drop_tune


@cache
def drop_tune_reset() -> Any:
    """C function ``reset(record) -> 0``."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def reset(address):  # type: ignore[no-untyped-def]
        s = view_shifter(view_effect(address).inner)
        came(s)[...] = F32(0.0)
        made(s)[...] = F32(0.0)
        earlier(s)[...] = F32(0.0)
        turn(s)[:] = F32(0.0)
        s.position = 0
        return 0

    return reset


class Shifter(Inner):
    """Memory of one stage; see :class:`realtime.stages.native.stage.Inner`."""

    level = 1.0

    def __init__(self, sample_rate: int, channels: int, *_: object) -> None:
        hop = hop_of(sample_rate)
        length = round(HEARD_SECONDS * sample_rate / hop) * hop
        size = 1 << (length - 1).bit_length()
        self._record = SHIFTER.make(channels=channels, size=size, length=length, hop=hop)
        self._record["still"] = 2.0 * math.pi * STILL_HZ / sample_rate
        self.address = self._record.address
        arrays, heard = self._record.arrays, OVERLAP * hop
        rise, fall = length - heard // 2, heard // 2
        shape = np.concatenate([
            np.sin(0.5 * np.pi * (np.arange(rise) + 0.5) / rise),
            np.cos(0.5 * np.pi * (np.arange(fall) + 0.5) / fall),
        ])  # fmt: skip
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(heard) + 0.5) / heard)
        arrays["window"][:] = shape
        arrays["fade"][:] = hann / shape[-heard:] * (2 / OVERLAP)
        arrays["table"][:] = twiddles(size)


DROP_TUNE = {
    "DropTune": Kind(drop_tune_step, 0, inner=Shifter, reset=drop_tune_reset, latency=latency_of)
}
