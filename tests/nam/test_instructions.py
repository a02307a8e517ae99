"""A capture plays the same bits on processors with narrow and with wide registers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from realtime.models.nam.build import Variant
from realtime.models.nam.convert import make_player
from realtime.models.nam.file import from_data, parse_capture
from realtime.native import packed

from .core.kinds import kinds, lstm, signal

NAMES = ("gated", "head1x1", "bottleneck", "two arrays", "lstm of two layers", "convnet", "linear")


def digest() -> str:
    """One number for what all of :data:`NAMES` and a large LSTM play."""
    found = hashlib.sha256()
    captures = [parse_capture(kinds()[name].decode()) for name in NAMES]
    for capture in (*captures, from_data(lstm(35, 2))):
        player = make_player(Variant("", capture), "x", 2, 48)
        for block in signal(192).reshape(-1, 1, 1, 48):
            found.update(player.step(np.repeat(block, 2, axis=0)).tobytes())
    return found.hexdigest()


@pytest.mark.skipif(not packed.fits(), reason="this processor has no AVX2 and FMA")
def test_avx2_plays_the_bits_that_are_played_here() -> None:
    command = "from tests.nam.test_instructions import digest; print(digest())"
    environment = {**os.environ, "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == digest()
