"""Real FFT for power-of-two lengths on preallocated, split real/imaginary float32 arrays.

Stockham autosort, radix 4 with one radix-2 pass where the length needs it (Van Loan,
"Computational Frameworks for the Fast Fourier Transform", 1992, §1.7), on the half-length packing
of a real signal (Press et al., "Numerical Recipes", §12.3).  Own code because library FFTs
reachable from Numba allocate or take a lock on each call; ``python -m benchmarks.measures.fft``
compares.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..native.late_numba import njit

F32 = np.float32


def twiddles(n_fft: int) -> npt.NDArray[np.float32]:
    """Return the tables for length `n_fft`.

    Returns
    -------
    ndarray [shape=(2, n_fft), float32]
        First half of each row: cos / -sin of ``2 pi k / (n_fft/2)`` for the complex passes; second
        half: the same of ``2 pi k / n_fft`` for unpacking the real transform.
    """
    half = n_fft // 2
    k = np.arange(half, dtype=np.float64)
    table = np.empty((2, n_fft), dtype=np.float32)
    for angle, part in (
        (2 * np.pi * k / half, slice(half)),
        (2 * np.pi * k / n_fft, slice(half, None)),
    ):
        table[0, part], table[1, part] = np.cos(angle), -np.sin(angle)
    return table


@njit(nogil=True, error_model="numpy", cache=True)
def _pass4(n, s, xr, xi, yr, yi, wr, wi, sign):  # type: ignore[no-untyped-def]
    """One radix-4 pass of length `n` over `s` interleaved sequences (x -> y)."""
    quarter = n // 4
    for p in range(quarter):
        w1r, w1i = wr[p * s], sign * wi[p * s]
        w2r, w2i = wr[2 * p * s], sign * wi[2 * p * s]
        w3r = w1r * w2r - w1i * w2i
        w3i = w1r * w2i + w1i * w2r
        a0, b0 = s * p, s * 4 * p
        a1, a2, a3 = a0 + s * quarter, a0 + 2 * s * quarter, a0 + 3 * s * quarter
        for q in range(s):
            ar, ai = xr[a0 + q], xi[a0 + q]
            br, bi = xr[a1 + q], xi[a1 + q]
            cr, ci = xr[a2 + q], xi[a2 + q]
            dr, di = xr[a3 + q], xi[a3 + q]
            apr, api = ar + cr, ai + ci
            amr, ami = ar - cr, ai - ci
            bpr, bpi = br + dr, bi + di
            jr, ji = sign * (bi - di), sign * (dr - br)
            yr[b0 + q] = apr + bpr
            yi[b0 + q] = api + bpi
            tr, ti = amr + jr, ami + ji
            yr[b0 + s + q] = tr * w1r - ti * w1i
            yi[b0 + s + q] = tr * w1i + ti * w1r
            tr, ti = apr - bpr, api - bpi
            yr[b0 + 2 * s + q] = tr * w2r - ti * w2i
            yi[b0 + 2 * s + q] = tr * w2i + ti * w2r
            tr, ti = amr - jr, ami - ji
            yr[b0 + 3 * s + q] = tr * w3r - ti * w3i
            yi[b0 + 3 * s + q] = tr * w3i + ti * w3r


@njit(nogil=True, error_model="numpy", cache=True)
def _first4(n, xr, xi, yr, yi, wr, wi, sign):  # type: ignore[no-untyped-def]
    """The pass with one sequence: the loop runs over the twiddles, so that it vectorises."""
    quarter = n // 4
    for p in range(quarter):
        w1r, w1i = wr[p], sign * wi[p]
        w2r, w2i = wr[2 * p], sign * wi[2 * p]
        w3r = w1r * w2r - w1i * w2i
        w3i = w1r * w2i + w1i * w2r
        apr, api = xr[p] + xr[p + 2 * quarter], xi[p] + xi[p + 2 * quarter]
        amr, ami = xr[p] - xr[p + 2 * quarter], xi[p] - xi[p + 2 * quarter]
        bpr, bpi = xr[p + quarter] + xr[p + 3 * quarter], xi[p + quarter] + xi[p + 3 * quarter]
        jr = sign * (xi[p + quarter] - xi[p + 3 * quarter])
        ji = sign * (xr[p + 3 * quarter] - xr[p + quarter])
        yr[4 * p] = apr + bpr
        yi[4 * p] = api + bpi
        tr, ti = amr + jr, ami + ji
        yr[4 * p + 1] = tr * w1r - ti * w1i
        yi[4 * p + 1] = tr * w1i + ti * w1r
        tr, ti = apr - bpr, api - bpi
        yr[4 * p + 2] = tr * w2r - ti * w2i
        yi[4 * p + 2] = tr * w2i + ti * w2r
        tr, ti = amr - jr, ami - ji
        yr[4 * p + 3] = tr * w3r - ti * w3i
        yi[4 * p + 3] = tr * w3i + ti * w3r


@njit(nogil=True, error_model="numpy", cache=True)
def _pass2(s, xr, xi, yr, yi):  # type: ignore[no-untyped-def]
    for q in range(s):
        ar, ai, br, bi = xr[q], xi[q], xr[q + s], xi[q + s]
        yr[q], yi[q] = ar + br, ai + bi
        yr[q + s], yi[q + s] = ar - br, ai - bi


@njit(nogil=True, error_model="numpy", cache=True)
def _complex(n, ar, ai, br, bi, wr, wi, sign):  # type: ignore[no-untyped-def]
    """Transform `a` with `b` as scratch; True when the result lies in `b`."""
    s = 1
    in_b = False
    while n >= 4:
        if s == 1:
            _first4(n, ar, ai, br, bi, wr, wi, sign)
        elif in_b:
            _pass4(n, s, br, bi, ar, ai, wr, wi, sign)
        else:
            _pass4(n, s, ar, ai, br, bi, wr, wi, sign)
        in_b = not in_b
        n //= 4
        s *= 4
    if n == 2:
        if in_b:
            _pass2(s, br, bi, ar, ai)
        else:
            _pass2(s, ar, ai, br, bi)
        in_b = not in_b
    return in_b


@njit(nogil=True, error_model="numpy", cache=True)
def count_passes(half):  # type: ignore[no-untyped-def]
    """Passes of a complex transform of length `half`, a power of two."""
    count = 0
    while half >= 4:
        half //= 4
        count += 1
    return count + (1 if half == 2 else 0)


@njit(nogil=True, error_model="numpy", cache=True)
def transform(half, k, work, wr, wi, sign):  # type: ignore[no-untyped-def]
    """Do pass `k` of a complex transform alone, for those who spread one over time.

    Parameters
    ----------
    half : int
        Length of the transform.
    work : ndarray [shape=(4, half), float32]
        Real and imaginary part in rows 0 and 1 before pass 0; the passes alternate between these
        and rows 2 and 3.
    wr, wi : ndarray [shape=(half,), float32]
        First half of the rows of :func:`twiddles`.
    sign : float32
        1 forward, -1 back (unscaled).
    """
    # rows by constants: so the compiler knows that they do not overlap
    if k % 2 == 0:
        _one_pass(half, k, work[0], work[1], work[2], work[3], wr, wi, sign)
    else:
        _one_pass(half, k, work[2], work[3], work[0], work[1], wr, wi, sign)


@njit(nogil=True, error_model="numpy", cache=True)
def _one_pass(half, k, xr, xi, yr, yi, wr, wi, sign):  # type: ignore[no-untyped-def]
    s, n = 1 << (2 * k), half >> (2 * k)
    if n == 2:
        _pass2(s, xr, xi, yr, yi)
    elif s == 1:
        _first4(n, xr, xi, yr, yi, wr, wi, sign)
    else:
        _pass4(n, s, xr, xi, yr, yi, wr, wi, sign)


@njit(nogil=True, error_model="numpy", cache=True)
def unpack(zr, zi, re, im, ur, ui):  # type: ignore[no-untyped-def]
    """Write a real transform ``[half + 1]`` from that of even + i odd samples ``[half]``."""
    half = zr.shape[0]
    re[0], im[0] = zr[0] + zi[0], F32(0.0)
    re[half], im[half] = zr[0] - zi[0], F32(0.0)
    for k in range(1, half):
        m = half - k
        er, ei = F32(0.5) * (zr[k] + zr[m]), F32(0.5) * (zi[k] - zi[m])
        dr, di = F32(0.5) * (zi[k] + zi[m]), F32(0.5) * (zr[m] - zr[k])
        re[k] = er + dr * ur[k] - di * ui[k]
        im[k] = ei + dr * ui[k] + di * ur[k]


@njit(nogil=True, error_model="numpy", cache=True)
def repack(re, im, zr, zi, ur, ui):  # type: ignore[no-untyped-def]
    """Undo :func:`unpack`, scaled by ``1 / half``."""
    half = zr.shape[0]
    scale = F32(0.5) / F32(half)
    for k in range(half):
        m = half - k
        er, ei = re[k] + re[m], im[k] - im[m]
        tr, ti = re[k] - re[m], im[k] + im[m]
        dr, di = tr * ur[k] + ti * ui[k], ti * ur[k] - tr * ui[k]
        zr[k] = scale * (er - di)
        zi[k] = scale * (ei + dr)
    # imaginary parts of the first and the last bin have no meaning for a real signal
    zr[0] = scale * (re[0] + re[half])
    zi[0] = scale * (re[0] - re[half])


@njit(nogil=True, error_model="numpy", cache=True)
def rfft(x, re, im, work, table):  # type: ignore[no-untyped-def]
    """Forward transform of a real signal.

    Parameters
    ----------
    x : ndarray [shape=(n_fft,), float32]
        Read only.
    re, im : ndarray [shape=(n_fft // 2 + 1,), float32]
        Written: real and imaginary parts, unnormalised (as ``numpy.fft.rfft``).
    work : ndarray [shape=(4, n_fft // 2), float32]
        Scratch, owned by the caller.
    table : ndarray [shape=(2, n_fft), float32]
        :func:`twiddles`.
    """
    half = x.shape[0] // 2
    for k in range(half):
        work[0, k] = x[2 * k]
        work[1, k] = x[2 * k + 1]
    wr, wi = table[0, :half], table[1, :half]
    in_b = _complex(half, work[0], work[1], work[2], work[3], wr, wi, F32(1.0))
    base = 2 if in_b else 0
    unpack(work[base], work[base + 1], re, im, table[0, half:], table[1, half:])


@njit(nogil=True, error_model="numpy", cache=True)
def irfft(re, im, x, work, table):  # type: ignore[no-untyped-def]
    """Inverse of :func:`rfft`, scaled by 1/n_fft; the arguments are the same, `x` is written."""
    half = x.shape[0] // 2
    repack(re, im, work[0], work[1], table[0, half:], table[1, half:])
    wr, wi = table[0, :half], table[1, :half]
    in_b = _complex(half, work[0], work[1], work[2], work[3], wr, wi, F32(-1.0))
    base = 2 if in_b else 0
    for k in range(half):
        x[2 * k] = work[base, k]
        x[2 * k + 1] = work[base + 1, k]
