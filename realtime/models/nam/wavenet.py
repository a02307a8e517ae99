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
from .limits import MAX_LAYERS, MAX_REACH, flag, listed, section, shown, whole
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


def build_wavenet(
    program: Program, config: dict[str, Any], weights: Weights, source: int, rate: int | None = None
) -> int:
    """Append a WaveNet that reads value `source`; return its output value.

    Parameters
    ----------
    rate : int or None [Hz]
        What the file states: a condition for another one is refused.

    Raises
    ------
    ModelError
        A configuration that contradicts itself or the weights.
    """
    condition = source if program.condition is None else program.condition
    nested = config.get("condition_dsp")
    if nested is not None:
        from .build import build_part

        condition = build_part(program, nested, source, rate)
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
    middle = whole(_given(config, "bottleneck", channels), "bottleneck")
    inputs = whole(_given(config, "input_size", program.channels[x]), "input_size")
    if inputs != program.channels[x]:
        raise ModelError(f"input_size {inputs} but the input has {program.channels[x]} channels")
    dilations = [whole(d, "dilations", 1, MAX_REACH) for d in listed(config, "dilations")]
    count = len(dilations)
    if not 0 < count <= MAX_LAYERS:
        raise ModelError(f"a layer array must have 1..{MAX_LAYERS} layers, got {count}")
    if "kernel_size" in config and "kernel_sizes" in config:
        raise ModelError("a layer array has both 'kernel_size' and 'kernel_sizes'; expected one")
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
    outputs, kernel, dilation, bias = _rechannel(config)
    weight = weights.take(outputs, program.channels[head], kernel)
    return x, program.conv(head, weight, weights.take(outputs) if bias else None, dilation)


def _given(config: dict[str, Any], name: str, default: int) -> Any:
    """A number of the configuration; `default` where it is missing or null (0 is neither)."""
    value = config.get(name)
    return default if value is None else value


def _gates(config: dict[str, Any], count: int) -> tuple[list[Any], list[Any]]:
    """Gating mode and second activation of each layer, in the old and the new spelling."""
    if "gating_mode" in config:
        modes = _per_layer(config["gating_mode"], count, "gating_mode")
        seconds = _per_layer(config.get("secondary_activation"), count, "secondary_activation")
    else:
        gated = _per_layer(config.get("gated"), count, "gated")
        modes = ["gated" if flag(g, "gated", False) else "none" for g in gated]
        seconds = ["Sigmoid"] * count
    return modes, ["Sigmoid" if s is None else s for s in seconds]


def _rechannel(config: dict[str, Any]) -> tuple[int, int, int, bool]:
    """Outputs, kernel size, dilation and bias of the convolution that ends a layer array."""
    head = config.get("head")
    if head is None:
        bias = flag(config.get("head_bias"), "head_bias", False)
        return whole(config["head_size"], "head_size"), 1, 1, bias
    head = section(head, "head")
    return (
        whole(head["out_channels"], "out_channels"),
        whole(head["kernel_size"], "kernel_size", 1, MAX_REACH),
        whole(_given(head, "head_dilation", 1), "head_dilation", 1, MAX_REACH),
        flag(head["bias"], "bias", False),
    )


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
        return whole(_given(self.config, name, 1), name)

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
        has_one = flag(one.get("active"), "active", True)
        has_side = flag(side.get("active"), "active", False)
        if not has_one and middle != self.channels:
            raise ModelError(
                f"without layer1x1, bottleneck ({middle}) must equal channels ({self.channels})"
            )
        conv = self._conv_weights(wide, self.channels, kernel, self._group("groups_input"), True)
        groups = self._group("groups_input_mixin")
        mixer = self._conv_weights(wide, mixer_inputs, 1, groups, False)
        groups = whole(_given(one, "groups", 1), "groups")
        inner = self._conv_weights(self.channels, middle, 1, groups, True) if has_one else None
        side_width = whole(side["out_channels"], "out_channels") if has_side else middle
        groups = whole(_given(side, "groups", 1), "groups")
        outer = self._conv_weights(side_width, middle, 1, groups, True) if has_side else None
        widths = (self.channels, wide, mixer_inputs, wide, wide, middle, self.channels, side_width)
        films = {n: self._film_weights(n, w) for n, w in zip(FILMS, widths, strict=True)}
        for name, there in (("layer1x1", has_one), ("head1x1", has_side)):
            if films[f"{name}_post_film"] is not None and not there:
                raise ModelError(f"{name}_post_film is active without {name}")

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
        # the C++ core applies the FiLM of layer1x1 in blended layers only
        if inner is None:
            residual = x
        elif films["layer1x1_post_film"] is None or mode != "blended":
            residual = program.conv(post, inner[0], inner[1], 1, x)
        else:
            y = self._film(films, "layer1x1_post_film", program.conv(post, *inner))
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
        config = self.config.get(name)
        if config is None or config is False:
            return None
        config = section(config, name)
        if not flag(config.get("active"), "active", True):
            return None
        shift = flag(config.get("shift"), "shift", True)
        outputs = width * (2 if shift else 1)
        inputs = self.program.channels[self.condition]
        groups = whole(_given(config, "groups", 1), "groups")
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
    kernels = listed(config, "kernel_sizes")
    if not 0 < len(kernels) <= MAX_LAYERS:
        raise ModelError(f"'kernel_sizes' of the head must list 1..{MAX_LAYERS} numbers")
    whole(
        _given(config, "in_channels", program.channels[x]),
        "in_channels",
        program.channels[x],
        program.channels[x],
    )
    for i, kernel in enumerate(kernels):
        last = i == len(kernels) - 1
        name = "out_channels" if last else "channels"
        outputs = whole(config[name], name)
        x = activate(program, x, config["activation"])
        taps = whole(kernel, "kernel_sizes", 1, MAX_REACH)
        weight = weights.take(outputs, program.channels[x], taps)
        x = program.conv(x, weight, weights.take(outputs))
    return x
