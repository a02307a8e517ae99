"""Sounds with effects, built and rendered."""

from __future__ import annotations

import numpy as np
import pedalboard
import pytest

from realtime.audio_files import Clip
from realtime.errors import ConfigError, RestyleError
from realtime.session.builder import Builder
from realtime.session.render import render
from realtime.session.sound import Branch, Sound, Stage
from realtime.stages.effects import EffectStage
from realtime.stages.native.stage import NativeEffect
from realtime.stages.ranges import NATIVE_RANGES, RANGES, useful_defaults

from ..signals import noise, sine

RATE = 48000
GATE = Stage(effect="NoiseGate", parameters={"threshold_db": -40.0}, identity=1)


def test_effects_are_native_unless_pedalboards_are_asked_for() -> None:
    builder = Builder(1, RATE, 64)
    other = Stage(effect="NoiseGate", engine="pedalboard", identity=2)
    assert builder.shape([GATE]).native
    assert not builder.shape([GATE, other]).native
    assert not builder.shape([Stage(effect="Resample")]).native
    path = builder.path(Sound((GATE, other)))
    kinds = [type(slot.stage) for slot in path.slots()]
    assert kinds == [NativeEffect, EffectStage]
    path.close()


def test_the_engine_is_a_key_of_effects() -> None:
    with pytest.raises(ConfigError, match="engine belongs to an effect"):
        Stage(model="m", engine="native")
    with pytest.raises(RestyleError, match="no native effect 'Resample'"):
        Builder(1, RATE).path(Sound((Stage(effect="Resample", engine="native"),)))


def test_both_engines_render_the_same_sound() -> None:
    clip = Clip(noise(RATE, 2, 0.3), RATE)
    values = {"threshold_db": -20.0}
    own, other = (
        render(Sound((Stage(effect="NoiseGate", engine=e, parameters=values),)), clip).samples
        for e in ("native", "pedalboard")
    )
    assert np.abs(own - other).max() < 1e-5


@pytest.mark.parametrize("name", sorted(RANGES))
def test_useful_values_are_within_the_ranges(name: str) -> None:
    known = {p.name: p for p in NATIVE_RANGES.get(name, RANGES[name])}
    for key, value in useful_defaults(name).items():
        assert known[key].number(value) == value


@pytest.mark.parametrize("name", ["PitchShift", "GSMFullRateCompressor"])
def test_an_effect_that_needs_the_whole_clip_works_in_render_alone(name: str) -> None:
    values = {"semitones": 4.0} if name == "PitchShift" else {}
    whole = Stage(effect=name, parameters=values)
    with pytest.raises(RestyleError, match="cannot stream"):
        Builder(1, RATE).path(Sound((whole,)))
    clip = Clip(sine(RATE, 440.0, 0.3), RATE)
    found = render(Sound((whole,)), clip).samples
    expected = getattr(pedalboard, name)(**values).process(clip.samples, RATE)
    assert found.shape == clip.samples.shape
    assert np.abs(found - expected[:, :RATE]).max() < 1e-6


def test_stages_around_one_play_as_ever() -> None:
    louder = Stage(effect="Gain", parameters={"gain_db": 20.0})
    softer = Stage(effect="Gain", parameters={"gain_db": -20.0})
    passed = Stage(effect="PitchShift", bypass=True)
    x = noise(RATE, level=0.5)
    sound = Sound((louder, passed, softer), input_gain_db=-6.0, output_gain_db=3.0, mix=0.5)
    found = render(sound, Clip(x, RATE)).samples
    assert np.abs(found - x * 10 ** (-3 / 20)).max() < 1e-5


def test_one_inside_a_group_is_refused() -> None:
    group = Stage(group=(Branch((Stage(effect="PitchShift"),)),))
    with pytest.raises(RestyleError, match="cannot stream"):
        render(Sound((group,)), Clip(noise(RATE), RATE))
