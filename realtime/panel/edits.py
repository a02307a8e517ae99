"""Undo and redo: the sounds there were before each edit, whoever made it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ..parameters.parameter import BLEND, Parameter
from ..parameters.surface import Surface
from ..session.operations import Load, Operation
from ..session.sound import Sound
from .fields import Conflict

MOST = 100  # edits that are kept
ONE_EDIT_SECONDS = 1.0  # the same knobs turned again within this are one edit
NOT_EDITS = ("bypass", "mute")  # of the whole sound: played, not edited


@dataclass(frozen=True)
class _Look:
    """A sound as it stood: `values` by parameter name, without :data:`NOT_EDITS`."""

    sound: Sound
    values: Mapping[str, float]
    preset: str | None

    @property
    def stages(self) -> tuple[int, ...]:
        return tuple(s.identity for s in self.sound.walk())

    @property
    def content(self) -> object:
        """What a preset of it would hold."""
        return [(s.kind, s.name) for s in self.sound.walk()], self.values, self.sound.scenes

    def same(self, other: _Look) -> bool:
        """Whether both are the same stages, standing alike."""
        return self.stages == other.stages and self.content == other.content

    def turned(self, other: _Look) -> set[str] | None:
        """Knobs that stand elsewhere; None where more than knobs differs."""
        alike = self.stages == other.stages and self.sound.scenes == other.sound.scenes
        if not alike or self.values.keys() != other.values.keys():
            return None
        return {n for n, v in self.values.items() if other.values[n] != v}


class Edits:
    """What was edited so far; any thread may call.

    Parameters
    ----------
    surface : Surface
        Turns knobs back.
    do : callable
        Makes an operation, for edits of more than knobs; may take long.
    keep_preset : callable
        Takes the name of the preset that plays again.
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    mark : object
        Another one whenever :meth:`state` may have changed.
    """

    def __init__(
        self,
        surface: Surface,
        do: Callable[[Operation], object],
        keep_preset: Callable[[str | None], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._surface, self._do, self._keep, self._clock = surface, do, keep_preset, clock
        self._looks: list[_Look] = []
        self._at = 0
        self._moving = False
        self._knobs: set[str] = set()  # turned by the edit that ended last
        self._then = float("-inf")
        self._kept: dict[str, object] = {}  # contents of presets as they were loaded or saved
        self._lock = threading.Lock()
        self.mark = object()

    def see(self, sound: Sound, parameters: Sequence[Parameter], preset: str | None) -> None:
        """Look at what plays now; an edit is what differs from the last look."""
        values = {p.name: p.value for p in parameters if p.name not in NOT_EDITS}
        look = _Look(sound, values, preset)
        with self._lock:
            if self._moving:
                return
            if preset is not None:
                self._kept.setdefault(preset, look.content)
            if not self._looks:
                self._looks = [look]
            elif not self._looks[self._at].same(look):
                self._add(look)
            elif self._looks[self._at].preset != preset:  # its name comes after its sound
                self._looks[self._at] = look
                self.mark = object()

    def _add(self, look: _Look) -> None:
        knobs, now = look.turned(self._looks[self._at]), self._clock()
        goes_on = knobs is not None and self._knobs and now - self._then < ONE_EDIT_SECONDS
        if goes_on and knobs is not None and (knobs <= self._knobs or knobs >= self._knobs):
            self._looks[self._at :] = [look]
        else:
            self._looks[self._at + 1 :] = [look]
            self._looks = self._looks[-MOST - 1 :]
            self._at = len(self._looks) - 1
        self._knobs, self._then, self.mark = knobs or set(), now, object()

    def saved(self, name: str) -> None:
        """The sound as it was seen last has become a preset."""
        with self._lock:
            if self._looks:
                self._kept[name] = self._looks[self._at].content
            self.mark = object()

    def state(self) -> dict[str, Any]:
        """Plain data: ``undo`` and ``redo`` (whether there is any), ``modified`` (the preset)."""
        with self._lock:
            look = self._looks[self._at] if self._looks else None
            kept = None if look is None or look.preset is None else self._kept.get(look.preset)
            return {
                "undo": self._at > 0,
                "redo": self._at < len(self._looks) - 1,
                "modified": look is not None and kept is not None and kept != look.content,
            }

    def step(self, by: int) -> None:
        """Undo (-1) or redo (1); waits until it is heard.

        Raises
        ------
        Conflict
            There is nothing to undo or redo, or one is under way.
        RestyleError
            It cannot be made; nothing has changed then.
        """
        with self._lock:
            if self._moving:
                raise Conflict("an undo or redo is under way; wait until it is heard")
            if not 0 <= self._at + by < len(self._looks):
                raise Conflict(f"there is nothing to {'undo' if by < 0 else 'redo'}")
            now, wanted = self._looks[self._at], self._looks[self._at + by]
            self._moving = True
        try:
            self._make(now, wanted)
            with self._lock:
                self._at += by
        finally:
            with self._lock:
                self._moving, self._knobs, self.mark = False, set(), object()

    def _make(self, now: _Look, wanted: _Look) -> None:
        knobs = wanted.turned(now)
        if knobs is None:
            bypassed = bool(self._surface.get("bypass"))
            self._do(Load(msgspec.structs.replace(wanted.sound, bypass=bypassed)))
        else:
            every = self._surface.parameters()
            listed = [p for p in every if p.name in knobs]
            for place in {p.place for p in listed if p.kind == BLEND}:
                weights = (p.name for p in every if p.kind == BLEND and p.place == place)
                self._surface.blend({n: wanted.values[n] for n in weights})
            for p in sorted(listed, key=lambda p: bool(p.place)):  # a preset's own knobs come first
                if p.kind != BLEND:
                    self._surface.set(p.name, wanted.values[p.name])
        if now.preset != wanted.preset:
            self._keep(wanted.preset)
