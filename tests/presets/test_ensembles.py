"""Ensembles that come with restyle: a player made wide, in a room."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.presets.check import Library
from realtime.presets.files import find_preset, list_presets
from realtime.presets.opening import open_preset
from realtime.session.names import find_knob
from realtime.session.operations import OWN, Set
from realtime.session.render import render
from realtime.session.sound import Setup

from ..models.test_ear import line
from ..signals import Array

LIBRARY = Library()
ENSEMBLES = [e.name for e in list_presets(bundled=True) if e.kind == "ensembles"]
RATE = 48_000


@cache
def played(name: str, knob: str = "", value: float = 0.0, channels: int = 2) -> Array:
    sound, _ = LIBRARY.checked(open_preset(name, LIBRARY).sound)
    if knob:
        sound = Set(OWN, knob, value).apply(Setup(sound)).sound
    x = np.repeat(line()[None, : 3 * RATE], channels, axis=0)
    return render(sound, Clip(np.ascontiguousarray(x), RATE)).samples


def side_db(y: Array) -> float:
    """Level of what differs between the channels over what they share."""
    return float(20 * np.log10(np.std(y[0] - y[1]) / np.std(y[0] + y[1])))


def test_there_are_some_and_each_says_what_it_is_for() -> None:
    assert len(ENSEMBLES) >= 4
    for name in ENSEMBLES:
        preset = open_preset(name, LIBRARY)
        assert "--in-map 1,1" in preset.note
        assert [s.name for s in preset.sound.stages][1:] == ["Widener", "Reverb"]
        assert find_preset(name).parent.name == "ensembles"


@pytest.mark.parametrize("name", ENSEMBLES)
def test_an_ensemble_is_as_wide_as_its_knob_says_and_whole_in_mono(name: str) -> None:
    widths = [side_db(played(name, "width", value)) for value in (0.0, 0.5, 1.0)]
    assert widths == sorted(widths) and widths[2] > -8.0 > widths[0] + 6.0
    narrow, wide = (played(name, "width", value).sum(axis=0) for value in (0.0, 1.0))
    assert 20 * np.log10(np.std(wide - narrow) / np.std(narrow)) < -20.0  # but for the room
    assert played(name, channels=1).any()


@pytest.mark.parametrize("name", ENSEMBLES)
def test_every_knob_of_an_ensemble_changes_it_from_where_it_stands(name: str) -> None:
    sound, known = LIBRARY.checked(open_preset(name, LIBRARY).sound)
    assert 2 <= len(sound.macros) <= 4
    level = np.std(played(name))
    for macro in sound.macros:
        assert find_knob(sound, known, macro.name).parameter.value == pytest.approx(macro.default)
        at = played(name, macro.name, macro.default)
        assert np.abs(at - played(name)).max() < 1e-3 * level
        least, most = (played(name, macro.name, end) for end in (0.0, 1.0))
        assert np.std(most - least) > 0.05 * level
