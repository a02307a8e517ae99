from __future__ import annotations

import threading

import numpy as np
import pytest
from numba import njit

from realtime.errors import ConfigError
from realtime.native import ring
from realtime.native.intrinsics import sleep_address, sleep_ns
from realtime.native.ring import READ, WRITTEN, Ring

from ..signals import noise

STARTS = [0, 2**31 - 1000, 2**32 - 7, 2**53 - 999, 2**62 - 1]
LOW = 1 << 20  # sequence numbers are split over two channels, each exact in float32


@njit(nogil=True)
def write_numbers(address, total, largest, seed, nanosleep):  # type: ignore[no-untyped-def]
    np.random.seed(seed)  # noqa: NPY002
    block = np.empty((2, largest), dtype=np.float32)
    sent = 0
    while sent < total:
        n = min(1 + np.random.randint(largest), total - sent)  # noqa: NPY002
        for i in range(n):
            block[0, i] = (sent + i) % LOW
            block[1, i] = (sent + i) // LOW
        done = 0
        while done < n:
            put = ring.write(address, block, done, n - done)
            done += put
            if put == 0:
                sleep_ns(nanosleep, 1000)
        sent += n


@njit(nogil=True)
def read_numbers(address, total, largest, seed, nanosleep):  # type: ignore[no-untyped-def]
    """Read until `total` samples came; return how many were out of order."""
    np.random.seed(seed)  # noqa: NPY002
    block = np.empty((2, largest), dtype=np.float32)
    got, wrong = 0, 0
    while got < total:
        n = ring.read(address, block, 0, 1 + np.random.randint(largest))  # noqa: NPY002
        for i in range(n):
            number = int(block[1, i]) * LOW + int(block[0, i])
            if number != got + i:
                wrong += 1
        got += n
        if n == 0:
            sleep_ns(nanosleep, 1000)
    return wrong


@pytest.mark.parametrize("start", [0, 2**31 - 1_000_000, 2**62])
@pytest.mark.parametrize(("capacity", "largest"), [(16, 40), (1024, 700), (8192, 64)])
def test_two_threads_exchange_millions_of_samples_in_order(
    capacity: int, largest: int, start: int
) -> None:
    total = 100_000 if capacity == 16 else 3_000_000
    shared = Ring(2, capacity, position=start)
    writer = threading.Thread(
        target=write_numbers, args=(shared.address, total, largest, 1, sleep_address())
    )
    writer.start()
    wrong = read_numbers(shared.address, total, largest, 2, sleep_address())
    writer.join()
    assert wrong == 0
    assert shared.read_available == 0
    assert int(shared._words[READ]) == int(shared._words[WRITTEN]) == start + total


@pytest.mark.parametrize("start", STARTS)
def test_positions_beyond_32_and_53_bits_keep_the_sound_intact(start: int) -> None:
    shared = Ring(1, 128, position=start)
    x, out = noise(5000), np.zeros((1, 5000), dtype=np.float32)
    done = got = 0
    rng = np.random.default_rng(4)
    while got < 5000:
        done += shared.write(x[:, done : done + int(rng.integers(0, 200))].copy())
        piece = np.zeros((1, int(rng.integers(1, 200))), dtype=np.float32)
        n = shared.readinto(piece)
        out[:, got : got + n] = piece[:, :n]
        got += n
    assert np.array_equal(out, x)


def test_a_full_ring_takes_what_fits_and_keeps_what_it_has() -> None:
    shared = Ring(1, 8)
    x = noise(12)
    assert shared.write(x) == 8
    assert (shared.write_available, shared.read_available) == (0, 8)
    assert shared.write(x) == 0
    out = np.zeros((1, 12), dtype=np.float32)
    assert shared.readinto(out) == 8
    assert np.array_equal(out[:, :8], x[:, :8])
    assert not out[:, 8:].any()


def test_an_empty_ring_gives_nothing_and_leaves_the_block_alone() -> None:
    shared = Ring(1, 8)
    out = np.full((1, 4), 7.0, dtype=np.float32)
    assert shared.readinto(out) == 0
    assert (out == 7.0).all()


def test_discard_skips_samples_and_no_more_than_there_are() -> None:
    shared = Ring(1, 8)
    x = noise(6)
    shared.write(x)
    assert ring.discard(shared.address, 4) == 4
    out = np.zeros((1, 2), dtype=np.float32)
    shared.readinto(out)
    assert np.array_equal(out, x[:, 4:])
    assert ring.discard(shared.address, 4) == 0


def test_prefill_is_silence_before_the_first_sample() -> None:
    shared = Ring(1, 64, prefill=10)
    shared.write(np.ones((1, 3), dtype=np.float32))
    out = np.full((1, 13), np.nan, dtype=np.float32)
    assert shared.readinto(out) == 13
    assert np.array_equal(out[0], [0.0] * 10 + [1.0] * 3)


def test_capacity_is_rounded_up_to_a_power_of_two() -> None:
    assert [Ring(1, c).capacity for c in (1, 2, 3, 1000)] == [1, 2, 4, 1024]


@pytest.mark.parametrize("arguments", [(0, 8), (1, 0), (1, 8, 9), (1, 8, -1)])
def test_impossible_sizes_are_refused_with_a_sentence(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="a ring needs"):
        Ring(*arguments)
