"""Input and output stage of a path, its mix, and what is heard of a model that fails."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from realtime.engine.governor import FADE
from realtime.engine.path import LIMITER_RELEASE_SECONDS, Path
from realtime.engine.stage import RAMP_SECONDS, WARM_SECONDS
from realtime.errors import ConfigError
from realtime.models.streaming import load_model
from realtime.stages.model import ModelStage

from ..graphs import fir_model, identity_spectrum
from ..networks import brittle_model, controlled_model, failing_model, gru_model
from ..signals import Array, cut, delayed, noise, sine
from ..sounds import RATE, model, path_around, path_of, sound, stream

HALF = fir_model(np.array([0.5, 0.0], dtype=np.float32))


def test_mix_0_is_the_delayed_input_bit_for_bit() -> None:
    subject = path_of(sound(model(identity_spectrum()), mix=0.0), channels=2)
    x = noise(128 * 40, channels=2)
    assert np.array_equal(subject.process_hops(x), delayed(x, subject.latency))


def test_mix_1_is_the_models_output_bit_for_bit() -> None:
    alone = load_model(gru_model())
    x = noise(64 * 40)
    y = path_of(sound(model(gru_model()))).process_hops(x)
    steps = [alone.step(h[None]) for h in cut(x, [64])]
    assert np.array_equal(y, np.clip(np.concatenate(steps, axis=2)[0], -1, 1))


@pytest.mark.parametrize("where", ["mix", "stage_mix"])
def test_a_mix_between_is_the_weighted_sum(where: str) -> None:
    x = noise(64 * 40)
    if where == "mix":
        subject = path_of(sound(model(HALF), mix=0.25))
    else:
        subject = path_of(sound(model(HALF, stage_mix=0.25)))
    assert np.allclose(subject.process_hops(x), 0.75 * x + 0.25 * 0.5 * x, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("mix", 1.0, 0.0),
        ("mix", 0.0, 1.0),
        ("input_gain_db", 0.0, -12.0),
        ("output_gain_db", -100.0, 3.0),
    ],
)
def test_parameters_ramp_without_steps_and_end_exactly(
    name: str, before: float, after: float
) -> None:
    subject, expected = (path_of(sound(model(HALF), **{name: v})) for v in (before, after))
    x = np.full((1, 64 * 400), 0.5, dtype=np.float32)
    start = subject.process_hops(x[:, :640])[0, -1]
    subject.set(name, after)
    y = np.r_[start, subject.process_hops(x)[0]]
    goal = expected.process_hops(x)[0]
    assert np.array_equal(y[-1000:], goal[-1000:])
    share = 1.0 - np.exp(-64 / RATE / RAMP_SECONDS)
    largest = abs(float(goal[-1]) - float(start)) * share / 64
    assert np.abs(np.diff(y)).max() <= 1.01 * largest + 1e-7


def test_categorical_controls_switch_at_once_and_others_ramp() -> None:
    alone = load_model(controlled_model())
    subject = path_around(ModelStage(alone))
    (slot,) = subject.slots()
    x = np.full((1, 64), 0.1, dtype=np.float32)
    for name, value in (("gain", 0.0), ("choice", 1.0)):
        slot.placed.set(name, value)
    slot.placed.record.arrays["targets"][slot.placed.number("gain")] = 1.0
    subject.process_hops(x)
    assert alone.controls[0, 1] == 1.0
    assert 0.0 < alone.controls[0, 0] < 0.5
    for _ in range(200):
        subject.process_hops(x)
    assert alone.controls[0, 0] == 1.0


def test_controls_start_at_their_defaults_or_where_the_sound_says() -> None:
    x = np.full((1, 64), 0.2, dtype=np.float32)
    for settings, expected in (({}, 0.1), ({"gain": 1.0}, 0.2)):
        y = path_of(sound(model(controlled_model(), **settings))).process_hops(x)
        assert np.allclose(y, expected)


def test_a_stream_at_another_rate_or_width_than_the_models_is_refused() -> None:
    with pytest.raises(ConfigError, match="runs at 48000 Hz, the stream at 44100 Hz"):
        ModelStage(load_model(HALF)).prepare(44100, 1, 64)
    with pytest.raises(ConfigError, match="model has 1 channels, stream 2"):
        ModelStage(load_model(HALF)).prepare(48000, 2, 64)
    with pytest.raises(ConfigError, match="at least 1"):
        Path(channels=0)


def test_input_that_is_not_finite_becomes_silence_and_is_counted() -> None:
    x = noise(64 * 10)
    dirty = x.copy()
    dirty[0, 100:103] = [np.nan, np.inf, -np.inf]
    x[0, 100:103] = 0.0
    subject, other = (path_of(sound(model(gru_model()))) for _ in range(2))
    assert np.array_equal(subject.process_hops(dirty), other.process_hops(x))
    assert subject.counters()["input_scrubbed"] == 3


def test_a_models_nan_gives_the_dry_sound_and_a_fresh_model() -> None:
    subject = path_of(sound(model(brittle_model())))
    x = noise(64 * 80, level=0.3)
    x[0, 64 * 10 + 5] = -0.9
    y = subject.process_hops(x)
    assert np.isfinite(y).all()
    assert subject.counters()["resets"] == 1
    assert subject.counters()["errors"] == 0
    # the last good sample fades into the dry sound
    fade = np.minimum(np.arange(1, 65) / FADE, 1.0)
    assert np.allclose(y[0, 640:704], y[0, 639] * (1 - fade) + x[0, 640:704] * fade, atol=1e-6)
    # the fresh model runs unheard, then returns from the dry sound to its own bits
    unheard = -(-round(WARM_SECONDS * RATE) // 64) * 64
    back = 704 + unheard
    assert np.array_equal(y[:, 640 + FADE : back], x[:, 640 + FADE : back])
    fresh = path_of(sound(model(brittle_model())))
    expected = fresh.process_hops(x[:, 704:])[:, unheard:]
    assert np.array_equal(y[:, back + FADE :], expected[:, FADE:])
    fade = np.minimum(np.arange(1, FADE + 1) / FADE, 1.0)
    between = expected[0, :FADE] * fade + x[0, back : back + FADE] * (1 - fade)
    assert np.allclose(y[0, back : back + FADE], between, atol=1e-6)


def test_a_models_failure_gives_the_dry_sound_and_is_counted_and_named() -> None:
    subject = path_of(sound(model(failing_model())))
    x = noise(64 * 80, level=0.3)
    x[0, 640 + 5] = 1.0
    y = subject.process_hops(x)
    assert np.array_equal(y[:, :640], x[:, :640] / 2)
    assert np.array_equal(y[:, 640 + FADE : 3000], x[:, 640 + FADE : 3000])
    assert np.array_equal(y[:, -1000:], x[:, -1000:] / 2)
    assert subject.counters()["errors"] == 1
    (slot,) = subject.slots()
    assert "out of data bounds" in str(slot.stage.error)  # type: ignore[attr-defined]


def test_a_spectrum_models_dry_sound_after_a_nan_is_aligned_with_the_wet() -> None:
    stage = ModelStage(load_model(identity_spectrum()))
    subject = path_around(stage, hop=128)
    x = noise(128 * 80)
    first = subject.process_hops(x[:, :1280])
    stage._record.arrays["ola"][0, [7, 200]] = np.nan  # due now and with the next hop
    second = subject.process_hops(x[:, 1280:])
    y = np.concatenate([first, second], axis=1)
    expected = delayed(x, subject.latency)
    assert subject.counters()["resets"] == 1
    dry = slice(1280 + FADE, 1280 + 1280)
    assert np.array_equal(y[:, dry], expected[:, dry])
    assert np.isfinite(y).all()
    assert np.allclose(y[:, 1280 + FADE :], expected[:, 1280 + FADE :], atol=1e-6)


@pytest.mark.parametrize("level", [1.0, 4.0, 1e30])
def test_output_never_exceeds_full_scale(level: float) -> None:
    subject = path_of(sound(output_gain_db=23.0))
    y = subject.process_hops((noise(32 * 200) * level).astype(np.float32))
    assert np.abs(y).max() <= 1.0
    assert subject.counters()["output_limited"] > 0


def test_the_limiter_lets_go_with_its_time_constant() -> None:
    x = np.full((1, RATE), 0.1, dtype=np.float32)
    x[0, 0] = 4.0
    y = path_of(sound()).process_hops(x)
    after = int(LIMITER_RELEASE_SECONDS * RATE)
    assert y[0, after] / x[0, after] == pytest.approx(1.0 - 0.75 * np.exp(-1.0), rel=1e-3)


def test_meters_show_levels_in_dbfs() -> None:
    subject = path_of(sound(output_gain_db=-6.0))
    subject.process_hops(sine(RATE * 2, 997.0, 0.5))
    meters = subject.meters()
    assert meters["input_peak_db"] == pytest.approx(-6.02, abs=0.05)
    assert meters["input_rms_db"] == pytest.approx(-9.03, abs=0.05)
    assert meters["output_rms_db"] == pytest.approx(-15.03, abs=0.05)
    assert meters["limiter_db"] == 0.0


@pytest.mark.parametrize("make", [gru_model, identity_spectrum])
def test_reset_repeats_the_same_bits_and_keeps_the_parameters(make: Callable[[], bytes]) -> None:
    subject = path_of(sound(model(make())), block=100)
    subject.set("output_gain_db", -6.0)
    subject.settle()
    x = noise(5000)
    first = stream(subject, x, [100])
    subject.reset()
    assert subject.gain == pytest.approx(10 ** (-6 / 20))
    assert subject.counters()["hops"] == 0
    assert np.array_equal(first, stream(subject, x, [100]))


def test_a_path_starts_from_the_models_initial_state_even_if_it_was_used() -> None:
    alone = load_model(gru_model())
    x = noise(64 * 20)
    first, second = (path_around(ModelStage(alone)).process_hops(x) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("start", [2**31 - 700, 2**32 - 5, 2**53 - 3, 2**62])
@pytest.mark.parametrize("block", [33, 128])
def test_positions_beyond_32_and_53_bits_change_no_sample(start: int, block: int) -> None:
    x = noise(6000)
    fresh, old = (path_of(sound(model(identity_spectrum())), block=block) for _ in range(2))
    for counter in ("fifo_out_read", "fifo_out_written"):
        old.record[counter] += start // 4 * 4
    for counter in ("hops", "input_scrubbed", "output_limited", "position"):
        old.record[counter] += start
    # the FIFO's pre-fill is silence, so its place in the circular memory does not matter
    first, second = (stream(p, x, [block]) for p in (fresh, old))
    assert np.array_equal(first, second)
    assert old.counters()["hops"] - start == fresh.counters()["hops"] > 0


def test_denormals_are_flushed_while_processing_and_kept_outside() -> None:
    tiny = np.full((1, 64), 1e-41, dtype=np.float32)
    assert not path_of(sound(model(HALF))).process_hops(tiny).any()
    assert (tiny * np.float32(0.5)).all()


class Rude:
    """A Python stage that does the bad thing it is told to in one of its blocks."""

    name, native, governed, hop, latency = "rude", False, False, 1, 0
    settling = 0

    def __init__(self, at: int, deed: str) -> None:
        self.at, self.deed, self.calls, self.resets = at, deed, 0, 0

    def parameters(self) -> list[object]:
        return []

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
        self.resets = 0

    def process(self, block: Array) -> Array:
        self.calls += 1
        if self.calls == self.at and self.deed == "raises":
            raise RuntimeError("broken")
        return np.full_like(block, np.nan) if self.calls == self.at else -block

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        pass


def test_a_python_stage_that_raises_is_passed_over_from_then_on() -> None:
    stage = Rude(10, "raises")
    subject = path_around(stage, hop=128)
    x = sine(128 * 40, 200.0, 0.3)
    y = subject.process_hops(x)
    (slot,) = subject.slots()
    assert isinstance(slot.placed.error, RuntimeError)
    assert stage.calls == 10
    assert np.array_equal(y[:, : 9 * 128], -x[:, : 9 * 128])
    assert np.array_equal(y[:, 9 * 128 + FADE :], x[:, 9 * 128 + FADE :])
    assert np.abs(np.diff(y)).max() <= np.abs(np.diff(x)).max() + 0.6 / FADE + 1e-6


def test_a_python_stage_that_gives_nan_starts_afresh_and_comes_back() -> None:
    stage = Rude(10, "nan")
    subject = path_around(stage, hop=128)
    x = sine(128 * 60, 200.0, 0.3)
    y = subject.process_hops(x)
    assert np.isfinite(y).all()
    (slot,) = subject.slots()
    assert (subject.counters()["errors"], slot.placed.error, stage.resets) == (1, None, 1)
    assert np.array_equal(y[:, -1280:], -x[:, -1280:])
    assert np.abs(np.diff(y)).max() <= np.abs(np.diff(x)).max() + 2 * 0.6 / FADE + 1e-6
