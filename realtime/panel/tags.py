"""Tags of what is played, while it plays: a thread of the controls process."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from ..errors import RestyleError
from ..host.front import Front
from ..host.shared_memory import RATE
from ..models.tagger import Tagger
from ..native.ring import Ring

NAP_SECONDS = 0.05
SHOWN_SECONDS = 3.0


class LiveTags:
    """Hears what a host plays and tells what it is.

    Parameters
    ----------
    host : Front
        It plays.
    model : Path
        A tagger.
    seconds : float
        Over which :meth:`latest` takes the mean.

    Attributes
    ----------
    begin : int [samples]
        Position of the stream at which listening was asked for.
    frames : int
        Answers so far.

    Raises
    ------
    RestyleError
        The model is no tagger.
    """

    def __init__(self, host: Front, model: Path, seconds: float = SHOWN_SECONDS) -> None:
        self._host = host
        self.tagger = Tagger(model, int(host.board.status[RATE]))
        self._lately: deque[npt.NDArray[np.float32]] = deque(
            maxlen=max(1, round(seconds / self.tagger.hop_seconds))
        )
        self.frames = 0
        self._stop = threading.Event()
        self._board = host.board
        self.begin = host.listen(True)
        self._thread = threading.Thread(target=self._run, name="restyle-tags", daemon=True)
        self._thread.start()

    def latest(self) -> dict[str, float]:
        """Mean probability of every label over the last seconds; empty at the beginning."""
        lately = list(self._lately)
        if not lately:
            return {}
        mean = np.mean(lately, axis=0)
        return {name: float(p) for name, p in zip(self.tagger.labels, mean, strict=True)}

    def close(self) -> None:
        """Listen no more."""
        self._stop.set()
        self._thread.join(5.0)
        self.tagger.close()

    def _run(self) -> None:
        ring: Ring | None = None
        while not self._stop.wait(NAP_SECONDS):
            try:
                board = self._host.board
            except RestyleError:
                continue  # an engine is being replaced
            if not board.record[0]["listen"]:
                continue
            if ring is None or board is not self._board:
                ring, self._board = Ring.attach(board.part("listen")), board
                if int(board.status[RATE]) != self.tagger.sample_rate:  # another card
                    self.tagger.reset(int(board.status[RATE]))
            for row in self.tagger.feed(ring.take()):
                self._lately.append(row)
                self.frames += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
