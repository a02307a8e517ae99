from __future__ import annotations

import numpy as np
import pytest

from realtime.engine.engine import Engine
from realtime.engine.governor import FADE
from realtime.engine.lane import CONTROLS
from realtime.engine.layout import LIMITER_RELEASE_SECONDS, RAMP_SECONDS, WARM_SECONDS
from realtime.errors import ConfigError
from realtime.models.streaming import load_model

from ..graphs import fir_model, identity_spectrum
from ..networks import brittle_model, controlled_model, failing_model, gru_model
from ..signals import cut, delayed, noise, sine

HALF = fir_model(np.array([0.5, 0.0], dtype=np.float32))


def test_mix_0_is_the_delayed_input_bit_for_bit() -> None:
    subject = Engine(load_model(identity_spectrum(), 2), channels=2, mix=0.0)
    x = noise(128 * 40, channels=2)
    assert np.array_equal(subject.process_hops(x), delayed(x, subject.latency))


def test_mix_1_is_the_models_output_bit_for_bit() -> None:
    model = load_model(gru_model())
    subject = Engine(model, mix=1.0)
    x = noise(64 * 40)
    y = subject.process_hops(x)
    model.reset()
    steps = [model.step(h[None]) for h in cut(x, [64])]
    assert np.array_equal(y, np.clip(np.concatenate(steps, axis=2)[0], -1, 1))


def test_a_mix_between_is_the_weighted_sum() -> None:
    x = noise(64 * 40)
    y = Engine(load_model(HALF), mix=0.25).process_hops(x)
    assert np.allclose(y, 0.75 * x + 0.25 * 0.5 * x, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("mix", 1.0, 0.0), ("mix", 0.0, 1.0), ("input_gain", 1.0, 0.25), ("output_gain", 0.0, 1.5)],
)
def test_parameters_ramp_without_steps_and_end_exactly(
    name: str, before: float, after: float
) -> None:
    subject = Engine(load_model(HALF), **{name: before})  # type: ignore[arg-type]
    expected = Engine(load_model(HALF), **{name: after})  # type: ignore[arg-type]
    x = np.full((1, 64 * 400), 0.5, dtype=np.float32)
    start = subject.process_hops(x[:, :640])[0, -1]
    subject.set(name, after)
    y = np.r_[start, subject.process_hops(x)[0]]
    goal = expected.process_hops(x)[0]
    assert np.array_equal(y[-1000:], goal[-1000:])
    share = 1.0 - np.exp(-64 / 48000 / RAMP_SECONDS)
    largest = abs(float(goal[-1]) - float(start)) * share / 64
    assert np.abs(np.diff(y)).max() <= 1.01 * largest + 1e-7
    assert subject.get(name) == after


def test_categorical_controls_switch_at_once_and_others_ramp() -> None:
    model = load_model(controlled_model())
    subject = Engine(model, controls={"gain": 0.0})
    x = np.full((1, 64), 0.1, dtype=np.float32)
    subject.set("choice", 1.0)
    subject.set("gain", 1.0)
    subject.process_hops(x)
    assert model.controls[0, 1] == 1.0
    assert 0.0 < model.controls[0, 0] < 0.5
    for _ in range(200):
        subject.process_hops(x)
    assert model.controls[0, 0] == 1.0


def test_controls_start_at_their_defaults() -> None:
    model = load_model(controlled_model())
    y = Engine(model).process_hops(np.full((1, 64), 0.2, dtype=np.float32))
    assert np.allclose(y, 0.1)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("mixx", 0.5, "did you mean 'mix'"),
        ("gian", 0.5, "did you mean 'gain'"),
        ("mix", 1.1, "mix must be within 0..1"),
        ("mix", float("nan"), "mix must be within 0..1"),
        ("gain", 2.0, "gain must be within 0..1"),
        ("choice", 5, "choice must be within 0..4"),
        ("output_gain", 17.0, "output_gain must be within 0..16"),
    ],
)
def test_unknown_or_impossible_parameters_are_refused(name: str, value: float, says: str) -> None:
    subject = Engine(load_model(controlled_model()))
    with pytest.raises(ConfigError, match=says):
        subject.set(name, value)


def test_a_stream_at_another_rate_or_width_than_the_models_is_refused() -> None:
    with pytest.raises(ConfigError, match="runs at 48000 Hz, the stream at 44100 Hz"):
        Engine(load_model(HALF), sample_rate=44100)
    with pytest.raises(ConfigError, match="model has 1 channels, stream 2"):
        Engine(load_model(HALF), channels=2)
    with pytest.raises(ConfigError, match="at least 1"):
        Engine(channels=0)


def test_input_that_is_not_finite_becomes_silence_and_is_counted() -> None:
    x = noise(64 * 10)
    dirty = x.copy()
    dirty[0, 100:103] = [np.nan, np.inf, -np.inf]
    x[0, 100:103] = 0.0
    subject = Engine(load_model(gru_model()))
    y = subject.process_hops(dirty)
    assert np.array_equal(y, Engine(load_model(gru_model())).process_hops(x))
    assert subject.counters()["input_scrubbed"] == 3


def test_a_models_nan_gives_the_dry_sound_and_a_fresh_model() -> None:
    model = load_model(brittle_model())
    subject = Engine(model)
    x = noise(64 * 80, level=0.3)
    x[0, 64 * 10 + 5] = -0.9
    y = subject.process_hops(x)
    assert np.isfinite(y).all()
    assert subject.counters()["model_resets"] == 1
    assert subject.counters()["model_errors"] == 0
    # the last good sample fades into the dry sound
    fade = np.minimum(np.arange(1, 65) / FADE, 1.0)
    assert np.allclose(y[0, 640:704], y[0, 639] * (1 - fade) + x[0, 640:704] * fade, atol=1e-6)
    # the fresh model runs unheard, then returns from the dry sound to its own bits
    unheard = round(WARM_SECONDS * 48000 / 64) * 64
    back = 704 + unheard
    assert np.array_equal(y[:, 640 + FADE : back], x[:, 640 + FADE : back])
    fresh = Engine(load_model(brittle_model()))
    expected = fresh.process_hops(x[:, 704:])[:, unheard:]
    assert np.array_equal(y[:, back + FADE :], expected[:, FADE:])
    fade = np.minimum(np.arange(1, FADE + 1) / FADE, 1.0)
    between = expected[0, :FADE] * fade + x[0, back : back + FADE] * (1 - fade)
    assert np.allclose(y[0, back : back + FADE], between, atol=1e-6)


def test_a_models_failure_gives_the_dry_sound_and_is_counted_and_named() -> None:
    model = load_model(failing_model())
    subject = Engine(model)
    x = noise(64 * 80, level=0.3)
    x[0, 640 + 5] = 1.0
    y = subject.process_hops(x)
    assert np.array_equal(y[:, :640], x[:, :640] / 2)
    assert np.array_equal(y[:, 640 + FADE : 3000], x[:, 640 + FADE : 3000])
    assert np.array_equal(y[:, -1000:], x[:, -1000:] / 2)
    assert subject.counters()["model_errors"] == 1
    assert "out of data bounds" in str(model.error)


def test_a_spectrum_models_dry_sound_after_a_nan_is_aligned_with_the_wet() -> None:
    subject = Engine(load_model(identity_spectrum()))
    x = noise(128 * 80)
    first = subject.process_hops(x[:, :1280])
    subject._memory["ola"][0, [7, 200]] = np.nan  # due now and with the next hop
    second = subject.process_hops(x[:, 1280:])
    y = np.concatenate([first, second], axis=1)
    expected = delayed(x, subject.latency)
    assert subject.counters()["model_resets"] == 1
    dry = slice(1280 + FADE, 1280 + 1280)
    assert np.array_equal(y[:, dry], expected[:, dry])
    assert np.isfinite(y).all()
    assert np.allclose(y[:, 1280 + FADE :], expected[:, 1280 + FADE :], atol=1e-6)


@pytest.mark.parametrize("level", [1.0, 4.0, 1e30])
def test_output_never_exceeds_full_scale(level: float) -> None:
    subject = Engine(output_gain=15.0)
    y = subject.process_hops((noise(32 * 200) * level).astype(np.float32))
    assert np.abs(y).max() <= 1.0
    assert subject.counters()["output_limited"] > 0


def test_the_limiter_lets_go_with_its_time_constant() -> None:
    x = np.full((1, 48000), 0.1, dtype=np.float32)
    x[0, 0] = 4.0
    y = Engine().process_hops(x)
    after = int(LIMITER_RELEASE_SECONDS * 48000)
    assert y[0, after] / x[0, after] == pytest.approx(1.0 - 0.75 * np.exp(-1.0), rel=1e-3)


def test_meters_show_levels_in_dbfs() -> None:
    subject = Engine(output_gain=0.5)
    subject.process_hops(sine(48000 * 2, 997.0, 0.5))
    meters = subject.meters()
    assert meters["input_peak_db"] == pytest.approx(-6.02, abs=0.05)
    assert meters["input_rms_db"] == pytest.approx(-9.03, abs=0.05)
    assert meters["output_rms_db"] == pytest.approx(-15.05, abs=0.05)
    assert meters["limiter_db"] == 0.0


@pytest.mark.parametrize("make", [gru_model, identity_spectrum])
def test_reset_repeats_the_same_bits_and_keeps_the_parameters(make) -> None:  # type: ignore[no-untyped-def]
    subject = Engine(load_model(make()), block_size=100)
    subject.set("output_gain", 0.5)
    subject.settle()
    x = noise(5000)
    first = np.concatenate([subject.process(b) for b in cut(x, [100])], axis=1)
    subject.reset()
    assert subject.get("output_gain") == 0.5
    assert subject.counters()["hops"] == 0
    second = np.concatenate([subject.process(b) for b in cut(x, [100])], axis=1)
    assert np.array_equal(first, second)


@pytest.mark.parametrize("make", [gru_model, identity_spectrum])
def test_rewinding_an_engine_repeats_the_same_bits(make) -> None:  # type: ignore[no-untyped-def]
    subject = Engine(load_model(make()), block_size=100)
    x = noise(5000)
    for block in cut(x[:, :2300], [100]):
        subject.process(block)
    saved = subject.snapshot()
    first = [subject.process(b) for b in cut(x[:, 2300:], [100])]
    subject.restore(saved)
    second = [subject.process(b) for b in cut(x[:, 2300:], [100])]
    assert np.array_equal(first, second)


def test_an_engine_starts_from_the_models_initial_state_even_if_it_was_used() -> None:
    model = load_model(gru_model())
    x = noise(64 * 20)
    first = Engine(model).process_hops(x)
    assert np.array_equal(Engine(model).process_hops(x), first)


@pytest.mark.parametrize("start", [2**31 - 700, 2**32 - 5, 2**53 - 3, 2**62])
@pytest.mark.parametrize("block", [33, 128])
def test_positions_beyond_32_and_53_bits_change_no_sample(start: int, block: int) -> None:
    x = noise(6000)
    fresh, old = (Engine(load_model(identity_spectrum()), block_size=block) for _ in range(2))
    for counter in ("fifo_out_read", "fifo_out_written"):
        old.lane[counter] += start // 4 * 4
    for counter in ("hops", "input_scrubbed", "output_limited"):
        old.lane[counter] += start
    # the FIFO's pre-fill is silence, so its place in the circular memory does not matter
    first, second = (
        np.concatenate([e.process(b) for b in cut(x, [block])], axis=1) for e in (fresh, old)
    )
    assert np.array_equal(first, second)
    assert old.counters()["hops"] - start == fresh.counters()["hops"] > 0


def test_denormals_are_flushed_while_processing_and_kept_outside() -> None:
    tiny = np.full((1, 64), 1e-41, dtype=np.float32)
    subject = Engine(load_model(HALF))
    assert not subject.process_hops(tiny).any()
    assert (tiny * np.float32(0.5)).all()


def test_parameter_slots_do_not_overlap() -> None:
    subject = Engine(load_model(controlled_model()))
    slots = [subject._slot(n) for n in ("input_gain", "output_gain", "mix", "gain", "choice")]
    assert sorted(slots) == list(range(CONTROLS + 2))
