"""How late a model plays beyond what it declares, and which way up.

A capture brings what its maker's recording brought: a cable's or converter's delay, an amplifier
that turns the sound upside down.  Measured on quiet noise, by where what comes out resembles most
what went in.  Clicks would not do: a capture has learnt from playing, and answers a loud click with
sounds that no note has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

LEVEL = 0.1  # RMS of the noise
HOP = 1024
HOPS = 16  # the first of which is not compared: what plays settles
LONGEST = 1000  # samples
ALIKE = 0.1  # correlation below which nothing can be told

Block = npt.NDArray[np.float32]


class Lag(NamedTuple):
    """What a model's sound is late by.

    Attributes
    ----------
    samples : int
        Beyond what it declares; 0 where it cannot be told.
    inverted : bool
        Whether what comes out goes down where what comes in goes up.
    """

    samples: int = 0
    inverted: bool = False


def measure(play: Callable[[Block], Block]) -> Lag:
    """The lag of what turns blocks ``[1, 1, HOP]`` into blocks."""
    rng = np.random.default_rng(0)
    x = (LEVEL * rng.standard_normal((HOPS, 1, 1, HOP))).astype(np.float32)
    y = np.array([play(block) for block in x], dtype=np.float64).ravel()
    heard = y[HOP:] - y[HOP:].mean()
    given = x.ravel().astype(np.float64)
    size = 2 * len(y)
    there = np.fft.rfft(np.concatenate([np.zeros(HOP), heard]), size)
    alike = np.fft.irfft(there * np.fft.rfft(given, size).conj(), size)[:LONGEST]
    at = int(np.abs(alike).argmax())
    scale = float(np.linalg.norm(heard) * np.linalg.norm(given[HOP:]))
    if not abs(alike[at]) > ALIKE * scale:
        return Lag()
    return Lag(at, bool(alike[at] < 0))
