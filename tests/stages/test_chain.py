"""Chains: order, latency, edits without a click, stages that fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from realtime.errors import ChainError
from realtime.stages.chain import Chain
from realtime.stages.effects import EffectStage, make_plugin
from realtime.stages.glide import GLIDE_SECONDS, PIECE
from realtime.stages.slot import BYPASS, FADE_SECONDS, MIX, PARAMETERS, Slot

from ..signals import Array, delayed, noise, sine
from .scales import Bias, Parameter, Scale, chain
from .test_effects import RATE, blockwise


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


def steps(y: Array) -> float:
    """Largest step from one sample to the next."""
    return float(np.abs(np.diff(y)).max())


def play(made: Chain, x: Array, edits: dict[int, Callable[[], None]], block: int = 128) -> Array:
    """Play `x` and make each edit before the block of that number."""
    parts = []
    for k in range(x.shape[1] // block):
        if k in edits:
            edits[k]()
        parts.append(made.process(x[:, k * block : (k + 1) * block].copy()))
    return np.concatenate(parts, axis=1)


FADE = round(FADE_SECONDS * RATE)


def fading(at: int, length: int, rising: bool) -> Array:
    """A slot's gain over `length` samples, its fade starting at `at`."""
    ramp = np.clip((np.arange(length) - at + 1) / FADE, 0.0, 1.0)
    return (ramp if rising else 1.0 - ramp).astype(np.float32)


@pytest.mark.parametrize("block", [16, 64, 128, 960])
def test_a_stage_fades_in_from_the_sound_as_it_came(block: int) -> None:
    made = chain(Scale(0.5), block=block)
    x = sine(block * (4800 // block + 1), 200.0, 0.3)
    new = made.ready(Slot(Scale(-2.0)))
    y = play(made, x, {2: lambda: made.insert(1, new)}, block)
    gain = fading(2 * block, x.shape[1], rising=True)
    # what the stage is fed fades in, too
    assert np.allclose(y, 0.5 * x * (1.0 - gain) - x * gain**2, atol=1e-6)
    assert steps(y) <= steps(x) + 0.3 * 2.5 / FADE + 1e-6
    assert made.names == ["scale 0.5", "scale -2.0"]


def test_a_stage_with_latency_comes_when_it_has_filled() -> None:
    made = chain()
    x = noise(128 * 40)
    new = made.ready(Slot(Scale(1.0, latency=300)))
    y = play(made, x, {1: lambda: made.insert(0, new)})
    assert made.latency == 300
    assert np.array_equal(y[:, : 128 + 300], x[:, : 128 + 300])
    assert np.array_equal(y[:, 128 * 4 + FADE :], delayed(x, 300)[:, 128 * 4 + FADE :])


def test_a_stage_that_leaves_fades_out_and_is_handed_back() -> None:
    made = chain(Scale(0.5), Scale(3.0, 10))
    x = noise(128 * 40)
    leaving = made.slots[1]
    y = play(made, x, {5: leaving.leave})
    assert made.latency == 0
    assert made.gone == [leaving]
    assert np.array_equal(y[:, 640 + FADE :], 0.5 * x[:, 640 + FADE :])
    assert made.names == ["scale 0.5"]


def test_a_stage_moves_by_fading_out_and_in_again() -> None:
    made = chain(Scale(0.5), Bias(0.1), Scale(2.0))
    x = sine(128 * 60, 200.0, 0.2)
    moving = made.slots[1]
    y = play(made, x, {5: lambda: moving.leave(2)})
    assert made.names == ["scale 0.5", "scale 2.0", "bias"]
    assert made.gone == []
    assert np.allclose(y[:, : 5 * 128], (x[:, : 5 * 128] * 0.5 + 0.1) * 2.0, atol=1e-6)
    assert np.allclose(y[:, -1280:], x[:, -1280:] + 0.1, atol=1e-6)
    assert steps(y) <= steps(x) + 0.4 / FADE + 1e-6


def test_bypass_and_mix_fade_to_the_dry_sound_at_the_stages_latency() -> None:
    made = chain(Scale(-1.0, latency=77))
    slot, x = made.slots[0], noise(128 * 80)
    y = play(
        made,
        x,
        {
            10: lambda: slot.apply(BYPASS, 1.0),
            30: lambda: slot.apply(BYPASS, 0.0),
            50: lambda: slot.apply(MIX, 0.25),
        },
    )
    dry = delayed(x, 77)
    assert np.array_equal(y[:, :1280], -dry[:, :1280])
    assert np.array_equal(y[:, 1280 + FADE : 30 * 128], dry[:, 1280 + FADE : 30 * 128])
    assert np.array_equal(y[:, 30 * 128 + FADE : 50 * 128], -dry[:, 30 * 128 + FADE : 50 * 128])
    assert np.allclose(y[:, 50 * 128 + FADE :], 0.5 * dry[:, 50 * 128 + FADE :], atol=1e-6)
    assert made.latency == 77


def test_the_chains_own_mix_is_aligned_with_its_latency_through_edits() -> None:
    made = Chain([Scale(1.0, latency=50)], mix=0.5)
    made.prepare(RATE, 1, 128)
    x = noise(128 * 60)
    y = play(made, x, {10: lambda: made.insert(1, made.ready(Slot(Scale(1.0, latency=30))))})
    assert np.allclose(y[:, :1280], delayed(x, 50)[:, :1280], atol=1e-6)
    assert np.allclose(y[:, 3840:], delayed(x, 80)[:, 3840:], atol=1e-6)


def test_a_chain_is_replaced_stage_by_stage_without_a_click() -> None:
    made = chain(Scale(0.5), Scale(1.5))
    x = sine(128 * 60, 200.0, 0.3)

    def replace() -> None:
        made.clear()
        made.insert(0, made.ready(Slot(Scale(-1.0))))

    y = play(made, x, {5: replace})
    assert np.allclose(y[:, 5 * 128 + FADE :], -x[:, 5 * 128 + FADE :], atol=1e-6)
    assert steps(y) <= 1.2 * steps(x) + 3 * 0.3 * 2 / FADE
    assert made.names == ["scale -1.0"]


class Breaking(Scale):
    """Raises, or gives what is not a number, in the block of that number."""

    def __init__(self, at: int, raises: bool) -> None:
        super().__init__(-1.0)
        self.at, self.raises, self.resets, self.calls = at, raises, 0, 0

    def process(self, block: Array) -> Array:
        self.calls += 1
        if self.calls == self.at:
            if self.raises:
                raise RuntimeError("broken")
            return np.full_like(block, np.nan)
        return super().process(block)

    def reset(self) -> None:
        super().reset()
        self.resets += 1


def test_a_stage_that_raises_is_passed_over_from_then_on() -> None:
    stage = Breaking(at=10, raises=True)
    made = chain(stage)
    x = sine(128 * 40, 200.0, 0.3)
    y = play(made, x, {})
    slot = made.slots[0]
    assert isinstance(slot.error, RuntimeError)
    assert stage.calls == 10
    assert np.array_equal(y[:, 9 * 128 + FADE :], x[:, 9 * 128 + FADE :])
    assert steps(y) <= steps(x) + 0.6 / FADE + 1e-6
    assert slot.mark is None


def test_a_stage_that_gives_nan_starts_afresh_and_comes_back() -> None:
    stage = Breaking(at=10, raises=False)
    made = chain(stage)
    x = sine(128 * 60, 200.0, 0.3)
    y = play(made, x, {})
    assert np.isfinite(y).all()
    assert (made.slots[0].scrubbed, made.slots[0].error) == (1, None)
    assert np.array_equal(y[:, -1280:], -x[:, -1280:])
    assert steps(y) <= steps(x) + 2 * 0.6 / FADE + 1e-6


def test_the_mark_names_the_stage_while_it_runs_and_no_other_time() -> None:
    seen = []

    class Looking(Scale):
        def process(self, block: Array) -> Array:
            seen.append(int(mark[0]))
            return super().process(block)

    mark = np.zeros(4, dtype=np.int64)
    made = Chain([Slot(Looking(1.0), identity=7), Slot(Looking(1.0), identity=9)])
    for slot in made.slots:
        slot.mark = mark
    made.prepare(RATE, 1, 128)
    made.process(noise(128))
    assert seen == [7, 9]
    assert mark[0] == 0


def test_gliding_parameters_make_no_step_and_end_where_they_should() -> None:
    class Gain(Scale):
        takes_pieces = True

        def parameters(self) -> list[Parameter]:
            return [Parameter("factor", -4.0, 4.0, "float")]

        def get_parameter(self, name: str) -> float:
            return self.factor

        def set_parameter(self, name: str, value: float) -> None:
            self.factor = value

    stage = Gain(1.0)
    made = chain(stage)
    x = sine(128 * 40, 200.0, 0.3)
    y = play(made, x, {5: lambda: made.slots[0].apply(PARAMETERS, -2.0)})
    assert stage.factor == -2.0
    assert np.allclose(y[:, -128 * 10 :], -2.0 * x[:, -128 * 10 :], atol=1e-6)
    pieces = GLIDE_SECONDS * RATE / PIECE
    assert steps(y) <= 2.0 * steps(x) + 0.3 * 3.0 / pieces + 1e-6


def test_reset_completes_every_edit() -> None:
    made = chain(Scale(1.0), Scale(0.5))
    made.slots[0].leave()
    made.insert(1, made.ready(Slot(Scale(4.0))))
    x = np.full((1, 128), 0.1, dtype=np.float32)
    made.process(x)
    made.reset()
    assert np.allclose(made.process(x), 0.2)


def test_an_unprepared_chain_cannot_be_edited() -> None:
    with pytest.raises(ChainError, match="must be prepared"):
        Chain([]).ready(Slot(Scale(1.0)))
