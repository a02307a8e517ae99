"""`bench edits` and `bench capture` find what is planted, and nothing where nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.measures import capture, day, edits, far
from realtime.devices.simulated import SimulatedDevice
from realtime.errors import ConfigError
from realtime.host.replay import Replay, replay

from ..graphs import fir_model

AT = int(2.13 * edits.RATE)  # somewhere after the twenty-first edit


class ClickingDevice(SimulatedDevice):
    """Plays one sample that jumps by so much."""

    jump = 0.2

    def played(self, begin: int, end: int) -> edits.Array:
        sound = super().played(begin, end).copy()
        if begin <= AT < end:
            sound[:, AT - begin] += self.jump
        return sound


@pytest.fixture
def models(tmp_path: Path) -> list[str]:
    made = []
    for name, gain in (("loud", 1.2), ("turned", -0.7)):
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(fir_model(np.array([gain, 0.0], dtype=np.float32)))
        made.append(str(path))
    return made


def test_a_clean_run_of_edits_has_no_click(models: list[str]) -> None:
    found = edits.run(0.06, models, seed=3)
    assert found.clicks == [] and found.wrong_latency == 0
    assert sum(found.edits.values()) > 20


def test_a_planted_click_is_found_where_it_is(
    models: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits, "SimulatedDevice", ClickingDevice)
    found = edits.run(0.06, models, seed=3)
    (click,) = found.clicks
    position, _, jump, bound = click
    assert abs(position - AT) <= 1
    assert jump > bound and jump == pytest.approx(0.3, abs=0.05)  # there and back: 0.2 + 0.2 / 2


def test_a_click_is_an_exit_code_and_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(edits, "SimulatedDevice", ClickingDevice)
    path = tmp_path / "edits.json"
    assert edits.main(["--minutes", "0.1", "--seed", "3", "--json", str(path)]) == 1
    rows = {r["what"]: r["value"] for r in json.loads(path.read_text())["tables"]["edits"]}
    assert rows["clicks"] == 1
    assert "click at" in capsys.readouterr().out
    with pytest.raises(ConfigError, match="--minutes must be within"):
        edits.main(["--minutes", "0"])


def with_one_sample_changed(folder: Path) -> Replay:
    path = folder / "output.wav"
    samples, rate = soundfile.read(path, dtype="float32")
    samples[len(samples) // 2] += 1e-4
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return replay(folder)


def with_the_changes_forgotten(folder: Path) -> Replay:
    path = folder / "session.json"
    session = json.loads(path.read_text())
    session["changes"] = []
    path.write_text(json.dumps(session))
    return replay(folder)


@pytest.fixture
def small(models: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Light models, and no effects: the session is over in a moment."""
    styles = dict(zip(capture.STYLES, models * 2, strict=True))
    monkeypatch.setattr(capture, "find_model", lambda name: Path(styles[name]))
    monkeypatch.setattr(capture, "EFFECTS", ("Gain",))


def test_a_capture_of_a_session_with_edits_has_no_difference(small: None, tmp_path: Path) -> None:
    found = capture.run(0.12, 2, tmp_path / "session")
    assert found["samples that differ"] == 0
    assert found["edits"] > 2 and found["crossfades and edits of the path among them"] >= 1
    assert found["samples compared"] > 4 * capture.RATE


def test_one_planted_sample_is_found(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "replay", with_one_sample_changed)
    assert capture.run(0.12, 2, tmp_path / "session")["samples that differ"] == 1


def test_changes_that_are_not_replayed_are_an_exit_code(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "replay", with_the_changes_forgotten)
    path = tmp_path / "capture.json"
    assert capture.main(["--minutes", "0.12", "--seed", "2", "--json", str(path)]) == 1
    rows = {r["what"]: r["value"] for r in json.loads(path.read_text())["tables"]["capture"]}
    assert rows["samples that differ"] > 100
    with pytest.raises(ConfigError, match="--minutes must be within"):
        capture.main(["--minutes", "0"])


@pytest.mark.parametrize("lane", ["inline", "worker"])
def test_half_a_day_and_a_day_change_no_sample_and_no_count(models: list[str], lane: str) -> None:
    rows = far.run(1.5, models, 3, (lane,))
    assert [r["verdict"] for r in rows] == ["ok", "ok"], rows
    assert all(r["edits"] > 20 and r["swaps"] > 3 and r["recorded"] > 1.0 for r in rows)


@pytest.mark.parametrize("lane", ["inline", "worker"])
def test_a_day_is_the_same_again_and_recorded_as_played(
    models: list[str], lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("HOUR", 40), ("TAKE", 10), ("BUSY", 10)):
        monkeypatch.setattr(day, name, seconds)
    first = day.live(lane, 4, models, tmp_path, 2)
    again = day.live(lane, 4, models, tmp_path, 2, first)
    assert again.stretches == first.stretches and len(set(first.stretches)) > 10
    for lived in (first, again):
        assert (lived.recorded, lived.wrong, lived.counts) == (10 * day.RATE, 0, 0)
        assert len(lived.memory) == 1
    first.asked[20], first.asked[30] = first.asked[30], first.asked[20]
    assert day.live(lane, 4, models, tmp_path, 2, first).stretches != first.stretches
