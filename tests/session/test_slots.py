"""Stages that come, go, move, are bypassed, mixed and turned while the sound plays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pedalboard
import pytest

from realtime.engine.placed import FADE_SECONDS, Mark
from realtime.engine.stage import FEED_SECONDS, WARM_SECONDS
from realtime.session.builder import Builder
from realtime.session.operations import Insert, Move, Remove, Set
from realtime.session.sound import Stage
from realtime.stages.effects import EffectStage
from realtime.stages.glide import GLIDE_SECONDS, PIECE

from ..graphs import fir_model, identity_spectrum
from ..signals import Array, delayed, noise, sine
from ..sounds import LANES, RATE, Player, effect, group, heard, model, path_of, sound, steps

FADE = round(FADE_SECONDS * RATE)
LATE = identity_spectrum(512, 256, 64)  # 192 samples


def scale(factor: float, identity: int = 0) -> Stage:
    """A model that multiplies."""
    taps = np.array([factor, 0.0], dtype=np.float32)
    return model(fir_model(taps), identity=identity)


def fading(at: int, length: int) -> Array:
    """A gain that rises to 1 from sample `at` on."""
    return np.clip((np.arange(length) - at + 1) / FADE, 0.0, 1.0).astype(np.float32)


def test_effects_in_a_path_equal_pedalboards_own_chain() -> None:
    what = sound(
        effect("HighpassFilter", engine="pedalboard", cutoff_frequency_hz=200.0),
        effect("Distortion", engine="pedalboard", drive_db=15.0),
        effect("Gain", engine="pedalboard", gain_db=-6.0),
    )
    board = pedalboard.Pedalboard(
        [pedalboard.HighpassFilter(200.0), pedalboard.Distortion(15.0), pedalboard.Gain(-6.0)]
    )
    x = noise(12_800)
    assert np.array_equal(heard(what, x), board.process(x, RATE, buffer_size=8192))


@pytest.mark.parametrize("block", [16, 64, 960])
@pytest.mark.parametrize("lane", LANES)
def test_a_stage_fades_in_from_the_sound_as_it_came(block: int, lane: str) -> None:
    at = 9600
    with Player(sound(scale(0.5)), sine(RATE // 2, 200.0, 0.3), block, lane) as player:
        player.at(at, Insert(scale(-2.0, 2), 1))
        y, dry = player.finish(), player.dry()
        late = player.declared - player.session.stream.path.latency
        (change,) = player.session.log
        hop = player.session.stream.path.hop
    assert change.at is not None
    # when it is given all of the sound, and has heard it for long enough
    wait = -(-round((FEED_SECONDS + WARM_SECONDS) * RATE) // hop) * hop
    gain = fading(change.at + late + wait, y.shape[1])
    assert np.allclose(y, 0.5 * dry * (1.0 - gain) - dry * gain, atol=1e-6)
    assert steps(y) <= steps(dry) + 0.3 * 2.5 / FADE + 1e-6


@pytest.mark.parametrize("lane", LANES)
def test_a_stage_with_latency_comes_when_it_has_filled_and_goes(lane: str) -> None:
    x = noise(RATE // 2)
    with Player(sound(scale(0.5)), x, lane=lane) as player:
        base = player.declared
        player.at(6400, Insert(model(LATE, identity=2), 0))
        player.run_to(16_000)
        player.session.settle()
        assert player.declared == base + 192
        player.at(16_000, Remove(2))
        y = player.finish()
        assert player.declared == base
    early = delayed(x, base) * np.float32(0.5)
    late = 0.5 * delayed(x, base + 192)
    n = RATE // 2
    assert np.array_equal(y[:, : 6400 + 192], early[:, : 6400 + 192])
    there = slice(6400 + base + 64 + 192 + 3360 + FADE + 64, 16_000)
    assert np.allclose(y[:, there], late[:, there], atol=1e-5)
    assert np.array_equal(
        y[:, 16_000 + base + FADE + 64 : n], early[:, 16_000 + base + FADE + 64 :]
    )


@pytest.mark.parametrize("lane", LANES)
def test_a_stage_moves_by_fading_out_and_in_again(lane: str) -> None:
    what = sound(scale(0.5), model(LATE), scale(2.0))
    with Player(what, sine(RATE // 2, 200.0, 0.2), lane=lane) as player:
        before = player.session.stream.path.slot(2)
        base = player.declared
        player.at(6400, Move(2, 2))
        y, dry = player.finish(), player.dry()
        names = [s.identity for s in player.session.stream.path.line.slots]
        assert names == [1, 3, 2] == [s.identity for s in player.session.now().sound.stages]
        assert player.session.stream.path.slot(2) is before
        assert player.declared == base
    assert np.allclose(y[:, :6400], dry[:, :6400], atol=1e-5)
    assert np.allclose(y[:, -9600:], dry[:, -9600:], atol=1e-5)
    assert steps(y) <= steps(dry) + 0.8 / FADE + 1e-6


@pytest.mark.parametrize("lane", LANES)
def test_bypass_and_mix_fade_to_the_dry_sound_at_the_stages_latency(lane: str) -> None:
    what = sound(group([model(LATE), effect("Gain", gain_db=0.0)], []), output_gain_db=-6.0)
    gain = 10 ** (-6 / 20)
    with Player(what, noise(RATE), lane=lane) as player:
        base = player.declared
        for at, change in (
            (6400, Set(1, "bypass", 1.0)),
            (16_000, Set(1, "bypass", 0.0)),
            (25_600, Set(1, "stage_mix", 0.25)),
        ):
            player.at(at, change)
        y, dry = player.finish() / gain, player.dry()
        assert player.declared == base
    end = base + FADE
    back = 16_000 + 3 * 192 + 2400 + end  # the group has started afresh
    assert np.allclose(y[:, :6400], 2 * dry[:, :6400], atol=1e-5)
    assert np.allclose(y[:, 6400 + end : 16_000], dry[:, 6400 + end : 16_000], atol=1e-7)
    assert np.allclose(y[:, back:25_600], 2 * dry[:, back:25_600], atol=1e-5)
    assert np.allclose(y[:, 25_600 + end :], 1.25 * dry[:, 25_600 + end :], atol=1e-5)


def test_an_effects_tail_rings_on_through_changes_elsewhere() -> None:
    """A reverb fed before a change and silent since plays what it would have played anyway."""
    x = np.zeros((1, RATE), dtype=np.float32)
    x[:, :4800] = noise(4800)
    what = sound(effect("Reverb", room_size=0.8))
    expected = heard(what, x)
    with Player(what, x) as player:
        player.at(9600, Insert(effect("Gain", identity=2, gain_db=0.0)))
        player.at(16_000, Insert(effect("HighpassFilter", identity=3), 0))
        player.at(22_400, Move(2, 0))
        player.at(32_000, Remove(2))
        y, late = player.finish(), player.declared
    assert np.abs(expected[:, 40_000:]).max() > 1e-4
    y = y[:, late : late + RATE]
    for there in (slice(0, 9600 - late), slice(36_000, RATE)):  # between: other stages fade
        assert np.allclose(y[:, there], expected[:, there], atol=1e-6)


def test_gliding_parameters_make_no_step_and_end_where_they_should() -> None:
    with Player(sound(effect("Gain", gain_db=0.0)), sine(RATE // 2, 200.0, 0.3)) as player:
        player.at(6400, Set(1, "gain_db", -20.0))
        y, dry = player.finish(), player.dry()
    assert np.allclose(y[:, :6400], dry[:, :6400], atol=1e-7)
    assert np.allclose(y[:, -9600:], 0.1 * dry[:, -9600:], atol=1e-6)
    pieces = GLIDE_SECONDS * RATE / PIECE
    slope = 20.0 / pieces * np.log(10) / 20  # of the gain, where it is steepest
    assert steps(y) <= steps(dry) + 0.3 * slope + 1e-6


def test_a_choice_that_would_click_is_taken_while_the_stage_is_not_heard() -> None:
    what = sound(effect("LadderFilter", mode="LPF24", cutoff_hz=8000.0))
    with Player(what, sine(RATE // 2, 200.0, 0.3)) as player:
        player.at(6400, Set(1, "mode", "HPF24"))
        y, dry = player.finish(), player.dry()
        assert player.session.now().sound.stages[0].parameters["mode"] == "HPF24"
    assert np.abs(y[:, :6400]).max() > 0.2
    assert np.abs(y[:, -4800:]).max() < 0.01
    assert steps(y) <= 1.1 * steps(dry) + 2 * 0.3 / FADE


def test_a_parameter_that_changes_the_latency_comes_by_a_fresh_stage() -> None:
    what = sound(effect("BrickwallLimiter", lookahead_ms=5.0))
    x = noise(RATE // 2)
    with Player(what, x) as player:
        base = player.declared - player.session.stream.path.latency
        before = player.session.stream.path.latency
        player.at(9600, Set(1, "lookahead_ms", 10.0))
        y, dry = player.finish(), player.dry()
        after = player.session.stream.path.latency
        assert after > before > 0
        assert player.declared == base + after
        assert player.session.now().sound.stages[0].parameters == {"lookahead_ms": 10.0}
    fresh = path_of(sound(effect("BrickwallLimiter", lookahead_ms=10.0)))
    assert fresh.latency == after
    assert np.allclose(y[:, -9600:], dry[:, -9600:], atol=1e-5)


def test_the_mark_names_the_stage_while_it_is_made_and_run_and_no_other_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    mark: Mark = np.zeros(4, dtype=np.int64)
    process, init = EffectStage.process, EffectStage.__init__

    def processing(self: EffectStage, block: Array) -> Array:
        seen.append(int(mark[0]))
        return process(self, block)

    def making(self: EffectStage, *given: Any) -> None:
        seen.append(int(mark[0]))
        init(self, *given)

    monkeypatch.setattr(EffectStage, "process", processing)
    monkeypatch.setattr(EffectStage, "__init__", making)
    python = effect("Gain", engine="pedalboard")
    what = sound(python, model(LATE), python)
    path = Builder(1, RATE, 64, mark).path(what)
    assert set(seen) == {1, 3}
    assert mark[0] == 0
    seen.clear()
    path.process_hops(noise(64))
    assert seen == [1, 3]
    assert mark[0] == 0


def test_reset_completes_every_edit() -> None:
    path = path_of(sound(scale(1.0), scale(0.5)))
    first, second = path.slots()
    second.record["bypass"] = 1.0
    first.record["mix"] = 0.5
    x = np.full((1, 64), 0.2, dtype=np.float32)
    path.process_hops(x)
    path.reset()
    assert np.allclose(path.process_hops(x), 0.2)
