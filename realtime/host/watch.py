"""The watchdog: notices an engine whose callbacks, worker or main thread have stopped."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..stream.voice import WORKER
from .shared_memory import HEARTBEAT, MODE

if TYPE_CHECKING:
    from .supervisor import Keeper

LOOK_SECONDS = 0.05
SOUND_SECONDS = 0.4  # without a callback, or without a block from a worker that is called
HEART_SECONDS = 20.0  # without a beat of the main thread: operations may take long


@dataclass(frozen=True)
class Incident:
    """One end of an engine process.

    Attributes
    ----------
    reason : str
    stage : int
        Identity of the stage that ran, 0 for none.
    left_out : str or None
        The stage that is left out from now on.
    seconds : float
        From the notice to sound from another engine.
    """

    reason: str
    stage: int
    left_out: str | None
    seconds: float

    def sentence(self) -> str:
        """What to tell a person."""
        text = f"the engine was restarted in {self.seconds:.2f} s: {self.reason}"
        return text + (f"; '{self.left_out}' is left out" if self.left_out else "")


class Watchdog:
    """Looks at the board every :data:`LOOK_SECONDS`.

    Parameters
    ----------
    host : Keeper
    """

    def __init__(self, host: Keeper) -> None:
        self._host = host
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="restyle-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(5.0)

    def _run(self) -> None:
        link, seen, since = None, (0, 0, 0), [0.0, 0.0, 0.0]
        while not self._stop.wait(LOOK_SECONDS):
            now = time.monotonic()
            if self._host.link is not link:
                link, seen, since = self._host.link, (-1, -1, -1), [now, now, now]
            try:
                status, record = link.board.status, link.board.record[0]
                worker = status[MODE] == WORKER
                current = (
                    int(record["callbacks"]),
                    int(record["worker_blocks"]),
                    int(status[HEARTBEAT]),
                )
            except (IndexError, ValueError):
                continue  # the board has just been given back
            for i, value in enumerate(current):
                if value != seen[i]:
                    since[i] = now
            seen = current
            if link.ended or not self._host.now.get("device", {}).get("paced", True):
                continue  # nothing is due in virtual time
            quiet = [now - s for s in since]
            if current[0] and quiet[0] > SOUND_SECONDS and not link.dead:
                self._host.replace_engine(link, "the device stopped calling")
            elif worker and current[1] and quiet[1] > SOUND_SECONDS and quiet[0] < SOUND_SECONDS:
                self._host.replace_engine(link, "a stage hangs")
            elif quiet[2] > HEART_SECONDS:
                self._host.replace_engine(link, "its main thread hangs")
