"""Audio files in and out: float32 ``(channels, samples)``, whole or not at all.

A file is written under a temporary name beside its target and renamed when complete, so an error
or Ctrl-C leaves nothing behind and an older file untouched.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from .errors import AudioFileError, ConfigError, RestyleError, nearest

Array = npt.NDArray[np.float32]

# what each ending is written as; WAV keeps every float32 bit
FORMATS = {
    ".wav": ("WAV", "FLOAT"),
    ".flac": ("FLAC", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}


LOWEST_RATE, HIGHEST_RATE = 2000, 1_536_000  # Hz
PART = 4096  # samples read at a time: what is lost where a file breaks off
LONGEST_STEM = 200  # bytes of a file's name that its temporary name takes over
LEAST_MP3 = 1000  # bytes a second: no MP3 has less
WRITTEN = 1 << 18  # samples written at a time
LARGEST_RIFF, HEAD = (1 << 32) - 1, 4096  # bytes a WAV file can have; those beside the samples
DENSEST = 8192  # samples a byte: silence in FLAC has fewer, a head that claims more is not believed
_UNKNOWN = 1 << 62  # samples: libsndfile's word for a head that does not say


@dataclass(frozen=True)
class Clip:
    """Sound and its rate: ``samples [shape=(channels, n), float32]``, ``sample_rate`` in Hz."""

    samples: Array
    sample_rate: int


def read_audio(path: str | Path) -> Clip:
    """Read WAV, FLAC, OGG or MP3, block by block: no memory is laid out by what a head says.

    Of a file that was cut off while it was recorded, what is in it.

    Raises
    ------
    AudioFileError
        Missing, unreadable, empty or too long file, a rate that none has, or samples that are not
        finite.
    """
    found = list(read_part_by_part(Path(path)))
    rate = found[0][1]
    data = np.concatenate([block for block, _ in found])
    del found
    bad = int(data.size - np.count_nonzero(np.isfinite(data)))
    if bad:
        raise AudioFileError(
            f"{path} holds {bad} samples that are NaN or infinite; export it again from its source"
        )
    return Clip(np.ascontiguousarray(data.T), rate)


def probe_audio(path: str | Path) -> None:
    """Decode a file to its end and keep nothing; raises as :func:`read_audio` does."""
    for _ in read_part_by_part(Path(path)):
        pass


def seconds_of(path: Path) -> float:
    """How long a file sounds, to the millisecond.

    A file that was cut off, or whose head claims more than it can hold, is counted through.

    Raises
    ------
    AudioFileError
    """
    try:
        found = soundfile.info(str(path))
    except (soundfile.LibsndfileError, OSError, RuntimeError, UnicodeEncodeError) as error:
        raise AudioFileError(f"cannot read {path}: {error}") from None
    if found.samplerate and found.frames <= DENSEST * path.stat().st_size:
        return round(found.frames / found.samplerate, 3)
    return _counted(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _counted(path: Path, changed: int) -> float:
    return round(sum(len(block) / rate for block, rate in read_part_by_part(path, broken=True)), 3)


def read_part_by_part(path: Path, broken: bool = False) -> Iterator[tuple[Array, int]]:
    """Blocks ``[samples, channels]`` of a file, each with the rate [Hz].

    Parameters
    ----------
    broken : bool
        Whether a file will do that has less in it than its head says.

    Raises
    ------
    AudioFileError
        As :func:`read_audio` does.
    """
    if not os.path.exists(path):
        raise AudioFileError(f"{path} does not exist")
    if os.path.isdir(path):
        raise AudioFileError(f"{path} is a folder; name an audio file in it")
    if not os.path.isfile(path):  # a device or a pipe never ends
        raise AudioFileError(f"{path} is not a file")
    got, end = 0, ""
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate, channels, claimed = int(file.samplerate), int(file.channels), int(file.frames)
            check_rate(path, rate)
            most = _memory() // (4 * channels)
            too_long = (
                f"{path} holds more sound than a quarter of this machine's memory, over"
                f" {most / rate / 3600:.1f} h; cut it into parts"
            )
            if claimed > most and 2 * path.stat().st_size > claimed * channels:  # not a lying head
                raise AudioFileError(too_long)
            part = PART
            if file.format == "MP3":  # soundfile seeks after each part, where MP3 is not exact
                part = max(PART, min(claimed, rate * path.stat().st_size // LEAST_MP3))
            while True:
                try:
                    block = file.read(part, dtype="float32", always_2d=True)
                except (soundfile.LibsndfileError, RuntimeError) as error:
                    end = getattr(error, "error_string", None) or str(error) or "it breaks off"
                    break
                if not len(block):
                    break
                got += len(block)
                if got > most:
                    raise AudioFileError(too_long)
                yield block, rate
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError, ValueError) as error:
        reason = getattr(error, "error_string", None) or str(error)
        raise AudioFileError(
            f"cannot read {path}: {reason.strip().rstrip('.')}; it should be WAV, FLAC, OGG or MP3"
        ) from None
    if not (broken and got) and claimed < _UNKNOWN and (got < claimed or not got) and end:
        way = "it is damaged: mend it with 'restyle recover'" if got else "nothing can be saved"
        end = end.strip().rstrip(".")
        raise AudioFileError(
            f"cannot read {path}: its head says {claimed} samples, and after {got} {end}; {way}"
        )
    if not got:
        raise AudioFileError(f"{path} holds no sound (0 samples)")


def check_rate(path: Path, rate: int) -> None:
    """Refuse a file whose head says a rate that no sound has."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise AudioFileError(
            f"{path} says that its rate is {rate} Hz; sound has {LOWEST_RATE}..{HIGHEST_RATE}, so"
            " its head is damaged"
        )


def _memory() -> int:
    """What one sound may take [bytes]: a quarter of the machine's memory, as it is put together."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4
    except (AttributeError, OSError, ValueError):
        return 2 << 30


def resample(samples: Array, source: int, target: int) -> Array:
    """Change the rate with soxr's very high quality; length ``ceil(n * target / source)``."""
    if source == target:
        return samples
    out = soxr.resample(samples.T, source, target, quality="VHQ")
    return np.ascontiguousarray(np.atleast_2d(out.T), dtype=np.float32)


def check_absent(path: Path, replace: bool, error: type[RestyleError] = ConfigError) -> None:
    """Refuse a file that is there and may not be replaced, or whose name no file can have.

    Raises
    ------
    RestyleError
        `error`.
    """
    try:
        there = path.exists() and not path.is_dir()
    except (OSError, RuntimeError) as found:  # a name too long, a link to itself
        raise error(f"cannot write {path}: {getattr(found, 'strerror', found)}") from None
    if there and not replace:
        raise error(f"{path} is there already; name another file, or add --force")


def check_target(path: str | Path, *, replace: bool = True) -> Path:
    """Make sure that `path` can be written before any work is done.

    Parameters
    ----------
    replace : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    AudioFileError
        Unknown ending, missing folder, no permission, or it is there and may not be replaced.
    """
    path = Path(path)
    check_absent(path, replace, AudioFileError)
    if path.suffix.lower() not in FORMATS:
        raise AudioFileError(
            f"cannot write '{path.name}': the ending must be one of {', '.join(FORMATS)}"
            f"{nearest(path.suffix.lower(), FORMATS)}"
        )
    if path.is_dir():
        raise AudioFileError(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise AudioFileError(f"cannot write {path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise AudioFileError(f"cannot write {path}: permission denied; choose another place")
    return path


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`, renamed to it on success and removed otherwise."""
    path = Path(path)
    stem = os.fsencode(path.stem)[:LONGEST_STEM].decode("utf-8", "ignore")
    partial = path.with_name(f".{stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_audio(path: str | Path, clip: Clip) -> None:
    """Write a clip in the format of its ending, whole or not at all; RF64 where WAV is too small.

    Raises
    ------
    AudioFileError
        The file cannot be written.
    """
    path = check_target(path)
    kind, subtype = FORMATS[path.suffix.lower()]
    channels, length = clip.samples.shape
    if kind == "WAV" and 4 * channels * length + HEAD > LARGEST_RIFF:
        kind = "RF64"
    try:
        with (
            whole_file(path) as partial,
            soundfile.SoundFile(
                str(partial), "w", clip.sample_rate, channels, format=kind, subtype=subtype
            ) as file,
        ):
            for start in range(0, length, WRITTEN):
                file.write(np.ascontiguousarray(clip.samples[:, start : start + WRITTEN].T))
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        reason = getattr(error, "error_string", None) or str(error)
        reason = reason.strip().rstrip(".")
        if reason == "System error":  # all that libsndfile says
            reason += "; is the disk full?"
        raise AudioFileError(f"cannot write {path}: {reason}") from None
