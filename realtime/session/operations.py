"""Operations: every change of a sound, as frozen values, each with the one fold there is.

``operation.apply(setup)`` gives the setup after it.  The engine process applies an operation and
makes the path follow; whoever holds a copy of the setup applies the same operation to the copy, or
takes the setup that the engine answers with.  ``msgspec.json`` reads and writes them by ``op``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TypeVar, Union

import msgspec

from ..errors import ConfigError, RestyleError
from .sound import (
    LANES,
    Device,
    Macro,
    Scene,
    Setup,
    Sound,
    Stage,
    Value,
    placed,
    places,
    walk,
)
from .stage_lists import OWN as OWN
from .stage_lists import around, edit, edit_list

_END = 1 << 20  # an index behind every stage
_OWN_NAMES = ("mix", "bypass", "mute", "input_gain_db", "output_gain_db")
_EVERY = ("bypass", "stage_mix")  # what every stage has
T = TypeVar("T")


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


class _OfStages(_Operation, frozen=True):
    """What changes the list of stages: names in scenes and knobs follow the stages they are of."""

    def apply(self, setup: Setup) -> Setup:
        """The setup after this operation."""
        before, sound = setup.sound, self._sound(setup.sound)
        by = self if isinstance(self, Swap) else None
        if before.scenes:
            scenes = tuple(
                Scene(scene.name, _followed(scene.values, before, sound, by))
                for scene in before.scenes
            )
            sound = msgspec.structs.replace(sound, scenes=scenes)
        if before.macros:
            left = [(m, _followed(m.targets, before, sound, by)) for m in before.macros]
            macros = tuple(msgspec.structs.replace(m, targets=t) for m, t in left if t)
            sound = msgspec.structs.replace(sound, macros=macros)
        return setup.with_sound(sound)


class Insert(_OfStages, frozen=True):
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

        return _with(sound, edit_list(sound.stages, self.group, self.branch, into))


class Remove(_OfStages, frozen=True):
    """Take a stage out."""

    identity: int

    def _sound(self, sound: Sound) -> Sound:
        return _with(sound, edit(sound.stages, self.identity, lambda stage: ()))


class Move(_OfStages, frozen=True):
    """Take a stage to another index of its own list."""

    identity: int
    index: int

    def _sound(self, sound: Sound) -> Sound:
        def moved(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
            one = next(s for s in stages if s.identity == self.identity)
            rest = tuple(s for s in stages if s is not one)
            at = min(max(self.index, 0), len(rest))
            return (*rest[:at], one, *rest[at:])

        return _with(sound, around(sound.stages, self.identity, moved))


class Swap(_OfStages, frozen=True):
    """Crossfade to another stage in the place of one; it brings its identity."""

    identity: int
    stage: Stage

    def _sound(self, sound: Sound) -> Sound:
        return _with(sound, edit(sound.stages, self.identity, lambda stage: (self.stage,)))


class Set(_Operation, frozen=True):
    """Set a parameter of a stage, its ``bypass`` or ``stage_mix``.

    Of the path itself (``identity`` 0): ``mix``, ``bypass``, ``mute``, ``input_gain_db``,
    ``output_gain_db``.
    A group has ``1.gain_db``, ``2.gain_db`` … for its branches.
    """

    identity: int
    name: str
    value: Value

    def _sound(self, sound: Sound) -> Sound:
        value: Value = self.value
        if self.identity == OWN:
            if self.name in ("bypass", "mute"):
                return msgspec.structs.replace(sound, **{self.name: _number(value) >= 0.5})
            if (macro := sound.macro(self.name)) is not None:
                for turn in macro_turns(sound, macro, _number(value)):
                    sound = turn._sound(sound)
                return sound
            if self.name not in _OWN_NAMES:
                raise ConfigError(f"a sound has no parameter '{self.name}'")
            return msgspec.structs.replace(sound, **{self.name: _number(value)})
        return _with(sound, edit(sound.stages, self.identity, lambda stage: (self._set(stage),)))

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
    """Play another sound: all stages, gains, mix, bypass and scenes anew; what is muted stays so.

    Attributes
    ----------
    sound : Sound
    tail : float [seconds]
        How long what rings on of the sound before (delays, reverbs) is still heard, no more of the
        input going into it.
    """

    sound: Sound
    tail: float = 0.0

    def _sound(self, sound: Sound) -> Sound:
        return msgspec.structs.replace(self.sound, mute=sound.mute)


class Recall(_Operation, frozen=True):
    """Put parameters where a scene of the sound has them.

    A scene is given by its name, or by its number from 1.
    """

    scene: str | int

    def _sound(self, sound: Sound) -> Sound:
        for turn in self.turns(sound):
            sound = turn._sound(sound)
        return sound

    def turns(self, sound: Sound) -> list[Set]:
        """What it sets.

        Raises
        ------
        ConfigError
            There is no such scene.
        """
        return _turns(sound, sound.scene(self.scene).values)


class KeepScene(_Operation, frozen=True):
    """Have a sound hold a scene, in place of one of that name."""

    scene: Scene

    def _sound(self, sound: Sound) -> Sound:
        names = [s.name for s in sound.scenes]
        at = names.index(self.scene.name) if self.scene.name in names else len(names)
        scenes = (*sound.scenes[:at], self.scene, *sound.scenes[at + 1 :])
        return msgspec.structs.replace(sound, scenes=scenes)


class DropScene(_Operation, frozen=True):
    """Take a scene out of a sound."""

    name: str

    def _sound(self, sound: Sound) -> Sound:
        gone = sound.scene(self.name)
        scenes = tuple(s for s in sound.scenes if s is not gone)
        return msgspec.structs.replace(sound, scenes=scenes)


class Panic(_Operation, frozen=True):
    """Silence what rings, and begin every stage anew; the sound stays as it is."""


class Prepare(_Operation, frozen=True):
    """Keep other sounds loaded beside the one that plays, each stage with its identity."""

    sounds: tuple[Sound, ...] = ()

    def apply(self, setup: Setup) -> Setup:
        """The setup after this operation."""
        return msgspec.structs.replace(setup, shelf=self.sounds)


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
Operation = Union[  # noqa: UP007
    Insert,
    Remove,
    Move,
    Swap,
    Set,
    Load,
    Recall,
    KeepScene,
    DropScene,
    Panic,
    Prepare,
    Lane,
    Period,
    UseDevice,
]


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
    if isinstance(operation, Prepare):
        return tuple(stage for sound in operation.sounds for stage in sound.walk())
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
    words = {
        "remove": "take a stage out",
        "move": "move a stage",
        "load": "load a preset",
        "recall": "recall a scene",
        "keepscene": "keep a scene",
        "dropscene": "drop a scene",
        "prepare": "load the setlist",
    }
    kind = type(operation).__name__.lower()
    return words.get(kind, kind)


def macro_turns(sound: Sound, macro: Macro, value: float) -> list[Set]:
    """What a knob of the sound's own sets when it is turned to `value`."""
    return _turns(sound, macro.values(value))


def _turns(sound: Sound, values: Mapping[str, Value]) -> list[Set]:
    """Parameters by their full names as operations; those of stages that are gone are left out.

    Raises
    ------
    ConfigError
        A stage has no identity yet, see :func:`realtime.session.sound.identified`.
    """
    found = []
    for name, value in values.items():
        place, stage, own = placed(sound, name)
        if stage is not None:
            if stage.identity == OWN:
                raise ConfigError(
                    f"the stage of '{name}' has no identity yet: give stages theirs first"
                )
            found.append(Set(stage.identity, own, value))
        elif own in _OWN_NAMES and not place:
            found.append(Set(OWN, own, value))
    return found


def _followed(
    named: Mapping[str, T], before: Sound, after: Sound, swap: Swap | None
) -> dict[str, T]:
    """The names that parameters have after a change of the stages, with what stands by them.

    Those of a stage that is gone are left out; what every stage has stays where one was swapped.
    """
    there = {stage.identity: (place, stage) for place, stage in places(after.stages)}
    values: dict[str, T] = {}
    for name, value in named.items():
        _, stage, own = placed(before, name)
        if stage is None:
            values[name] = value
            continue
        identity = stage.identity
        if swap is not None and swap.identity == identity:
            identity = swap.stage.identity
        place, now = there.get(identity, ("", None))
        same = now is not None and (now.kind, now.name) == (stage.kind, stage.name)
        if now is not None and (same or own in _EVERY):
            values[place + own] = value
    return values


def _number(value: Value) -> float:
    if isinstance(value, str):
        raise ConfigError(f"a number is needed here, got '{value[:80]}'")
    return float(value)


def _with(sound: Sound, stages: tuple[Stage, ...]) -> Sound:
    return msgspec.structs.replace(sound, stages=stages)
