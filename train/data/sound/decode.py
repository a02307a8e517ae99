"""Any audio file as mono float32 at 48 kHz.

libsndfile reads WAV, FLAC, OGG and MP3; FFmpeg, through PyAV, reads what it cannot.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.audio_files import Clip, read_audio
from realtime.errors import AudioFileError, ConfigError

from ..manifest import SAMPLE_RATE
from .preprocess import resample, to_mono

Array = npt.NDArray[np.float32]
FFMPEG_ONLY = frozenset(".opus .m4a .aac .wma .g722 .webm .mka".split())
OPEN_END = 0x7FFF0000  # bytes; what is written to a pipe has a size above this
ENDINGS = FFMPEG_ONLY | frozenset(".wav .flac .ogg .oga .mp3 .aiff .aif .caf .w64 .au".split())


def decode(path: Path) -> Array:
    """Read a file as mono at 48 kHz.

    Returns
    -------
    ndarray [shape=(n,), float32]

    Raises
    ------
    AudioFileError
        Missing, unreadable or empty file, or samples that are not finite.
    """
    clip = read_any(path)
    if not np.isfinite(clip.samples).all():
        raise AudioFileError(f"{path} holds samples that are NaN or infinite")
    return resample(to_mono(clip.samples), clip.sample_rate, SAMPLE_RATE)


def read_any(path: Path) -> Clip:
    """Read a file at its own rate, by libsndfile where it can and by FFmpeg otherwise."""
    if not path.is_file():
        raise AudioFileError(f"{path} does not exist")
    if path.stat().st_size == 0:
        raise AudioFileError(f"{path} is empty")
    if path.suffix.lower() in FFMPEG_ONLY:
        return _by_ffmpeg(path)
    try:
        _check_whole(path)
        return read_audio(path)
    except OSError as error:
        raise AudioFileError(f"cannot read {path}: {error.strerror or error}") from None
    except AudioFileError as error:
        if "does not exist" in str(error):  # libsndfile's word for an MP3 without any frame
            raise AudioFileError(f"{path} holds no sound that can be read") from None
        raise


def _check_whole(path: Path) -> None:
    """Refuse a WAV file that ends before its sound does; of other formats the start would be taken.

    Chunks of RIFF, Microsoft & IBM, 1991.  Sizes that recorders leave open pass.
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"data":
                held = size - file.tell()
                if held < length < OPEN_END:
                    raise AudioFileError(
                        f"{path} is cut short: {held} of {length} bytes of sound are there"
                    )
                return
            file.seek(length + length % 2, 1)


def _by_ffmpeg(path: Path) -> Clip:
    try:
        import av
    except ModuleNotFoundError:
        raise ConfigError(
            f"reading {path.suffix} files needs the package 'av'; install it with: pip install av"
        ) from None
    # G.722 is a bare stream of bytes that FFmpeg knows by its name alone
    kind = "g722" if path.suffix.lower() == ".g722" else None
    try:
        with av.open(str(path), format=kind) as container:
            stream = container.streams.audio[0]
            rate = int(stream.rate)
            planar = av.AudioResampler(format="fltp", rate=rate)
            parts = [
                f.to_ndarray() for frame in container.decode(stream) for f in planar.resample(frame)
            ]
            parts += [f.to_ndarray() for f in planar.resample(None)]
    except (av.FFmpegError, OSError, IndexError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise AudioFileError(f"cannot read {path}: {reason}") from None
    samples = np.concatenate(parts, axis=1) if parts else np.zeros((1, 0), dtype=np.float32)
    if samples.shape[1] == 0:
        raise AudioFileError(f"{path} holds no sound (0 samples)")
    return Clip(np.ascontiguousarray(samples, dtype=np.float32), rate)
