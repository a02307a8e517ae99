"""Sounds kept loaded beside the one that plays, so that changing to one takes no time.

A path of each is built, warmed up and measured beforehand, its stages as they are after silence.
One that has played comes back to the shelf: its parameters return to where they were when it was
built, its stages to silence; one whose stages were changed meanwhile is built anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..engine.path import Path
from ..engine.placed import Slot
from ..errors import RestyleError
from .lanes import Playable
from .sound import Sound

LEAD_SECONDS = 0.01  # a voice from the shelf is given sound for so long before it is heard


class Interrupted(Exception):
    """Something else is to be done first."""


@dataclass
class Prepared:
    """A sound, its path and the voice around it."""

    sound: Sound
    playable: Playable
    standing: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]  # targets, and what they were
    slots: list[tuple[Slot, float, float]]  # with bypass and mix

    @property
    def path(self) -> Path:
        """Its path."""
        return self.playable.voice.path


@dataclass
class Shelf:
    """What is loaded; one thread at a time uses it.

    Attributes
    ----------
    build : callable
        Makes the path of a sound.
    voice : callable
        Makes a voice around a path that is new, or around one that has been reset.  What they
        raise that is no :class:`Interrupted` is a problem of that sound's.
    wanted : tuple of Sound
        What is to be loaded, each once.
    problems : dict
        Why sounds cannot be loaded, by the identity of their first stage.
    complete : bool
        Whether :meth:`load_next` has nothing to do.
    """

    build: Callable[[Sound], Path]
    voice: Callable[[Path, Playable | None], Playable]
    wanted: tuple[Sound, ...] = ()
    problems: dict[int, str] = field(default_factory=dict)
    complete: bool = True
    _ready: list[Prepared] = field(default_factory=list)
    _playing: list[Prepared] = field(default_factory=list)  # taken, and not given back yet
    _used: list[Prepared] = field(default_factory=list)  # given back, and to be reset

    def want(self, sounds: tuple[Sound, ...]) -> None:
        """Keep these and no others loaded; :meth:`load_next` does it."""
        if sounds == self.wanted:
            return
        first = {_first(s) for s in sounds}
        self.problems = {k: v for k, v in self.problems.items() if k in first}
        self.wanted, self.complete = sounds, False
        for kept in (self._ready, self._used):
            for one in [p for p in kept if not _has(sounds, p.sound)]:
                kept.remove(one)
                one.path.close()

    def load_next(self) -> bool:
        """Load or reset one that is missing; whether there was one.

        Raises
        ------
        Interrupted
            It was called off, and is to be tried again.
        """
        if self._used:
            self._ready.append(self._restored(self._used.pop(0)))
            return True
        there = [p.sound for p in (*self._ready, *self._playing)]
        for sound in self.wanted:
            if _has(there, sound) or _first(sound) in self.problems:
                continue
            try:
                self._ready.append(self._prepared(sound))
            except Interrupted:
                raise
            except Exception as error:  # of a plug-in, too: the others are loaded
                known = isinstance(error, RestyleError)
                self.problems[_first(sound)] = str(error) if known else repr(error)
            return True
        self.complete = True
        return False

    def has(self, sound: Sound) -> bool:
        """Whether :meth:`take` would find a sound."""
        return _has((p.sound for p in (*self._ready, *self._used)), sound)

    def take(self, sound: Sound) -> Playable | None:
        """The voice of a sound that is ready to be heard; None where it is not loaded.

        Gains, mix and bypass may be others than when it was loaded.
        """
        used = next((p for p in self._used if _has((sound,), p.sound)), None)
        if used is not None:
            self._used.remove(used)
            self._ready.append(self._restored(used))
        found = next((p for p in self._ready if _has((sound,), p.sound)), None)
        if found is None:
            return None
        self._ready.remove(found)
        self._playing.append(found)
        self.complete = False
        for name in ("mix", "input_gain_db", "output_gain_db"):
            found.path.set(name, getattr(sound, name))
        found.path.settle()
        found.path.begin_softly()
        return found.playable

    def spoil(self, path: Path) -> None:
        """The stages of a path that plays are changed: it is not what was loaded any more."""
        self._playing = [p for p in self._playing if p.path is not path]
        self.complete = False

    def give_back(self, playable: Playable) -> bool:
        """Take back what has ceased to sound; False where it is not wanted, or was changed."""
        found = next((p for p in self._playing if p.playable is playable), None)
        if found is None:
            return False
        self._playing.remove(found)
        self.complete = False
        if not _has(self.wanted, found.sound) or any(s.placed.error for s in found.path.slots()):
            return False
        self._used.append(found)
        return True

    @property
    def used(self) -> bool:
        """Whether one that has played is to be reset."""
        return bool(self._used)

    @property
    def state(self) -> dict[str, Any]:
        """How many are wanted and loaded, and why others are not."""
        loaded = len(self._ready) + len(self._playing) + len(self._used)
        return {"wanted": len(self.wanted), "loaded": loaded, "problems": dict(self.problems)}

    def close(self) -> None:
        """Free everything that does not sound."""
        self.want(())

    def _prepared(self, sound: Sound) -> Prepared:
        path = self.build(sound)
        try:
            slots = [(s, float(s.record["bypass"]), float(s.record["mix"])) for s in path.slots()]
            targets = [path.record.arrays["targets"]]
            targets += [s.placed.record.arrays["targets"] for s in path.slots()]
            standing = [(array, np.array(array)) for array in targets]
            playable = self.voice(path, None)
        except BaseException:
            path.close()
            raise
        return self._in_silence(Prepared(sound, playable, standing, slots))

    def _restored(self, one: Prepared) -> Prepared:
        path = one.path
        path.events.take_until()
        for array, values in one.standing:
            array[...] = values
        for slot, bypass, mix in one.slots:
            slot.record["bypass"], slot.record["mix"] = bypass, mix
            slot.placed.record["changes"] += 1
        path.reset()
        one.playable = self.voice(path, one.playable)
        return self._in_silence(one)

    def _in_silence(self, one: Prepared) -> Prepared:
        one.path.settle_in_silence()
        record = one.playable.voice.record
        record["warm"] = round(LEAD_SECONDS * float(record["sample_rate"]) / float(record["ratio"]))
        return one


def _first(sound: Sound) -> int:
    return sound.stages[0].identity if sound.stages else 0


def _has(sounds: Iterable[Sound], sound: Sound) -> bool:
    """Whether one of some sounds has the very stages of another; gains are set when it comes."""
    return any(one.stages == sound.stages for one in sounds)
