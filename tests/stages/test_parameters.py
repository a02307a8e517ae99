from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from realtime.errors import ChainError, RestyleError
from realtime.parameters.parameter import CATEGORICAL, Parameter, find_parameter
from realtime.stages.build import make_effect
from realtime.stages.effects import EffectStage
from realtime.stages.pedals import effect_names, make_plugin, property_names
from realtime.stages.ranges import PEDALBOARD, RANGES

from ..signals import Array, noise
from .test_effects import RATE, blockwise

OFFLINE = {"PitchShift", "GSMFullRateCompressor"}  # refused when a stream opens
READ_ONLY = {"impulse_response", "impulse_response_filename"}
EVERY = [(name, p) for name in sorted(RANGES) for p in RANGES[name]]
# settings under which the parameter named can be heard
GROUND: dict[str, dict[str, Any]] = {
    "Bitcrush": {},
    "Chorus": {"feedback": 0.3},
    "Compressor": {"threshold_db": -40.0, "ratio": 8.0},
    "Delay": {"delay_seconds": 0.01, "feedback": 0.3},
    "HighShelfFilter": {"gain_db": 10.0},
    "LowShelfFilter": {"gain_db": 10.0},
    "NoiseGate": {"threshold_db": -12.0},
    "PeakFilter": {"gain_db": 10.0},
    "Phaser": {"feedback": 0.3},
    "Limiter": {"threshold_db": -30.0},
    "BrickwallLimiter": {"ceiling_db": -20.0},
}


def made(name: str, **parameters: Any) -> EffectStage:
    if name == "Convolution":
        room = noise(400, level=0.1)[0]
        parameters = {"impulse_response_filename": room, "sample_rate": RATE, **parameters}
    return EffectStage(make_plugin(name, {**GROUND.get(name, {}), **parameters}), name)


def extremes(parameter: Parameter) -> tuple[Any, Any]:
    if parameter.kind == CATEGORICAL:
        return parameter.choices[0], parameter.choices[-1]
    return parameter.minimum, parameter.maximum


def get(subject: EffectStage, name: str) -> float:
    return subject.get_value(find_parameter(subject.parameters(), name))


def turn(subject: EffectStage, name: str, value: Any) -> None:
    """Set a parameter while sound runs."""
    parameters = subject.parameters()
    parameter = find_parameter(parameters, name)
    number = parameters.index(parameter)
    if not subject.turn(number, parameter.number(value)):
        subject.take(number, parameter.number(value))


def loud_and_soft() -> Array:
    x = noise(128 * 120, channels=2, level=0.5)
    return x * np.repeat([1.0, 0.05, 1.0, 0.2], 128 * 30).astype(np.float32)


def test_every_effect_that_can_stream_has_ranges_for_all_it_can_set() -> None:
    assert set(effect_names()) - OFFLINE == set(RANGES)
    for name, parameters in RANGES.items():
        assert {p.name for p in parameters} == set(property_names(name)) - READ_ONLY, name


@pytest.mark.parametrize(("name", "parameter"), EVERY, ids=[f"{n}-{p.name}" for n, p in EVERY])
def test_defaults_are_pedalboards_and_both_ends_read_back(name: str, parameter: Parameter) -> None:
    plain = EffectStage(make_plugin(name, {})) if name != "Convolution" else made(name)
    assert get(plain, parameter.name) == pytest.approx(parameter.default)
    assert parameter.minimum < parameter.maximum
    for value in extremes(parameter):
        plain.set_parameter(parameter.name, value)
        assert get(plain, parameter.name) == pytest.approx(parameter.number(value))


@pytest.mark.parametrize(
    ("name", "parameter"),
    [(n, p) for n, p in EVERY if p.live],
    ids=[f"{n}-{p.name}" for n, p in EVERY if p.live],
)
def test_every_live_parameter_is_heard_when_it_is_set_in_mid_stream(
    name: str, parameter: Parameter
) -> None:
    first, other = extremes(parameter)
    x = loud_and_soft()
    results = []
    for later in (first, other):
        subject = made(name)
        subject.set_parameter(parameter.name, first)
        subject.prepare(RATE, 2, 128)
        blockwise(subject, x)
        turn(subject, parameter.name, later)
        results.append(blockwise(subject, x))
        assert np.isfinite(results[-1]).all()
    assert np.abs(results[1] - results[0]).max() > 1e-4


@pytest.mark.parametrize(("name", "parameter"), [(n, p) for n, p in EVERY if not p.live])
def test_what_changes_the_latency_is_not_set_in_mid_stream(name: str, parameter: Parameter) -> None:
    subject = made(name)
    subject.prepare(RATE, 1, 128)
    before = get(subject, parameter.name)
    turn(subject, parameter.name, extremes(parameter)[0])
    blockwise(subject, noise(128 * 60))
    assert get(subject, parameter.name) == before


@pytest.mark.parametrize(
    ("name", "parameter", "value", "says"),
    [
        ("Gain", "gain", 0.0, "effect Gain has no parameter 'gain'; did you mean 'gain_db'"),
        ("Gain", "gain_db", 30.0, r"gain_db must be within -80..24 dB, got 30"),
        ("Gain", "gain_db", True, "must be a number, got true"),
        ("Gain", "gain_db", float("inf"), "must be a number, got inf"),
        ("Reverb", "room_size", -0.1, "within 0..1, got -0.1"),
        ("LadderFilter", "mode", "LPF13", "one of LPF12, .* did you mean 'LPF12'"),
        ("BrickwallLimiter", "true_peak", 3, "must be true or false, got 3"),
        ("Invert", "mix", 1.0, "it has none"),
        ("PitchShift", "semitones", 1.0, "it has none"),
    ],
)
def test_wrong_names_and_values_are_one_sentence(
    name: str, parameter: str, value: Any, says: str
) -> None:
    subject = made(name)
    with pytest.raises(RestyleError, match=says) as caught:
        subject.set_parameter(parameter, value)
    assert "\n" not in str(caught.value)


def test_choices_are_given_by_word_or_place_and_switches_as_truth_or_number() -> None:
    for given in ("HPF24", 4, 4.0):
        assert get(make_effect("LadderFilter", {"mode": given}, PEDALBOARD), "mode") == 4.0
    for given in (True, 1, 1.0):
        assert (
            get(make_effect("BrickwallLimiter", {"true_peak": given}, PEDALBOARD), "true_peak")
            == 1.0
        )
    with pytest.raises(ChainError, match="LadderFilter refuses"):
        made("LadderFilter", mode="HPF25")
