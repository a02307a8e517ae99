"""The capture's network forth and back, compiled: several times as fast as layer by layer.

A layer of eight channels is too little work for a general convolution; here a stretch of two
thousand samples goes through all of a layer while it is in the cache.  Times are absolute: column
``t`` of every array belongs to sample ``t``, and a layer is there from what it has to look back on.
Everything is float32; rows are the channels, whose number is even.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float32]
STRETCH = 2048  # samples
compiled = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")


@compiled
def _tanh(row: Array) -> None:
    """In place, to a few units of the last place: a rational function, after Eigen's."""
    for t in range(len(row)):
        x = min(max(row[t], np.float32(-7.99881172180175781)), np.float32(7.99881172180175781))
        s = x * x
        p = np.float32(-2.76076847742355e-16)
        p = p * s + np.float32(2.00018790482477e-13)
        p = p * s + np.float32(-8.60467152213735e-11)
        p = p * s + np.float32(5.12229709037114e-08)
        p = p * s + np.float32(1.48572235717979e-05)
        p = p * s + np.float32(6.37261928875436e-04)
        p = p * s + np.float32(4.89352455891786e-03)
        q = np.float32(1.19825839466702e-06)
        q = q * s + np.float32(1.18534705686654e-04)
        q = q * s + np.float32(2.26843463243900e-03)
        q = q * s + np.float32(4.89352518554385e-03)
        row[t] = x * p / q


@compiled
def _add_two(row: Array, a: Array, b: Array, u: float, v: float) -> None:
    u, v = np.float32(u), np.float32(v)
    for t in range(len(row)):
        row[t] += u * a[t] + v * b[t]


@compiled
def _add_six(
    row: Array, a: Array, b: Array, c: Array, d: Array, e: Array, f: Array, u: Array, v: Array
) -> None:
    u0, u1, u2, v0, v1, v2 = u[0], u[1], u[2], v[0], v[1], v[2]
    for t in range(len(row)):
        row[t] += u0 * a[t] + u1 * b[t] + u2 * c[t] + v0 * d[t] + v1 * e[t] + v2 * f[t]


@compiled
def _sum(a: Array) -> float:
    total = np.float32(0)
    for t in range(len(a)):
        total += a[t]
    return total


@compiled
def _dot(a: Array, b: Array) -> float:
    total = np.float32(0)
    for t in range(len(a)):
        total += a[t] * b[t]
    return total


@compiled
def _dot_three(a: Array, b: Array, c: Array, d: Array, out: Array) -> None:
    x, y, z = np.float32(0), np.float32(0), np.float32(0)
    for t in range(len(a)):
        x += a[t] * b[t]
        y += a[t] * c[t]
        z += a[t] * d[t]
    out[0] += x
    out[1] += y
    out[2] += z


@compiled
def layer(
    x: Array, dry: Array, conv: Array, bias: Array, mixer: Array, one: Array, shift: Array,
    dilation: int, begin: int, a: Array, y: Array,
) -> None:  # fmt: skip
    """``a = tanh(conv(x) + bias + mixer dry)``, ``y = x + one a + shift``, from `begin` on.

    Parameters
    ----------
    x, a, y : ndarray [shape=(channels, samples), float32]
    dry : ndarray [shape=(samples,), float32]
    conv : ndarray [shape=(channels, channels, 3), float32]
    bias, mixer, shift : ndarray [shape=(channels,), float32]
    one : ndarray [shape=(channels, channels), float32]
    """
    channels, samples = x.shape
    d = dilation
    for low in range(begin, samples, STRETCH):
        high = min(low + STRETCH, samples)
        for o in range(channels):
            row = a[o, low:high]
            for t in range(high - low):
                row[t] = bias[o] + mixer[o] * dry[low + t]
            for i in range(0, channels, 2):
                p, q = x[i], x[i + 1]
                _add_six(
                    row, p[low - 2 * d : high - 2 * d], p[low - d : high - d], p[low:high],
                    q[low - 2 * d : high - 2 * d], q[low - d : high - d], q[low:high],
                    conv[o, i], conv[o, i + 1],
                )  # fmt: skip
            _tanh(row)
        for o in range(channels):
            row = y[o, low:high]
            for t in range(high - low):
                row[t] = x[o, low + t] + shift[o]
            for i in range(0, channels, 2):
                _add_two(row, a[i, low:high], a[i + 1, low:high], one[o, i], one[o, i + 1])


@compiled
def layer_back(
    x: Array, dry: Array, conv: Array, one: Array, dilation: int, begin: int, a: Array,
    head: Array, dy: Array, dz: Array,
    d_conv: Array, d_bias: Array, d_mixer: Array, d_one: Array, d_shift: Array,
) -> None:  # fmt: skip
    """The gradient of :func:`layer`: `dy`, that of `y`, becomes that of `x` in place.

    Parameters
    ----------
    head : ndarray [shape=(channels, n), float32]
        Gradient of `a` through the head, of the last n samples.
    dz : ndarray [shape=(channels, STRETCH), float32]
        Room to work.
    d_conv, d_bias, d_mixer, d_one, d_shift : ndarray
        Gradients of the weights are added to these.
    """
    channels, samples = x.shape
    d, heard = dilation, samples - head.shape[1]
    for low in range(begin, samples, STRETCH):
        high = min(low + STRETCH, samples)
        n = high - low
        for o in range(channels):
            row = dz[o, :n]
            row[:] = np.float32(0)
            for i in range(0, channels, 2):
                _add_two(row, dy[i, low:high], dy[i + 1, low:high], one[i, o], one[i + 1, o])
                d_one[o, i] += _dot(dy[o, low:high], a[i, low:high])
                d_one[o, i + 1] += _dot(dy[o, low:high], a[i + 1, low:high])
            d_shift[o] += _sum(dy[o, low:high])
            first = max(low, heard)
            for t in range(first, high):
                row[t - low] += head[o, t - heard]
            bent = a[o, low:high]
            for t in range(n):
                row[t] *= np.float32(1) - bent[t] * bent[t]
            d_bias[o] += _sum(row)
            d_mixer[o] += _dot(row, dry[low:high])
            for i in range(channels):
                p = x[i]
                _dot_three(
                    row, p[low - 2 * d : high - 2 * d], p[low - d : high - d], p[low:high],
                    d_conv[o, i],
                )  # fmt: skip
        for i in range(channels):
            for k in range(3):
                row = dy[i, low - (2 - k) * d : high - (2 - k) * d]
                for o in range(0, channels, 2):
                    _add_two(row, dz[o, :n], dz[o + 1, :n], conv[o, i, k], conv[o + 1, i, k])


@compiled
def _forth(
    dry: Array, conv: Array, bias: Array, mixer: Array, one: Array, shift: Array,
    dilations: npt.NDArray[np.int64], begin: int, xs: Array, bent: Array, head: Array,
) -> int:  # fmt: skip
    """All layers of an array whose ``xs[0]`` is there; adds to the head, returns where it ends."""
    layers, channels, samples = bent.shape
    heard = samples - head.shape[1]
    for k in range(layers):
        begin += 2 * dilations[k]
        layer(
            xs[k], dry, conv[k], bias[k], mixer[k], one[k], shift[k], dilations[k], begin,
            bent[k], xs[k + 1],
        )  # fmt: skip
        for c in range(channels):
            row, term = head[c], bent[k, c, heard:]
            for t in range(len(row)):
                row[t] += term[t]
    return begin


@compiled
def forth(
    dry: Array,
    enter: Array, conv: Array, bias: Array, mixer: Array, one: Array, shift: Array, out: Array,
    enter2: Array, conv2: Array, bias2: Array, mixer2: Array, one2: Array, shift2: Array,
    out2: Array, dilations: npt.NDArray[np.int64],
    xs: Array, bent: Array, head: Array, xs2: Array, bent2: Array, head2: Array, y: Array,
) -> None:  # fmt: skip
    """One sound through both arrays of layers: ``dry [samples] -> y [n]``, without bias and scale.

    Parameters
    ----------
    enter, out : ndarray [shape=(channels,) and (channels of the second, channels)]
    conv, bias, mixer, one, shift : ndarray
        As :func:`layer` takes them, a layer each.
    xs, bent, head : ndarray [shape=(layers + 1, channels, samples), (layers, ...), (channels, n)]
        Inputs and terms of the layers and the sum of the terms, for :func:`back`.
    """
    for c in range(len(enter)):
        for t in range(len(dry)):
            xs[0, c, t] = enter[c] * dry[t]
    head[:] = np.float32(0)
    begin = _forth(dry, conv, bias, mixer, one, shift, dilations, 0, xs, bent, head)
    last = xs[len(dilations)]
    for n in range(len(enter2)):
        row, sound = head2[n], xs2[0, n, begin:]
        row[:] = np.float32(0)
        sound[:] = np.float32(0)
        for c in range(0, len(enter), 2):
            _add_two(row, head[c], head[c + 1], out[n, c], out[n, c + 1])
            _add_two(sound, last[c, begin:], last[c + 1, begin:], enter2[n, c], enter2[n, c + 1])
    _forth(dry, conv2, bias2, mixer2, one2, shift2, dilations, begin, xs2, bent2, head2)
    y[:] = np.float32(0)
    for n in range(0, len(out2), 2):
        _add_two(y, head2[n], head2[n + 1], out2[n], out2[n + 1])


@compiled
def back(
    dry: Array,
    conv: Array, one: Array, out: Array, enter2: Array, conv2: Array, one2: Array, out2: Array,
    dilations: npt.NDArray[np.int64],
    xs: Array, bent: Array, head: Array, xs2: Array, bent2: Array, head2: Array, dy: Array,
    dx: Array, dx2: Array, heads: Array, heads2: Array, dz: Array, dz2: Array,
    d_enter: Array, d_conv: Array, d_bias: Array, d_mixer: Array, d_one: Array, d_shift: Array,
    d_out: Array, d_enter2: Array, d_conv2: Array, d_bias2: Array, d_mixer2: Array, d_one2: Array,
    d_shift2: Array, d_out2: Array,
) -> None:  # fmt: skip
    """Gradients of all weights, given that of `y`, are added to the ``d_`` arrays.

    Parameters
    ----------
    dx, dx2, heads, heads2, dz, dz2 : ndarray
        Room to work, as large as a layer's sound, a head and a stretch.
    """
    wide, narrow, total = len(d_enter), len(out2), 0
    for d in dilations:
        total += 2 * d
    for n in range(narrow):
        d_out2[n] += _dot(dy, head2[n])
        for t in range(len(dy)):
            heads2[n, t] = out2[n] * dy[t]
    dx2[:] = np.float32(0)
    begin = 2 * total
    for k in range(len(dilations) - 1, -1, -1):
        layer_back(
            xs2[k], dry, conv2[k], one2[k], dilations[k], begin, bent2[k], heads2, dx2, dz2,
            d_conv2[k], d_bias2[k], d_mixer2[k], d_one2[k], d_shift2[k],
        )  # fmt: skip
        begin -= 2 * dilations[k]
    last = xs[len(dilations)]
    dx[:] = np.float32(0)
    heads[:] = np.float32(0)
    for c in range(wide):
        for n in range(0, narrow, 2):
            _add_two(dx[c, begin:], dx2[n, begin:], dx2[n + 1, begin:], enter2[n, c],
                     enter2[n + 1, c])  # fmt: skip
            _add_two(heads[c], heads2[n], heads2[n + 1], out[n, c], out[n + 1, c])
        for n in range(narrow):
            d_enter2[n, c] += _dot(dx2[n, begin:], last[c, begin:])
            d_out[n, c] += _dot(heads2[n], head[c])
    for k in range(len(dilations) - 1, -1, -1):
        layer_back(
            xs[k], dry, conv[k], one[k], dilations[k], begin, bent[k], heads, dx, dz,
            d_conv[k], d_bias[k], d_mixer[k], d_one[k], d_shift[k],
        )  # fmt: skip
        begin -= 2 * dilations[k]
    for c in range(wide):
        d_enter[c] += _dot(dx[c], dry)
