"""Captures swapped while they play, in every order: each then plays as if it had played alone."""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import permutations

import numpy as np
import pytest

from realtime.session.operations import Swap
from realtime.session.sound import Stage

from ..nam.core.kinds import kinds
from ..signals import Array, noise
from ..sounds import Player, heard, model, on_disk, sound

NAMES = (
    "gated", "two arrays", "lstm of two layers", "convnet", "linear by FFT",
    "layer1x1_post_film, blended",
)  # fmt: skip
LENGTH, AT = 38_400, 6400
QUIET = np.float32(0.1)  # so that the limiter has nothing to do, which would follow for long
# given the sound over 20 ms, unheard for 50 ms at most, faded to over 20 ms
HEARD_OUT = AT + 960 + 2400 + 960 + 3 * 64


def capture(name: str, identity: int = 1) -> Stage:
    return model(on_disk(kinds()[name], ".nam"), identity=identity)


def digest(y: Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(y[:, HEARD_OUT:LENGTH])).hexdigest()


@cache
def alone(name: str) -> str:
    return digest(heard(sound(capture(name)), QUIET * noise(LENGTH)))


@pytest.mark.parametrize(("first", "second"), list(permutations(NAMES, 2)))
def test_after_the_fade_a_capture_plays_the_bits_it_plays_alone(first: str, second: str) -> None:
    with Player(sound(capture(first)), QUIET * noise(LENGTH)) as player:
        player.at(AT, Swap(1, capture(second)))
        assert digest(player.finish()) == alone(second)
