"""Streaming short-time Fourier transform, one hop at a time, one channel at a time.

Frame `t` covers the newest ``n_fft`` samples up to the end of hop `t`.  Only the newest
``synthesis_length`` samples of the inverse transform are overlap-added, so a sample leaves
``synthesis_length - hop_length`` samples after it came (windows and source:
:mod:`realtime.dsp.windows`).
"""

from __future__ import annotations

from ..native.late_numba import njit
from .fft import irfft, rfft


@njit(nogil=True, error_model="numpy", cache=True)
def analyse(x, history, window, re, im, frame, work, table):  # type: ignore[no-untyped-def]
    """Take one hop in and write the spectrum of the newest frame.

    Parameters
    ----------
    x : ndarray [shape=(hop_length,), float32]
        The new samples.
    history : ndarray [shape=(n_fft,), float32]
        State: the newest samples, oldest first; shifted by one hop.
    window : ndarray [shape=(n_fft,), float32]
    re, im : ndarray [shape=(n_fft // 2 + 1,), float32]
        Written.
    frame, work, table
        Scratch ``[n_fft]``, scratch ``[4, n_fft // 2]`` and :func:`realtime.dsp.fft.twiddles`.
    """
    n_fft, hop = history.shape[0], x.shape[0]
    for i in range(n_fft - hop):
        history[i] = history[i + hop]
    for i in range(hop):
        history[n_fft - hop + i] = x[i]
    for i in range(n_fft):
        frame[i] = history[i] * window[i]
    rfft(frame, re, im, work, table)


@njit(nogil=True, error_model="numpy", cache=True)
def synthesise(re, im, ola, window, y, frame, work, table):  # type: ignore[no-untyped-def]
    """Overlap-add one spectrum and write the hop that is now complete.

    Parameters
    ----------
    re, im : ndarray [shape=(n_fft // 2 + 1,), float32]
    ola : ndarray [shape=(synthesis_length,), float32]
        State: sums still growing, oldest first.
    window : ndarray [shape=(synthesis_length,), float32]
    y : ndarray [shape=(hop_length,), float32]
        Written.
    """
    n_fft, length, hop = frame.shape[0], ola.shape[0], y.shape[0]
    irfft(re, im, frame, work, table)
    for i in range(length):
        ola[i] += frame[n_fft - length + i] * window[i]
    for i in range(hop):
        y[i] = ola[i]
    for i in range(length - hop):
        ola[i] = ola[i + hop]
    for i in range(length - hop, length):
        ola[i] = 0.0
