"""``python -m benchmarks.measures.fft``: speed and error of restyle's FFT and others.

The kernels that native code can call (restyle's, rocket-fft's) are timed in a compiled loop, NumPy
and SciPy as Python calls them: that is how either would be used.  Each time is the least of many
rounds, one after the other in one run; the error is against NumPy's float64 transform, relative to
the largest value.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from realtime.dsp.fft import irfft, rfft, twiddles

from ..rig.tables import Report, Row

SIZES = (256, 512, 1024, 2048)
ROUNDS, CALLS = 30, 300
COLUMNS = {
    "n_fft": "n_fft",
    "library": "library",
    "called": "called from",
    "forward_us": "forward µs",
    "inverse_us": "inverse µs",
    "error": "relative error",
    "round_trip_error": "there and back",
}
Array = npt.NDArray[Any]


@njit(nogil=True, error_model="numpy")
def _own_forward(x, re, im, work, table, calls):  # type: ignore[no-untyped-def]
    for _ in range(calls):
        rfft(x, re, im, work, table)


@njit(nogil=True, error_model="numpy")
def _own_inverse(x, re, im, work, table, calls):  # type: ignore[no-untyped-def]
    for _ in range(calls):
        irfft(re, im, x, work, table)


def _rocket() -> tuple[Any, Any]:
    """Compiled loops over rocket-fft's ``numpy.fft`` (its Numba extension)."""

    @njit(nogil=True)
    def forward(x, calls):  # type: ignore[no-untyped-def]
        y = np.fft.rfft(x)
        for _ in range(calls - 1):
            y = np.fft.rfft(x)
        return y

    @njit(nogil=True)
    def inverse(y, calls):  # type: ignore[no-untyped-def]
        x = np.fft.irfft(y)
        for _ in range(calls - 1):
            x = np.fft.irfft(y)
        return x

    return forward, inverse


def _time(run: Callable[[], Any]) -> float:
    """Least time of one call [microseconds]; `run` makes :data:`CALLS` of them."""
    run()
    best = np.inf
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return round(1e6 * best / CALLS, 3)


def _loop(function: Callable[[Any], Any], argument: Any) -> Callable[[], Any]:
    def run() -> Any:
        for _ in range(CALLS):
            result = function(argument)
        return result

    return run


def _candidates(x: Array) -> dict[str, tuple[str, Callable[[], Any], Callable[[], Any], Array]]:
    """Name to (called from, forward loop, inverse loop, spectrum)."""
    n = x.size
    re, im = np.zeros((2, n // 2 + 1), np.float32)
    work, table, back = np.zeros((4, n // 2), np.float32), twiddles(n), np.zeros(n, np.float32)
    _own_forward(x, re, im, work, table, 1)
    spectrum = re + 1j * im
    found: dict[str, Any] = {
        "restyle": (
            "native code",
            lambda: _own_forward(x, re, im, work, table, CALLS),
            lambda: (_own_inverse(back, re, im, work, table, CALLS), back)[1],
            spectrum,
        )
    }
    if importlib.util.find_spec("rocket_fft"):
        forward, inverse = _rocket()
        y = forward(x, 1)
        found["rocket-fft"] = (
            "native code",
            lambda: forward(x, CALLS),
            lambda: inverse(y, CALLS),
            y,
        )
    f = np.fft.rfft(x)
    found["numpy"] = "Python", _loop(np.fft.rfft, x), _loop(np.fft.irfft, f), f
    if importlib.util.find_spec("scipy"):
        import scipy.fft

        g = scipy.fft.rfft(x)
        found["scipy"] = "Python", _loop(scipy.fft.rfft, x), _loop(scipy.fft.irfft, g), g
    return found


def rows_for(n_fft: int) -> list[Row]:
    """Measure every library at one length."""
    x = np.random.default_rng(0).standard_normal(n_fft).astype(np.float32)
    exact = np.fft.rfft(x.astype(np.float64))
    rows = []
    for name, (called, forward, inverse, spectrum) in _candidates(x).items():
        forward_us, inverse_us = _time(forward), _time(inverse)
        rows.append(
            {
                "n_fft": n_fft,
                "library": name,
                "called": called,
                "forward_us": forward_us,
                "inverse_us": inverse_us,
                "error": float(np.abs(spectrum - exact).max() / np.abs(exact).max()),
                "round_trip_error": float(np.abs(inverse() - x).max() / np.abs(x).max()),
            }
        )
    return rows


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measures.fft", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="powers of two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    sizes = [int(n) for n in options.sizes.split(",")]
    report = Report("fft", f"python -m benchmarks.measures.fft --sizes {options.sizes}")
    rows = [row for n in sizes for row in rows_for(n)]
    report.table("fft", "Real FFT, float32, least time of one call", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
