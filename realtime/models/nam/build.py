"""From a capture to its program: choice of architecture, and the small architectures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ModelError
from .activations import activate
from .file import Capture, Weights, from_data
from .limits import MAX_LAYERS, MAX_REACH, section, shown, whole
from .program import Program, Recur
from .wavenet import build_wavenet

MATCH_DB = -18.0  # loudness that level-matched captures play at [dB]
INPUT_DB, MATCH = 0, 1  # controls


def build_program(capture: Capture) -> Program:
    """Build the program of a capture (not of a container: see :func:`variants`).

    Controls: input gain in dB, and level matching 0..1 where the file states its loudness.

    Raises
    ------
    ModelError
        The configuration is malformed, or has more or fewer weights than it needs.
    """
    program = Program()
    try:
        source = program.scale(0, 1.0, INPUT_DB, 1.0)
        out = _append(program, capture, source)
        if program.channels[out] != 1:
            raise ModelError(f"the capture has {program.channels[out]} outputs, expected 1")
        loudness = stated_loudness(capture)
        program.output = out
        program.check_size()
        if loudness is not None:
            program.output = program.scale(out, 1.0, MATCH, MATCH_DB - loudness)
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ModelError(f"the configuration is malformed ({error!r})") from None
    return program


def stated_loudness(capture: Capture) -> float | None:
    """Loudness of the capture's output in dB, where its file says."""
    value = capture.metadata.get("loudness")
    return float(value) if isinstance(value, int | float) and abs(value) < 120 else None


def build_part(program: Program, data: Any, source: int) -> int:
    """Append a model nested in another one's configuration."""
    return _append(program, from_data(data), source)


def _append(program: Program, capture: Capture, source: int) -> int:
    builders = {
        "WaveNet": build_wavenet,
        "LSTM": _build_lstm,
        "ConvNet": _build_conv_net,
        "Linear": _build_linear,
    }
    if capture.architecture not in builders:
        raise ModelError(f"a {shown(capture.architecture)} cannot stand here")
    weights = Weights(capture.weights)
    out = builders[capture.architecture](program, capture.config, weights, source)
    weights.finish()
    return out


def _build_linear(program: Program, config: dict[str, Any], weights: Weights, x: int) -> int:
    length = whole(config["receptive_field"], "receptive_field", 1, MAX_REACH)
    weight = weights.take(1, 1, length)
    return program.conv(x, weight, weights.take(1) if config.get("bias") else None)


def _build_conv_net(program: Program, config: dict[str, Any], weights: Weights, x: int) -> int:
    channels = whole(config["channels"], "channels")
    for dilation in config["dilations"]:
        step = whole(dilation, "dilations", 1, MAX_REACH)
        weight = weights.take(channels, program.channels[x], 2)
        if config.get("batchnorm"):
            mean, variance, gain, offset = (weights.take(channels) for _ in range(4))
            spread = variance + weights.take(1)[0]
            if not np.all(spread > 0):
                raise ModelError("a batch normalisation has no positive variance")
            gain = gain / np.sqrt(spread)
            weight, bias = weight * gain[:, None, None], offset - mean * gain
        else:
            bias = weights.take(channels)
        x = activate(program, program.conv(x, weight, bias, step), config["activation"])
    return program.conv(x, weights.take(1, channels, 1), weights.take(1))


def _build_lstm(program: Program, config: dict[str, Any], weights: Weights, x: int) -> int:
    hidden = whole(config["hidden_size"], "hidden_size")
    if config.get("input_size", 1) != 1:
        raise ModelError("an LSTM with more than one input is not supported")
    for _ in range(whole(config.get("num_layers", 1), "num_layers", 1, MAX_LAYERS)):
        width = program.channels[x] + hidden
        dst = program.value(hidden)
        weight, bias = weights.take(4 * hidden, width), weights.take(4 * hidden)
        op = Recur(x, dst, weight, bias, weights.take(hidden), weights.take(hidden))
        program.operations.append(op)
        x = dst
    return program.conv(x, weights.take(1, hidden, 1), weights.take(1))


@dataclass(frozen=True)
class Variant:
    """One size of a capture: `suffix` is empty for the full one."""

    suffix: str
    capture: Capture


def variants(capture: Capture) -> list[Variant]:
    """The full size first, then the slimmer ones of a container."""
    if capture.architecture != "SlimmableContainer":
        return [Variant("", capture)]
    entries = capture.config.get("submodels")
    if not isinstance(entries, list) or not entries:
        raise ModelError("a SlimmableContainer needs a list 'submodels'")
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or "model" not in entry:
            raise ModelError("each of the submodels needs a 'model'")
        model = section(entry["model"], "model")
        inner = from_data({"sample_rate": capture.sample_rate, **model})
        if inner.architecture == "SlimmableContainer":
            raise ModelError("a SlimmableContainer inside another is not supported")
        metadata = {**capture.metadata, **inner.metadata}
        found.append(
            (
                float(entry.get("max_value", 1.0)),
                Capture(
                    inner.architecture,
                    inner.config,
                    inner.weights,
                    capture.sample_rate,
                    inner.version,
                    metadata,
                ),
            )
        )
    found.sort(key=lambda f: -f[0])
    names = ["", "-lite"] if len(found) == 2 else [""] + [f"-slim{i}" for i in range(1, len(found))]
    return [Variant(n, c) for n, (_, c) in zip(names, found, strict=True)]
