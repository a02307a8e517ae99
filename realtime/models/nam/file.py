"""Read and check a ``.nam`` file."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from .limits import MAX_FLOAT, shown

MAX_BYTES = 64 * 2**20
VERSIONS = ((0, 5), (0, 7))  # oldest and newest (major, minor) understood
ARCHITECTURES = ("WaveNet", "LSTM", "ConvNet", "Linear", "SlimmableContainer")


@dataclass(frozen=True)
class Capture:
    """One capture as it stands in the file.

    Attributes
    ----------
    weights : ndarray [shape=(n,), float64]
    sample_rate : int [Hz]
        48000 where the file does not say.
    metadata : dict
        As in the file: name, modeled_by, gear_*, tone_type, loudness, input_level_dbu ...
    text : str
        The JSON it came from.
    """

    architecture: str
    config: dict[str, Any]
    weights: npt.NDArray[np.float64]
    sample_rate: int
    version: str
    metadata: dict[str, Any] = field(default_factory=dict)
    text: str = ""


def read_capture(path: str | Path) -> Capture:
    """Read one file.

    Raises
    ------
    ModelError
        Unreadable, too large, not JSON, not a capture, or a version or architecture unknown here.
    """
    path = Path(path)
    try:
        status = path.stat()
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting
            raise ModelError(f"{path.name} is not a file")
        if size > MAX_BYTES:
            raise ModelError(
                f"{path.name} is {size / 2**20:.0f} MB; captures are at most"
                f" {MAX_BYTES / 2**20:.0f} MB, so this is none"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path.name} is not a .nam capture: it is not text") from None
    try:
        return parse_capture(text)
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}") from None


def parse_capture(text: str) -> Capture:
    """Parse a capture's JSON; see :func:`read_capture`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"not a .nam capture: the JSON is broken ({error}); get it again"
        ) from None
    return from_data(data, text)


def from_data(data: Any, text: str = "") -> Capture:
    """Check parsed data."""
    if not isinstance(data, dict) or "architecture" not in data or "config" not in data:
        raise ModelError("not a .nam capture: it has no 'architecture' and 'config'")
    version = str(data.get("version", ""))
    _check_version(version)
    architecture = data["architecture"]
    if architecture not in ARCHITECTURES:
        raise ModelError(
            f"architecture '{shown(architecture)}' is not supported; supported are"
            f" {', '.join(ARCHITECTURES)}"
        )
    if not isinstance(data["config"], dict):
        raise ModelError("'config' must be an object")
    try:
        weights = np.asarray(data.get("weights") or [], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ModelError("'weights' must be a flat list of numbers") from None
    if weights.ndim != 1:
        raise ModelError("'weights' must be a flat list of numbers")
    bad = int(np.count_nonzero(~(np.abs(weights) <= MAX_FLOAT)))
    if bad:
        raise ModelError(f"{bad} of {weights.size} weights are NaN or infinite: training failed")
    rate = data.get("sample_rate")
    rate = 48000 if rate is None else rate
    if not isinstance(rate, int | float) or not 8000 <= rate <= 384000:
        raise ModelError(f"sample_rate must be within 8000..384000 Hz, got {shown(rate)}")
    metadata = data.get("metadata") or {}
    if not isinstance(metadata, dict):
        metadata = {}
    return Capture(architecture, data["config"], weights, int(rate), version, metadata, text)


def _check_version(version: str) -> None:
    parts = version.split(".")
    if len(parts) < 2 or not all(p.isdigit() for p in parts[:2]):
        raise ModelError(f"file version '{shown(version)}' is not of the form 0.5.0")
    found = (int(parts[0]), int(parts[1]))
    if not VERSIONS[0] <= found <= VERSIONS[1]:
        low, high = (f"{a}.{b}" for a, b in VERSIONS)
        raise ModelError(
            f"file version {shown(version)} is not supported; supported are {low} to {high}"
        )


class Weights:
    """The flat list of weights, taken from the front; :meth:`finish` checks that none is left."""

    def __init__(self, values: npt.NDArray[np.float64]) -> None:
        self._values, self._at = values, 0

    def take(self, *shape: int) -> npt.NDArray[np.float64]:
        """Next weights in row-major order."""
        count = int(np.prod(shape, dtype=np.int64))
        part = self._values[self._at : self._at + count]
        if part.size != count:
            raise ModelError(
                f"the file has {self._values.size} weights, its configuration needs more"
                f" (at least {self._at + count}); it is damaged"
            )
        self._at += count
        return part.reshape(shape)

    @property
    def left(self) -> int:
        """Weights not taken yet."""
        return self._values.size - self._at

    @property
    def used(self) -> int:
        """Weights taken so far."""
        return self._at

    def finish(self) -> None:
        """Raise :class:`ModelError` if weights are left."""
        if self.left:
            raise ModelError(
                f"the file has {self._values.size} weights, its configuration needs {self._at};"
                " it is damaged"
            )
