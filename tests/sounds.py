"""Sounds in the tests: written in a line, played offline, or in a session on a simulated device."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.devices.simulated import SimulatedDevice
from realtime.engine.path import Path as EnginePath
from realtime.engine.placed import Slot
from realtime.session.builder import Builder
from realtime.session.operations import Operation
from realtime.session.session import Session
from realtime.session.sound import Branch, Device, Setup, Sound, Stage, identified

from .signals import Array, cut

RATE, BLOCK = 48000, 64
LANES = ("inline", "worker")
_folder = tempfile.TemporaryDirectory(prefix="restyle-tests-")


def on_disk(content: bytes, suffix: str = ".onnx") -> str:
    """Path of a file with that content, kept until the tests end."""
    path = Path(_folder.name) / (hashlib.sha256(content).hexdigest()[:16] + suffix)
    if not path.exists():
        path.write_bytes(content)
    return str(path)


def model(source: bytes | str | Path, **settings: Any) -> Stage:
    """A stage that plays a model, given as a file's content, its path or its name."""
    named = on_disk(source) if isinstance(source, bytes) else str(source)
    return _stage(settings, model=named)


def effect(name: str, **settings: Any) -> Stage:
    """A stage that plays an effect."""
    return _stage(settings, effect=name)


def plugin(path: Path, **settings: Any) -> Stage:
    """A stage that plays a plug-in."""
    return _stage(settings, plugin=str(path))


def group(*branches: Sequence[Stage] | Branch, **settings: Any) -> Stage:
    """A stage with branches in parallel."""
    made = [b if isinstance(b, Branch) else Branch(tuple(b)) for b in branches]
    return _stage(settings, group=tuple(made))


def _stage(settings: dict[str, Any], **kind: Any) -> Stage:
    own = {k: settings.pop(k) for k in ("identity", "bypass", "engine") if k in settings}
    mix = settings.pop("stage_mix", 1.0)
    return Stage(**kind, **own, mix=mix, parameters=settings)


def sound(*stages: Stage, **own: Any) -> Sound:
    """A sound whose stages are numbered from 1, those in groups after their group."""
    return Sound(identified(stages, 1), **own)


def path_of(what: Sound, channels: int = 1, block: int | None = None) -> EnginePath:
    """The path of a sound, as a session builds it."""
    return Builder(channels, RATE, block).path(what)


def path_around(*stages: Any, channels: int = 1, hop: int = 64, **own: Any) -> EnginePath:
    """A path of stages that a test made itself."""
    slots = []
    for identity, stage in enumerate(stages, 1):
        stage.prepare(RATE, channels, hop)
        slots.append(Slot(stage, identity, channels, RATE))
    return EnginePath(slots, channels=channels, sample_rate=RATE, hop=hop, **own)


def offline(what: Sound, x: Array) -> Array:
    """Whole hops of `x` through a sound, latency included."""
    path = path_of(what, x.shape[0])
    try:
        return path.process_hops(x[:, : x.shape[1] // path.hop * path.hop])
    finally:
        path.close()


def stream(path: EnginePath, x: Array, sizes: Sequence[int]) -> Array:
    """`x` through a path in callbacks of the given sizes."""
    return np.concatenate([path.process(b) for b in cut(x, sizes)], axis=1)


class Player:
    """A session on a simulated device that waits where the test says.

    Parameters
    ----------
    what : Sound
    x : ndarray [shape=(channels, n), float32]
    block : int or list of int
        Sizes of callbacks.
    lane : str
    device : mapping
        More of the session's :class:`~realtime.session.sound.Device`.
    more
        Arguments of the simulated device.
    """

    def __init__(
        self,
        what: Sound,
        x: Array,
        block: int | list[int] = BLOCK,
        lane: str = "auto",
        device: Mapping[str, Any] | None = None,
        rate: int = RATE,
        **more: Any,
    ) -> None:
        self.x = x
        self.device = SimulatedDevice(x, rate, block, **more)
        settings = Device(lane=lane, **(device or {}))
        self.session = Session(Setup(what, settings), self.device)

    def __enter__(self) -> Player:
        if not self.device.paced:
            self.device.hold(0)
        self.session.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.stop()
        self.session.stream.path.close()

    def run_to(self, position: int) -> None:
        """Play up to a position and wait there."""
        self.device.run_to(position)
        assert self.device.position == position

    def at(self, position: int, change: Operation | Callable[[], Any]) -> None:
        """Play up to a position and begin a change there."""
        self.run_to(position)
        if callable(change):
            change()
        else:
            self.session.do(change, wait=False)

    def finish(self) -> Array:
        """Play to the end; return what was heard, latency included."""
        self.device.hold(None)
        self.session.wait()
        return self.device.recording

    @property
    def declared(self) -> int:
        """Latency that is declared now [samples]."""
        return self.session.stream.budget.declared

    @property
    def counters(self) -> dict[str, int]:
        """What the callback has counted."""
        return self.session.stream.memory.counters()

    def dry(self) -> Array:
        """The input, later by what is declared now, as long as what was heard."""
        y = np.zeros((self.x.shape[0], self.device.position), dtype=np.float32)
        n = min(self.x.shape[1], y.shape[1] - self.declared)
        y[:, self.declared : self.declared + n] = self.x[:, :n]
        return y


def heard(what: Sound, x: Array, block: int | list[int] = BLOCK, lane: str = "auto") -> Array:
    """What a session plays, without its declared latency and as long as `x`."""
    with Player(what, x, block, lane) as player:
        y = player.finish()
        counters, late = player.counters, player.declared
    assert counters["concealed_samples"] == counters["ring_underflows"] == 0
    assert counters["ring_overflows"] == 0
    return y[:, late : late + x.shape[1]]


def steps(y: Array) -> float:
    """Largest step from one sample to the next."""
    return float(np.abs(np.diff(y)).max())


def same_bits(a: Array, b: Array) -> bool:
    """Whether two signals are the same bits (zeros of both signs differ)."""
    return a.shape == b.shape and bool(np.array_equal(a.view(np.int32), b.view(np.int32)))
