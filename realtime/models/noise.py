"""Noise that is a function of a seed and a place: the same whatever the block size or thread.

SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014) is
a counter run through a bijection of 64 bits, so that any place can be had without those before it.
"""

from __future__ import annotations

import numpy as np

from ..native.late_numba import njit

U64 = np.uint64
GAMMA = U64(0x9E3779B97F4A7C15)
_A, _B = U64(0xBF58476D1CE4E5B9), U64(0x94D049BB133111EB)
_30, _27, _31, _40 = U64(30), U64(27), U64(31), U64(40)
_SCALE = np.float32(2.0**-23)


@njit(nogil=True, inline="always", error_model="numpy", cache=True)
def mixed(z):  # type: ignore[no-untyped-def]
    """The bijection on an unsigned number of 64 bits."""
    z = (z ^ (z >> _30)) * _A
    z = (z ^ (z >> _27)) * _B
    return z ^ (z >> _31)


@njit(nogil=True, error_model="numpy", cache=True)
def fill(out, seed, first):  # type: ignore[no-untyped-def]
    """Fill `out` with evenly distributed numbers of -1 <= x < 1.

    Parameters
    ----------
    out : ndarray [shape=(n,), float32]
        The caller's.
    seed, first : int
        Stream, and place in it of ``out[0]``; not negative.
    """
    start = mixed(U64(seed) + GAMMA)
    for i in range(out.shape[0]):
        z = mixed(start + (U64(first) + U64(i) + U64(1)) * GAMMA)
        out[i] = np.float32(z >> _40) * _SCALE - np.float32(1.0)
