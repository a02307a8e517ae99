"""`bench recovery`: its clocks on sound made by hand, then one small run of the real thing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures import recovery
from benchmarks.measures.recovery import LEVEL, PERIOD, RATE
from benchmarks.rig import faults
from realtime.errors import ConfigError
from realtime.models.streaming import load_model


def test_silence_is_measured_to_the_sample() -> None:
    y = recovery.sine(0.5)
    assert recovery.longest_silence(y) <= 1000 / RATE
    y[6000 : 6000 + 4800] = 0.0
    assert recovery.longest_silence(y) == pytest.approx(100.0, abs=1.5 * 1000 / RATE)
    assert recovery.longest_silence(np.zeros(4800, np.float32)) == pytest.approx(100.0)


def test_levels_do_not_heed_single_samples() -> None:
    y = recovery.sine(0.1)
    y[::PERIOD] = 1.0
    assert recovery.levels(y) == pytest.approx(np.full(len(y) // PERIOD, LEVEL), rel=0.03)


def test_when_a_level_comes_to_stay() -> None:
    y = recovery.sine(0.4)
    y[: RATE // 5] *= 0.5
    start = RATE // 10 // PERIOD * PERIOD
    ms = recovery.first_at(y, start, LEVEL)
    assert ms == pytest.approx(100.0, abs=1000 * PERIOD / RATE)
    assert recovery.first_at(y, start, LEVEL / 2) == 0.0
    assert recovery.first_at(y, start, 0.9) is None


@pytest.mark.parametrize("content", [faults.broken_model(), faults.slow_model(3)])
def test_the_faulty_models_halve_until_they_are_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "faulty.onnx"
    path.write_bytes(content)
    model = load_model(path)
    x = np.random.default_rng(1).uniform(-0.5, 0.5, model.x.shape).astype(np.float32)
    assert model.step(x) == pytest.approx(x / 2, abs=1e-6)
    told = x.copy()
    told.flat[7] = 1.0
    broken = content == faults.broken_model()
    assert np.isfinite(model.step(told)).all() != broken
    assert np.isfinite(model.step(x)).all() != broken  # for ever
    model.reset()
    assert model.step(x) == pytest.approx(x / 2, abs=1e-6)


def test_a_model_that_gives_nan_is_left_and_comes_back(tmp_path: Path) -> None:
    dry, back = recovery.gone_wrong(tmp_path, 1)
    assert len(dry) == len(back) == 1
    assert 0.0 <= dry[0] < back[0] < 1000.0 * recovery.NAN_EVERY_S


def test_a_killed_engine_is_silent_for_as_long_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(faults.broken_model())
    (silent,) = recovery.killed(path, 1, standby=False)
    assert 10.0 < silent < 30_000.0


def test_what_never_comes_back_is_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recovery, "killed", lambda *a: [120.0])
    monkeypatch.setattr(recovery, "too_slow", lambda *a: ([8.0], []))
    monkeypatch.setattr(recovery, "gone_wrong", lambda *a: ([5.0], [60.0]))
    path = tmp_path / "recovery.json"
    assert recovery.main(["--kills", "1", "--rounds", "1", "--json", str(path)]) == 1
    rows = json.loads(path.read_text())["tables"]["recovery"]
    assert [r["verdict"] for r in rows] == ["ok", "ok", "ok", "1 never", "ok", "ok"]
    with pytest.raises(ConfigError, match="--kills must be within"):
        recovery.main(["--kills", "0"])
