"""The engine's side of recordings and displays: rings on the board that the callback fills."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..native.ring import Ring
from ..stream.record import TAP_DRY, TAP_WET
from .shared_memory import LISTEN_SAMPLES, TAP_SAMPLES, WATCH_SAMPLES, Board

LONGEST_CALLBACK = 0.1  # seconds; whether one is under way is not known


class Taps:
    """Opens and closes the taps of one engine.

    Parameters
    ----------
    board : Board
        Its rings are made anew whenever a tap is opened.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._kept: dict[str, Ring] = {}

    def record(self, channels: int, wanted: Mapping[str, Any]) -> int:
        """Open the taps of a recording that are `wanted` (``dry``, ``wet``), close the others.

        Those that are opened together begin with the same block.  Returns the stream's position.
        """
        record = self._board.record[0]
        if record["taps"]:
            record["taps"] = 0
            self.pass_a_callback()
        bits = 0
        for name, bit in (("dry", TAP_DRY), ("wet", TAP_WET)):
            if wanted.get(name):
                record[f"tap_{name}"] = self._ring(name, channels, TAP_SAMPLES)
                bits |= bit
        record["taps"] = bits
        return int(record["samples"])

    def watch(self, channels: int, on: bool) -> None:
        """Copy what is heard and played to the rings of a display, or no more."""
        record, names = self._board.record[0], ("watch_wet", "watch_dry")
        if on and not record["watch_dry"]:
            for name in names:  # the callback looks at the last one
                record[name] = self._ring(name, channels, WATCH_SAMPLES)
        elif not on and record["watch_dry"]:
            record["watch_dry"] = 0
            self.pass_a_callback()

    def listen(self, channels: int, on: bool) -> int:
        """Copy what is played to the ring of a tagger, or no more; the stream's position."""
        record = self._board.record[0]
        record["listen"] = 0
        self.pass_a_callback()
        if on:
            record["listen"] = self._ring("listen", channels, LISTEN_SAMPLES)
        return int(record["samples"])

    def _ring(self, part: str, channels: int, samples: int) -> int:
        """A ring of `samples`, all channels together."""
        each = 1 << ((samples // channels).bit_length() - 1)  # a power of two that fits
        self._kept[part] = ring = Ring(channels, each, memory=self._board.part(part))
        return ring.address

    def pass_a_callback(self) -> None:
        """Wait until the callback under way, if there is one, has ended."""
        record, end = self._board.record[0], time.monotonic() + LONGEST_CALLBACK
        seen = int(record["callbacks"])
        while int(record["callbacks"]) < seen + 2 and time.monotonic() < end:
            time.sleep(0.001)
