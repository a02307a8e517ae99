from __future__ import annotations

import numpy as np
import pytest

from realtime.chain.effects import EffectStage, make_plugin
from realtime.chain.stage import CROSSFADE_SECONDS, Chain
from realtime.errors import ChainError

from ..signals import Array, delayed, noise, sine
from .test_effects import RATE, blockwise


class Scale:
    """Multiplies by a number, later by `latency` samples."""

    def __init__(self, factor: float, latency: int = 0) -> None:
        self.name, self.latency, self.factor = f"scale {factor}", latency, factor
        self.prepared: tuple[int, int, int] | None = None

    def prepare(self, sample_rate: int, channels: int, block_length: int) -> None:
        self.prepared = (sample_rate, channels, block_length)
        self.reset()

    def process(self, block: Array) -> Array:
        held = np.concatenate([self.held, block], axis=1)
        self.held = held[:, block.shape[1] :]
        return (held[:, : block.shape[1]] * self.factor).astype(np.float32)

    def reset(self) -> None:
        assert self.prepared is not None
        self.held = np.zeros((self.prepared[1], self.latency), dtype=np.float32)


def chain(*stages: Scale, block: int = 128) -> Chain:
    made = Chain(stages)
    made.prepare(RATE, 1, block)
    return made


def test_stages_run_in_order_and_latencies_add() -> None:
    made = chain(Scale(0.5, 100), Scale(3.0, 30))
    x = noise(128 * 20)
    assert made.latency == 130
    assert made.names == ["scale 0.5", "scale 3.0"]
    assert np.allclose(blockwise(made, x), delayed(1.5 * x, 130), atol=1e-6)


def test_an_empty_chain_passes_every_bit() -> None:
    x = noise(128 * 4)
    assert np.array_equal(blockwise(chain(), x), x)


def test_effects_in_a_chain_equal_pedalboards_own_chain() -> None:
    import pedalboard

    made = Chain(
        [
            EffectStage(make_plugin("HighpassFilter", {"cutoff_frequency_hz": 200.0})),
            EffectStage(make_plugin("Distortion", {"drive_db": 15.0})),
            EffectStage(make_plugin("Gain", {"gain_db": -6.0})),
        ]
    )
    made.prepare(RATE, 1, 128)
    board = pedalboard.Pedalboard(
        [pedalboard.HighpassFilter(200.0), pedalboard.Distortion(15.0), pedalboard.Gain(-6.0)]
    )
    x = noise(128 * 100)
    assert np.array_equal(blockwise(made, x), board.process(x, RATE, buffer_size=8192))


@pytest.mark.parametrize("block", [64, 128, 960, 1024, 4096])
def test_a_swap_is_an_equal_power_crossfade_without_a_click(block: int) -> None:
    made = chain(Scale(1.0), block=block)
    x = sine(block * 60, 200.0, 0.3)
    before = blockwise(made, x[:, : 20 * block], block)
    made.swap([Scale(-0.5)])
    after = blockwise(made, x[:, 20 * block :], block)
    y = np.concatenate([before, after], axis=1)
    blocks = max(1, round(CROSSFADE_SECONDS * RATE / block))
    phase = (np.arange(blocks * block) + 0.5) / (blocks * block) * np.pi / 2
    old, new = np.ones(60 * block), np.zeros(60 * block)
    fade = slice(20 * block, (20 + blocks) * block)
    old[fade], new[fade] = np.cos(phase), np.sin(phase)
    old[fade.stop :], new[fade.stop :] = 0.0, 1.0
    assert np.allclose(y[0], (old - 0.5 * new) * x[0], atol=1e-6)
    own = np.abs(np.diff(x)).max() * 1.5
    slope = np.abs(x).max() * 1.5 * (np.pi / 2) / (blocks * block)
    assert np.abs(np.diff(y)).max() <= own + slope + 1e-6


def test_the_new_stages_are_prepared_before_they_are_heard() -> None:
    made = chain(Scale(1.0))
    new = Scale(2.0, latency=7)
    made.swap([new])
    assert new.prepared == (RATE, 1, 128)
    made.process(noise(128))
    assert made.latency == 7
    assert made.names == ["scale 2.0"]


def test_of_two_swaps_during_a_crossfade_the_last_one_wins() -> None:
    made = chain(Scale(1.0))
    x = np.full((1, 128 * 60), 0.1, dtype=np.float32)
    made.swap([Scale(2.0)])
    first = blockwise(made, x[:, : 128 * 2])
    made.swap([Scale(3.0)])
    made.swap([Scale(4.0)])
    rest = blockwise(made, x[:, 128 * 2 :])
    assert np.allclose(rest[:, -128 * 20 :], 0.4)
    y = np.concatenate([first, rest], axis=1)
    assert np.abs(np.diff(y)).max() < 0.002


def test_a_swap_back_to_the_same_stages_settles_on_them() -> None:
    made = chain(Scale(1.0))
    x = noise(128 * 40)
    made.swap([])
    y = blockwise(made, x)
    assert np.array_equal(y[:, -128 * 20 :], x[:, -128 * 20 :])


def test_reset_ends_a_crossfade() -> None:
    made = chain(Scale(1.0))
    made.swap([Scale(0.5)])
    x = np.full((1, 128), 0.2, dtype=np.float32)
    made.process(x)
    made.reset()
    assert np.allclose(made.process(x), 0.1)


def test_an_unprepared_chain_cannot_swap() -> None:
    with pytest.raises(ChainError, match="must be prepared"):
        Chain([]).swap([])
