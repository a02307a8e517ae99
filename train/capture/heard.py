"""What came back, judged: aligned to the signal and ready to learn from, or refused by name."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soxr

from realtime.errors import RestyleError

from .delay import REACH, Delay, cut, find_delay, response
from .signal import LEVELS, RATE, Signal

Array = npt.NDArray[np.float32]
Float = npt.NDArray[np.float64]
SILENT = -80.0  # dBFS: RMS of the loudest noise that is as good as nothing
RELATED = 0.2  # share of the power that must be the signal's, filtered
CLIPPED = 1e-4  # share of the samples of the loudest noises at full scale
NOISY = -20.0  # noise over playing [dB]: it alone would be an ESR of 0.01
GATED = 12.0  # dB by which soft sounds may be softer than a little louder ones
MOVED = -26.0  # dB by which a probe that comes again may differ
TAIL = 0.12  # seconds after which the gear must have fallen silent
RINGING = -50.0  # dB: its level then, over the loudest noise's
FASTEST = 310.0  # ppm by which clocks may differ
STEADY = 0.02  # ppm that are none
JUMPED = 2.0  # samples by which the middle may leave the straight line
LINE = 10.0  # dB by which hum stands over the noise around


class Refused(RestyleError):
    """A recording that nothing good can be learnt from.

    Attributes
    ----------
    cause : str
        rate, damaged, too short, channel, silence, unrelated, clipping, dropout, drift, late,
        noise, hum, gate, tail, time-varying or loop.
    """

    def __init__(self, cause: str, sentence: str) -> None:
        super().__init__(sentence)
        self.cause = cause


@dataclass(frozen=True)
class Heard:
    """A take, aligned, and what was found of it.

    Attributes
    ----------
    wet : ndarray [shape=(n,), float32]
        As long as the signal; delay and drift taken out, polarity as it came.
    delay : int [samples]
    inverted : bool
    drift_ppm : float
        How much faster the recording's clock is.
    noise_db, peak_db : float [dBFS]
    hum_hz : int
        50 or 60, where hum stands out; else 0.
    noise_esr : float
        What the noise alone would be as an ESR.
    """

    wet: Array
    delay: int
    inverted: bool
    drift_ppm: float
    noise_db: float
    peak_db: float
    hum_hz: int
    noise_esr: float

    def words(self) -> str:
        """What was found, in one line."""
        drift = f", clocks {self.drift_ppm:+.1f} ppm apart, taken out" if self.drift_ppm else ""
        return (
            f"{self.delay} samples late{', inverted' if self.inverted else ''}{drift};"
            f" noise {self.noise_db:.0f} dBFS"
            f"{f' with hum of {self.hum_hz} Hz' if self.hum_hz else ''}, peak"
            f" {self.peak_db:.1f} dBFS"
        )


def hear(
    signal: Signal,
    recording: Array,
    rate: int = RATE,
    channel: int | None = None,
    converter: bool = True,
) -> Heard:
    """Judge a recording of `signal` through some gear, and align it.

    Parameters
    ----------
    recording : ndarray [shape=(channels, n) or (n,)]
        From the signal's first sample on, or a little before.
    channel : int or None
        From 0; None takes the channel that follows the signal best.
    converter : bool
        Whether it came through one, which clips at full scale.

    Raises
    ------
    Refused
        With the cause and what to do.
    """
    if rate != RATE:
        raise Refused(
            "rate", f"the recording is at {rate} Hz and the signal at {RATE}; record at {RATE} Hz"
        )
    channels = np.atleast_2d(np.asarray(recording, dtype=np.float32))
    if not np.isfinite(channels).all():
        raise Refused("damaged", "the recording holds NaN or infinite samples; export it again")
    need = signal.probes[-1] + round(sum(0.4 for _ in LEVELS) * RATE)
    if channels.shape[1] < need:
        raise Refused(
            "too short",
            f"the recording is too short: {channels.shape[1] / RATE:.1f} s of the signal's"
            f" {len(signal.samples) / RATE:.1f} s; record all of it, to the last noise",
        )
    wet = _channel(signal, channels, channel)
    if converter:
        _check_clipping(wet)
    wet, drift = _without_drift(signal, wet)
    first = _best(signal, wet, 0)
    delay = math.floor(first.samples + 0.25)
    if delay > REACH:
        raise Refused("late", f"the sound comes back {delay} samples late; {REACH} are the most")
    aligned = cut(wet, delay, len(signal.samples))
    noise = _check_noise(signal, aligned)
    _check_gate(signal, aligned, noise.rms)
    _check_tail(signal, aligned, noise.rms)
    _check_repeats(signal, aligned, noise.rms)
    _check_loop(signal, aligned)
    playing = aligned[slice(*signal.judge)]
    return Heard(
        aligned.astype(np.float32),
        delay,
        first.inverted,
        drift,
        _db(noise.rms),
        _db(float(np.max(np.abs(aligned)))),
        noise.hum,
        float(noise.rms**2 / (np.mean(playing**2) + 1e-30)),
    )


def _db(value: float) -> float:
    return 20 * math.log10(value + 1e-12)


def _rms(sound: npt.NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def _best(signal: Signal, wet: npt.NDArray[np.floating], probe: int, reach: int = REACH) -> Delay:
    """The delay by that noise of a probe which comes back clearest."""
    found = [
        find_delay(signal.samples[a:b], wet, a, reach, 64 + reach // 8 * (probe > 0))
        for a, b in signal.noises(probe)
    ]
    return max(found, key=lambda d: d.share)


def _channel(signal: Signal, channels: Array, chosen: int | None) -> Float:
    """The channel to judge, refused when it has no sound or another one's."""
    count = len(channels)
    if chosen is not None and not 0 <= chosen < count:
        raise Refused("channel", f"there is no channel {chosen + 1}; the recording has {count}")
    loud = signal.probes[0], signal.probes[0] + round(3.0 * RATE)
    levels = [_db(_rms(c[slice(*loud)])) for c in channels]
    if max(levels) < SILENT:
        raise Refused(
            "silence",
            f"nothing came back: the recording is silent ({max(levels):.0f} dBFS in the loudest"
            " noise); check the cable to the input, the gear's volume and which input is recorded",
        )
    shares = [
        _best(signal, c, 0).share if level >= SILENT else 0.0
        for c, level in zip(channels, levels, strict=True)
    ]
    best = int(np.argmax(shares))
    at = best if chosen is None else chosen
    if shares[best] < RELATED:
        raise Refused(
            "unrelated",
            f"the recording does not follow the signal ({100 * shares[best]:.0f} % of it comes from"
            f" there, {100 * RELATED:.0f} % is the least) within {REACH} samples; record the whole"
            " file of 'restyle capture signal' from its start, dry, through the gear",
        )
    if shares[at] < RELATED:
        raise Refused(
            "channel",
            f"channel {at + 1} does not carry the gear's sound, channel {best + 1} does; choose"
            f" channel {best + 1}, or plug the cable into input {at + 1}",
        )
    return channels[at].astype(np.float64)


def _check_clipping(wet: Float) -> None:
    """Samples that stand at the converter's end: two or more at one largest value near 1."""
    top = float(np.max(np.abs(wet)))
    flat = (np.abs(wet[1:]) >= 0.9999 * top) & (np.abs(np.diff(wet)) <= 1e-4 * top)
    share = float(np.mean(flat))
    if 0.98 <= top <= 1.001 and share > CLIPPED / 4:
        raise Refused(
            "clipping",
            f"the input clips: {100 * share:.2f} % of the samples stand at full scale; turn the"
            " interface's input gain, or the gear's output, down by 6 dB and record again",
        )


def _without_drift(signal: Signal, wet: Float) -> tuple[Float, float]:
    """The recording at the signal's clock, and by how much its own was faster [ppm]."""
    total = 0.0
    for turn in range(3):
        found = [_best(signal, wet, k, REACH) for k in range(len(signal.probes))]
        at = np.array(signal.probes, dtype=np.float64)
        late = np.array([d.samples for d in found])
        if min(d.share for d in found) < RELATED:
            raise Refused(
                "dropout",
                "the signal is lost in the middle of the recording; record it again in one piece",
            )
        ppm = 1e6 * (late[-1] - late[0]) / (at[-1] - at[0])
        line = late[0] + (at - at[0]) * ppm * 1e-6
        stray = float(np.max(np.abs(late - line)))
        if stray > JUMPED + 0.1 * abs(ppm):
            raise Refused(
                "dropout",
                f"the recording jumps by {stray:.0f} samples in its middle: sound was lost (an"
                " xrun) or the delay moves; take a larger --block, close other programs, switch"
                " chorus and vibrato off, and record again",
            )
        if abs(total + ppm) > FASTEST:
            raise Refused(
                "drift",
                f"the clocks of playing and recording are {total + ppm:+.0f} ppm apart;"
                " 300 are the most: play and record through one interface",
            )
        if abs(ppm) < (0.2 if turn == 0 else STEADY) or turn == 2:
            break
        total += ppm
        wet = soxr.resample(wet, RATE * (1 + ppm * 1e-6), RATE, quality="VHQ")
    return wet, round(total, 2)


@dataclass(frozen=True)
class _Noise:
    rms: float
    hum: int


def _check_noise(signal: Signal, wet: Float) -> _Noise:
    """Level of the silence before the first probe, and whether it is hum."""
    rest = wet[signal.probes[0] - RATE : signal.probes[0] - 480]
    level = _rms(rest - rest.mean())
    spectrum = np.abs(np.fft.rfft((rest - rest.mean()) * np.hanning(len(rest)), RATE)) ** 2
    hum = 0
    for mains in (50, 60):
        lines = [np.max(spectrum[k - 2 : k + 3]) for k in mains * np.arange(1, 7)]
        around = [
            np.median(np.r_[spectrum[k - 15 : k - 5], spectrum[k + 6 : k + 16]])
            for k in mains * np.arange(1, 7)
        ]
        apart = 10 * np.log10(np.array(lines) / (np.array(around) + 1e-20) + 1e-12)
        share = 2 * sum(lines) / (spectrum.sum() + 1e-20)
        if np.count_nonzero(apart > LINE + 10) >= 2 and share > 0.1 and level > 1e-5:
            hum = mains if not hum or lines[0] > np.max(spectrum[48:53]) else hum
    playing = _rms(wet[slice(*signal.judge)])
    over = _db(level) - _db(playing)
    if over > NOISY:
        name, what = ("hum", f"hum of {hum} Hz") if hum else ("noise", "noise")
        mend = (
            "use a balanced cable, one mains outlet for all, or a ground lift"
            if hum
            else "turn the gear's gain down or the signal up"
        )
        raise Refused(
            name,
            f"{what} at {_db(level):.0f} dBFS is only {-over:.0f} dB below the playing;"
            f" {-NOISY:.0f} dB are the least: {mend}, and record again",
        )
    return _Noise(level, hum)


def _check_gate(signal: Signal, wet: Float, noise: float) -> None:
    """Soft sounds that are softer than what a little louder ones promise."""
    gains = []
    for a, b in signal.noises(0):
        a += RATE // 8  # a gate opens and closes meanwhile
        found = response(signal.samples[a:b], wet[a:b])
        band = slice(8, 430)  # 100 Hz to 5 kHz
        part = np.abs(found.gain[band]) ** 2 * np.clip(found.coherence[band] - 0.05, 0, 1)
        gains.append(10 * math.log10(float(np.mean(part)) + 1e-20))
    for k in range(len(gains) - 2):
        louder = max(gains[k + 1], gains[k + 2])
        promised = 10 ** ((LEVELS[k] + louder) / 20)
        if louder - gains[k] > GATED and promised > 2 * noise:
            raise Refused(
                "gate",
                f"a noise gate closes: sounds at {LEVELS[k]:.0f} dBFS come back"
                f" {louder - gains[k]:.0f} dB softer than louder ones promise; switch the gate off"
                " and put one before the capture instead (docs/nam.md)",
            )


def _check_repeats(signal: Signal, wet: Float, noise: float) -> None:
    """The probe, played three times, must come back the same."""
    worst = -200.0
    length = round(len(LEVELS) * 0.4 * RATE)
    first = wet[signal.probes[0] : signal.probes[0] + length]
    for place in signal.probes[1:]:
        other = wet[place : place + length]
        left = max(float(np.mean((first - other) ** 2)) - 2 * noise**2, 0.0)
        worst = max(worst, 10 * math.log10(left / (np.mean(first**2) + 1e-30) + 1e-20))
    if worst > MOVED:
        raise Refused(
            "time-varying",
            f"the same sound comes back differently (by {worst:.0f} dB; {MOVED:.0f} is the most):"
            " the gear changes with time; switch chorus, phaser, tremolo, vibrato, and noise"
            " reduction off, leave the knobs alone, and record again",
        )


def _check_tail(signal: Signal, wet: Float, noise: float) -> None:
    """Sound long after the loudest noise has stopped."""
    end = list(signal.noises(0))[-1]
    loud = _rms(wet[slice(*end)])
    begin = end[1] + round(TAIL * RATE)
    rest = wet[begin : begin + round(0.8 * RATE)]
    parts = [_rms(p - p.mean()) for p in np.array_split(rest, 8)]
    over = _db(max(parts)) - _db(loud)
    if over > RINGING and max(parts) > 2 * noise:
        raise Refused(
            "tail",
            f"sound goes on {TAIL * 1000:.0f} ms after the signal has stopped ({over:.0f} dB):"
            " reverb or delay cannot be captured; switch it off, and put one behind the capture",
        )


def _check_loop(signal: Signal, wet: Float) -> None:
    """The signal itself, as through a cable."""
    part = slice(*signal.judge)
    x, y = signal.samples[part].astype(np.float64), wet[part]
    gain = float(x @ y / (x @ x))
    left = float(np.mean((y - gain * x) ** 2) / (np.mean(y**2) + 1e-30))
    if left < 1e-4:
        apart = 10 * math.log10(left + 1e-20)
        raise Refused(
            "loop",
            f"what comes back is the signal itself (times {gain:.2f}, {apart:.0f} dB apart): no"
            " gear is in the loop; check the cables and the bypass switch",
        )
