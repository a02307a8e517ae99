"""What devices without a sound card share: a thread that calls the stream's callback."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

STOP, POSITION = 0, 1  # of every such device's control numbers
STOP_SECONDS = 10.0


class DrivenDevice:
    """A thread that lends its stack to a native loop, which does not hold the GIL.

    Parameters
    ----------
    control : ndarray [shape=(n,), int64]
        What the loop reads and writes: ``[STOP]`` ends it, ``[POSITION]`` counts samples played.
    """

    def __init__(self, control: npt.NDArray[np.int64]) -> None:
        self._control = control
        self._arguments: tuple[Any, ...] = ()
        self._thread: threading.Thread | None = None
        self.error: BaseException | None = None

    def drive(self) -> None:
        """Call the callback until the sound or the control says stop (thread: the device's)."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the driving thread."""
        self._thread = threading.Thread(target=self._run, name="restyle-device", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.drive()
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        """Stop and wait for the thread."""
        self._control[STOP] = 1
        if self._thread is not None:
            self._thread.join(timeout=STOP_SECONDS)

    @property
    def active(self) -> bool:
        """Whether the loop still runs."""
        return self._thread is not None and self._thread.is_alive()
