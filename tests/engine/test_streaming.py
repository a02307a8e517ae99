"""One stream of samples: the same bits however callbacks cut it, in the lane's declared time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from realtime.engine.path import Path

from ..graphs import fir_model, identity_spectrum
from ..networks import gru_model, mask_model
from ..signals import Array, cut, delayed, impulse, noise, random_sizes
from ..sounds import group, model, path_of, same_bits, sound, stream
from ..sounds import offline as play_offline

TAPS = np.r_[1.0, np.random.default_rng(7).standard_normal(40) / 30].astype(np.float32)
SOUNDS = {
    "pass-through": sound(),
    "fir": sound(model(fir_model(TAPS))),
    "gru": sound(model(gru_model())),
    "mask": sound(model(mask_model())),
    "identity": sound(model(identity_spectrum())),
    "identity-16": sound(model(identity_spectrum(512, 96, 16))),
    "series": sound(model(gru_model()), model(identity_spectrum(512, 96, 16))),
    "group": sound(group([model(fir_model(TAPS))], [model(identity_spectrum())], [])),
}
BLOCKS = [1, 33, 64, 128, 441, 480, 1024]
LENGTH = 12_000


def engine(name: str, block_size: int | None = None, channels: int = 1) -> Path:
    return path_of(SOUNDS[name], channels, block_size)


def offline(name: str, x: Array) -> Array:
    return play_offline(SOUNDS[name], x)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("name", SOUNDS)
def test_constant_blocks_give_the_offline_bits(name: str, block: int) -> None:
    x = noise(LENGTH // block * block, seed=block)
    subject = engine(name, block)
    expected = offline(name, x)
    y = stream(subject, x, [block])[:, subject.prefill :]
    n = min(y.shape[1], expected.shape[1])
    assert n > x.shape[1] - 2 * subject.hop
    assert same_bits(y[:, :n], expected[:, :n])
    assert subject.counters()["resized"] == 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", SOUNDS)
def test_random_blocks_give_the_offline_bits(name: str, seed: int) -> None:
    x = noise(LENGTH, channels=2, seed=seed)
    subject = engine(name, None, channels=2)
    expected = offline(name, x)
    y = stream(subject, x, random_sizes(seed))[:, subject.prefill :]
    n = min(y.shape[1], expected.shape[1])
    assert n > LENGTH - 2 * subject.hop
    assert same_bits(y[:, :n], expected[:, :n])
    assert subject.counters()["resized"] == 0


@pytest.mark.parametrize("block", [*BLOCKS, None])
@pytest.mark.parametrize("name", ["pass-through", "fir", "identity", "identity-16"])
def test_declared_latency_is_where_an_impulse_arrives(name: str, block: int | None) -> None:
    for at in (3000, 3001, 3100):
        subject = engine(name, block)
        x = impulse(9000 // (block or 1) * (block or 1), at)
        y = stream(subject, x, [block] if block else random_sizes(3))
        declared = subject.prefill + subject.latency
        assert int(np.abs(y).argmax()) - at == declared


@pytest.mark.parametrize("name", ["pass-through", "identity", "identity-16"])
def test_identity_models_return_the_input_delayed_by_the_declared_latency(name: str) -> None:
    x = noise(LENGTH)
    subject = engine(name, 100)
    y = stream(subject, x, [100])
    expected = delayed(x, subject.prefill + subject.latency)
    assert np.abs(y - expected).max() <= 1e-6


def test_the_fir_model_equals_scipy() -> None:
    x = noise(LENGTH)
    subject = engine("fir", 480)
    y = stream(subject, x, [480])[:, subject.prefill :]
    expected = lfilter(TAPS.astype(np.float64), 1.0, x)[:, : y.shape[1]]
    assert np.abs(y - expected).max() <= 1e-6


@pytest.mark.parametrize("block", [1, 64, 441])
@pytest.mark.parametrize("name", SOUNDS)
def test_what_comes_later_does_not_change_what_went_out(name: str, block: int) -> None:
    x = noise(6000 // block * block)
    for change in (2999, 3000, 3050):
        other = x.copy()
        other[:, change:] = noise(x.shape[1] - change, seed=9)
        first, second = (stream(engine(name, block), s, [block]) for s in (x, other))
        out = change // block * block  # played before the changed sample was heard
        assert np.array_equal(first[:, :out], second[:, :out])
        assert not np.array_equal(first[:, out:], second[:, out:])


@pytest.mark.parametrize("name", SOUNDS)
def test_a_callback_larger_than_the_engine_expects_is_taken_in_parts(name: str) -> None:
    x = noise(40_000)
    subject = engine(name, None)
    y = stream(subject, x, [20_000, 3, 9000])[:, subject.prefill :]
    expected = offline(name, x)
    n = min(y.shape[1], expected.shape[1])
    assert np.array_equal(y[:, :n], expected[:, :n])


@pytest.mark.parametrize("name", ["pass-through", "identity", "fir"])
def test_a_broken_promise_of_block_size_raises_the_declared_prefill_once(name: str) -> None:
    sizes = [128, 128, 100, 100, 57, 1, 300]
    x = noise(15 * sum(sizes))
    subject = engine(name, 128)
    assert subject.prefill == 0
    blocks = list(cut(x, sizes))
    y = np.concatenate([subject.process(b) for b in blocks], axis=1)
    assert subject.counters()["resized"] == 1
    assert subject.prefill == subject.hop - 1
    late = sum(sizes)  # from here on the new latency holds
    expected = offline(name, x)
    n = min(y.shape[1] - subject.prefill, expected.shape[1])
    shifted = y[:, subject.prefill :][:, late:n]
    assert np.array_equal(shifted, expected[:, late:n])


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("name", ["fir", "mask", "identity"])
def test_channels_are_processed_independently(name: str, channels: int) -> None:
    x = noise(4096, channels=channels)
    together = offline(name, x)
    for c in range(channels):
        assert np.allclose(together[c], offline(name, x[c : c + 1])[0], atol=1e-7)
