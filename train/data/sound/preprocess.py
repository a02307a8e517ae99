"""Preprocessing of recordings: pure functions on mono float32 arrays.

Loudness, noise and duration have files of their own (:mod:`.loudness`, :mod:`.denoise`,
:mod:`.stretch`); :mod:`.steps` names them all for the command line.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from realtime.errors import ConfigError

Array = npt.NDArray[np.float32]


def checked(x: npt.ArrayLike) -> Array:
    """Return `x` as float32 ``[shape=(n,)]``.

    Raises
    ------
    ConfigError
        Another shape, or samples that are NaN or infinite.
    """
    samples = np.asarray(x, dtype=np.float32)
    if samples.ndim != 1:
        raise ConfigError(f"expected one channel [n], got an array of shape {samples.shape}")
    bad = samples.size - int(np.count_nonzero(np.isfinite(samples)))
    if bad:
        raise ConfigError(f"{bad} samples are NaN or infinite; export the sound again")
    return np.ascontiguousarray(samples)


def to_mono(x: Array) -> Array:
    """Mean of the channels ``[shape=(channels, n)] -> [shape=(n,)]``.

    Channels that cancel each other (the mean holds under 1 % of their power) would vanish in it:
    then the strongest alone is taken.
    """
    if x.ndim == 1:
        return checked(x)
    if x.shape[0] == 0:
        raise ConfigError("a sound needs one channel at least, got none")
    mean = x.mean(axis=0)
    powers = [power(channel) for channel in x]
    if power(mean) < 0.01 * np.mean(powers):
        return checked(x[int(np.argmax(powers))])
    return checked(mean)


def power(x: Array) -> float:
    """Sum of squares in float64, without a float64 copy of an hour of sound."""
    return float(np.einsum("n,n->", x, x, dtype=np.float64))


def resample(x: Array, source: int, target: int) -> Array:
    """Change the sample rate by soxr's very high quality; ``ceil(n * target / source)`` samples.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
    source, target : int [Hz]
    """
    if source <= 0 or target <= 0:
        raise ConfigError(f"sample rates must be above 0 Hz, got {source} and {target}")
    x = checked(x)
    if source == target or len(x) == 0:
        return x
    length = -(-len(x) * target // source)
    y = np.asarray(soxr.resample(x, source, target, quality="VHQ"), dtype=np.float32)
    return np.pad(y, (0, max(0, length - len(y))))[:length]


def change_speed(x: Array, speed: float) -> Array:
    """Play faster (above 1) or slower, pitch and formants along, as a tape does.

    Returns
    -------
    ndarray [shape=(round(n / speed),), float32]
        Band-limited by soxr.
    """
    if not 0.1 <= speed <= 10:
        raise ConfigError(f"speed must be from 0.1 to 10, got {speed:g}")
    x = checked(x)
    if len(x) == 0 or speed == 1:
        return x
    length = max(1, round(len(x) / speed))
    y = np.asarray(soxr.resample(x, speed, 1.0, quality="VHQ"), dtype=np.float32)
    return np.pad(y, (0, max(0, length - len(y))))[:length]


def crop_silence(
    x: Array,
    sample_rate: int,
    threshold_db: float = -50.0,
    keep_ms: float = 50.0,
    longest_ms: float | None = None,
) -> Array:
    """Cut silence before the first and after the last sound.

    Parameters
    ----------
    x : ndarray [shape=(n,), float32]
    sample_rate : int [Hz]
    threshold_db : float
        RMS over 10 ms below this, against the loudest 10 ms, is silence.
    keep_ms : float
        Silence left on either side.
    longest_ms : float, optional
        Pauses inside are shortened to this.

    Returns
    -------
    ndarray
        Nothing at all (0 samples) for pure silence.
    """
    if threshold_db >= 0:
        raise ConfigError(f"the threshold of silence must be below 0 dB, got {threshold_db:g}")
    x = checked(x)
    frame = max(1, sample_rate // 100)
    if len(x) == 0:
        return x
    frames = np.pad(x, (0, -len(x) % frame)).reshape(-1, frame)
    level = np.einsum("fn,fn->f", frames, frames, dtype=np.float64) / frame
    if level.max() < 1e-12:  # below -120 dBFS there is nothing to hear
        return x[:0]
    sounding = np.flatnonzero(level > level.max() * 10 ** (threshold_db / 10))
    keep = np.zeros(len(level), dtype=bool)
    border = round(keep_ms / 10)
    keep[max(0, sounding[0] - border) : sounding[-1] + border + 1] = True
    if longest_ms is not None:
        allowed = max(1, round(longest_ms / 10))
        for before, after in zip(sounding, sounding[1:], strict=False):
            if after - before - 1 > allowed:
                keep[before + 1 + allowed // 2 : after - (allowed - allowed // 2)] = False
    return np.ascontiguousarray(x[np.repeat(keep, frame)[: len(x)]])


def segment(x: Array, length: int, hop: int | None = None, pad: bool = True) -> list[Array]:
    """Cut into pieces of `length` samples, `hop` apart (default: end to end).

    The last piece is filled up with silence, or left out where `pad` is False.
    """
    if length < 1 or (hop is not None and hop < 1):
        raise ConfigError(f"segments need a length and a hop of 1 or more, got {length} and {hop}")
    x, hop = checked(x), hop or length
    pieces = []
    for start in range(0, len(x), hop):
        piece = x[start : start + length]
        if len(piece) == length:
            pieces.append(piece)
        elif pad:
            pieces.append(np.pad(piece, (0, length - len(piece))))
        if start + length >= len(x):
            break
    return pieces
