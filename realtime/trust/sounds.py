"""Read sound files that may come from anywhere."""

from __future__ import annotations

import os
from pathlib import Path

from ..audio_files import Clip, read_audio
from ..errors import AudioFileError
from .admission import SOUND, admit


def read_sound(path: str | Path) -> Clip:
    """Read a sound file; one that is not known yet is decoded in a helper process first.

    Raises
    ------
    AudioFileError
        As :func:`realtime.audio_files.read_audio` does, or it took too much to decode.
    """
    if os.path.isfile(path):
        admit(SOUND, Path(path), AudioFileError)
    return read_audio(path)
