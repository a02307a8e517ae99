"""Judges are slow and recordings stay: what one said of a recording is kept in ``.data/judges``."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime.audio_files import whole_file

Array = npt.NDArray[np.float32]
Said = tuple[npt.NDArray[Any], ...]
FOLDER = Path(".data") / "judges"


def remembered(judge: str, samples: Array, make: Callable[[], Said]) -> Said:
    """What `make` returns, from an earlier call where there was one.

    Parameters
    ----------
    judge : str
        Names the judge, its version and all settings; a file name.
    samples : ndarray
        The very recording, to the bit.
    make : callable
        Computes a tuple of arrays.
    """
    digest = hashlib.sha256(judge.encode() + np.ascontiguousarray(samples).tobytes())
    path = FOLDER / f"{digest.hexdigest()[:32]}.npz"
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return tuple(file[f"arr_{k}"] for k in range(len(file.files)))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not there yet, or torn
    made = make()
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial, partial.open("wb") as file:
            np.savez(file, *made)
    except OSError:
        pass  # a full disk makes it slow, not wrong
    return made
