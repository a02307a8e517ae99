"""Capture a session: every input block and every change, at the sample it took effect.

A capture is a folder: ``input.wav`` and ``output.wav`` (float32, as the engine heard and gave
them), ``journal.npy`` (float64 rows of position, kind, a, b, see :mod:`realtime.stream.record`) and
``session.json`` (what was opened, the changes, versions and hashes of the models).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ..audio_files import whole_file
from ..errors import AudioFileError, ConfigError
from ..models.catalog import LARGEST, find_model
from ..session.operations import Operation, brought
from ..session.session import Change
from ..session.sound import Setup, Sound
from ..trust.hashes import content_hash
from .recorder import Recorder

if TYPE_CHECKING:
    from .host import Host

FORMAT = 2
NAP_SECONDS = 0.2
PACKAGES = ("restyle", "numpy", "numba", "onnxruntime-gpu", "onnxruntime", "pedalboard")


class Played(msgspec.Struct, frozen=True):
    """The device that was opened, as far as bits depend on it."""

    block_size: int | None
    largest_block: int


class LoggedChange(msgspec.Struct, frozen=True, array_like=True):
    """See :class:`realtime.session.session.Change`."""

    position: int
    at: int | None
    lane: str
    operation: Operation
    sound: Sound | None = None


class SessionLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``session.json`` holds.

    Attributes
    ----------
    setup : Setup
        As it was opened; `changes` follow in order.
    lane : str
        In which it began.
    models, versions : mapping
        Hashes and versions of what decides about bits.
    lost, restarts, concealed_samples, rested : int
        What a replay does not repeat.
    """

    format: int
    setup: Setup
    lane: str
    device: Played
    changes: tuple[LoggedChange, ...]
    models: dict[str, str]
    versions: dict[str, str]
    lost: int
    restarts: int
    concealed_samples: int
    rested: int


class Capture:
    """Captures a host that was started with ``journal=True``, from its first sample on.

    Parameters
    ----------
    host : Host
        About to play: the rings have to be tapped before its first block.
    folder : Path
        Made; must not exist, or be empty.

    Raises
    ------
    ConfigError
        The folder is in use or cannot be made.
    """

    def __init__(self, host: Host, folder: Path, tell: Callable[[str], None]) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise ConfigError(f"{folder} is not empty; name a new folder for the capture")
        except OSError as error:
            raise ConfigError(f"cannot capture to {folder}: {error.strerror}") from None
        self._host, self.folder, self._tell = host, folder, tell
        self._rows: list[tuple[float, ...]] = []
        self._stop = threading.Event()
        self.recorder: Recorder | None = None
        self._opened = host.setup
        self._thread = threading.Thread(target=self._run, name="restyle-capture", daemon=True)

    def start(self) -> None:
        """Begin; the host plays and taps its sound.

        Raises
        ------
        AudioFileError
            A file cannot be made; the folder, if nothing else is in it, is gone again.
        """
        board, opened = self._host.board, self._host.now
        try:
            self.recorder = Recorder(
                self._host.taps,
                {"dry": self.folder / "input.wav", "wet": self.folder / "output.wav"},
                int(opened["device"]["sample_rate"]),
                lost=lambda: int(board.record[0]["tap_lost"]) if len(board.record) else 0,
                tell=self._tell,
            )
        except AudioFileError:
            with suppress(OSError):
                self.folder.rmdir()
            raise
        self._first = opened
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(NAP_SECONDS):
            self._rows += self._host.board.journal.take_until()

    def finish(self, log: list[Any], stats: dict[str, Any]) -> Path:
        """Write what is left; the sound has stopped.

        Raises
        ------
        ConfigError
            It cannot be written.
        """
        self._stop.set()
        self._thread.join(5.0)
        self._rows += self._host.board.journal.take_until()
        assert self.recorder is not None
        self.recorder.stop()
        lost = int(stats.get("tap_lost", 0)) + int(stats.get("journal_lost", 0))
        session = SessionLog(
            format=FORMAT,
            setup=self._opened,
            lane=self._first["lane"],
            device=Played(**{n: self._first["device"][n] for n in Played.__struct_fields__}),
            changes=tuple(LoggedChange(*change) for change in log),
            models={m: digest(find_model(m)) for m in models_of(self._opened, log)},
            versions=versions(),
            lost=lost,
            restarts=stats.get("restarts", 0),
            concealed_samples=stats["xruns"]["concealed_samples"],
            rested=stats["path"]["rested"],
        )
        try:
            with whole_file(self.folder / "journal.npy") as partial:
                np.save(partial, np.array(self._rows, dtype=np.float64).reshape(-1, 4))
            with whole_file(self.folder / "session.json") as partial:
                partial.write_bytes(msgspec.json.format(msgspec.json.encode(session), indent=1))
        except OSError as error:
            raise ConfigError(
                f"the capture in {self.folder} is not complete: {error.strerror or error}; its"
                " sounds are kept, but it cannot be replayed"
            ) from None
        return self.folder


def models_of(setup: Setup, changes: Iterable[Change]) -> set[str]:
    """Every model that a session has played, as its stages name them."""
    found = [*setup.sound.walk(), *(s for c in changes for s in brought(c.operation))]
    return {stage.model for stage in found if stage.model is not None}


def digest(path: Path) -> str:
    """SHA-256 of a file, or an empty text when it is gone, no ordinary file, or larger than any
    model.
    """
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return ""
        return content_hash(path)
    except OSError:
        return ""


def versions() -> dict[str, str]:
    """Versions of what decides about bits."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
