"""From a capture to its program: choice of architecture, and the small architectures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import ModelError
from .activations import activate
from .file import Capture, Weights, from_data, submodels
from .knobs import read_knobs, with_knobs
from .limits import MAX_LAYERS, MAX_REACH, flag, listed, shown, whole
from .program import Program, dense
from .recurrent import build_lstm
from .wavenet import build_wavenet

MATCH_DB = -18.0  # loudness that level-matched captures play at [dB]
INPUT_DB, MATCH = 0, 1  # controls


def build_program(capture: Capture, input_gain_db: float = 0.0) -> Program:
    """Build the program of a capture (of a container: of its largest size).

    Controls: input gain in dB, and level matching 0..1 where the file states its loudness.
    `input_gain_db` comes on top: what fits the interface's level to that of the capture.

    Raises
    ------
    ModelError
        The configuration is malformed, or has more or fewer weights than it needs.
    """
    program = Program()
    try:
        source = program.scale(0, 10.0 ** (input_gain_db / 20.0), INPUT_DB, 1.0)
        loudness = stated_loudness(capture)
        knobs = read_knobs(capture.config)
        first = MATCH + (loudness is not None)
        program.defaults = (*[0.0] * first, *(knob.default for knob in knobs))
        program.condition = with_knobs(program, source, knobs, first) if knobs else None
        out = _append(program, capture, source)
        if program.channels[out] != 1:
            raise ModelError(f"the capture has {program.channels[out]} outputs, expected 1")
        program.output = out
        program.check_size()
        if loudness is not None:
            program.output = program.scale(out, 1.0, MATCH, MATCH_DB - loudness)
    except KeyError as error:
        raise ModelError(f"the configuration lacks {shown(error)}") from None
    except (LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ModelError(f"the configuration is malformed ({shown(error)})") from None
    program.drop_unused()
    return program


def stated_loudness(capture: Capture) -> float | None:
    """Loudness of the capture's output in dB, where its file says."""
    value = capture.metadata.get("loudness")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 120 else None


def build_part(program: Program, data: Any, source: int, rate: int | None) -> int:
    """Append a model nested in another one's configuration, whose sample rate is `rate` [Hz]."""
    capture = from_data(data)
    if rate is not None and capture.states_rate and capture.sample_rate != rate:
        raise ModelError(
            f"the condition_dsp is for {capture.sample_rate} Hz, the capture for {rate} Hz"
        )
    return _append(program, capture, source)


def _append(program: Program, capture: Capture, source: int) -> int:
    builders: dict[str, Callable[..., int]] = {
        "WaveNet": build_wavenet,
        "LSTM": build_lstm,
        "ConvNet": _build_conv_net,
        "Linear": _build_linear,
    }
    capture = largest(capture)
    whole(capture.config.get("in_channels", 1), "in_channels", 1, 1)
    weights = Weights(capture.weights)
    rate = capture.sample_rate if capture.states_rate else None
    out = builders[capture.architecture](program, capture.config, weights, source, rate)
    weights.finish()
    return out


def _build_linear(
    program: Program, config: dict[str, Any], weights: Weights, x: int, rate: int | None
) -> int:
    """An impulse response: the first weight is the newest tap."""
    whole(config.get("out_channels", 1), "out_channels", 1, 1)
    length = whole(config["receptive_field"], "receptive_field", 1, MAX_REACH)
    weight = weights.take(1, 1, length)[:, :, ::-1]
    bias = flag(config.get("bias"), "bias", False)
    return program.conv(x, weight, weights.take(1) if bias else None)


def _build_conv_net(
    program: Program, config: dict[str, Any], weights: Weights, x: int, rate: int | None
) -> int:
    channels = whole(config["channels"], "channels")
    outputs = whole(config.get("out_channels", 1), "out_channels")
    groups = whole(config.get("groups", 1), "groups")
    normed = flag(config.get("batchnorm"), "batchnorm", False)
    dilations = listed(config, "dilations")
    if not 0 < len(dilations) <= MAX_LAYERS:
        raise ModelError(f"'dilations' of a ConvNet must list 1..{MAX_LAYERS} numbers")
    for dilation in dilations:
        step = whole(dilation, "dilations", 1, MAX_REACH)
        inputs = program.channels[x]
        if inputs % groups or channels % groups:
            raise ModelError(f"{groups} groups do not divide {inputs} and {channels} channels")
        weight = dense(weights.take(channels, inputs // groups, 2), groups)
        if normed:
            mean, variance, gain, offset = (weights.take(channels) for _ in range(4))
            spread = variance + weights.take(1)[0]
            if not np.all(spread > 0):
                raise ModelError("a batch normalisation has no positive variance")
            gain = gain / np.sqrt(spread)
            weight, bias = weight * gain[:, None, None], offset - mean * gain
        else:
            bias = weights.take(channels)
        x = activate(program, program.conv(x, weight, bias, step), config["activation"])
    return program.conv(x, weights.take(outputs, channels, 1), weights.take(outputs))


@dataclass(frozen=True)
class Variant:
    """One size of a capture: `suffix` is empty for the full one."""

    suffix: str
    capture: Capture


def largest(capture: Capture) -> Capture:
    """The capture itself, or the largest size of a container, of containers in it, too."""
    while capture.architecture == "SlimmableContainer":
        capture = submodels(capture)[0]
    return capture


def variants(capture: Capture) -> list[Variant]:
    """The full size first, then the slimmer ones of a container.

    A container inside another is one size of it: its largest.  The full size is described by the
    file's own metadata, a slimmer one by its own.
    """
    if capture.architecture != "SlimmableContainer":
        return [Variant("", capture)]
    sizes = [largest(c) for c in submodels(capture)]
    names = ["", "-lite"] if len(sizes) == 2 else [""] + [f"-slim{i}" for i in range(1, len(sizes))]
    found = []
    for name, size in zip(names, sizes, strict=True):
        own, outer = size.metadata, capture.metadata
        metadata = {**outer, **own} if name else {**own, **outer}
        found.append(
            Variant(name, replace(size, sample_rate=capture.sample_rate, metadata=metadata))
        )
    return found
