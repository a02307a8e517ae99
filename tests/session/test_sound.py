"""What a sound and a device can be, and the one fold of every operation."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from realtime.errors import ChainError, ConfigError, RestyleError
from realtime.session.operations import (
    Insert,
    Lane,
    Load,
    Move,
    Operation,
    Remove,
    Set,
    Swap,
    UseDevice,
)
from realtime.session.sound import Branch, Device, Setup, Sound, Stage

from ..sounds import effect, group, sound


@pytest.mark.parametrize(
    ("kind", "settings", "says"),
    [
        (Device, {"lane": "inlin"}, "did you mean 'inline'"),
        (Device, {"worker_blocks": 0}, "worker_blocks must be a whole number within"),
        (Sound, {"mix": 1.5}, "mix must be a number within 0..1, got 1.5"),
        (Sound, {"mix": float("nan")}, "mix must be a number within"),
        (Sound, {"input_gain_db": 30.0}, "input_gain_db must be a number within"),
        (Sound, {"output_gain_db": float("-inf")}, "output_gain_db must be a number within"),
        (Stage, {"effect": "Gain", "mix": -0.1}, "stage_mix must be a number within 0..1"),
        (Stage, {"effect": "Gain", "model": "tape"}, "exactly one of"),
        (Stage, {}, "exactly one of"),
    ],
)
def test_values_out_of_range_are_refused_with_the_range(
    kind: Any, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        kind(**settings)
    assert isinstance(caught.value, RestyleError)


def test_groups_in_groups_have_a_depth() -> None:
    deep = effect("Gain")
    for _ in range(4):
        deep = group([deep])
    sound(deep)
    with pytest.raises(ConfigError, match="at most 4 deep"):
        sound(group([deep]))


A, B, C = (effect(name) for name in ("Gain", "Reverb", "Chorus"))
INNER = group([effect("Delay")], Branch((), -6.0))
#: identities: Gain 1, group 2, Delay inside it 3, Reverb 4
START = Setup(sound(A, INNER, B))
NEW = effect("Chorus", identity=9)


def names(setup: Setup) -> list[str]:
    return [s.name for s in setup.sound.walk()]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (Insert(NEW, 0), ["Chorus", "Gain", "group", "Delay", "Reverb"]),
        (Insert(NEW), ["Gain", "group", "Delay", "Reverb", "Chorus"]),
        (Insert(NEW, 99, group=2, branch=0), ["Gain", "group", "Delay", "Chorus", "Reverb"]),
        (Insert(NEW, 0, group=2, branch=1), ["Gain", "group", "Delay", "Chorus", "Reverb"]),
        (Remove(1), ["group", "Delay", "Reverb"]),
        (Remove(3), ["Gain", "group", "Reverb"]),
        (Remove(2), ["Gain", "Reverb"]),
        (Move(1, 1), ["group", "Delay", "Gain", "Reverb"]),
        (Move(4, 0), ["Reverb", "Gain", "group", "Delay"]),
        (Move(1, 99), ["group", "Delay", "Reverb", "Gain"]),
        (Swap(1, NEW), ["Chorus", "group", "Delay", "Reverb"]),
        (Swap(3, NEW), ["Gain", "group", "Chorus", "Reverb"]),
        (Load(Sound(stages=(NEW,))), ["Chorus"]),
    ],
)
def test_lists_after_an_operation(operation: Operation, expected: list[str]) -> None:
    assert names(operation.apply(START)) == expected
    assert names(START) == ["Gain", "group", "Delay", "Reverb"]
    assert operation.apply(START).device == START.device


def test_values_after_an_operation() -> None:
    one = Set(1, "gain_db", 3.0).apply(START).sound.find(1)
    assert one is not None and one.parameters == {"gain_db": 3.0}
    two = Set(3, "bypass", True).apply(START).sound.find(3)
    assert two is not None and two.bypass
    three = Set(2, "2.gain_db", -9.0).apply(START).sound.find(2)
    assert three is not None and three.group is not None and three.group[1].gain_db == -9.0
    assert Set(0, "mix", 0.25).apply(START).sound.mix == 0.25
    assert Set(0, "bypass", 1).apply(START).sound.bypass is True
    assert Lane("worker").apply(START).device.lane == "worker"
    assert UseDevice(Device(input="mic")).apply(START).device.input == "mic"


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        (Remove(7), "there is no stage 7"),
        (Remove(0), "there is no stage 0"),
        (Move(7, 0), "there is no stage 7"),
        (Swap(7, NEW), "there is no stage 7"),
        (Insert(NEW, group=1), "stage 1 has no branch 0"),
        (Insert(NEW, group=2, branch=5), "stage 2 has no branch 5"),
        (Set(0, "mixx", 0.5), "no parameter 'mixx'"),
        (Set(0, "mix", 1.1), "mix must be a number within 0..1"),
        (Set(0, "output_gain_db", 25.0), "output_gain_db must be a number within"),
        (Set(2, "3.gain_db", 0.0), "no parameter '3.gain_db'"),
        (Set(2, "gain_db", 0.0), "no parameter 'gain_db'"),
        (Set(1, "stage_mix", 2.0), "stage_mix must be a number within"),
        (Set(1, "bypass", "yes"), "a number is needed here"),
        (Lane("fast"), "lane must be one of"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(operation: Operation, says: str) -> None:
    with pytest.raises((ChainError, ConfigError), match=says) as caught:
        operation.apply(START)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "operation", [Insert(NEW, 1, 2, 1), Swap(1, NEW), Move(1, 2), Set(1, "gain_db", 2.0)]
)
def test_operations_and_setups_survive_json(operation: Operation) -> None:
    assert msgspec.json.decode(msgspec.json.encode(operation), type=Operation) == operation
    assert msgspec.json.decode(msgspec.json.encode(START), type=Setup) == START
