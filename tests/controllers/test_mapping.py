from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ControlError
from realtime.parameters.mapping import MidiMapping
from realtime.parameters.parameter import Parameter

KNOB = Parameter("cutoff", 20.0, 20000.0, unit="Hz")


def cc(**more) -> MidiMapping:
    return MidiMapping(cc=1, parameter="cutoff", **more)


def test_ends_and_middle_of_both_curves() -> None:
    assert [cc().value(p, KNOB) for p in (0, 0.5, 1)] == [20.0, 10010.0, 20000.0]
    log = cc(curve="log")
    assert [log.value(p, KNOB) for p in (0, 1)] == [20.0, 20000.0]
    assert log.value(0.5, KNOB) == pytest.approx(math.sqrt(20 * 20000))


def test_a_range_of_its_own_may_run_backwards() -> None:
    mapping = cc(low=1000.0, high=100.0)
    assert [mapping.value(p, KNOB) for p in (0, 0.5, 1)] == [1000.0, 550.0, 100.0]


def test_switches_have_two_positions_and_choices_whole_numbers() -> None:
    switch = Parameter("on", kind="switch")
    assert [cc().value(p / 127, switch) for p in (0, 63, 64, 127)] == [0, 0, 1, 1]
    choice = Parameter("wave", maximum=3.0, kind="categorical")
    assert {cc().value(p / 127, choice) for p in range(128)} == {0, 1, 2, 3}


@given(
    st.floats(0, 1), st.floats(20, 20000), st.floats(20, 20000), st.sampled_from(["linear", "log"])
)
def test_values_stay_between_the_ends(at: float, low: float, high: float, curve: str) -> None:
    value = cc(low=low, high=high, curve=curve).value(at, KNOB)
    assert min(low, high) <= value <= max(low, high)


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (
            cc(low=10.0),
            r"controller 1: low must be within 20\.\.20000, the range",
        ),
        (cc(high=1e6, channel=3), "controller 1 on channel 3: high must be"),
    ],
)
def test_ends_outside_the_parameters_range_are_refused(mapping: MidiMapping, says: str) -> None:
    with pytest.raises(ControlError, match=says):
        mapping.value(0.5, KNOB)


def test_a_log_curve_through_zero_is_refused() -> None:
    with pytest.raises(ControlError, match="a log curve needs both ends above 0"):
        cc(curve="log").value(0.5, Parameter("mix"))


def test_a_source_is_heard_on_its_channel_and_port_alone() -> None:
    mapping = cc(channel=2, port="nano")
    assert mapping.covers("cc", 1, 2, "nanoKONTROL2 20:0")
    assert not mapping.covers("cc", 1, 1, "nanoKONTROL2 20:0")
    assert not mapping.covers("cc", 1, 2, "keys")
    assert not mapping.covers("note", 1, 2, "nano")
    assert cc().covers("cc", 1, 16, "any")
