"""Read and check a ``.nam`` file."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ModelError
from .limits import MAX_FLOAT, plain_text, section, shown
from .text import parse_bytes, parse_text

MAX_BYTES = 64 * 2**20
VERSIONS = ((0, 5), (0, 7))  # oldest and newest (major, minor) understood
ARCHITECTURES = ("WaveNet", "LSTM", "ConvNet", "Linear", "SlimmableContainer")
USUAL_RATE = 48000  # [Hz] of files that do not know theirs
LOWEST_RATE, HIGHEST_RATE = 8000, 384000


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
    states_rate : bool
        Whether the file says its sample rate.
    """

    architecture: str
    config: dict[str, Any]
    weights: npt.NDArray[np.float64]
    sample_rate: int
    version: str
    metadata: dict[str, Any] = field(default_factory=dict)
    states_rate: bool = True


def read_capture(path: str | Path) -> Capture:
    """Read one file.

    Raises
    ------
    ModelError
        Unreadable, too large, not JSON, not a capture, or a version or architecture unknown here.
    """
    path = Path(path)
    name = plain_text(path.name)
    try:
        status = path.stat()
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting
            raise ModelError(f"{name} is not a file")
        if size > MAX_BYTES:
            raise ModelError(
                f"{name} is {size / 2**20:.0f} MB; captures are at most"
                f" {MAX_BYTES / 2**20:.0f} MB, so this is none"
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except OSError as error:
        raise ModelError(f"cannot read {plain_text(path)}: {error.strerror}") from None
    except ValueError:  # a zero byte in the path
        raise ModelError(f"cannot read {plain_text(path)}: no file can have that name") from None
    try:
        return from_data(parse_bytes(data))
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from None


def parse_capture(text: str) -> Capture:
    """Parse a capture's JSON; see :func:`read_capture`."""
    return from_data(parse_text(text))


def from_data(data: Any) -> Capture:
    """Check parsed data."""
    if not isinstance(data, dict) or "architecture" not in data or "config" not in data:
        raise ModelError("not a .nam capture: it has no 'architecture' and 'config'")
    version = _version(data.get("version"))
    architecture = data["architecture"]
    if architecture not in ARCHITECTURES:
        raise ModelError(
            f"architecture '{shown(architecture)}' is not supported; supported are"
            f" {', '.join(ARCHITECTURES)}"
        )
    if not isinstance(data["config"], dict):
        raise ModelError("'config' must be an object")
    rate = _rate(data.get("sample_rate"))
    metadata = data.get("metadata")
    return Capture(
        architecture,
        data["config"],
        _weights(data.get("weights", [])),
        rate or USUAL_RATE,
        version,
        metadata if isinstance(metadata, dict) else {},
        rate is not None,
    )


def _version(value: Any) -> str:
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})\.[0-9]{1,9}", str(value))
    if not found:
        raise ModelError(f"file version '{shown(value)}' is not of the form 0.5.0")
    if not VERSIONS[0] <= (int(found[1]), int(found[2])) <= VERSIONS[1]:
        low, high = (f"{a}.{b}" for a, b in VERSIONS)
        raise ModelError(
            f"file version {shown(value)} is not supported; supported are {low} to {high}"
        )
    return str(value)


def _rate(value: Any) -> int | None:
    """Sample rate [Hz]; None where the file does not know it: missing, null, -1, 0."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = "the text" if isinstance(value, str) else "the value"
        raise ModelError(f"sample_rate must be a number in Hz, got {kind} '{shown(value)}'")
    if value <= 0:
        return None
    if not LOWEST_RATE <= value <= HIGHEST_RATE:
        raise ModelError(
            f"sample_rate must be within {LOWEST_RATE}..{HIGHEST_RATE} Hz, got {shown(value)}"
        )
    return round(value)


def _weights(value: Any) -> npt.NDArray[np.float64]:
    """The flat list of weights; text that looks like a number is none."""
    numbers = isinstance(value, list) and all(isinstance(w, int | float) for w in value)
    if not numbers:
        raise ModelError("'weights' must be a flat list of numbers")
    try:
        weights = np.asarray(value, dtype=np.float64)
    except OverflowError:  # a whole number of hundreds of digits
        weights = np.asarray([np.inf])
    bad = int(np.count_nonzero(~(np.abs(weights) <= MAX_FLOAT)))
    if bad:
        raise ModelError(f"{bad} of {weights.size} weights are NaN or infinite: training failed")
    return weights


def submodels(capture: Capture) -> list[Capture]:
    """The sizes of a container, the largest first, each with the container's sample rate.

    Raises
    ------
    ModelError
        The container is malformed, or a size states another sample rate than its container.
    """
    entries = capture.config.get("submodels")
    if not isinstance(entries, list) or not entries:
        raise ModelError("a SlimmableContainer needs a list 'submodels'")
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or "model" not in entry:
            raise ModelError("each of the submodels needs a 'model'")
        inner = from_data(section(entry["model"], "model"))
        size = entry.get("max_value", 1.0)
        if isinstance(size, bool) or not isinstance(size, int | float) or not abs(size) < MAX_FLOAT:
            raise ModelError(f"'max_value' of a submodel must be a number, got {shown(size)}")
        if capture.states_rate and inner.states_rate and inner.sample_rate != capture.sample_rate:
            raise ModelError(
                f"a submodel is for {inner.sample_rate} Hz, its container"
                f" for {capture.sample_rate} Hz"
            )
        found.append((float(size), inner))
    found.sort(key=lambda f: -f[0])
    return [c for _, c in found]


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
