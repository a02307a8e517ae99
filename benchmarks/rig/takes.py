"""What a stream in virtual time plays, recorded by the host's own recorder; sounds compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from realtime.host.recorder import Recorder
from realtime.native.ring import Ring
from realtime.stream.record import TAP_WET

TAP = 1 << 17  # samples
Array = npt.NDArray[np.float32]


class Take:
    """A recording of one channel from where the stream stands.

    Parameters
    ----------
    record : ndarray [STREAM]
        The stream's, which stands still while this begins and ends; borrowed.
    path : Path
        A WAV file.
    start : int [samples]
        Where the stream began to count.
    """

    def __init__(self, record: npt.NDArray[Any], path: Path, rate: int, start: int = 0) -> None:
        self._record, self._path = record, path
        self._ring = Ring(1, TAP, position=start // TAP * TAP)  # borrowed by the callback
        record["tap_wet"], record["taps"] = self._ring.address, TAP_WET
        self._recorder = Recorder({"wet": self._ring}, {"wet": path}, rate)

    def end(self) -> None:
        """Record no more."""
        self._record["taps"] = 0

    def read(self) -> Array:
        """Close the file and take it away; what it held ``[n]``."""
        self._recorder.stop()
        found = soundfile.read(self._path, dtype="float32", always_2d=True)[0][:, 0]
        self._path.unlink()
        return found


def differing(a: Array, b: Array) -> int:
    """Samples whose bits differ; all of the longer one where the shapes do."""
    if a.shape != b.shape:
        return max(a.size, b.size)
    return int((a.view(np.int32) != b.view(np.int32)).sum())
