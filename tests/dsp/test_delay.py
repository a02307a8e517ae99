from __future__ import annotations

import numpy as np
import pytest

from realtime.dsp.delay import TAP_FADE, MovingDelay

from ..signals import Array, cut, delayed, noise, random_sizes, sine


def through(line: MovingDelay, x: Array, sizes: list[int]) -> Array:
    return np.concatenate([line.process(b) for b in cut(x, sizes)], axis=1)


@pytest.mark.parametrize("length", [0, 1, 2, 63, 64, 192, 200])
@pytest.mark.parametrize("room", [0, 1, 7, 300])
@pytest.mark.parametrize("sizes", [[1], [64], [7, 500], random_sizes(2)], ids=str)
def test_a_constant_delay_is_the_signal_later(length: int, room: int, sizes: list[int]) -> None:
    x = noise(3000, channels=2)
    line = MovingDelay(2, length + room, length)
    assert np.array_equal(through(line, x, sizes), delayed(x, length))


@pytest.mark.parametrize("sizes", [[64], random_sizes(4)], ids=str)
@pytest.mark.parametrize(("before", "after"), [(0, 300), (300, 0), (100, 350)])
def test_another_length_comes_by_a_crossfade_of_the_two(
    before: int, after: int, sizes: list[int]
) -> None:
    x = sine(6000, 200.0, 0.5)
    line = MovingDelay(1, 400, before)
    first = through(line, x[:, :2048], sizes)
    line.length = after
    y = np.concatenate([first, through(line, x[:, 2048:], sizes)], axis=1)
    g = np.clip((np.arange(x.shape[1]) - 2048) / TAP_FADE, 0.0, 1.0)
    expected = (1 - g) * delayed(x, before) + g * delayed(x, after)
    assert np.allclose(y, expected, atol=1e-6)
    assert np.array_equal(y[:, 2048 + TAP_FADE :], delayed(x, after)[:, 2048 + TAP_FADE :])


def test_what_was_only_fed_is_heard_later_at_any_length() -> None:
    x = noise(3000)
    line = MovingDelay(1, 500)
    for block in cut(x[:, :2000], [700, 64]):
        line.length = 400
        line.feed(block)
    assert np.array_equal(line.process(x[:, 2000:]), delayed(x, 400)[:, 2000:])
