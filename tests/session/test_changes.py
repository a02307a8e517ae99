"""Changes while sound plays: stages, lanes and whole sounds, by position and without a click."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from realtime.errors import ConfigError, RestyleError, StreamError
from realtime.models.streaming import StreamingModel
from realtime.session.operations import Lane, Load, Set, Swap
from realtime.session.sound import Stage

from ..graphs import fir_model, identity_spectrum
from ..networks import controlled_model, gru_model
from ..signals import Array, noise, sine
from ..sounds import LANES, RATE, Player, effect, model, sound, steps


def fir(gain: float, identity: int = 1, hop: int = 64) -> Stage:
    return model(fir_model(np.array([gain, 0.0], dtype=np.float32), hop), identity=identity)


LATE = model(identity_spectrum(512, 256, 64), identity=1)  # 192 samples
LOUD, SOFT, TURNED = fir(1.5), fir(0.25), fir(-0.8)
FADED = 2.3 * 0.4 * np.pi / 2 / 960  # slope of a crossfade between two of them


@pytest.mark.parametrize("lane", LANES)
def test_a_swap_crossfades_to_the_very_sound_of_the_new_model(lane: str) -> None:
    with Player(sound(LOUD), sine(RATE // 2, 300.0, 0.4), lane=lane) as player:
        player.at(9600, Swap(1, TURNED))
        y, dry = player.finish(), player.dry()
        declared = player.declared
        (change,) = player.session.log
        assert player.counters["concealed_samples"] == 0
    # the worker may be behind the device by what is buffered
    assert change.at is not None
    assert 9600 - declared <= change.position <= 9600 + declared + 64
    assert np.array_equal(y[:, : change.at], 1.5 * dry[:, : change.at])
    settled = 9600 + declared + 4800
    assert np.array_equal(y[:, settled:], np.float32(-0.8) * dry[:, settled:])
    # between: never louder than the louder, no step above what the two signals have
    assert np.abs(y).max() <= np.abs(1.5 * dry).max() + 1e-6
    assert steps(y) <= 1.5 * steps(dry) + FADED


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("hop", [64, 128])
def test_a_swap_to_a_model_with_another_latency_declares_it(lane: str, hop: int) -> None:
    late = model(identity_spectrum(512, 256, hop), identity=1)  # another hop is another path
    with Player(sound(LOUD), noise(RATE // 2), lane=lane) as player:
        before = player.declared
        player.at(9600, Swap(1, late))
        y, dry = player.finish(), player.dry()
        assert player.session.stream.path.latency == 256 - hop
        assert player.declared >= before + 256 - hop
        assert player.session.stream.path.hop == hop
    assert np.allclose(y[:, 16_000:], dry[:, 16_000:], atol=1e-5)


def test_a_fixed_latency_is_kept_through_swaps_and_refused_when_too_short() -> None:
    x = noise(RATE // 2)
    with pytest.raises(ConfigError, match="too short.*--fixed-latency"):
        Player(sound(LATE), x, device={"fixed_latency": 64})
    with Player(sound(LOUD), x, device={"fixed_latency": 700}) as player:
        assert player.declared == 700
        player.at(9600, Swap(1, LATE))
        y, dry = player.finish(), player.dry()
        assert player.declared == 700
    assert np.allclose(y[:, :9600], 1.5 * dry[:, :9600], atol=1e-6)
    assert np.allclose(y[:, 16_000:], dry[:, 16_000:], atol=1e-5)


def test_the_lane_changes_by_a_crossfade() -> None:
    with Player(sound(LOUD), sine(RATE // 2, 300.0, 0.4)) as player:
        assert player.session.stream.lane == "inline"
        player.at(9600, Lane("worker"))
        y, dry = player.finish(), player.dry()
        assert player.session.stream.lane == "worker"
        assert player.session.now().device.lane == "worker"
        assert player.session.stream.memory.record["swap_position"] == 9600
        assert player.session.stream.memory.record["swaps"] == 1
    assert np.array_equal(y[:, 16_000:], 1.5 * dry[:, 16_000:])
    assert steps(y) <= 1.5 * steps(dry) + 1.5 * 0.8 * np.pi / 2 / 960


def slow_build(player: Player, meanwhile: Callable[[], None]) -> None:
    """Have `meanwhile` done whenever a path has been built and is about to be offered."""
    session: Any = player.session
    build = session._builder.path

    def built(what: Any) -> Any:
        path = build(what)
        meanwhile()
        return path

    session._builder.path = built


@pytest.mark.parametrize("late", [True, False], ids=["taken", "waiting"])
def test_a_knob_turned_while_another_path_is_made_ready_is_turned_there(late: bool) -> None:
    """Whether the old path has taken it by then or still has it in its queue (its hop is 256)."""
    gain = effect("Gain", identity=2, gain_db=0.0)
    with Player(sound(fir(1.0, hop=256), gain), noise(RATE)) as player:
        session = player.session

        def turn() -> None:
            for identity, name, value in (
                (2, "gain_db", -6.0),
                (1, "stage_mix", 0.5),
                (0, "mix", 0.9),
            ):
                session.do(Set(identity, name, value), wait=False)
            player.run_to(9600 + (1024 if late else 64))

        slow_build(player, turn)
        player.at(9600, Swap(1, fir(1.0, hop=128)))
        y, dry = player.finish(), player.dry()
        values = {p.name: p.value for p in session.parameters()[2]}
        own, (first, second) = session.now().sound.mix, session.now().sound.stages
    assert (values["gain_db"], own, second.parameters["gain_db"]) == (-6.0, 0.9, -6.0)
    assert first.mix == 1.0  # of the model that left
    wet = np.float32(0.9 * 10 ** (-6.0 / 20) + 0.1)
    assert np.allclose(y[:, 30_000:], wet * dry[:, 30_000:], atol=1e-4)


def test_what_was_sent_before_a_sound_is_loaded_does_not_reach_it() -> None:
    other = sound(LOUD, output_gain_db=-6.0)
    with Player(sound(LOUD), noise(RATE // 2)) as player:
        session = player.session
        slow_build(player, lambda: session.do(Set(0, "output_gain_db", -20.0), wait=False) and None)
        player.at(9600, Load(other))
        y, dry = player.finish(), player.dry()
        assert session.now().sound.output_gain_db == -6.0
    wanted = np.float32(1.5 * 10 ** (-6.0 / 20))
    assert np.allclose(y[:, 16_000:], wanted * dry[:, 16_000:], atol=1e-5)


def test_between_effects_the_model_is_swapped_and_they_play_on() -> None:
    what = sound(LOUD, effect("Delay", identity=2, delay_seconds=0.2, mix=0.5))
    with Player(what, sine(RATE, 300.0, 0.2)) as player:
        echo = player.session.stream.path.slot(2)
        player.at(9600, Swap(1, TURNED))
        y, dry = player.finish(), player.dry()
        assert player.session.stream.path.slot(2) is echo
    early = np.pad(dry, ((0, 0), (9600, 0)))[:, : dry.shape[1]]
    assert np.allclose(y[:, :9600], 0.75 * dry[:, :9600], atol=1e-6)
    # the echo of the first model is heard while the second one plays
    both = slice(9600 + 4800, 19_200)
    assert np.allclose(y[:, both], (-0.4 * dry + 0.75 * early)[:, both], atol=1e-6)
    assert np.allclose(y[:, 30_000:], -0.4 * (dry + early)[:, 30_000:], atol=1e-6)


def test_another_sound_comes_whole_by_a_crossfade_with_its_gains_and_bypass() -> None:
    other = sound(TURNED, input_gain_db=-6.0, output_gain_db=-6.0, mix=0.5)
    with Player(sound(LOUD), sine(RATE // 2, 300.0, 0.4)) as player:
        player.at(9600, Load(other))
        y, dry = player.finish(), player.dry()
        assert player.session.now().sound == other
    gain = 10 ** (-6 / 20)
    expected = gain * (0.5 * gain * dry - 0.8 * 0.5 * gain * dry)
    assert np.array_equal(y[:, :9600], 1.5 * dry[:, :9600])
    assert np.allclose(y[:, 16_000:], expected[:, 16_000:], atol=1e-6)
    assert steps(y) <= 1.5 * steps(dry) + FADED


@pytest.mark.parametrize("lane", LANES)
def test_a_sound_that_is_bypassed_passes_the_input_when_it_is_loaded(lane: str) -> None:
    with Player(sound(LOUD), noise(RATE // 2), lane=lane) as player:
        player.at(9600, Load(sound(SOFT, bypass=True)))
        y, dry = player.finish(), player.dry()
        assert player.session.now().sound.bypass
    assert np.array_equal(y[:, 16_000:], dry[:, 16_000:])


def test_parameters_take_effect_at_the_hop_that_starts_at_their_time_or_after() -> None:
    x = np.full((1, RATE // 4), 0.5, dtype=np.float32)
    with Player(sound(fir(1.0)), x) as player:
        player.session.do(Set(0, "output_gain_db", -6.0), at=3201)
        player.session.do(Set(1, "stage_mix", 0.0), at=6400)
        y = player.finish()
        assert player.declared == 0
    changed = int(np.flatnonzero(y[0] != 0.5)[0])
    assert changed == 3264
    assert y[0, 9000] == pytest.approx(0.5 * 10 ** (-6 / 20))


@pytest.mark.parametrize("lane", LANES)
def test_every_kind_of_parameter_changes_at_the_position_given(lane: str) -> None:
    x = np.full((1, RATE // 4), 0.1, dtype=np.float32)
    what = sound(model(controlled_model()), fir(0.5, 2), output_gain_db=-6.0)
    with Player(what, x, lane=lane) as player:
        player.session.do(Set(1, "choice", 1.0), at=3000)
        player.session.do(Set(2, "bypass", 1.0), at=4000)
        player.session.do(Set(1, "stage_mix", 0.0), at=6000)
        player.session.do(Set(0, "bypass", 1.0), at=9000)
        y, late = player.finish()[0], player.declared
    hop, gain = 64, 10 ** (-6 / 20)
    first, second, third = (late + -(-at // hop) * hop for at in (3000, 4000, 6000))
    assert np.allclose(y[late:first], gain * 0.025)
    assert np.allclose(y[first:second], gain * 0.525)
    # faded to what comes into the stage
    assert y[second] != y[second - 1] and np.allclose(y[second + 960 : third], gain * 1.05)
    assert y[third] != y[third - 1] and np.allclose(y[third + 960 : 9000], gain * 0.1)
    assert np.array_equal(y[9000 + 960 : RATE // 4], x[0, 9000 + 960 :])


@pytest.mark.parametrize("lane", LANES)
def test_gains_and_mix_outlive_a_swap_and_parameters_belong_to_their_stage(lane: str) -> None:
    with Player(sound(SOFT), noise(RATE // 2), lane=lane) as player:
        player.at(4800, Set(0, "mix", 0.5))
        player.at(9600, Swap(1, TURNED))
        player.run_to(24_000)
        assert player.session.now().sound.mix == 0.5
        with pytest.raises(ConfigError, match="has no parameter 'warmth'"):
            player.session.do(Set(1, "warmth", 1.0))
        y, dry = player.finish(), player.dry()
    assert np.allclose(y[:, 20_000:24_000], 0.1 * dry[:, 20_000:24_000], atol=1e-6)


@pytest.mark.parametrize("lane", LANES)
def test_bypass_fades_to_the_input_at_the_declared_latency_and_back(lane: str) -> None:
    what = sound(LATE, output_gain_db=-6.0)
    with Player(what, sine(RATE // 2, 300.0, 0.4), lane=lane) as player:
        player.session.do(Set(0, "bypass", 1.0), at=6400)
        player.session.do(Set(0, "bypass", 0.0), at=16_000)
        y, dry = player.finish(), player.dry()
    gain = 10 ** (-6 / 20)
    assert np.array_equal(y[:, 6400 + 960 : 16_000], dry[:, 6400 + 960 : 16_000])
    # the path rests meanwhile, and is heard when its 192 + 2400 samples have filled
    assert np.array_equal(y[:, 16_000:18_592], dry[:, 16_000:18_592])
    assert np.allclose(y[:, 20_500:], gain * dry[:, 20_500:], atol=1e-5)
    assert steps(y) <= steps(dry) + 0.4 / 960 + 1e-6


@pytest.mark.parametrize("lane", LANES)
def test_a_mute_fades_to_silence_and_no_preset_ends_it(lane: str) -> None:
    x = noise(RATE // 2)
    with Player(sound(LOUD), x, lane=lane) as player:
        player.session.do(Set(0, "mute", 1.0), at=6400)
        player.at(9600, Load(sound(TURNED)))
        player.run_to(12_800)
        assert player.session.now().sound.mute
        player.session.do(Set(0, "mute", 0.0), at=19_200)
        y, dry = player.finish(), player.dry()
    down = 1.0 - np.arange(1, 961) / 960
    assert np.allclose(y[:, 6400:7360], 1.5 * dry[:, 6400:7360] * down, atol=1e-6)
    assert not y[:, 7360:19_200].any()
    up = -0.8 * dry[:, 19_200:20_160] * np.arange(1, 961) / 960
    assert np.allclose(y[:, 19_200:20_160], up, atol=1e-6)
    assert np.array_equal(y[:, 20_160:], np.float32(-0.8) * dry[:, 20_160:])


def test_models_are_closed_when_they_have_ceased_to_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Any] = []
    close = StreamingModel.close

    def watched(self: StreamingModel) -> None:
        closed.append(self)
        close(self)

    monkeypatch.setattr(StreamingModel, "close", watched)
    with Player(sound(SOFT), noise(RATE)) as player:
        player.run_to(1600)
        closed.clear()
        first = player.session.stream.path.slot(1)
        assert first is not None
        model_of_first = first.stage.model  # type: ignore[attr-defined]
        player.at(6400, Swap(1, LOUD))
        player.run_to(6464)
        player.session.stream.tidy()
        assert closed == []  # still fading
        player.run_to(16_000)
        player.session.settle()
        assert closed == [model_of_first]
        player.finish()
    assert len(closed) == 2


def test_two_hundred_swaps_leave_memory_flat_and_the_latency_as_declared() -> None:
    sizes = []
    with Player(sound(SOFT), noise(202 * 12_800)) as player:
        player.device.touch()  # the pages the sound would touch bit by bit
        for k in range(200):
            place = (k + 1) * 12_800
            player.at(place, Swap(1, (LATE, SOFT)[k % 2]))
            player.run_to(place + 9600)
            player.session.settle()
            assert player.declared == (192, 0)[k % 2]
            assert int(player.session.stream.voice.record["latency"]) == player.declared
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        assert len(player.session.log) == 200
    # the first ones fill allocators; then nothing grows
    assert sizes[-1] - sizes[100] < 4 << 10  # KiB


def test_a_change_on_a_device_that_does_not_call_is_an_error_in_time() -> None:
    with Player(sound(model(gru_model(), identity=1)), noise(RATE)) as player:
        player.at(640, Swap(1, LOUD))
        begin = time.monotonic()
        with pytest.raises(StreamError, match="not taken up"):
            player.session.stream.settle(0.2)
        assert time.monotonic() - begin < 30


def test_a_change_that_cannot_be_made_leaves_the_sound_as_it_was() -> None:
    x: Array = noise(RATE // 4)
    with Player(sound(LOUD), x) as player:
        player.run_to(3200)
        before = player.session.now()
        for stage, says in (
            (effect("Revreb", identity=1), "unknown effect"),
            (model("tapee", identity=1), "no model"),
        ):
            with pytest.raises(RestyleError, match=says):
                player.session.do(Swap(1, stage))
        assert player.session.now() == before
        y, dry = player.finish(), player.dry()
    assert np.array_equal(y, np.float32(1.5) * dry)


def test_channel_maps_choose_and_silence() -> None:
    x = noise(6400, channels=4)
    maps = {"in_map": (3, 1), "out_map": (2, 0)}
    with Player(sound(), x, device=maps, out_channels=3) as player:
        y, late = player.finish(), player.declared
    n = 6400
    assert np.array_equal(y[0, late:n], x[1, : n - late])
    assert not y[1].any()
    assert np.array_equal(y[2, late:n], x[3, : n - late])
    with pytest.raises(ConfigError, match="names channel 5; the device has 4 channels"):
        Player(sound(), x, device={"in_map": (4, 0)})


def test_one_input_of_many_is_heard_once_and_plays_where_it_is_to() -> None:
    x = noise(6400, channels=8)
    maps = {"in_map": (4,), "out_map": (6, 7)}
    with Player(sound(LOUD), x, device=maps, out_channels=8) as player:
        assert player.session.channels == 1
        y, late = player.finish(), player.declared
    n = 6400
    assert not y[:6].any()
    for channel in (6, 7):
        assert np.array_equal(y[channel, late:n], np.float32(1.5) * x[4, : n - late])
