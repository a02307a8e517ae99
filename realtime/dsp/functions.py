"""Functions of one float32 that compile to vector code: polynomials, no library calls.

Reductions and polynomials are those of Cephes (S. L. Moshier, netlib.org/cephes, single precision);
the hyperbolic tangent is a rational fit of our own.  Errors are a few units in the last place.  A
number that is none stays none.
"""

from __future__ import annotations

import numpy as np

from ..native.intrinsics import bits_of, float_of
from ..native.late_numba import njit

F32, I32 = np.float32, np.int32

# tanh(t) = t P(t^2) / Q(t^2) for |t| <= 9 within 1.3e-9, fitted by scripts/fit_tanh.py; what
# remains is float32's own rounding: 6e-8 as a rule, 3e-7 at most, as often above as below
TANH_REACH = 9.0
TANH_P = (
    0.999999998735599, 0.1368084013637412, 0.003869487257571105, 2.8030876559967844e-05,
    3.064143121808432e-08, -1.2245396217781653e-11,
)  # fmt: skip
TANH_Q = (
    1.0, 0.47014172232039275, 0.027250081497617012, 0.0003940676223179559, 1.2890040074233516e-06,
)  # fmt: skip

_P0, _P1, _P2, _P3, _P4, _P5 = (F32(p) for p in TANH_P)
_Q1, _Q2, _Q3, _Q4 = (F32(q) for q in TANH_Q[1:])
_REACH, _ONE, _HALF = F32(TANH_REACH), F32(1.0), F32(0.5)
_FAST = {"contract", "nsz"}


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True, inline="always")
def tanh(x):  # type: ignore[no-untyped-def]
    """Hyperbolic tangent."""
    low = _REACH if x > _REACH else x
    t = -_REACH if low < -_REACH else low
    u = t * t
    p = _P0 + u * (_P1 + u * (_P2 + u * (_P3 + u * (_P4 + u * _P5))))
    q = _ONE + u * (_Q1 + u * (_Q2 + u * (_Q3 + u * _Q4)))
    return t * p / q


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True, inline="always")
def sigmoid(x):  # type: ignore[no-untyped-def]
    """Logistic function."""
    return _HALF + _HALF * tanh(_HALF * x)


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True, inline="always")
def exp(x):  # type: ignore[no-untyped-def]
    """Exponential; 1.2e-38 below -87."""
    low = F32(88.72) if x > F32(88.72) else x
    t = F32(-87.33) if low < F32(-87.33) else low
    n = np.floor(t * F32(1.44269504088896341) + _HALF)
    r = t - n * F32(0.693359375)
    r = r - n * F32(-2.12194440e-4)
    p = F32(1.9875691500e-4)
    p = p * r + F32(1.3981999507e-3)
    p = p * r + F32(8.3334519073e-3)
    p = p * r + F32(4.1665795894e-2)
    p = p * r + F32(1.6666665459e-1)
    p = p * r + F32(5.0000001201e-1)
    scale = I32((I32(n) + I32(127)) << I32(23))
    return (p * r * r + r + _ONE) * float_of(scale)


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True, inline="always")
def log(x):  # type: ignore[no-untyped-def]
    """Natural logarithm; -inf at 0."""
    least = F32(1.1754944e-38)
    t = least if x < least else x
    bits = bits_of(t)
    e = F32((bits >> I32(23)) - I32(126))
    m = float_of(I32((bits & I32(0x7FFFFF)) | I32(0x3F000000)))  # 0.5 .. 1
    small = m < F32(0.707106781186547524)
    e = e - _ONE if small else e
    r = m + m - _ONE if small else m - _ONE
    z = r * r
    p = F32(7.0376836292e-2)
    p = p * r + F32(-1.1514610310e-1)
    p = p * r + F32(1.1676998740e-1)
    p = p * r + F32(-1.2420140846e-1)
    p = p * r + F32(1.4249322787e-1)
    p = p * r + F32(-1.6668057665e-1)
    p = p * r + F32(2.0000714765e-1)
    p = p * r + F32(-2.4999993993e-1)
    p = p * r + F32(3.3333331174e-1)
    y = r * z * p + e * F32(-2.12194440e-4) - _HALF * z
    y = r + y + e * F32(0.693359375)
    y = y if x > F32(0.0) else F32(-np.inf)
    y = x if x == F32(np.inf) else y
    return y if x >= F32(0.0) else F32(np.nan)


@njit(nogil=True, error_model="numpy", fastmath=_FAST, cache=True, inline="always")
def sin_of(x, turn):  # type: ignore[no-untyped-def]
    """Sine of `x` with `turn` more quarters of a circle: 0 for the sine, 1 for the cosine.

    Its angle is reduced in float64, so that it holds to 1e9 radians.
    """
    wide = np.float64(x)
    wide = wide if abs(wide) < 1e9 else wide * np.float64(0.0)
    q = np.floor(wide * 0.63661977236758134308 + 0.5)
    r = F32(wide - q * 1.57079632679489661923)
    k = I32(q) + I32(turn)
    z = r * r
    s = F32(-1.9515295891e-4)
    s = s * z + F32(8.3321608736e-3)
    s = s * z + F32(-1.6666654611e-1)
    s = s * z * r + r
    c = F32(2.443315711809948e-5)
    c = c * z + F32(-1.388731625493765e-3)
    c = c * z + F32(4.166664568298827e-2)
    c = c * z * z - _HALF * z + _ONE
    y = c if (k & I32(1)) != 0 else s
    return -y if (k & I32(2)) != 0 else y
