"""On stage: setlist, scenes, two sounds compared, tempo, panic."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.dsp.loudness import loudness
from realtime.errors import RestyleError
from realtime.host.surface import HostSurface, PatientSurface
from realtime.host.tempo import TapTempo, set_tempo
from realtime.parameters.parameter import Parameter
from realtime.presets.files import save_preset
from realtime.presets.format import Preset
from realtime.presets.setlist import save_setlist
from realtime.session.render import render
from realtime.session.sound import Scene, Sound, Stage

from .cards import Played, playing


def gain(db: float, **more) -> Sound:
    return Sound((Stage(effect="Gain", parameters={"gain_db": db}),), **more)


LEVELS = {"soft": -20.0, "middle": -12.0, "loud": -6.0}


@pytest.fixture
def presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTYLE_PRESETS", str(tmp_path / "presets"))
    for name, db in LEVELS.items():
        save_preset(name, Preset(sound=gain(db)))
    save_setlist("gig", list(LEVELS))


def amplitude(db: float) -> float:
    return float(0.3 * 10 ** (db / 20))


def all_loaded(played: Played, many: int) -> None:
    played.until(lambda: played.host.now.get("shelf", {}).get("loaded") == many)


def test_next_and_previous_go_round_the_setlist(presets: None) -> None:
    with playing() as played:
        surface = HostSurface(played.host)
        with pytest.raises(RestyleError, match="there is no setlist"):
            surface.act("next")
        surface.concert.use_setlist("gig")
        all_loaded(played, 3)
        played.settles(0.3)  # nothing else plays yet
        for action, name in [
            ("next", "soft"), ("next", "middle"), ("next", "loud"), ("next", "soft"),
            ("previous", "loud"),
        ]:  # fmt: skip
            surface.act(action)
            assert surface.preset == surface.status()["preset"] == name
            played.settles(amplitude(LEVELS[name]))
        surface.go(2)
        played.settles(amplitude(LEVELS["middle"]))
        assert surface.status()["setlist"]["at"] == 1
        with pytest.raises(RestyleError, match=r"presets 1\.\.3, got 4"):
            surface.go(4)
        with pytest.raises(RestyleError, match="did you mean 'gig'"):
            surface.concert.use_setlist("gigg")
        surface.concert.use_setlist(None)
        assert surface.status()["setlist"] is None
        assert played.host.setup.shelf == ()


def test_a_preset_of_the_setlist_is_loaded_already_unless_its_file_is_newer(presets: None) -> None:
    with playing() as played:
        surface = HostSurface(played.host)
        surface.concert.use_setlist("gig")
        assert surface.concert.number_of("loud") == 3
        surface.load_preset("loud")
        played.settles(amplitude(-6.0))
        assert surface.status()["setlist"]["at"] == 2
        path = save_preset("loud", Preset(sound=gain(-30.0)), replace_old=True)
        os.utime(path, ns=(1, 1))
        assert surface.concert.number_of("loud") is None
        surface.concert.refresh(path)
        assert surface.concert.number_of("loud") == 3
        surface.load_preset("loud")
        played.settles(amplitude(-30.0))


def test_presses_in_quick_succession_go_as_far(presets: None) -> None:
    with playing() as played:
        surface = PatientSurface(played.host, played.told.append)
        surface.concert.use_setlist("gig")
        for _ in range(5):
            surface.act("next")
        played.until(lambda: surface.status()["preset"] == "middle")
        played.settles(amplitude(-12.0))
        assert played.told == []


def test_scenes_are_recalled_at_once_and_stepped_through(presets: None) -> None:
    scenes = (Scene("clean", {"1.gain_db": -20.0}), Scene("lead", {"1.gain_db": -3.0, "mix": 1.0}))
    save_preset("two", Preset(sound=gain(-12.0, scenes=scenes)))
    with playing() as played:
        surface = HostSurface(played.host)
        with pytest.raises(RestyleError, match="no scenes"):
            surface.act("next_scene")
        surface.load_preset("two")
        swaps = int(played.host.board.record[0]["swaps"])
        for name, db in (("clean", -20.0), ("lead", -3.0), ("clean", -20.0)):
            surface.act("next_scene")
            assert surface.status()["scene"] == name
            played.settles(amplitude(db))
        surface.recall(2)
        played.settles(amplitude(-3.0))
        surface.set("1.gain_db", -9.0)
        surface.keep_scene("mine")
        surface.recall("clean")
        surface.recall("mine")
        played.settles(amplitude(-9.0))
        assert played.host.board.record[0]["swaps"] == swaps  # nothing was loaded for it
        surface.drop_scene("lead")
        assert surface.status()["scenes"] == ["clean", "mine"]
        kept = surface.save("kept")
        assert [s.name for s in kept.sound.scenes] == ["clean", "mine"]
        assert kept.sound.scene("mine").values["1.gain_db"] == -9.0


def test_two_sounds_are_compared_at_equal_loudness(presets: None) -> None:
    with playing() as played:
        surface = HostSurface(played.host)
        surface.load_preset("soft")
        surface.concert.compare("loud")  # A soft, B loud: B is turned down by their difference
        played.settles(amplitude(-20.0))
        state = surface.status()["compare"]
        assert state["on"] == "B"
        assert state["trim_db"] == pytest.approx(-14.0, abs=0.05)
        surface.act("compare")
        played.settles(amplitude(-20.0))
        assert surface.status()["preset"] == "soft"
        surface.act("compare")
        surface.concert.end_compare()  # B stays, as loud as it is
        played.settles(amplitude(-6.0))
        assert surface.status()["compare"] is None
        assert surface.get("output_gain_db") == pytest.approx(0.0, abs=1e-4)


def test_a_copy_may_be_changed_and_compared_with_what_it_was(presets: None) -> None:
    with playing() as played:
        surface = HostSurface(played.host)
        surface.load_preset("middle")
        surface.act("compare")  # A is what plays, B a copy
        surface.act("compare")
        assert surface.status()["compare"]["on"] == "B"
        surface.set("1.gain_db", -30.0)
        surface.act("compare")
        assert surface.get("1.gain_db") == -12.0
        played.settles(amplitude(-30.0))  # A, no louder than B
        surface.act("compare")
        assert surface.get("1.gain_db") == -30.0


def test_taps_set_every_delay_and_panic_silences_what_rings(presets: None) -> None:
    delay = Stage(effect="Delay", parameters={"feedback": 0.5})
    save_preset("echo", Preset(sound=Sound((delay,))))
    with playing() as played:
        surface = HostSurface(played.host)
        surface.load_preset("echo")
        surface.act("tap")
        before = surface.get("delay_seconds")
        assert before == 0.5
        taps = surface.concert._taps
        taps._taps.clear()
        taps._taps.append(0.0)
        assert taps.tap(0.4) == pytest.approx(150.0)
        set_tempo(surface.parameters(), surface.set, 150.0)
        assert surface.get("delay_seconds") == pytest.approx(0.4)
        swaps = int(played.host.board.record[0]["swaps"])
        surface.act("panic")
        assert played.host.board.record[0]["swaps"] == swaps + 1
        with pytest.raises(RestyleError, match="did you mean 'panic'"):
            surface.act("panick")


def test_the_tempo_is_the_median_of_the_taps_and_a_pause_begins_anew() -> None:
    taps = TapTempo()
    assert taps.tap(0.0) is None
    for time in (0.5, 1.0, 1.9, 2.4):  # one late
        tempo = taps.tap(time)
    assert tempo == pytest.approx(120.0)
    assert taps.tap(10.0) is None
    assert taps.tap(10.01) == 400.0


def test_a_beat_too_long_for_a_delay_is_halved() -> None:
    found: dict[str, float] = {}
    listed = [Parameter("1.delay_seconds", 0.0, 0.7), Parameter("2.tempo_bpm", 40.0, 200.0)]
    set_tempo(listed, found.__setitem__, 60.0)
    assert found == {"1.delay_seconds": 0.5, "2.tempo_bpm": 60.0}


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_loudness_is_that_of_the_recommendation(rate: int) -> None:
    """Against pyloudnorm; and a sine of 997 Hz at -20 dBFS is -23.0 LUFS by BS.1770 itself."""
    t = np.arange(5 * rate) / rate
    sine = (0.1 * np.sin(2 * np.pi * 997 * t)).astype(np.float32)[None]
    assert loudness(sine, rate) == pytest.approx(-23.0, abs=0.1)
    meter = pytest.importorskip("pyloudnorm").Meter(rate)
    rng = np.random.default_rng(0)
    loud, soft = rng.standard_normal(2 * rate), 0.01 * rng.standard_normal(3 * rate)
    noise = (0.1 * np.concatenate([loud, soft])).astype(np.float32)[None]
    expected = meter.integrated_loudness(noise[0].astype(np.float64))
    assert loudness(noise, rate) == pytest.approx(expected, abs=0.1)
    assert loudness(noise[:, :100], rate) == -70.0


def test_a_render_of_a_preset_with_scenes_is_the_preset(presets: None) -> None:
    sound = gain(-6.0, scenes=(Scene("x", {"1.gain_db": 0.0}),))
    clip = Clip(np.full((1, 9600), 0.5, dtype=np.float32), 48000)
    assert np.allclose(render(sound, clip).samples, 0.5 * 10 ** (-6 / 20), atol=1e-5)
