"""The command that measures tuner and looper, on less."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.measures import tools
from benchmarks.rig.strings import STRINGS

from ..signals import sine


def test_a_string_is_shown_in_time_and_in_tune() -> None:
    row = tools.string_row(STRINGS[0])
    assert row["first_ms"] <= 150
    assert row["first_cents"] <= 1.0 and row["steady_cents"] <= 1.0


@pytest.mark.parametrize("tempo", [120.0, 97.3])
def test_a_loop_does_not_drift(tempo: float) -> None:
    row = tools.loop_row(tempo, 48000, 60.0)
    assert row["rounds"] >= 20
    assert row["differing"] == row["drift"] == row["clicks_off"] == 0


def test_the_reference_for_recordings_knows_a_tones_pitch() -> None:
    tone = sum(sine(12000, 110.0 * n, 0.2 / n) for n in (1, 2, 3, 4))[0]
    pitch, apart = tools.partials(np.asarray(tone, np.float32), 109.7)
    assert tools.cents(pitch, 110.0) == pytest.approx(0.0, abs=0.3) and apart < 0.3
