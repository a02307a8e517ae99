"""Read the JSON that RTNeural, AIDA-X and GuitarML (Proteus, NeuralPi) share their networks in.

RTNeural and AIDA-X list layers as Keras has them (``in_shape``, ``layers``); AIDA-X adds
``in_skip``, ``in_gain`` and ``out_gain`` (dB) and ``metadata``.  GuitarML has ``model_data`` and
torch's ``state_dict``, and RTNeural's torch examples a state dictionary alone.  The formats are
those of ``RTNeural/model_loader.h``, ``aidadsp-lv2`` and CoreAudioML's ``SimpleRNN``.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ModelError
from ..card import HIGHEST_RATE, LOWEST_RATE
from ..nam.file import MAX_BYTES
from ..nam.limits import MAX_CHANNELS, MAX_FLOAT, MAX_LAYERS, MAX_REACH, shown, whole
from ..nam.text import parse_bytes
from .layers import ACTIVATIONS, Activation, Conv, Float, Layer, Network, Recurrent, Scale

USUAL_RATE = 48000  # [Hz] of files that do not say
GUITARML_RATE = 44100  # [Hz] its plug-ins play at
MOST_KNOBS = 3
MOST_DB = 60.0  # of a gain
GATES = {"lstm": 4, "gru": 3}
_WEIGHTS = {  # arrays that a layer cannot do without
    "dense": 1,
    "time-distributed-dense": 1,
    "conv1d": 1,
    "lstm": 3,
    "gru": 3,
    "prelu": 1,
    "batchnorm": 2,
}
_MEMBER = re.compile(r"^(?:(.*)\.)?(weight|bias)_(ih|hh)_l(\d{1,3})$")
_UNPLAYED = {  # parts of a recurrent layer that are not played
    "runs both ways": re.compile(r"_l\d{1,3}_reverse$"),
    "projects its state": re.compile(r"(weight|bias)_hr_l\d{1,3}$"),
}
MOST_ORDERED = 7  # layers whose order is looked for where the file does not have it


def is_network(data: Any) -> bool:
    """Whether parsed JSON is of one of these makes."""
    if not isinstance(data, dict):
        return False
    if "layers" in data and "in_shape" in data:
        return True
    return "state_dict" in data or any(_MEMBER.match(str(k)) for k in data)


def read_network(path: Path, sample_rate: int | None = None) -> Network:
    """Read one file.

    Parameters
    ----------
    sample_rate : int or None [Hz]
        Instead of what the file says.

    Raises
    ------
    ModelError
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"{path.name} has more than {MAX_BYTES >> 20} MiB; networks have less")
        data = parse_bytes(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    return from_data(data, sample_rate)


def from_data(data: Any, sample_rate: int | None = None) -> Network:
    """Turn parsed JSON into a network.

    Raises
    ------
    ModelError
        It is none, or what it says does not fit together.
    """
    if not is_network(data):
        raise ModelError(
            "not a network of RTNeural, AIDA-X or GuitarML: expected 'layers' and 'in_shape', or"
            " 'state_dict'"
        )
    try:
        network = _keras(data) if "layers" in data and "in_shape" in data else _torch(data)
    except KeyError as error:
        raise ModelError(f"the network lacks {shown(error)}") from None
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise ModelError(f"the network is malformed ({shown(error)})") from None
    return network if sample_rate is None else replace(network, sample_rate=sample_rate)


def _keras(data: dict[str, Any]) -> Network:
    inputs = _last(data["in_shape"], "in_shape", 1 + MOST_KNOBS)
    rows = data["layers"]
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_LAYERS:
        raise ModelError(f"'layers' must list 1..{MAX_LAYERS} layers, got {shown(rows)}")
    layers: list[Layer] = []
    width = inputs
    for number, row in enumerate(rows, 1):
        try:
            if not isinstance(row, dict):
                raise ModelError("must be an object")
            found = _layer(row, width)
        except ModelError as error:
            raise ModelError(f"layer {number}: {error}") from None
        except KeyError as error:
            raise ModelError(f"layer {number} lacks {shown(error)}") from None
        layers += found
        width = _width(found, width)
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    aida = "metadata" in data or "in_skip" in data
    rate = metadata.get("samplerate", metadata.get("sample_rate", data.get("samplerate")))
    skip = data.get("in_skip")
    if skip is not None and skip not in (0, 1):
        raise ModelError(f"'in_skip' must be 0 or 1, got {shown(skip)}")
    return _checked(
        Network(
            tuple(layers),
            inputs,
            _rate(rate, USUAL_RATE),
            bool(skip),
            _gain(data.get("in_gain"), "in_gain"),
            _gain(data.get("out_gain"), "out_gain"),
            "AIDA-X" if aida else "RTNeural",
            metadata or {k: data[k] for k in ("author", "name", "esr") if k in data},
        ),
        width,
    )


def _layer(row: dict[str, Any], width: int) -> list[Layer]:
    kind, weights = row["type"], row.get("weights", [])
    if not isinstance(weights, list):
        raise ModelError(f"'weights' must be a list, got {shown(weights)}")
    needed = _WEIGHTS.get(kind, 0) if isinstance(kind, str) else 0
    if len(weights) < needed:
        raise ModelError(
            f"'weights' of a {kind} must hold {needed} array(s), got {len(weights)}; export it with"
            " its weights"
        )
    after: list[Layer] = []
    name = row.get("activation") or ""
    if kind in GATES:
        if name not in ("", "tanh"):
            raise ModelError(f"a recurrent layer with activation '{shown(name)}' is not supported")
    elif name:
        if name not in ACTIVATIONS:
            raise ModelError(
                f"activation '{shown(name)}' is not supported; supported are"
                f" {', '.join(ACTIVATIONS)}"
            )
        after = [Activation(name)]
    if kind == "activation":
        return after
    size = _last(row["shape"], "shape")
    if kind in ("dense", "time-distributed-dense"):
        weight = _array(weights[0], (width, size))
        return [Conv(weight.T[:, :, None], _bias(weights, size)), *after]
    if kind == "conv1d":
        taps = _last(row["kernel_size"], "kernel_size", MAX_REACH)
        dilation = _last(row.get("dilation", 1), "dilation", MAX_REACH)
        groups = whole(row.get("groups", 1), "groups")
        if width % groups or size % groups:
            raise ModelError(f"{groups} groups do not divide {width} and {size} channels")
        if _last(row.get("strides", row.get("stride", 1)), "strides", MAX_REACH) != 1:
            raise ModelError("a convolution that skips samples is not supported")
        weight = _array(weights[0], (taps, width // groups, size))
        if (taps - 1) * dilation > MAX_REACH:
            raise ModelError(f"it looks back more than {MAX_REACH} samples")
        return [Conv(weight.transpose(2, 1, 0), _bias(weights, size), dilation, groups), *after]
    if kind in GATES:
        return [_keras_recurrent(kind, weights, width, size)]
    if kind == "prelu":
        slopes = np.asarray(_array(weights[0][0], None))
        if slopes.size not in (1, width):
            raise ModelError(f"PReLU needs 1 or {width} slopes, got {slopes.size}")
        return [Activation("prelu", np.resize(slopes, width))]
    if kind == "batchnorm":
        parts = [_array(w, (width,)) for w in weights]
        if len(parts) not in (2, 4):
            raise ModelError(f"a batch normalisation has 2 or 4 weights, got {len(parts)}")
        mean, variance = parts[-2:]
        gain, offset = parts[:2] if len(parts) == 4 else (np.ones(width), np.zeros(width))
        spread = variance + _number(row["epsilon"], "epsilon")
        if not np.all(spread > 0):
            raise ModelError("a batch normalisation has no positive variance")
        gain = gain / np.sqrt(spread)
        return [Scale(gain, offset - mean * gain)]
    raise ModelError(
        f"type '{shown(kind)}' is not supported; supported are dense, conv1d, lstm, gru, prelu,"
        " batchnorm and activation"
    )


def _keras_recurrent(kind: str, weights: list[Any], inputs: int, size: int) -> Recurrent:
    """Keras: inputs first, and a GRU's gates in the order update, reset, new."""
    gates = GATES[kind]
    weight, again = (
        _array(weights[i], (rows, gates * size)).T for i, rows in enumerate((inputs, size))
    )
    if kind == "lstm":
        bias, more = _array(weights[2], (gates * size,)), np.zeros(gates * size)
        return Recurrent(kind, weight, again, bias, more)
    bias, more = _array(weights[2], (2, gates * size))
    order = np.r_[size : 2 * size, :size, 2 * size : 3 * size]
    return Recurrent(kind, weight[order], again[order], bias[order], more[order])


def _torch(data: dict[str, Any]) -> Network:
    about = data.get("model_data")
    about = about if isinstance(about, dict) else {}
    held = data.get("state_dict", data)
    if not isinstance(held, dict):
        raise ModelError(f"'state_dict' must be an object, got {shown(held)}")
    layers: list[Layer] = []
    order: list[tuple[str, int]] = []  # of each layer: its name, its number within that
    done: set[str] = set()
    for key in held:
        for what, sign in _UNPLAYED.items():
            if sign.search(str(key)):
                raise ModelError(f"'{shown(key)}': a recurrent layer that {what} is not supported")
        member = _MEMBER.match(str(key))
        group = f"{member[1] or ''}|{member[4]}" if member else str(key).rpartition(".")[0]
        if group in done or (not member and not str(key).endswith((".weight", ".bias"))):
            continue
        done.add(group)
        if member:
            layers.append(_torch_recurrent(held, member[1], int(member[4])))
            order.append((member[1] or "", int(member[4])))
        else:
            layers.append(_torch_dense(held, group))
            order.append((group, 0))
    layers = _in_a_row(layers, order)
    inputs = _inputs(layers[0]) if layers else 0
    if not layers or len(layers) > MAX_LAYERS:
        raise ModelError(f"the state_dict must hold 1..{MAX_LAYERS} layers, got {len(layers)}")
    if not 1 <= inputs <= 1 + MOST_KNOBS:
        raise ModelError(
            f"the network has {inputs} inputs; a sound and at most {MOST_KNOBS} knobs are supported"
        )
    stated = about.get("input_size", inputs)
    if stated != inputs:
        raise ModelError(f"'input_size' is {shown(stated)}, but the weights have {inputs} inputs")
    _as_stated(about, layers)
    width = inputs
    for number, layer in enumerate(layers, 1):
        if _inputs(layer) != width:
            raise ModelError(f"layer {number} takes {_inputs(layer)} channels but gets {width}")
        width = _width([layer], width)
    skip = about.get("skip", 1 if "model_data" in data else 0)
    if skip not in (0, 1):
        raise ModelError(f"'skip' must be 0 or 1, got {shown(skip)}")
    rate = next(
        (p[k] for p in (about, data) for k in ("sample_rate", "samplerate") if k in p), None
    )
    guitarml = "model_data" in data
    return _checked(
        Network(
            tuple(layers),
            inputs,
            _rate(rate, GUITARML_RATE if guitarml else USUAL_RATE),
            bool(skip),
            make="GuitarML" if guitarml else "a torch state dictionary",
            metadata={k: about[k] for k in ("model", "name", "author") if k in about},
        ),
        width,
    )


def _in_a_row(layers: list[Layer], order: list[tuple[str, int]]) -> list[Layer]:
    """Layers in the order in which each takes what the one before gives.

    That is mostly the file's own; programs that sort the names of a file lose it.
    """

    def fits(row: tuple[int, ...]) -> bool:
        width = _inputs(layers[row[0]])
        if width > 1 + MOST_KNOBS:
            return False
        last: dict[str, int] = {}
        for k in row:
            name, number = order[k]
            if _inputs(layers[k]) != width or last.get(name, -1) >= number:
                return False
            width, last[name] = _width([layers[k]], width), number
        return width == 1

    as_written = tuple(range(len(layers)))
    if not layers or len(layers) > MOST_ORDERED or fits(as_written):
        return layers
    found = [row for row in itertools.permutations(as_written) if fits(row)]
    if len({tuple(order[k] for k in row) for row in found}) > 1:
        raise ModelError("its layers fit together in more than one order; keep the order of torch")
    return [layers[k] for k in found[0]] if found else layers


def _as_stated(about: dict[str, Any], layers: list[Layer]) -> None:
    """Refuse weights that are another network's than the file says."""
    for layer in layers:
        if not isinstance(layer, Recurrent):
            continue
        for key, found in (("unit_type", layer.kind.upper()), ("hidden_size", layer.size)):
            said = about.get(key, found)
            if said != found and str(said).upper() != found:
                raise ModelError(f"'{key}' is {shown(said)}, but the weights are of {found}")


def _torch_recurrent(held: dict[str, Any], name: str | None, number: int) -> Recurrent:
    begin = f"{name}." if name else ""
    parts = [f"{begin}{k}_l{number}" for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    again = _array(held[parts[1]], None, 2)
    rows, size = again.shape
    kind = next((k for k, gates in GATES.items() if rows == gates * size), None)
    if kind is None:
        raise ModelError(f"'{shown(parts[1])}' is {rows} x {size}: neither an LSTM's nor a GRU's")
    weight = _array(held[parts[0]], None, 2)
    if len(weight) != rows:
        raise ModelError(f"'{shown(parts[0])}' has {len(weight)} rows, expected {rows}")
    biases = (_array(held[p], (rows,)) if p in held else np.zeros(rows) for p in parts[2:])
    return Recurrent(kind, weight, again, *biases)


def _torch_dense(held: dict[str, Any], name: str) -> Conv:
    begin = f"{name}." if name else ""
    weight = np.asarray(held[f"{begin}weight"], dtype=object)
    if weight.ndim != 2:
        raise ModelError(
            f"'{shown(name)}' has {weight.ndim} axes; a state dictionary does not say how a"
            " convolution is dilated or what follows it: export the network as RTNeural's layers"
        )
    found = _array(held[f"{begin}weight"], None, 2)
    bias = held.get(f"{begin}bias")
    size = len(found)
    return Conv(found[:, :, None], np.zeros(size) if bias is None else _array(bias, (size,)))


def _inputs(layer: Layer) -> int:
    if isinstance(layer, Conv):
        return layer.weight.shape[1] * layer.groups
    assert isinstance(layer, Recurrent)
    return layer.weight.shape[1]


def _width(layers: list[Layer], width: int) -> int:
    for layer in layers:
        if isinstance(layer, Conv):
            width = len(layer.weight)
        elif isinstance(layer, Recurrent):
            width = layer.size
    return width


def _checked(network: Network, outputs: int) -> Network:
    if outputs != 1:
        raise ModelError(f"the network has {outputs} outputs, expected 1: a sound")
    return network


def _last(value: Any, name: str, most: int = MAX_CHANNELS) -> int:
    """The last of a list such as ``[null, null, 8]``, or the number itself."""
    if isinstance(value, list):
        value = value[-1] if value else None
    return whole(value, name, 1, most)


def _bias(weights: list[Any], size: int) -> Float:
    return _array(weights[1], (size,)) if len(weights) > 1 else np.zeros(size)


def _array(value: Any, shape: tuple[int, ...] | None, axes: int = 1) -> Float:
    """Weights of a shape that is known, or of so many axes.

    Raises
    ------
    ModelError
    """
    expected = f"{' x '.join(map(str, shape))} weights" if shape else f"weights with {axes} axes"
    try:
        plain = np.asarray(value)
        if plain.dtype.kind not in "iuf" and plain.size:
            raise TypeError
        found = plain.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"expected {expected}, got {shown(value)}") from None
    if (found.shape != shape) if shape else (found.ndim != axes or not found.size):
        raise ModelError(f"expected {expected}, got {' x '.join(map(str, found.shape)) or 'one'}")
    if found.dtype.kind != "f" or not np.all(np.abs(found) <= MAX_FLOAT):
        raise ModelError("weights are NaN or infinite: training failed")
    return found


def _number(value: Any, name: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        raise ModelError(f"'{name}' must be a number, got {shown(value)}")
    return float(value)


def _gain(value: Any, name: str) -> float:
    """A gain in dB; 0 where there is none."""
    gain = 0.0 if value is None else _number(value, name)
    if abs(gain) > MOST_DB:
        raise ModelError(
            f"'{name}' must be within -{MOST_DB:g}..{MOST_DB:g} dB, got {shown(value)}"
        )
    return gain


def _rate(value: Any, usual: int) -> int:
    if value is None or value == "":
        return usual
    try:
        rate = float(value)
    except (TypeError, ValueError, OverflowError):
        rate = math.nan
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise ModelError(
            f"the sample rate must be within {LOWEST_RATE}..{HIGHEST_RATE} Hz, got {shown(value)}"
        )
    return round(rate)
