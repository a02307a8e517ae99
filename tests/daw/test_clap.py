"""The CLAP in a host of the tests' own, which knows no latencies and moves states in parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from realtime.audio_files import Clip
from realtime.commands.plugin import to_sound
from realtime.session.render import render

from ..signals import noise
from .clap_host import Array, ClapHost

RATE, LONGEST = 48000, 4096
SOUND = """format = 2
[[stage]]
effect = "LowpassFilter"
cutoff_frequency_hz = 700.0
"""


def state(sound: str) -> bytes:
    """What a project kept: keys and values, as DPF writes them."""
    words = ["__dpf_state_begin__", "latency", "31", "sound", sound, "__dpf_state_end__"]
    return ("\0".join(words) + "\0").encode() + b"\xfe\0"


@pytest.fixture
def host(built: Path) -> Iterator[ClapHost]:
    made = ClapHost(built / "restyle.clap", RATE, LONGEST)
    yield made
    made.close()


def offline(host: ClapHost, x: Array, seed: int) -> Array:
    host.activate()
    host.run(np.zeros((2, 1), dtype=np.float32), {"Offline": 1.0})
    host.activate()  # anew, from the initial state
    parts, k = [], 0
    for n in np.random.default_rng(seed).integers(1, LONGEST + 1, 1000):
        parts.append(host.run(x[:, k : k + n]))
        if (k := k + n) >= x.shape[1]:
            break
    return np.concatenate(parts, axis=1)


def expected(x: Array, sound: str, late: int) -> Array:
    y = render(to_sound(sound), Clip(x, RATE)).samples
    return np.pad(y, ((0, 0), (late, 0)))[:, : x.shape[1]]


def test_a_render_in_random_blocks_equals_restyle_render(host: ClapHost) -> None:
    assert host.name == b"restyle.plugin"
    host.load(state(SOUND))
    x = noise(40_000, channels=2)
    y = offline(host, x, 2)
    assert host.latency == LONGEST + 31  # a hop of 32 less one
    assert np.array_equal(y, expected(x, SOUND, host.latency))


def test_its_state_is_the_sound_and_goes_into_another_instance(host: ClapHost, built: Path) -> None:
    host.load(state(SOUND))
    offline(host, noise(LONGEST, channels=2), 3)
    kept = host.save()
    other = ClapHost(built / "restyle.clap", RATE, LONGEST)
    other.load(kept)
    x = noise(9000, channels=2)
    assert np.array_equal(offline(other, x, 4), expected(x, SOUND, other.latency))
    other.close()


def test_a_parameter_turns_at_the_blocks_first_sample(host: ClapHost) -> None:
    """*Parameter 1* is the mix: at 0 the dry sound comes back, delayed as declared."""
    host.load(state(SOUND))
    x = noise(40_000, channels=2)
    offline(host, x, 5)
    host.activate()
    half = 15_008  # a multiple of the hop
    before = [host.run(x[:, k : min(k + 4000, half)]) for k in range(0, half, 4000)]
    after = [host.run(x[:, half : half + 4000], {"Parameter 1": 0.0})]
    after += [host.run(x[:, k : k + 4000]) for k in range(half + 4000, x.shape[1], 4000)]
    y, late = np.concatenate(before + after, axis=1), host.latency
    wet = expected(x, SOUND, late)
    assert np.array_equal(y[:, : half + late], wet[:, : half + late])
    glide = half + late + 9600  # 0.2 s
    dry = np.pad(x, ((0, 0), (late, 0)))
    assert np.abs(y[:, glide:] - dry[:, glide : y.shape[1]]).max() < 1e-7
