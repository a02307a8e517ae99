"""The host keeps the sound: an engine that dies, hangs, fails or is too slow."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ConfigError, RestyleError
from realtime.session.operations import Insert, Remove, Swap
from realtime.session.sound import Stage

from .. import plugins
from ..graphs import fir_model
from ..networks import brittle_model, failing_model, slow_model
from ..signals import sine
from .cards import RATE, playing


@pytest.fixture
def half(tmp_path: Path) -> Path:
    path = tmp_path / "half.onnx"
    path.write_bytes(fir_model(np.array([0.5, 0.0], dtype=np.float32)))
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_killed_engine_is_replaced_with_the_session_as_it_was(half: Path) -> None:
    with playing(half, standby=True) as played:
        host = played.host
        host.set("output_gain_db", -6.0)
        host.set("mix", 0.5)
        stage = played.insert(effect="Gain", parameters={"gain_db": -6.0})
        played.until(lambda: host.standby_ready, 60)
        level = 0.3 * (0.5 * 0.5 * 10 ** (-6 / 20) + 0.5) * 10 ** (-6 / 20)
        played.settles(level)
        before = played.tape.position
        os.kill(host.link.process.pid or 0, signal.SIGKILL)
        played.until(lambda: host.incidents)
        played.play_on(1.0)
        # dead for a moment (how long is measured by: restyle bench recovery), then as it was
        assert played.silences(before - 4800).max() < 20 * RATE
        assert [i.left_out for i in host.incidents] == [None]
        assert "it died" in played.told[-1]
        assert host.setup.sound.stages[1].identity == stage
        # the stage is under suspicion for a moment if it happened to run at the end
        played.settles(level, seconds=60)
        assert np.abs(played.tape.recording).max() <= 1.0
        assert host.stats()["restarts"] == 1


def test_a_model_that_gives_nan_is_heard_no_more_than_finite(tmp_path: Path) -> None:
    x = sine(RATE * 20, 220.0, 0.3)
    x[0, 24_000::24_000] = -0.9  # below -0.5 its state becomes NaN
    with playing(written(tmp_path / "brittle.onnx", brittle_model()), x) as played:
        played.play_on(2.0)
        stats = played.host.stats()
        y = played.tape.recording
        assert stats["path"]["resets"] >= 2
        assert np.isfinite(y).all()
        assert np.abs(y).max() <= 1.0
        assert played.host.incidents == []


def test_a_model_that_fails_leaves_the_dry_sound_and_is_named(tmp_path: Path) -> None:
    x = sine(RATE * 20, 220.0, 0.3)
    x[0, 24_000] = 1.5
    with playing(written(tmp_path / "failing.onnx", failing_model()), x) as played:
        played.until(lambda: any("fails to run" in t for t in played.told))
        played.play_on(0.5)
        assert played.host.incidents == []
        assert np.abs(played.tape.recording).max() <= 1.0


def test_a_model_ten_times_too_slow_rests_and_the_dry_sound_plays(tmp_path: Path) -> None:
    path = written(tmp_path / "slow.onnx", slow_model(rounds=3))
    with playing(path, lane="inline") as played:
        played.until(lambda: any("too slow" in t for t in played.told), 30)
        played.play_on(1.5)
        stats = played.host.stats()
        y = played.tape.recording
        # rests within a few hops each time; in the worker lane its lateness is concealed
        assert stats["lane"] == "worker"
        assert stats["path"]["errors"] == 0
        assert np.abs(y[:, -RATE // 2 :]).max() > 0.1
        assert np.abs(y).max() <= 1.0
        assert played.silences().max() < RATE


def test_a_slimmer_variant_takes_the_place_of_a_model_that_is_too_slow(tmp_path: Path) -> None:
    path = written(tmp_path / "heavy.onnx", slow_model(rounds=3))
    written(tmp_path / "heavy-lite.onnx", fir_model(np.array([0.25, 0.0], dtype=np.float32)))
    with playing(path, lane="inline") as played:
        played.until(lambda: any("'heavy-lite' plays instead" in t for t in played.told), 30)
        played.settles(0.075)


def test_what_is_refused_changes_nothing(half: Path, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.onnx", b"not a model")
    with playing(half) as played:
        host, before = played.host, played.host.setup
        for operation, says in (
            (Swap(1, Stage(model=str(bad), identity=9)), "bad.onnx"),
            (Swap(1, Stage(model=str(tmp_path / "gone.onnx"), identity=9)), "no model file"),
            (Remove(99), "no stage 99"),
            (Insert(Stage(effect="Gain", identity=9), 0, group=1), "has no branch"),
            (Insert(Stage(effect="Gainn", identity=9)), "did you mean 'Gain'"),
        ):
            with pytest.raises(RestyleError, match=says):
                host.do(operation)
        for name, value, says in (
            ("mixx", 0.5, "did you mean 'mix'"),
            ("mix", 1.5, "within 0..1"),
            ("2.room_size", 0.5, "unknown parameter"),
        ):
            with pytest.raises(ConfigError, match=says):
                host.set(name, value)
        assert host.setup == before
        played.play_on()
        assert host.incidents == []
        played.settles(0.15)


def test_the_card_ends_without_a_restart(half: Path) -> None:
    with playing(half, sine(RATE // 2, 220.0, 0.3), paced=False) as played:
        played.until(lambda: played.host.link.ended)
        assert played.host.incidents == []


@pytest.mark.parametrize(("key", "ends"), [("crasher", "it died"), ("hanger", "a stage hangs")])
def test_a_plugin_that_ends_the_engine_twice_is_left_out_and_named(
    half: Path, bundle: Callable[[str], Path], own_cache: Path, key: str, ends: str
) -> None:
    with playing(half, standby=True) as played:
        host = played.host
        played.insert(effect="Gain", parameters={"gain_db": -6.0})
        played.insert(plugin=str(bundle(key)))
        played.until(lambda: host.standby_ready, 60)
        played.play_on()
        before = played.tape.position
        host.set("3.trouble", 1.0)
        played.until(lambda: len(host.incidents) == 2, 150)
        played.play_on(0.5)
        first, second = host.incidents
        assert ends in first.reason, played.told
        assert (first.left_out, second.left_out) == (None, host_name(key))
        assert [s.name for s in host.setup.sound.stages] == ["half", "Gain"]
        assert f"'{host_name(key)}' is left out" in played.told[-1]
        # each time the sound came back
        assert played.silences(before).max() < 20 * RATE
        assert np.abs(played.tape.recording).max() <= 1.0
        played.settles(0.15 * 10 ** (-6 / 20))


def host_name(key: str) -> str:
    return plugins.RECIPES[key].name


def test_a_latency_a_plugin_does_not_state_is_told(
    half: Path, bundle: Callable[[str], Path], own_cache: Path
) -> None:
    with playing(half) as played:
        late = {"delay_samples": 300, "honest": False}
        played.insert(plugin=str(bundle("delay")), parameters=late)
        played.until(lambda: any("its sound begins after 300" in t for t in played.told))


def test_a_plugin_with_other_outputs_plays_and_what_is_not_connected_is_told(
    half: Path, bundle: Callable[[str], Path], own_cache: Path
) -> None:
    with playing(half) as played:
        number = played.insert(plugin=str(bundle("splitter")), parameters={"gain_db": -6.0})
        played.until(lambda: any("outputs 2 to 6 of 6 are not connected" in t for t in played.told))
        played.settles(0.15 * 10 ** (-6 / 20))
        assert played.host.setup.sound.stages[1].identity == number
        played.host.set("2.gain_db", 0.0)
        played.settles(0.15)


@pytest.mark.parametrize("key", ["crashes on load", "hangs on load"])
def test_a_plugin_that_cannot_be_loaded_is_refused_and_the_sound_goes_on(
    half: Path, bundle: Callable[[str], Path], own_cache: Path, key: str
) -> None:
    with playing(half) as played:
        with pytest.raises(RestyleError, match="restyle scan --retry"):
            played.insert(plugin=str(bundle(key)))
        played.play_on()
        assert played.host.incidents == []
        assert played.silences().max() < 4800
