"""WaveNet captures, first and second generation, as a program.

Layout of the weights: for each layer array the rechannel convolution, its layers (dilated
convolution, input mixer, 1x1, head 1x1, FiLM in the order of :data:`FILMS`), the head rechannel;
then the head, then the head scale.
"""

from __future__ import annotations

from typing import Any

from ...errors import ModelError
from .activations import activate
from .file import Weights
from .limits import MAX_LAYERS, MAX_REACH, section, shown, whole
from .program import Program, dense

FILMS = (
    "conv_pre_film",
    "conv_post_film",
    "input_mixin_pre_film",
    "input_mixin_post_film",
    "activation_pre_film",
    "activation_post_film",
    "layer1x1_post_film",
    "head1x1_post_film",
)


def build_wavenet(program: Program, config: dict[str, Any], weights: Weights, source: int) -> int:
    """Append a WaveNet that reads value `source`; return its output value.

    Raises
    ------
    ModelError
        A configuration that contradicts itself or the weights.
    """
    condition = source
    nested = config.get("condition_dsp")
    if nested is not None:
        from .build import build_part

        condition = build_part(program, nested, source)
    layers = config.get("layers")
    if not isinstance(layers, list) or not layers:
        raise ModelError("a WaveNet needs a list 'layers'")
    x, head = source, None
    for array in layers:
        x, head = _layer_array(program, array, weights, x, condition, head)
    assert head is not None
    tail = config.get("head")
    split = len(program.operations)
    scaled = program.scale(head, 1.0)
    out = scaled if tail is None else _head(program, tail, weights, scaled)
    factor = float(weights.take(1)[0])
    # the factor stands last in the weights but acts before the head
    program.operations[split] = type(program.operations[split])(head, scaled, factor)  # type: ignore[call-arg,arg-type]
    return out


def _per_layer(value: Any, count: int, name: str) -> list[Any]:
    found = list(value) if isinstance(value, list | tuple) else [value] * count
    if len(found) != count:
        raise ModelError(f"'{name}' has {len(found)} entries for {count} layers")
    return found


def _layer_array(
    program: Program,
    config: dict[str, Any],
    weights: Weights,
    x: int,
    condition: int,
    head: int | None,
) -> tuple[int, int]:
    channels = whole(config["channels"], "channels")
    width = whole(config["condition_size"], "condition_size")
    if width != program.channels[condition]:
        raise ModelError(
            f"condition_size {width} but the condition has {program.channels[condition]}"
        )
    middle = whole(config.get("bottleneck") or channels, "bottleneck")
    dilations = [whole(d, "dilations", 1, MAX_REACH) for d in config["dilations"]]
    count = len(dilations)
    if not 0 < count <= MAX_LAYERS:
        raise ModelError(f"a layer array must have 1..{MAX_LAYERS} layers, got {count}")
    kernels = _per_layer(
        config.get("kernel_sizes", config.get("kernel_size")), count, "kernel_size"
    )
    activations = _per_layer(config["activation"], count, "activation")
    modes, seconds = _gates(config, count)
    x = program.conv(x, weights.take(channels, program.channels[x], 1))
    for i in range(count):
        layer = _Layer(program, config, weights, condition, channels, middle)
        shape = (whole(kernels[i], "kernel_size", 1, MAX_REACH), dilations[i])
        x, term = layer.append(x, *shape, activations[i], modes[i], seconds[i])
        head = term if head is None else program.combine("add", head, term)
    assert head is not None
    outputs, kernel, bias = _rechannel(config)
    weight = weights.take(outputs, program.channels[head], kernel)
    return x, program.conv(head, weight, weights.take(outputs) if bias else None)


def _gates(config: dict[str, Any], count: int) -> tuple[list[Any], list[Any]]:
    """Gating mode and second activation of each layer, in the old and the new spelling."""
    if "gating_mode" in config:
        modes = _per_layer(config["gating_mode"], count, "gating_mode")
        seconds = _per_layer(config.get("secondary_activation"), count, "secondary_activation")
    else:
        modes = [
            "gated" if g else "none" for g in _per_layer(config.get("gated", False), count, "gated")
        ]
        seconds = ["Sigmoid"] * count
    return modes, [s or "Sigmoid" for s in seconds]


def _rechannel(config: dict[str, Any]) -> tuple[int, int, bool]:
    head = config.get("head")
    if isinstance(head, dict):
        outputs = whole(head["out_channels"], "out_channels")
        return outputs, whole(head["kernel_size"], "kernel_size", 1, MAX_REACH), bool(head["bias"])
    return whole(config["head_size"], "head_size"), 1, bool(config.get("head_bias", False))


class _Layer:
    """Appends one layer; reads its weights in the order they are stored."""

    def __init__(
        self,
        program: Program,
        config: dict[str, Any],
        weights: Weights,
        condition: int,
        channels: int,
        middle: int,
    ) -> None:
        self.program, self.config, self.weights = program, config, weights
        self.condition, self.channels, self.middle = condition, channels, middle

    def _group(self, name: str) -> int:
        return whole(self.config.get(name) or 1, name)

    def _conv_weights(self, outputs: int, inputs: int, kernel: int, groups: int, bias: bool) -> Any:
        if inputs % groups or outputs % groups:
            raise ModelError(f"{groups} groups do not divide {inputs} and {outputs} channels")
        weight = dense(self.weights.take(outputs, inputs // groups, kernel), groups)
        return weight, self.weights.take(outputs) if bias else None

    def append(
        self, x: int, kernel: int, dilation: int, activation: Any, mode: str, second: Any
    ) -> tuple[int, int]:
        """Append the layer; return (residual, head term)."""
        program, middle, condition = self.program, self.middle, self.condition
        if mode not in ("none", "gated", "blended"):
            raise ModelError(f"gating_mode '{shown(mode)}' is not supported (none, gated, blended)")
        wide = middle if mode == "none" else 2 * middle
        mixer_inputs = program.channels[condition]
        one = section(self.config.get("layer1x1"), "layer1x1")
        side = section(self.config.get("head1x1"), "head1x1")
        has_one, has_side = bool(one.get("active", True)), bool(side.get("active", False))
        conv = self._conv_weights(wide, self.channels, kernel, self._group("groups_input"), True)
        groups = self._group("groups_input_mixin")
        mixer = self._conv_weights(wide, mixer_inputs, 1, groups, False)
        groups = whole(one.get("groups") or 1, "groups")
        inner = self._conv_weights(self.channels, middle, 1, groups, True) if has_one else None
        side_width = whole(side.get("out_channels") or 1, "out_channels")
        groups = whole(side.get("groups") or 1, "groups")
        outer = self._conv_weights(side_width, middle, 1, groups, True) if has_side else None
        widths = (self.channels, wide, mixer_inputs, wide, wide, middle, self.channels, side_width)
        films = {n: self._film_weights(n, w) for n, w in zip(FILMS, widths, strict=True)}

        source = self._film(films, "conv_pre_film", x)
        plain = films["conv_post_film"] is None and films["input_mixin_post_film"] is None
        mixed = self._film(films, "input_mixin_pre_film", condition)
        if plain:
            z = program.conv(source, conv[0], conv[1], dilation)
            z = program.conv(mixed, mixer[0], None, 1, z)
        else:
            z = self._film(
                films, "conv_post_film", program.conv(source, conv[0], conv[1], dilation)
            )
            mixed = self._film(films, "input_mixin_post_film", program.conv(mixed, mixer[0]))
            z = program.combine("add", z, mixed)
        z = self._film(films, "activation_pre_film", z)
        post = self._gate(z, activation, mode, second)
        post = self._film(films, "activation_post_film", post)
        if inner is not None and films["layer1x1_post_film"] is None:
            residual = program.conv(post, inner[0], inner[1], 1, x)
        else:
            y = post if inner is None else program.conv(post, *inner)
            y = self._film(films, "layer1x1_post_film", y)
            residual = program.combine("add", x, y)
        term = post if outer is None else program.conv(post, *outer)
        return residual, self._film(films, "head1x1_post_film", term)

    def _gate(self, z: int, activation: Any, mode: str, second: Any) -> int:
        program, middle = self.program, self.middle
        if mode == "none":
            return activate(program, z, activation)
        first = program.part(z, 0, middle)
        gate = activate(program, program.part(z, middle, 2 * middle), second)
        shaped = activate(program, first, activation)
        if mode == "gated":
            return program.combine("multiply", shaped, gate)
        return program.combine("blend", first, shaped, gate)

    def _film_weights(self, name: str, width: int) -> Any:
        config = section(self.config.get(name) or None, name)
        if not config.get("active", False):
            return None
        shift = bool(config.get("shift", True))
        outputs = width * (2 if shift else 1)
        inputs = self.program.channels[self.condition]
        groups = whole(config.get("groups") or 1, "groups")
        weights = self._conv_weights(outputs, inputs, 1, groups, True)
        return weights, width, shift

    def _film(self, films: dict[str, Any], name: str, x: int) -> int:
        """Feature-wise linear modulation: ``scale(condition) * x + shift(condition)``."""
        if films[name] is None:
            return x
        (weight, bias), width, shift = films[name]
        program = self.program
        modulation = program.conv(self.condition, weight, bias)
        scaled = program.combine("multiply", program.part(modulation, 0, width), x)
        if not shift:
            return scaled
        return program.combine("add", scaled, program.part(modulation, width, 2 * width))


def _head(program: Program, config: dict[str, Any], weights: Weights, x: int) -> int:
    """Activation and convolution, a few times."""
    config = section(config, "head")
    kernels = config.get("kernel_sizes")
    if kernels is None:
        layers = whole(config.get("num_layers", 1), "num_layers", 1, MAX_LAYERS)
        kernels = [config.get("kernel_size", 1)] * layers
    for i, kernel in enumerate(kernels):
        last = i == len(kernels) - 1
        name = "out_channels" if last else "channels"
        outputs = whole(config[name], name)
        x = activate(program, x, config["activation"])
        taps = whole(kernel, "kernel_sizes", 1, MAX_REACH)
        weight = weights.take(outputs, program.channels[x], taps)
        x = program.conv(x, weight, weights.take(outputs))
    return x
