"""Recordings of one's own: read, checked, paired by name, and split so that no part leaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import ConfigError

from ..data.manifest import SAMPLE_RATE
from ..data.pairs import Pair, PairSet
from ..data.sound.decode import ENDINGS, read_any
from ..data.sound.preprocess import resample, to_mono
from .align import aligned

Array = npt.NDArray[np.float32]
Say = Callable[[str], None]
LOWEST_RATE = 32000  # Hz; below it the treble is missing and would be learnt as missing
SHORTEST, LONGEST = 20.0, 600.0  # seconds of sound in all
SILENT = 10 ** (-60 / 20)  # RMS
TAIL = 1.0  # seconds that one of a pair may be longer
PAUSE_DB = -50.0  # of a part's power over the whole's: softer is a pause
MANY = 10  # recordings, from which on whole ones are held out
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Sound:
    """One recording, mono at 48 kHz ``[shape=(n,), float32]``."""

    name: str
    samples: Array
    rate: int  # of the file, Hz

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / SAMPLE_RATE


def read_sound(path: Path) -> Sound:
    """Read one file as mono at 48 kHz.

    Raises
    ------
    AudioFileError
        Unreadable.
    ConfigError
        Silence, or a sample rate without treble.
    """
    clip = read_any(path)
    if not np.isfinite(clip.samples).all():
        raise ConfigError(f"{path} holds samples that are NaN or infinite; export it again")
    if clip.sample_rate < LOWEST_RATE:
        raise ConfigError(
            f"{path} is at {clip.sample_rate} Hz; {LOWEST_RATE} Hz is the least, since the treble"
            " that it lacks would be learnt as missing"
        )
    samples = resample(to_mono(clip.samples), clip.sample_rate, SAMPLE_RATE)
    if np.sqrt(np.mean(np.square(samples, dtype=np.float64))) < SILENT:
        raise ConfigError(f"{path} is silence (below -60 dB); record it again, louder")
    return Sound(path.stem, samples, clip.sample_rate)


def read_sounds(place: Path, shortest: float = SHORTEST) -> list[Sound]:
    """Read a file, or all audio files of a folder, at most :data:`LONGEST` seconds.

    Raises
    ------
    AudioFileError, ConfigError
        Nothing there, unreadable, silent, or less than `shortest` seconds in all.
    """
    found, total = [], 0.0
    for path in _files(place):
        sound = read_sound(path)
        keep = round((LONGEST - total) * SAMPLE_RATE)
        found.append(Sound(sound.name, sound.samples[:keep], sound.rate))
        total += found[-1].seconds
        if total >= LONGEST:
            break
    _check_length(place, total, shortest)
    return found


def read_pairs(dry: Path, wet: Path, say: Say) -> tuple[Pair, ...]:
    """Read pairs by file name and take the delay of each wet recording out.

    Raises
    ------
    AudioFileError, ConfigError
        Names, lengths or rates that do not match, two that are not the same playing, clocks that
        ran apart, or less than :data:`SHORTEST` seconds in all.
    """
    sides = [{path.stem: path for path in _files(folder)} for folder in (dry, wet)]
    for mine, other, where in ((*sides, wet), (*sides[::-1], dry)):
        for name in mine:
            if name not in other:
                raise ConfigError(
                    f"{where} has no '{name}' for {mine[name].parent.name}/{mine[name].name};"
                    " pairs go by file name, each needs both"
                )
    pairs: list[Pair] = []
    for name in sorted(sides[0]):
        a, b = (read_sound(side[name]) for side in sides)
        if a.rate != b.rate:
            raise ConfigError(
                f"'{name}' is at {a.rate} Hz dry and {b.rate} Hz wet; record both at one rate"
            )
        x, y, shift = aligned(name, a.samples, b.samples)
        if abs(len(a.samples) - len(b.samples)) > abs(shift) + TAIL * SAMPLE_RATE:
            raise ConfigError(
                f"'{name}' is {a.seconds:.1f} s dry and {b.seconds:.1f} s wet; cut both to the same"
                " part"
            )
        if shift:
            say(f"'{name}': the wet recording was {shift} samples late; taken out")
        pairs.append(Pair(name, x, y))
    _check_length(dry, sum(len(p.dry) for p in pairs) / SAMPLE_RATE, SHORTEST)
    return tuple(pairs)


def split(pairs: tuple[Pair, ...], warm_up: int) -> PairSet:
    """Eight tenths to learn from, one to stop by, one to judge by; no sample is in two of them.

    Ten recordings and more: whole ones are held out.  Fewer: each is cut in time, and what the
    network's memory needs (`warm_up` samples) comes from the held-out part itself.

    Raises
    ------
    ConfigError
        A part would be too short to judge.
    """
    parts: dict[str, list[Pair]] = {part: [] for part in PARTS}
    if len(pairs) >= MANY:
        for k, pair in enumerate(pairs):
            parts[PARTS[{8: 1, 9: 2}.get(k % 10, 0)]].append(pair)
    else:
        for pair in pairs:
            n = len(pair.dry)
            cuts = (0, round(0.8 * n), round(0.9 * n), n)
            for part, begin, end in zip(PARTS, cuts[:-1], cuts[1:], strict=True):
                if end - begin >= 2 * warm_up + SAMPLE_RATE // 2:
                    parts[part].append(Pair(pair.name, pair.dry[begin:end], pair.wet[begin:end]))
    if not all(parts.values()):
        raise ConfigError(
            "the recordings are too short to hold a tenth out; make them ten seconds or longer"
        )
    whole = _power(pairs)
    for part in PARTS:
        if not _power(parts[part]) > 10 ** (PAUSE_DB / 10) * whole:
            raise ConfigError(
                "a tenth that is held out of the recordings is silent; cut the pause at their end"
                " off, in dry and wet alike"
            )
    return PairSet(*(tuple(parts[part]) for part in PARTS))


def _power(pairs: Sequence[Pair]) -> float:
    """Of the softer side of all pairs: as much as is played."""
    sides = ([p.dry for p in pairs], [p.wet for p in pairs])
    return min(float(np.mean(np.square(np.concatenate(s), dtype=np.float64))) for s in sides)


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise ConfigError(f"{place} does not exist; name a folder with recordings")
    found = sorted(p for p in place.iterdir() if p.suffix.lower() in ENDINGS and p.is_file())
    if not found:
        endings = ", ".join(sorted(e.lstrip(".") for e in ENDINGS))
        raise ConfigError(f"no audio file in {place}; known endings: {endings}")
    names = [p.stem for p in found]
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise ConfigError(f"{place} holds '{twice}' twice, with different endings; keep one")
    return found


def _check_length(place: Path, seconds: float, shortest: float) -> None:
    if seconds < shortest:
        raise ConfigError(
            f"{place} holds {seconds:.1f} s of sound; {shortest:.0f} s are the least, three minutes"
            " are good"
        )
