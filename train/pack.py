"""A torch module of one's own becomes a proven model: ``pack(module, card, "mine.onnx")``.

A module either hands its states on itself, ``forward(x, *states) -> (y, *states)`` with
``initial_state(batch)``, or is made streaming by :class:`Streaming`.  Torch's TorchScript exporter
writes the graph and keeps a recurrent layer as one operator; the trainer's own networks take the
newer one (:mod:`train.export.gate`).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from realtime.audio_files import whole_file
from realtime.errors import CardError, ModelError
from realtime.models.card import CONVERTING, Card
from realtime.models.foreign.pack import graph_and_card
from realtime.models.foreign.seal import bursts, seal
from realtime.models.streaming import load_model, relative_error
from realtime.proof.verify import verify
from realtime.schema import read

TOLERANCE = 1e-5  # streaming against the whole signal in torch, relative to the peak
STEPS = 64


class Stateful(Protocol):
    """A module that hands its states on."""

    def initial_state(self, batch: int) -> list[Tensor]:
        """States before the first step, each ``[batch, ...]``."""

    def __call__(self, x: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        """``(x, *states) -> (y, *states)``; controls stand before the states, where it has any."""


class _Memory:
    """The states of one step, in the order in which layers first asked for theirs."""

    def __init__(self) -> None:
        self.states: list[Tensor] = []
        self.new: list[Tensor | None] = []
        self.learning = False

    def take(self, slot: int | None, like: Tensor, shape: tuple[int, ...]) -> tuple[int, Tensor]:
        """A layer's state; zeros ``[batch, *shape]`` while it is learnt which there are."""
        if self.learning:
            if slot is not None:
                raise ModelError("a layer with a memory is called twice in a step; use two layers")
            self.states.append(like.new_zeros((like.shape[0], *shape)))
            slot = len(self.states) - 1
        assert slot is not None
        return slot, self.states[slot]


class _Causal(nn.Module):
    """A convolution that hears the newest inputs of the step before; time is axis 2."""

    def __init__(self, conv: nn.Conv1d | nn.Conv2d, memory: _Memory, name: str) -> None:
        super().__init__()
        padding = conv.padding if isinstance(conv.padding, tuple) else (1,)
        if conv.stride[0] != 1 or padding[0] != 0 or conv.padding_mode != "zeros":
            raise ModelError(
                f"{name}: over time a convolution needs stride 1 and padding 0 (what came before"
                f" stands in front of it), got stride {conv.stride[0]}, padding {conv.padding}"
            )
        self.conv, self.memory, self.slot = conv, memory, None
        self.past = (conv.kernel_size[0] - 1) * conv.dilation[0]

    def forward(self, x: Tensor) -> Tensor:
        """Convolve what came before and `x`."""
        if not self.past:
            return self.conv(x)
        shape = (x.shape[1], self.past, *x.shape[3:])
        self.slot, state = self.memory.take(self.slot, x, shape)
        full = torch.cat([state, x], dim=2)
        self.memory.new[self.slot : self.slot + 1] = [full[:, :, -self.past :]]
        return self.conv(full)


class _Recurrent(nn.Module):
    """A GRU or LSTM that begins where the step before ended."""

    def __init__(self, cell: nn.GRU | nn.LSTM, memory: _Memory, name: str) -> None:
        super().__init__()
        if cell.bidirectional or not cell.batch_first or getattr(cell, "proj_size", 0):
            raise ModelError(f"{name}: a recurrent layer needs batch_first=True and one direction")
        self.cell, self.memory = cell, memory
        self.slots: list[int | None] = [None] * (2 if isinstance(cell, nn.LSTM) else 1)

    def forward(self, x: Tensor, state: object = None) -> tuple[Tensor, object]:
        """Step through ``x [batch, t, features]``; the state is kept elsewhere."""
        if state is not None:
            raise ModelError("a recurrent layer is given a state; give it none to make it stream")
        shape = (self.cell.num_layers, self.cell.hidden_size)
        held = []
        for k, slot in enumerate(self.slots):
            self.slots[k], one = self.memory.take(slot, x, shape)
            held.append(one.transpose(0, 1).contiguous())
        y, last = self.cell(x, tuple(held) if len(held) == 2 else held[0])
        for slot, one in zip(self.slots, last if len(held) == 2 else [last], strict=True):
            assert slot is not None
            self.memory.new[slot : slot + 1] = [one.transpose(0, 1)]
        return y, None


class Streaming(nn.Module):
    """A module of ``torch.nn`` layers with their memory as explicit states.

    Conv1d, Conv2d (time is axis 2), GRU and LSTM inside it are replaced: a convolution of padding 0
    hears what came before instead, so it is causal and keeps the length; a recurrent layer begins
    where it ended.  All else must treat every moment by itself, which the proof finds out.

    Parameters
    ----------
    module : Module
        ``forward(x)`` or ``forward(x, controls)``; stays as it is.
    example : Tensor
        An input of one channel, and where it has controls those behind it.

    Raises
    ------
    ModelError
        A layer cannot stream.
    """

    def __init__(self, module: nn.Module, *example: Tensor) -> None:
        super().__init__()
        self._memory = _Memory()
        self.inputs = len(example)
        self.module = _replaced(module, self._memory, "module").eval()
        self._memory.learning = True
        with torch.no_grad():
            self._memory.new = [None] * 256
            self.module(*example)
        self._memory.learning = False
        self._shapes = [tuple(s.shape[1:]) for s in self._memory.states]

    def initial_state(self, batch: int) -> list[Tensor]:
        """Zeros."""
        return [torch.zeros((batch, *shape)) for shape in self._shapes]

    def forward(self, x: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
        """``(x, [controls,] *states) -> (y, *states)``."""
        given, states = (x, *more[: self.inputs - 1]), more[self.inputs - 1 :]
        self._memory.states = list(states)
        self._memory.new = [None] * len(states)
        y = self.module(*given)
        new = [one for one in self._memory.new if one is not None]
        self._memory.states, self._memory.new = [], []
        return (y, *new)


def _replaced(module: nn.Module, memory: _Memory, name: str) -> nn.Module:
    """A copy whose layers with a memory keep it in `memory`; weights are shared."""
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        return _Causal(module, memory, name)
    if isinstance(module, nn.GRU | nn.LSTM):
        return _Recurrent(module, memory, name)
    copy = module.__new__(type(module))
    copy.__dict__ = dict(module.__dict__)
    copy._modules = {
        key: None if child is None else _replaced(child, memory, f"{name}.{key}")
        for key, child in module._modules.items()
    }
    return copy


def pack(
    module: Stateful | nn.Module,
    card: Card | Mapping[str, Any],
    target: str | Path,
    *,
    settling: float = 0.5,
) -> Card:
    """Write a module as a model that proves itself, or nothing.

    Parameters
    ----------
    module
        Hands its states on, or has no memory beyond the layers that :class:`Streaming` knows.
    card : Card or mapping
        What the model is; states are found.
    target : path
        An ``.onnx`` file.
    settling : float [s]
        Silence that it hears before it begins.

    Returns
    -------
    Card
        With its states and its proof.

    Raises
    ------
    ModelError, CardError
        It cannot be exported, streams otherwise than it computes at once, or fails a check.
    """
    if not isinstance(card, Card):
        card = read(dict(card), Card, "card", error=CardError)
    if card.kind not in CONVERTING:
        raise CardError(f"pack makes a {' or '.join(CONVERTING)}, got kind '{card.kind}'")
    controls = [torch.tensor([[c.default for c in card.controls]])] if card.controls else []
    if not hasattr(module, "initial_state"):
        module = Streaming(module, _sound(card, 2), *controls)
    graph, full = graph_and_card(_export(module, card, controls), Path(target).name, card)
    begin = module.initial_state(1)
    if len(begin) != len(full.states):
        raise ModelError(
            f"the module has {len(begin)} states, but {len(full.states)} in its graph: what is held"
            " in one of them is not used, or never changes"
        )
    initial = {
        state.name: value[0].detach().numpy()
        for state, value in zip(full.states, begin, strict=True)
    }
    error = _prove(module, full, seal(graph, full, initial), controls)
    proof = {
        "streaming_error": float(f"{error:.2g}"),
        "steps": STEPS,
        "reference": f"torch {torch.__version__}, the whole signal at once",
    }
    full = replace(full, proof=proof)
    with whole_file(Path(target)) as partial:
        partial.write_bytes(seal(graph, full, initial, settling))
        bad = [f"{c.name} ({c.found})" for c in verify(partial) if not c.passed]
        if bad:
            raise ModelError(f"{Path(target).name} fails: {'; '.join(bad)}")
    return full


def _sound(card: Card, steps: int, seed: int = 0) -> Tensor:
    return torch.cat(list(torch.from_numpy(bursts(card, steps, seed))), dim=2)


def _export(module: Any, card: Card, controls: list[Tensor]) -> bytes:
    states = [s.repeat_interleave(2, 0) if len(s) == 1 else s for s in module.initial_state(2)]
    x = _sound(card, 3).repeat_interleave(2, 0)
    names = [f"state_{k}" for k in range(len(states))]
    inputs = ["x", *(["controls"] if controls else []), *names]
    outputs = ["y", *(f"{n}_out" for n in names)]
    axes: dict[str, dict[int, str]] = {n: {0: "batch", 2: "time"} for n in ("x", "y")}
    axes |= {n: {0: "batch"} for n in (*names, *outputs[1:])}
    module.eval()
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        given = (x, *controls, *states)
        found = module(*given)
        if not isinstance(found, tuple) or len(found) != 1 + len(states):
            raise ModelError(
                f"the module must return y and its {len(states)} states, got"
                f" {len(found) if isinstance(found, tuple) else type(found).__name__}"
            )
        try:
            torch.onnx.export(
                module, given, file, input_names=inputs, output_names=outputs, dynamic_axes=axes,
                opset_version=18, dynamo=False,
            )  # fmt: skip
        except Exception as error:  # the exporter's errors have no common base
            reason = str(error).strip().splitlines()[:1]
            raise ModelError(f"torch cannot export it: {''.join(reason)[:200]}") from None
    return file.getvalue()


def _prove(module: Any, card: Card, file: bytes, controls: list[Tensor]) -> float:
    """Stream the file and compare with the module on the whole signal at once."""
    x = bursts(card, STEPS, seed=3)
    model = load_model(file)
    try:
        model.reset()
        got = np.concatenate([model.step(step) for step in x], axis=2)
    finally:
        model.close()
    with torch.no_grad():
        whole = torch.cat(list(torch.from_numpy(x)), dim=2)
        expected = module(whole, *controls, *module.initial_state(1))[0].numpy()
    if expected.shape != got.shape:
        raise ModelError(
            f"of {got.shape[2]} steps of time the module makes {expected.shape[2]}; y has the"
            " length of x"
        )
    error = relative_error(got, expected)
    if not error <= TOLERANCE:
        raise ModelError(
            f"it streams with a relative error of {error:.2g} against the whole signal at once"
            f" (allowed {TOLERANCE:g}): something in it looks at more than one moment"
        )
    return error
