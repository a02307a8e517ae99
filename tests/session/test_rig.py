"""A whole rig in one path against what others make of its parts, one after the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.rig.whole_rig import composition, response, rig
from realtime.models.nam.convert import null_db

from ..signals import Array, noise
from ..sounds import RATE, offline, on_disk, path_of

CABINET_SECONDS = 0.5


def played() -> Array:
    """Noise with pauses in which the gate closes ``[1, n]``."""
    x = noise(RATE, level=0.1)
    x[:, 12_000:24_000] *= 1e-4
    return x


def test_gate_capture_cabinet_equalizer_delay_and_reverb_are_the_composition_of_their_parts(
    tmp_path: Path,
) -> None:
    lib = pytest.importorskip("tests.nam.library", reason="the reference library is not here")
    amp = lib.a1((8, 4))
    capture = on_disk(json.dumps(lib.exported(amp)).encode(), ".nam")
    whole = rig(tmp_path, str(capture), CABINET_SECONDS)
    assert path_of(whole).latency == 0
    x = played()
    found = offline(whole, x)[0, :RATE]
    cabinet = response(CABINET_SECONDS, 1)[0]
    expected = composition(x, lambda y: lib.forward(amp, y), cabinet)
    assert abs(expected).max() > 0.01
    assert abs(expected).max() < 0.8  # the limiter has nothing to do
    assert null_db(found, expected) <= -110.0
