"""Functions of one float32 against float64."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.dsp import functions
from realtime.native.late_numba import njit

FUNCTIONS = {
    "tanh": (np.tanh, np.linspace(-12, 12, 4001)),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), np.linspace(-20, 20, 4001)),
    "exp": (np.exp, np.linspace(-80, 80, 4001)),
    "log": (np.log, np.exp(np.linspace(-80, 80, 4001))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_those_of_float64(name: str) -> None:
    function, (reference, at) = getattr(functions, name), FUNCTIONS[name]

    @njit(error_model="numpy")
    def apply(x, y):  # type: ignore[no-untyped-def]
        for i in range(x.shape[0]):
            y[i] = function(x[i])

    x = at.astype(np.float32)
    y = np.zeros_like(x)
    apply(x, y)
    assert y == pytest.approx(reference(x.astype(np.float64)), rel=3e-7, abs=3e-7)


@pytest.mark.parametrize("turn", [0, 1])
def test_sine_and_cosine_hold_far_out(turn: int) -> None:
    sine = functions.sin_of

    @njit(error_model="numpy")
    def apply(x, y, turn):  # type: ignore[no-untyped-def]
        for i in range(x.shape[0]):
            y[i] = sine(x[i], turn)

    x = (np.linspace(-1, 1, 4001) ** 3 * 1e6).astype(np.float32)
    y = np.zeros_like(x)
    apply(x, y, turn)
    expected = (np.sin, np.cos)[turn](x.astype(np.float64))
    assert y == pytest.approx(expected, abs=2e-7)
