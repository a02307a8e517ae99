"""A host on a simulated sound card, and what was heard of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.devices.shared_simulated import Tape
from realtime.host.host import Host
from realtime.session.spec import DeviceSpec, Spec

from ..signals import Array, sine

RATE, BLOCK = 48000, 64


class Played:
    """A running host with its tape and everything it told."""

    def __init__(self, host: Host, tape: Tape, told: list[str]) -> None:
        self.host, self.tape, self.told = host, tape, told

    def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        """Wait for something to come true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds} s in vain; told: {self.told}"
            time.sleep(0.01)

    def play_on(self, seconds: float = 0.3) -> None:
        """Let the card play so much more."""
        goal = self.tape.position + int(seconds * RATE)
        self.until(lambda: self.tape.position >= goal)

    def level(self, samples: int = 4800) -> float:
        """Amplitude of the sine that was played last, whatever was concealed in between."""
        end = self.tape.position
        played = np.abs(self.tape.output[end - samples : end])
        return float(np.median(played) / np.sin(np.pi / 4))

    def settles(self, level: float, seconds: float = 20.0) -> None:
        """Play on until the level is there: a busy machine may rest the model for a while."""
        self.play_on()
        wanted, end = pytest.approx(level, rel=0.01), time.monotonic() + seconds
        while (heard := self.level()) != wanted and time.monotonic() < end:
            time.sleep(0.01)
        assert heard == wanted, self.told

    def silences(self, after: int = 4800) -> Array:
        """Lengths of the runs without sound up to now, from sample `after` on."""
        heard = np.flatnonzero(np.abs(self.tape.output[after : self.tape.position, 0]) > 1e-4)
        return np.diff(heard)


@contextmanager
def playing(
    model: Path | None = None,
    x: Array | None = None,
    *,
    paced: bool = True,
    standby: bool = False,
    channels: int = 1,
    held: bool = False,
    **settings: Any,
) -> Iterator[Played]:
    """Play `x` (a sine by default) through a host; `held` waits before the first sample."""
    x = sine(RATE * 60, 220.0, 0.3) if x is None else x
    tape = Tape.make(np.repeat(x, channels, axis=0) if len(x) == 1 else x, RATE, BLOCK, paced=paced)
    if held:
        tape.hold(0)
    spec = Spec(
        device=DeviceSpec(kind="tape", tape=tape.name),
        model=None if model is None else str(model),
        **settings,
    )
    told: list[str] = []
    host = Host(spec, told.append, standby=standby)
    try:
        with host:
            yield Played(host, tape, told)
    finally:
        tape.close()
