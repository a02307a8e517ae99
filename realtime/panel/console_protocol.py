"""What the panel needs of the program that plays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ..controllers.midi_desk import MidiDesk
from ..parameters.surface import Surface
from ..session.operations import Operation
from ..session.sound import Setup
from .edits import Edits

Array = npt.NDArray[np.float32]


class Heard(NamedTuple):
    """Sound since the last look.

    Attributes
    ----------
    dry, wet : ndarray [shape=(channels, n), float32]
        What came in and what was played; `n` may differ by a block.
    """

    dry: Array
    wet: Array


class Pipe(Protocol):
    """An engine of a connection's own: as many samples come back as go in."""

    def hello(self) -> dict[str, Any]:
        """What the client is told first."""

    def process(self, data: bytes) -> bytes:
        """Restyle one block, ``channels * block`` float32 little-endian, interleaved.

        Raises
        ------
        ConfigError
            Another number of bytes.
        """

    def close(self) -> None:
        """Give engine and model back."""


class Console(Protocol):
    """A stream's knobs and everything around them; any thread may call, a call may take seconds.

    Errors are :class:`~realtime.errors.RestyleError`; what raises has changed nothing.

    Attributes
    ----------
    surface : Surface
    midi : MidiDesk
    edits : Edits
    """

    @property
    def edits(self) -> Edits:
        """What can be undone."""

    @property
    def surface(self) -> Surface:
        """The knobs."""

    @property
    def midi(self) -> MidiDesk:
        """Controllers and what they turn."""

    def marks(self) -> tuple[object, ...]:
        """Objects that are others whenever :meth:`state` may have changed; takes no time."""

    def state(self) -> dict[str, Any]:
        """What plays, see docs/panel.md; takes no lock of the engine's.

        Its ``path`` is made by :func:`realtime.panel.stages.path`.
        """

    def costs(self) -> Mapping[str, float]:
        """Percent of a core that models took here, by name, as far as they have played."""

    def figures(self) -> dict[str, Any]:
        """Processor time, counters and recording, from shared memory."""

    def levels(self) -> Mapping[str, float]:
        """Meters of the engine by name [dBFS]."""

    def notes(self) -> Mapping[int, int] | None:
        """Velocities of the MIDI pitches that a player plays; None where none does.

        One thread calls it.
        """

    def watch(self, on: bool) -> None:
        """Begin or end copying sound for :meth:`heard`."""

    def heard(self) -> Heard | None:
        """Sound since the last call; None where none is copied.  One thread calls it."""

    def setup(self) -> Setup:
        """The sound and the device that play, as the engine said last; takes no time."""

    def new_identity(self) -> int:
        """One that no stage of this session has had."""

    def do(self, operation: Operation) -> Setup:
        """Change what plays; return what plays then.  May take long, while the sound goes on."""

    def save_preset(self, name: str, note: str, replace: bool) -> None:
        """Keep the sound as it is now, plug-ins with their states.

        Raises
        ------
        Conflict
            There is a preset of that name and `replace` is not set.
        """

    def use_setlist(self, name: str | None) -> None:
        """Have a setlist's presets loaded; None lets go of them."""

    def compare(self, preset: str | None) -> None:
        """Turn to the other of two sounds; with a preset, begin with it as the other."""

    def end_compare(self) -> None:
        """Compare no more; what plays stays."""

    def turn_monitor(self, gain_db: float) -> None:
        """Ask for another gain of the second output; nothing where there is none."""

    def cancel(self, number: int) -> None:
        """Call a change off that is pending."""

    def devices(self) -> list[dict[str, Any]]:
        """Audio devices there are now."""

    def change_device(
        self,
        input: str | None,
        output: str | None,
        block: int | None,
        in_map: tuple[int, ...] | None = None,
        out_map: tuple[int, ...] | None = None,
    ) -> None:
        """Play on other devices; maps as in :mod:`realtime.stream.maps`."""

    def record(self, dry: bool, ending: str) -> str:
        """Begin a recording; return the name of its file."""

    def stop_recording(self) -> list[dict[str, Any]]:
        """End it; return its files with ``name``, ``seconds`` and ``gaps``."""

    def recordings_folder(self) -> Path:
        """Where recordings are; it need not exist."""

    def open_pipe(self, rate: int, channels: int, block: int, model: str | None) -> Pipe:
        """An engine of its own for one connection; `model` None takes the one that plays."""
