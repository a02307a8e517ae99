"""Recorded notes of the freepats collection: Gravis patches, read as they lie in their files.

For tests alone: nobody learns from them.  Layout of the format: Gravis Ultrasound SDK 2.22.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr

from realtime.errors import ConfigError

from ..scores.render import SAMPLE_RATE
from ..scores.scores import Score
from ..sets.packages import find_package

Array = npt.NDArray[np.float32]
PACKAGE = "freepats"
HEADERS = 129 + 63 + 47  # bytes of the file's, the instrument's and the layer's
SAMPLE = struct.Struct("<7sBIIIHIIIhB6s6s3s3sBhH36s")
WIDE, UNSIGNED, LOOPED = 1, 2, 4  # bits of a sample's modes
FADE = 0.03  # seconds in which a note ends


@dataclass(frozen=True)
class Recorded:
    """A note: samples at 48 kHz, and its MIDI pitch."""

    samples: Array
    pitch: float


def read(file: Path) -> list[Recorded]:
    """The notes of a patch, each for as long as it was recorded.

    Raises
    ------
    ConfigError
        It is no patch, or damaged.
    """
    data = file.read_bytes()
    if not data.startswith(b"GF1PATCH110") or len(data) < HEADERS:
        raise ConfigError(f"{file.name} is no Gravis patch")
    count, at, found = data[HEADERS - 41], HEADERS, []
    for _ in range(count):
        if at + SAMPLE.size > len(data):
            raise ConfigError(f"{file.name} ends too early: it is damaged")
        fields = SAMPLE.unpack_from(data, at)
        size, rate, root, modes = fields[2], fields[5], fields[8], fields[15]
        at += SAMPLE.size
        kind = f"{'u' if modes & UNSIGNED else 'i'}{2 if modes & WIDE else 1}"
        raw = np.frombuffer(data[at : at + size], dtype=f"<{kind}").astype(np.float32)
        at += size
        half = float(1 << (15 if modes & WIDE else 7))
        x = raw / np.float32(half) - np.float32(1.0 if modes & UNSIGNED else 0.0)
        x = np.asarray(soxr.resample(x, rate, SAMPLE_RATE), dtype=np.float32)
        found.append(Recorded(x, 69 + 12 * float(np.log2(root / 1000 / 440))))
    return found


def instrument(name: str) -> list[Recorded]:
    """The notes of ``Tone_000/NAME.pat`` of the package.

    Raises
    ------
    ConfigError
        The package or the patch is not here.
    """
    package = find_package(PACKAGE)
    files = package.matching(f"Tone_000/{name}.pat")
    if not files:
        raise ConfigError(f"the package {PACKAGE} has no patch {name}")
    return read(package.root / files[0])


def perform(score: Score, notes: list[Recorded]) -> Array:
    """Play a score with recorded notes, each the nearest one at another speed."""
    x = np.zeros(round((score.seconds + 1.0) * SAMPLE_RATE), dtype=np.float32)
    fade = round(FADE * SAMPLE_RATE)
    for n, (begin, end, pitch) in zip(score.notes, score.timed(), strict=True):
        own = min(notes, key=lambda r: abs(r.pitch - pitch))
        ratio = 2 ** ((pitch - own.pitch) / 12)
        length = min(round((end - begin) * SAMPLE_RATE) + fade, int(len(own.samples) / ratio) - 1)
        at = np.arange(length) * ratio
        y = np.interp(at, np.arange(len(own.samples)), own.samples)
        y *= np.clip((length - np.arange(length)) / fade, 0, 1) * 10 ** ((n.velocity - 127) / 40)
        start = round(begin * SAMPLE_RATE)
        x[start : start + length] += y[: len(x) - start].astype(np.float32)
    return x
