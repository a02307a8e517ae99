"""How a setup stands: parameters as they were last asked for, whoever sent the event."""

from __future__ import annotations

from typing import Any

import msgspec

from ..dsp.dynamics import db_to_gain, gain_to_db
from ..engine.hop import PATH_MIX
from ..engine.path import GAINS, Path
from ..engine.placed import Slot
from ..errors import ConfigError
from ..parameters.parameter import Parameter
from .events import from_event
from .operations import Set
from .sound import Setup, Stage
from .stream import Stream

TRIES = 20  # a controller that sends without a pause must not hold up whoever asks


def standing(setup: Setup, stream: Stream) -> Setup:
    """The setup with what events have set in the path, and with the events that still wait."""
    for _ in range(TRIES):  # until no event went on its way between two of the looks
        marks = stream.memory.events.marks, stream.path.events.marks
        setup_now = _look(setup, stream)
        if marks == (stream.memory.events.marks, stream.path.events.marks):
            break
    return setup_now


def _look(setup: Setup, stream: Stream) -> Setup:
    path, sound = stream.path, setup.sound
    slots = {s.identity: s for s in path.slots()}
    targets = path.record.arrays["targets"]
    own: dict[str, Any] = {"mix": float(targets[PATH_MIX])}
    for name, number in GAINS.items():
        kept, value = getattr(sound, name), float(targets[number])
        own[name] = kept if db_to_gain(kept) == value else round(gain_to_db(value), 6)
    for name in ("bypass", "mute"):
        own[name] = bool(stream.memory.record[name] >= 0.5)
    stages = tuple(_stage(stage, slots) for stage in sound.stages)
    setup = setup.with_sound(msgspec.structs.replace(sound, stages=stages, **own))
    known = parameters(path)
    for _, identity, number, value in (*path.events.waiting(), *stream.memory.events.waiting()):
        found = from_event((identity, number, value), known)
        if found is not None:
            setup = Set(*found).apply(setup)
    return setup


def parameters(path: Path) -> dict[int, list[Parameter]]:
    """The parameters of every stage that is present, by its identity, standing where they do."""
    return {
        slot.identity: [
            p.at(float(value))
            for p, value in zip(
                slot.placed.parameters, slot.placed.record.arrays["targets"], strict=True
            )
        ]
        for slot in path.slots()
        if slot.present
    }


def _stage(stage: Stage, slots: dict[int, Slot]) -> Stage:
    slot = slots.get(stage.identity)
    if slot is None:
        return stage
    group = stage.group
    if group is not None:
        gains = slot.placed.record.arrays["targets"]
        group = tuple(
            msgspec.structs.replace(
                branch, stages=tuple(_stage(s, slots) for s in branch.stages), gain_db=float(gain)
            )
            for branch, gain in zip(group, gains, strict=True)
        )
    return msgspec.structs.replace(
        stage,
        group=group,
        bypass=bool(slot.record["bypass"] >= 0.5),
        mix=float(slot.record["mix"]),
        parameters=stage.parameters if group is not None else _values(stage, slot),
    )


def _values(stage: Stage, slot: Slot) -> dict[str, Any]:
    """A stage's parameters as they stand: those it names, and those that left their default."""
    found = dict(stage.parameters)
    for parameter, value in zip(
        slot.placed.parameters, slot.placed.record.arrays["targets"], strict=True
    ):
        name, value = parameter.name, float(value)
        if name in found:
            try:
                same = parameter.number(found[name]) == value
            except ConfigError:  # a file's own value outside the knob's range
                same = found[name] == value
            found[name] = found[name] if same else value
        elif value != parameter.default:
            found[name] = value
    return found
