"""Operations: every change of a sound, as frozen values, each with the one fold there is.

``operation.apply(setup)`` gives the setup after it.  The engine process applies an operation and
makes the path follow; whoever holds a copy of the setup applies the same operation to the copy, or
takes the setup that the engine answers with.  ``msgspec.json`` reads and writes them by ``op``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Union

import msgspec

from ..errors import ChainError, ConfigError, RestyleError
from .sound import LANES, Branch, Device, Setup, Sound, Stage, Value, walk

OWN = 0  # identity of the path itself: gains, mix and bypass of the whole sound
_END = 1 << 20  # an index behind every stage


class _Operation(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="op", tag=str.lower):
    """What all operations have in common."""

    def apply(self, setup: Setup) -> Setup:
        """The setup after this operation.

        Raises
        ------
        RestyleError
            It cannot be made; nothing has changed then.
        """
        return setup.with_sound(self._sound(setup.sound))

    def _sound(self, sound: Sound) -> Sound:
        return sound


class Insert(_Operation, frozen=True):
    """Put a stage in before the one at `index` of the path, or of a group's branch.

    The stage brings its identity; `group` is the identity of a group, 0 for the path.
    """

    stage: Stage
    index: int = _END
    group: int = OWN
    branch: int = 0

    def _sound(self, sound: Sound) -> Sound:
        def into(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
            at = min(max(self.index, 0), len(stages))
            return (*stages[:at], self.stage, *stages[at:])

        return _with(sound, _list(sound.stages, self.group, self.branch, into))


class Remove(_Operation, frozen=True):
    """Take a stage out."""

    identity: int

    def _sound(self, sound: Sound) -> Sound:
        return _with(sound, _edit(sound.stages, self.identity, lambda stage: ()))


class Move(_Operation, frozen=True):
    """Take a stage to another index of its own list."""

    identity: int
    index: int

    def _sound(self, sound: Sound) -> Sound:
        def moved(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
            one = next(s for s in stages if s.identity == self.identity)
            rest = tuple(s for s in stages if s is not one)
            at = min(max(self.index, 0), len(rest))
            return (*rest[:at], one, *rest[at:])

        return _with(sound, _around(sound.stages, self.identity, moved))


class Swap(_Operation, frozen=True):
    """Crossfade to another stage in the place of one; it brings its identity."""

    identity: int
    stage: Stage

    def _sound(self, sound: Sound) -> Sound:
        return _with(sound, _edit(sound.stages, self.identity, lambda stage: (self.stage,)))


class Set(_Operation, frozen=True):
    """Set a parameter of a stage, its ``bypass`` or ``stage_mix``.

    Of the path itself (``identity`` 0): ``mix``, ``bypass``, ``input_gain_db``, ``output_gain_db``.
    A group has ``1.gain_db``, ``2.gain_db`` … for its branches.
    """

    identity: int
    name: str
    value: Value

    def _sound(self, sound: Sound) -> Sound:
        value: Value = self.value
        if self.identity == OWN:
            if self.name == "bypass":
                return msgspec.structs.replace(sound, bypass=_number(value) >= 0.5)
            if self.name not in ("mix", "input_gain_db", "output_gain_db"):
                raise ConfigError(f"a sound has no parameter '{self.name}'")
            return msgspec.structs.replace(sound, **{self.name: _number(value)})
        return _with(sound, _edit(sound.stages, self.identity, lambda stage: (self._set(stage),)))

    def _set(self, stage: Stage) -> Stage:
        if self.name == "bypass":
            return msgspec.structs.replace(stage, bypass=_number(self.value) >= 0.5)
        if self.name == "stage_mix":
            return msgspec.structs.replace(stage, mix=_number(self.value))
        number, _, rest = self.name.partition(".")
        if stage.group is not None:
            if (
                not number.isdigit()
                or not 1 <= int(number) <= len(stage.group)
                or rest != "gain_db"
            ):
                raise ConfigError(f"a group has no parameter '{self.name}'")
            at = int(number) - 1
            changed = msgspec.structs.replace(stage.group[at], gain_db=_number(self.value))
            group = (*stage.group[:at], changed, *stage.group[at + 1 :])
            return msgspec.structs.replace(stage, group=group)
        return msgspec.structs.replace(
            stage, parameters={**stage.parameters, self.name: self.value}
        )


class Load(_Operation, frozen=True):
    """Play another sound: all stages, gains, mix and bypass anew."""

    sound: Sound

    def _sound(self, sound: Sound) -> Sound:
        return self.sound


class Lane(_Operation, frozen=True):
    """Run the path in another lane."""

    lane: str

    def apply(self, setup: Setup) -> Setup:
        """The setup after this operation."""
        if self.lane not in LANES:
            raise ConfigError(f"lane must be one of {', '.join(LANES)}, got '{self.lane}'")
        return setup.with_device(msgspec.structs.replace(setup.device, lane=self.lane))


class Period(_Operation, frozen=True):
    """The device brings blocks of `samples` from now on; the path is made anew to fit."""

    samples: int

    def apply(self, setup: Setup) -> Setup:
        """The setup after this operation: the same."""
        return setup


class UseDevice(_Operation, frozen=True):
    """Play on another device."""

    device: Device

    def apply(self, setup: Setup) -> Setup:
        """The setup after this operation."""
        return setup.with_device(self.device)


Turn = tuple[int, str, float]  # a stage's identity (0: the whole sound), its parameter, the value
Operation = Union[Insert, Remove, Move, Swap, Set, Load, Lane, Period, UseDevice]  # noqa: UP007


def restyle(sound: Sound, stage: Stage | None) -> Operation | None:
    """What changes the style: the first stage that is a model becomes `stage`, or goes.

    Where no stage is a model, `stage` comes in before all others; None where nothing is to be done.
    """
    playing = next((s for s in sound.walk() if s.model is not None), None)
    if playing is None:
        return None if stage is None else Insert(stage, 0)
    return Remove(playing.identity) if stage is None else Swap(playing.identity, stage)


def back_to(sound: Sound, identity: int) -> Insert | None:
    """What puts a stage, once it is gone, back to where it stands now; None where it is not."""

    def look(stages: tuple[Stage, ...], group: int, branch: int) -> Insert | None:
        for index, stage in enumerate(stages):
            if stage.identity == identity:
                return Insert(stage, index, group, branch)
            for k, inner in enumerate(stage.group or ()):
                found = look(inner.stages, stage.identity, k)
                if found is not None:
                    return found
        return None

    return look(sound.stages, OWN, 0)


def brought(operation: Operation) -> tuple[Stage, ...]:
    """The stages that an operation brings in."""
    if isinstance(operation, Insert | Swap):
        return tuple(walk((operation.stage,)))
    return tuple(operation.sound.walk()) if isinstance(operation, Load) else ()


def turned(setup: Setup, turns: Iterable[Turn]) -> Setup:
    """The setup with parameters set; those of stages that are gone are left out."""
    for identity, name, value in turns:
        with suppress(RestyleError):
            setup = Set(identity, name, value).apply(setup)
    return setup


def described(operation: Operation) -> str:
    """What an operation does, for a person."""
    if isinstance(operation, Insert):
        return f"insert {operation.stage.name}"
    if isinstance(operation, Swap):
        return f"change to {operation.stage.name}"
    words = {"remove": "take a stage out", "move": "move a stage", "load": "load a preset"}
    kind = type(operation).__name__.lower()
    return words.get(kind, kind)


def _number(value: Value) -> float:
    if isinstance(value, str):
        raise ConfigError(f"a number is needed here, got '{value[:80]}'")
    return float(value)


def _with(sound: Sound, stages: tuple[Stage, ...]) -> Sound:
    return msgspec.structs.replace(sound, stages=stages)


Change = Callable[[tuple[Stage, ...]], tuple[Stage, ...]]


def _everywhere(stages: tuple[Stage, ...], change: Change) -> tuple[Stage, ...]:
    """Apply `change` to the lists inside the groups of `stages`."""
    found = []
    for stage in stages:
        if stage.group is not None:
            group = tuple(
                Branch(stages=change(branch.stages), gain_db=branch.gain_db)
                for branch in stage.group
            )
            stage = stage if group == stage.group else msgspec.structs.replace(stage, group=group)
        found.append(stage)
    return tuple(found)


def _around(stages: tuple[Stage, ...], identity: int, change: Change) -> tuple[Stage, ...]:
    """Apply `change` to the list that holds the stage of that identity."""
    found = False

    def look(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        nonlocal found
        if any(s.identity == identity for s in stages):
            found = True
            return change(stages)
        return _everywhere(stages, look)

    new = look(stages)
    if not found or identity == OWN:
        raise ChainError(f"there is no stage {identity}")
    return new


def _edit(
    stages: tuple[Stage, ...], identity: int, into: Callable[[Stage], tuple[Stage, ...]]
) -> tuple[Stage, ...]:
    """Put other stages in the place of one."""

    def change(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        return tuple(n for s in stages for n in (into(s) if s.identity == identity else (s,)))

    return _around(stages, identity, change)


def _list(stages: tuple[Stage, ...], group: int, branch: int, change: Change) -> tuple[Stage, ...]:
    """Apply `change` to the path's own list, or to that of a group's branch."""
    if group == OWN:
        return change(stages)

    def into(stage: Stage) -> tuple[Stage, ...]:
        if stage.group is None or not 0 <= branch < len(stage.group):
            raise ChainError(f"stage {group} has no branch {branch}")
        changed = msgspec.structs.replace(
            stage.group[branch], stages=change(stage.group[branch].stages)
        )
        new = (*stage.group[:branch], changed, *stage.group[branch + 1 :])
        return (msgspec.structs.replace(stage, group=new),)

    return _edit(stages, group, into)
