"""What is played through the gear: probes that tell what it is, and sounds to learn it from.

All of it is made here by rule and is ours to give away (CC0-1.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.audio_files import whole_file
from realtime.errors import ConfigError

from .guitar import guitar

Array = npt.NDArray[np.float32]
RATE = 48000  # Hz
LEVELS = (-60.0, -45.0, -33.0, -24.0, -15.0)  # dBFS, RMS of a probe's noises
NOISE = 0.4  # seconds of each
REST = 1.2  # seconds of silence after a probe, and before the first
SEED = 18
FULL = 1.0  # size of the signal that captures are made with


@dataclass(frozen=True)
class Signal:
    """The signal and where its parts are.

    Attributes
    ----------
    samples : ndarray [shape=(n,), float32]
        As a file of 24 bits has it.
    probes : tuple of int
        First samples of the probes, which are equal.
    learn, judge : tuple of int
        First sample, and the sample behind the last: what is learnt from, and what is held out.
    """

    samples: Array
    probes: tuple[int, ...]
    learn: tuple[int, int]
    judge: tuple[int, int]

    @property
    def silence(self) -> tuple[int, int]:
        """The silence before the first probe."""
        return 0, self.probes[0]

    def noises(self, probe: int) -> Iterator[tuple[int, int]]:
        """First sample and the one behind the last of a probe's noises, the softest first."""
        n = round(NOISE * RATE)
        for k in range(len(LEVELS)):
            yield self.probes[probe] + k * n, self.probes[probe] + (k + 1) * n


@cache
def make_signal(size: float = FULL) -> Signal:
    """The signal; `size` 1 lasts 2 min 40 s, less has less to learn from."""
    rng = np.random.default_rng(SEED)
    n = round(NOISE * RATE)
    noises = [10 ** (level / 20) * np.clip(rng.standard_normal(n), -4, 4) for level in LEVELS]
    rest = np.zeros(round(REST * RATE))
    probe = np.concatenate([*noises, rest])
    parts = [rest, probe, *_sweeps(4.0 * size), _swell(8.0 * size, rng)]
    parts += [guitar(48.0 * size, SEED), rest[: RATE // 4], probe]
    parts += [guitar(60.0 * size, SEED + 1), rest[: RATE // 4]]
    begin = sum(map(len, parts))
    held = guitar(max(4.0, 12.0 * size), SEED + 2)
    parts += [held, rest[: RATE // 2], probe]
    ends = np.cumsum([len(p) for p in parts])
    whole = np.round(np.concatenate(parts) * 2**23) / 2**23
    places = [int(e) - len(probe) for p, e in zip(parts, ends, strict=True) if p is probe]
    return Signal(
        whole.astype(np.float32), tuple(places), (places[0], begin), (begin, begin + len(held))
    )


def write_signal(path: Path) -> Signal:
    """Write the signal as a WAV file of 24 bits, whole or not at all.

    Raises
    ------
    ConfigError
        Another ending than .wav, or the file cannot be written.
    """
    if path.suffix.lower() != ".wav":
        raise ConfigError(f"the signal is a WAV file; end its name in .wav, got '{path.name}'")
    made = make_signal()
    try:
        with whole_file(path) as partial:
            soundfile.write(partial, made.samples, RATE, "PCM_24", format="WAV")
    except (OSError, soundfile.LibsndfileError) as error:
        raise ConfigError(f"cannot write {path}: {error}") from None
    return made


def _sweeps(seconds: float) -> Iterator[npt.NDArray[np.float64]]:
    """Logarithmic sweeps from 20 Hz to 20 kHz, soft to loud (Farina, AES 108, 2000)."""
    n = round(seconds * RATE)
    t, span = np.arange(n) / RATE, np.log(20000 / 20)
    phase = 2 * np.pi * 20 * seconds / span * (np.exp(t / seconds * span) - 1)
    edge = np.minimum(1, np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.01 * RATE))
    for level in (-36.0, -18.0, -3.0):
        yield 10 ** (level / 20) * edge * np.sin(phase)


def _swell(seconds: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Noise that changes its strength every 50 ms."""
    n, step = round(seconds * RATE), RATE // 20
    level = 10 ** (rng.uniform(-50, -9, -(-n // step)) / 20)
    return np.clip(np.repeat(level, step)[:n] * rng.standard_normal(n), -0.99, 0.99)
