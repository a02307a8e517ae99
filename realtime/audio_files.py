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
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from .errors import AudioFileError, nearest

Array = npt.NDArray[np.float32]

# what each ending is written as; WAV keeps every float32 bit
FORMATS = {
    ".wav": ("WAV", "FLOAT"),
    ".flac": ("FLAC", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}


@dataclass(frozen=True)
class Clip:
    """Sound and its rate: ``samples [shape=(channels, n), float32]``, ``sample_rate`` in Hz."""

    samples: Array
    sample_rate: int


def read_audio(path: str | Path) -> Clip:
    """Read WAV, FLAC, OGG or MP3.

    Raises
    ------
    AudioFileError
        Missing, unreadable or empty file, or samples that are not finite.
    """
    path = Path(path)
    if not path.exists():
        raise AudioFileError(f"{path} does not exist")
    if path.is_dir():
        raise AudioFileError(f"{path} is a folder; name an audio file in it")
    try:
        data, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError) as error:
        reason = getattr(error, "error_string", None) or str(error)
        raise AudioFileError(
            f"cannot read {path}: {reason.strip().rstrip('.')}; it should be WAV, FLAC, OGG or MP3"
        ) from None
    if data.shape[0] == 0:
        raise AudioFileError(f"{path} holds no sound (0 samples)")
    bad = int(data.size - np.count_nonzero(np.isfinite(data)))
    if bad:
        raise AudioFileError(
            f"{path} holds {bad} samples that are NaN or infinite; export it again from its source"
        )
    return Clip(np.ascontiguousarray(data.T), int(rate))


def resample(samples: Array, source: int, target: int) -> Array:
    """Change the rate with soxr's very high quality; length ``ceil(n * target / source)``."""
    if source == target:
        return samples
    out = soxr.resample(samples.T, source, target, quality="VHQ")
    return np.ascontiguousarray(np.atleast_2d(out.T), dtype=np.float32)


def check_target(path: str | Path) -> Path:
    """Make sure that `path` can be written before any work is done.

    Raises
    ------
    AudioFileError
        Unknown ending, missing folder, or no permission.
    """
    path = Path(path)
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
    partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_audio(path: str | Path, clip: Clip) -> None:
    """Write a clip in the format of its ending, whole or not at all.

    Raises
    ------
    AudioFileError
        The file cannot be written.
    """
    path = check_target(path)
    kind, subtype = FORMATS[path.suffix.lower()]
    try:
        with whole_file(path) as partial:
            soundfile.write(
                str(partial), clip.samples.T, clip.sample_rate, format=kind, subtype=subtype
            )
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        reason = getattr(error, "error_string", None) or str(error)
        raise AudioFileError(f"cannot write {path}: {reason.strip().rstrip('.')}") from None
