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
from realtime.session.operations import Insert
from realtime.session.sound import Device, Setup, Sound, Stage, identified

from ..signals import Array, sine

RATE, BLOCK = 48000, 64


class Played:
    """A running host with its tape and everything it told."""

    def __init__(self, host: Host, tape: Tape, told: list[str]) -> None:
        self.host, self.tape, self.told = host, tape, told

    def insert(self, index: int | None = None, **stage: Any) -> int:
        """Put a stage in, by default at the end; return its identity."""
        identity = self.host.new_identity()
        at = len(self.host.setup.sound.stages) if index is None else index
        self.host.do(Insert(Stage(identity=identity, **stage), at))
        return identity

    def until(self, condition: Callable[[], Any], seconds: float = 120.0) -> None:
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

    def settles(self, level: float, seconds: float = 120.0) -> None:
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
    lane: Any = "auto",
    stages: tuple[Stage, ...] = (),
    **sound: Any,
) -> Iterator[Played]:
    """Play `x` (a sine by default) through a host; `held` waits before the first sample.

    The model, if there is one, stands before the other stages.
    """
    x = sine(RATE * 120, 220.0, 0.3) if x is None else x
    tape = Tape.make(np.repeat(x, channels, axis=0) if len(x) == 1 else x, RATE, BLOCK, paced=paced)
    if held:
        tape.hold(0)
    if model is not None:
        stages = (Stage(model=str(model)), *stages)
    device = Device(kind="tape", tape=tape.name, lane=lane)
    setup = Setup(Sound(identified(stages, 1), **sound), device)
    told: list[str] = []
    host = Host(setup, told.append, standby=standby)
    try:
        with host:
            yield Played(host, tape, told)
    finally:
        tape.close()
