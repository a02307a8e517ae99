"""Two devices on two clocks, without sound cards: a sine crosses from one to the other.

Virtual time: the callbacks of both are merged in the order of their time stamps in one native loop,
an hour in seconds.  What is measured comes from the sound alone: each stretch of output is compared
with the sine the writing device would have delivered at that very moment, so its phase is the
latency, and its phase's advance the pitch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from realtime.dsp.drift import read, write
from realtime.dsp.drift_record import Drift, view_drift
from realtime.errors import ConfigError

from .virtual_clock import Device, samples_at, time_of

Floats = npt.NDArray[np.float64]
STRETCH_S = 0.1


@njit(error_model="numpy", cache=True)
def _late(device):  # type: ignore[no-untyped-def]
    if device[4] == 0.0:
        return 0.0
    return min(np.random.exponential(device[4]), 4.0 * device[4])  # noqa: NPY002


@njit(nogil=True, error_model="numpy", cache=True)
def _run(address, writer, reader, tone, turn, start, seed, phasors, steps, kept, every):  # type: ignore[no-untyped-def]
    """Fill ``phasors [n, 2]``, ``steps [n]`` and ``kept [k, stretch]``; see :func:`simulate`."""
    np.random.seed(seed)  # noqa: NPY002
    d = view_drift(address)
    stretch, channels = kept.shape[1], d.channels
    n_in, n_out = int(writer[3]), int(reader[3])
    x = np.zeros((channels, n_in), dtype=np.float32)
    y = np.zeros((channels, n_out), dtype=np.float32)
    window = np.hanning(stretch + 1)[:stretch]
    written, done, place, k = 0, 0, 0, 0
    write_due, read_due = time_of(writer, n_in), start
    write_at, read_at = write_due + _late(writer), read_due + _late(reader)
    angle, speed, re, im, step, before, silenced = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, False
    while k < steps.shape[0]:
        if write_at <= read_at:
            for i in range(n_in):
                value = tone[(written + i) % tone.shape[0]]
                for c in range(channels):
                    x[c, i] = value
            written += n_in
            if not writer[5] <= write_due < writer[6]:
                write(d, x, 0, n_in, int(write_at * 1e9))
            write_due = time_of(writer, written + n_in)
            write_at = max(write_at, write_due + _late(writer))
            continue
        stopped = reader[5] <= read_due < reader[6]
        if stopped:
            for c in range(channels):
                y[c, :] = 0.0
        else:
            read(d, y, 0, n_out, int(read_at * 1e9))
        for i in range(n_out):
            if place == 0:  # the sine as the writer's clock stands at this very sample
                t = start + time_of(reader, done + i)
                now = samples_at(writer, t)
                after = samples_at(writer, start + time_of(reader, done + i + stretch))
                angle, speed = turn * (now % tone.shape[0]), turn * (after - now) / stretch
            value = float(y[0, i])
            re += window[place] * value * np.sin(angle + place * speed)
            im += window[place] * value * np.cos(angle + place * speed)
            if not (stopped or silenced):
                step = max(step, abs(value - before))
            before, silenced = value, stopped
            if k % every == 0 and k // every < kept.shape[0]:
                kept[k // every, place] = y[0, i]
            place += 1
            if place == stretch:
                if k < steps.shape[0]:
                    phasors[k, 0], phasors[k, 1], steps[k] = re, im, step
                place, k, re, im, step = 0, k + 1, 0.0, 0.0, 0.0
        done += n_out
        read_due = start + time_of(reader, done)
        read_at = max(read_at, read_due + _late(reader))


@dataclass(frozen=True)
class Crossing:
    """What a simulated crossing gave, stretch by stretch of 0.1 s.

    Attributes
    ----------
    latency : ndarray [shape=(n,), writer's samples]
        From the sine's phase; of the values one period of the sine apart, that next to the target.
    cents : ndarray [shape=(n - 1,)]
        Pitch error against what the two clocks imply, from one stretch to the next.
    level, step : ndarray [shape=(n,)]
        Amplitude, and the largest difference of neighbouring samples.
    kept : ndarray [shape=(k, stretch), float32]
        Some of the stretches.
    """

    latency: Floats
    cents: Floats
    level: Floats
    step: Floats
    kept: npt.NDArray[np.float32]


def _within(values: Floats, period: float) -> Floats:
    """Add whole periods so that all lie around 0."""
    return np.asarray((values + period / 2) % period - period / 2)


def simulate(
    drift: Drift,
    writer: Device,
    reader: Device,
    seconds: float,
    frequency: int = 997,
    kept: int = 1,
    seed: int = 0,
) -> Crossing:
    """Let a sine of amplitude 0.5 cross for so many virtual seconds.

    Parameters
    ----------
    drift : Drift
    writer, reader : Device
    frequency : int [Hz]
        By the writer's own clock.
    kept : int
        How many stretches of output to keep, evenly spread.
    seed : int
        Of the lateness, and of where in the writer's block the reader starts.
    """
    count = int(seconds / STRETCH_S)
    if count < 2 or not 0 < frequency < writer.rate / 2:
        raise ConfigError(
            f"a crossing takes at least {2 * STRETCH_S:g} s and a sine below"
            f" {writer.rate / 2:g} Hz, got {seconds:g} s and {frequency} Hz"
        )
    turn = 2.0 * np.pi * frequency / writer.rate
    tone = (0.5 * np.sin(turn * np.arange(writer.rate))).astype(np.float32)
    start = float(np.random.default_rng(seed).uniform(0.0, writer.block / writer.rate))
    stretch = int(STRETCH_S * reader.rate)
    phasors, steps = np.zeros((count, 2)), np.zeros(count)
    segments = np.zeros((kept, stretch), dtype=np.float32)
    _run(
        drift.address,
        writer.numbers(),
        reader.numbers(),
        tone,
        turn,
        start,
        seed,
        phasors,
        steps,
        segments,
        max(1, count // kept),
    )
    phase = np.arctan2(phasors[:, 1], phasors[:, 0])  # minus the latency
    period = 2.0 * np.pi / turn
    late = -phase / turn
    late = drift.target + _within(late - drift.target, period)
    speed = writer.rate * STRETCH_S
    cents = 1200.0 / np.log(2.0) * -_within(np.diff(late), period) / speed
    return Crossing(late, cents, np.hypot(*phasors.T) * 4.0 / stretch, steps, segments)
