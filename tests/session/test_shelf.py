"""Sounds kept loaded: changes without building, tails that ring on, scenes, panic."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.session import builder
from realtime.session.operations import (
    DropScene,
    Insert,
    KeepScene,
    Load,
    Panic,
    Prepare,
    Recall,
    Remove,
    Set,
)
from realtime.session.sound import Scene, Sound

from ..graphs import identity_spectrum
from ..signals import noise, sine
from ..sounds import LANES, RATE, Player, effect, model, sound, steps

AT, FADE, LEAD = 9600, 960, 480
LOUD = sound(effect("Gain", identity=1, gain_db=-6.0))
ECHO = sound(effect("Delay", identity=2, delay_seconds=0.05, feedback=0.0, mix=0.5))
LATE = sound(model(identity_spectrum(512, 256, 64), identity=3))  # 192 samples


def loaded(player: Player, *sounds: Sound) -> None:
    """Have sounds on the shelf."""
    player.session.do(Prepare(sounds))
    while player.session.load_next():
        pass
    assert player.session.describe()["shelf"]["loaded"] == len(sounds)


@pytest.mark.parametrize("lane", LANES)
def test_a_loaded_sound_comes_without_building_anything(lane: str, monkeypatch) -> None:
    with Player(LOUD, noise(RATE // 2), lane=lane) as player:
        loaded(player, ECHO, LOUD)
        monkeypatch.setattr(builder.Builder, "path", None)  # nobody may build one
        player.at(AT, Load(ECHO))
        y, dry = player.finish(), player.dry()
        begin = int(player.session.stream.memory.record["swap_position"])
    gain = np.float32(10 ** (-6 / 20))
    assert np.allclose(y[:, :begin], gain * dry[:, :begin], atol=1e-6)
    # the echo knows nothing of what was played before the change, and all of what came since
    echo = np.zeros_like(dry)
    echo[:, begin + 2400 :] = dry[:, begin:-2400]
    settled = slice(begin + LEAD + FADE + 4000, None)
    assert np.allclose(y[:, settled], 0.5 * (dry + echo)[:, settled], atol=2e-3)


def test_what_has_played_comes_back_as_it_was_loaded(monkeypatch) -> None:
    with Player(LOUD, noise(RATE)) as player:
        loaded(player, ECHO, LATE)
        monkeypatch.setattr(builder.Builder, "path", None)
        player.at(AT, Load(ECHO))
        player.at(AT + 4800, Set(2, "mix", 1.0))
        assert player.session.now().sound.stages[0].parameters["mix"] == 1.0
        player.at(2 * AT, Load(LATE))
        assert player.declared == 192  # declared anew
        player.at(3 * AT, Load(ECHO))
        assert player.declared == 0
        assert player.session.now().sound == ECHO
        y, dry = player.finish(), player.dry()
    late = np.pad(dry, ((0, 0), (2400, 0)))[:, : dry.shape[1]]
    settled = slice(3 * AT + 12_000, None)
    assert np.allclose(y[:, settled], 0.5 * (dry + late)[:, settled], atol=1e-5)


def test_one_whose_stages_were_changed_is_built_anew() -> None:
    with Player(LOUD, noise(RATE)) as player:
        loaded(player, ECHO, LATE)
        player.at(AT, Load(ECHO))
        player.at(AT + 4800, Insert(effect("Gain", identity=9, gain_db=-20.0)))
        player.at(2 * AT, Load(LATE))
        assert player.session.describe()["shelf"]["loaded"] == 1
        while player.session.load_next():
            pass
        player.at(3 * AT, Load(ECHO))
        assert player.session.now().sound == ECHO
        player.finish()


def test_what_cannot_be_loaded_is_told_and_the_others_are() -> None:
    bad = sound(model("no-such-model", identity=7))
    with Player(LOUD, noise(AT)) as player:
        player.session.do(Prepare((bad, ECHO)))
        while player.session.load_next():
            pass
        state = player.session.describe()["shelf"]
        assert (state["wanted"], state["loaded"]) == (2, 1)
        assert "no-such-model" in state["problems"][7]


def test_loading_is_called_off_for_what_goes_before() -> None:
    with Player(LOUD, noise(AT)) as player:
        player.session.do(Prepare((ECHO,)))
        player.session.interrupted = lambda: True
        assert player.session.load_next()
        assert player.session.describe()["shelf"]["loaded"] == 0
        player.session.interrupted = lambda: False
        while player.session.load_next():
            pass
        assert player.session.describe()["shelf"]["loaded"] == 1


@pytest.mark.parametrize("lane", LANES)
def test_a_tail_rings_on_without_new_sound(lane: str) -> None:
    """An impulse before the change echoes on to the sample; one after it does not."""
    x = np.zeros((1, RATE), dtype=np.float32)
    x[:, AT - 1000] = 0.5
    x[:, AT + 6000] = 0.5
    ringing = sound(effect("Delay", identity=1, delay_seconds=0.1, feedback=0.5, mix=1.0))
    quiet = sound(effect("Gain", identity=2, gain_db=-20.0))
    with Player(ringing, x, lane=lane) as player:
        shift = player.session.stream.voice.latency  # of both
        player.at(AT, Load(quiet, tail=0.5))
        y = player.finish()[0]
    first, second = AT - 1000 + shift, AT + 6000 + shift
    for k in range(1, 5):
        assert y[first + 4800 * k] == pytest.approx(0.5 * 0.5 ** (k - 1), abs=1e-4), k
    assert y[second] == pytest.approx(0.05, abs=1e-5)
    assert y[second + 4800] == 0.0
    over = AT + RATE // 2 + 3 * FADE + shift
    assert not np.any(y[over + 1 :])


def test_a_tail_makes_way_for_the_next_change_and_no_step_is_heard() -> None:
    ringing = [
        sound(effect("Delay", identity=i, delay_seconds=0.05, feedback=0.6, mix=0.5))
        for i in (1, 2, 3)
    ]
    with Player(ringing[0], sine(RATE, 300.0, 0.2)) as player:
        player.at(AT, Load(ringing[1], tail=3.0))
        player.at(2 * AT, Load(ringing[2], tail=3.0))
        player.run_to(2 * AT + 1920)
        player.session.stream.tidy()  # what rang on has made way
        y, dry = player.finish(), player.dry()
        assert player.session.stream.memory.record["swaps"] == 2
    assert steps(y) < 4 * steps(dry)


def test_panic_silences_what_rings_and_keeps_the_sound() -> None:
    x = np.zeros((1, RATE), dtype=np.float32)
    x[:, 100] = 0.5
    x[:, 3 * AT] = 0.5
    ringing = sound(
        effect("Delay", identity=1, delay_seconds=0.05, feedback=0.9, mix=0.5), output_gain_db=-6.0
    )
    with Player(ringing, x) as player:
        player.at(AT, Panic())
        y = player.finish()[0]
        assert player.session.now().sound == ringing
    gain = 10 ** (-6 / 20)
    assert np.abs(y[:AT]).max() > 0.1
    assert not np.any(y[AT + 6000 : 3 * AT])
    assert y[3 * AT] == pytest.approx(0.25 * gain, abs=1e-5)
    assert y[3 * AT + 2400] == pytest.approx(0.25 * gain, abs=1e-5)


# -- scenes ----------------------------------------------------------------------------------------

TWO = sound(
    effect("Gain", identity=1, gain_db=0.0),
    effect("Delay", identity=2, delay_seconds=0.05, feedback=0.0, mix=0.5),
    scenes=(
        Scene("clean", {"1.gain_db": -12.0, "2.bypass": 1.0, "mix": 1.0}),
        Scene("lead", {"1.gain_db": 3.0, "2.bypass": 0.0}),
    ),
)


def test_a_scene_is_heard_at_its_sample_without_another_path() -> None:
    with Player(TWO, sine(RATE // 2, 300.0, 0.2)) as player:
        path = player.session.stream.path
        player.at(AT, Recall("clean"))
        y, dry = player.finish(), player.dry()
        assert player.session.stream.path is path
        assert player.session.stream.memory.record["swaps"] == 0
    assert not np.array_equal(y[:, AT : AT + 960], y[:, AT - 4800 : AT - 3840])
    settled = slice(AT + 6000, None)
    assert np.allclose(y[:, settled], 10 ** (-12 / 20) * dry[:, settled], atol=1e-5)
    assert steps(y) <= 1.5 * steps(dry)  # ramped


def test_scenes_follow_their_stages() -> None:
    with Player(TWO, noise(RATE // 2)) as player:
        session = player.session
        player.at(AT, Insert(effect("Gain", identity=9), 0))
        assert session.setup.sound.scene(1).values == {
            "2.gain_db": -12.0, "3.bypass": 1.0, "mix": 1.0,
        }  # fmt: skip
        player.at(2 * AT, Remove(1))
        assert session.setup.sound.scene("lead").values == {"2.bypass": 0.0}
        session.do(KeepScene(Scene("third", {"2.mix": 0.1})))
        session.do(KeepScene(Scene("lead", {"2.mix": 0.2})))
        assert [s.name for s in session.now().sound.scenes] == ["clean", "lead", "third"]
        session.do(Recall(2))
        assert session.now().sound.stages[1].parameters["mix"] == 0.2
        session.do(DropScene("clean"))
        assert [s.name for s in session.now().sound.scenes] == ["lead", "third"]
        with pytest.raises(Exception, match="there is no scene 'laed'; did you mean 'lead'"):
            session.do(Recall("laed"))
        player.finish()
