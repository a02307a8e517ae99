"""The states of a script lifted out of it, and the script as a graph that hands them on.

A script keeps what it remembers in tensors of its modules, changed in place or assigned.  They are
found by running it, given to a trace as inputs, and read back as outputs; the trace follows the
operators that the interpreter calls, so it does not matter how the script was written.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx.inliner
import torch
from onnx import TensorProto, helper
from onnxscript.optimizer import fold_constants, remove_unused_nodes
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as tree

from realtime.errors import ModelError

from .draws import Draw, drawn, write_draws
from .script import Script, reason

Array = npt.NDArray[np.float32]
HEARD = 8  # hops of noise in which states are found
COUNTED = 1 << 24  # whole numbers that a float32 holds
OPSET = 18
SOUND, RESULT = "sound_in", "sound_out"
MOST_NODES = 20_000
_SCALARS = (bool, int, float, str, type(None))


class _Place(NamedTuple):
    """An attribute of a module within the script."""

    path: str
    owner: Any
    name: str

    @property
    def said(self) -> str:
        return f"{self.path}.{self.name}" if self.path else self.name


def _attributes(script: Script) -> list[_Place]:
    """Every attribute that the code of the script reads or writes, and every buffer."""
    found: dict[tuple[str, str], _Place] = {}
    modules = dict(script.module.named_modules())
    own = {  # weights and modules: what is no state
        path: {n for n, _ in (*m.named_parameters(recurse=False), *m.named_children())}
        for path, m in modules.items()
    }
    for path, module in modules.items():
        for name, _ in module.named_buffers(recurse=False):
            found[path, name] = _Place(path, module, name)
        for method in module._c._method_names():
            graph = module._c._get_method(method).graph
            for kind in ("prim::GetAttr", "prim::SetAttr"):
                for node in graph.findAllNodes(kind, True):
                    inside = _path(next(iter(node.inputs())), path)
                    owner = modules.get(inside) if inside is not None else None
                    name = node.s("name")
                    if owner is not None and name not in own[inside or ""]:
                        found[inside, name] = _Place(inside or "", owner, name)
    return list(found.values())


def _path(value: Any, path: str) -> str | None:
    """Path of the module that a value of a graph is; None where it is none of them."""
    names: list[str] = []
    while value.node().kind() == "prim::GetAttr":
        names.insert(0, value.node().s("name"))
        value = next(iter(value.node().inputs()))
    if value.node().kind() != "prim::Param" or value.debugName().partition(".")[0] != "self":
        return None
    return ".".join([*([path] if path else []), *names])


class Lifted:
    """A script with its states in the open.

    Parameters
    ----------
    script : Script
    settling : int [hops]
        Of silence before what is called its beginning.

    Attributes
    ----------
    draws : tuple of Draw
        What each hop draws.
    begin : list of Tensor
        States after the silence; the number of the hop is not among them.

    Raises
    ------
    ModelError
        It keeps something that is no tensor, or draws otherwise from hop to hop.
    """

    def __init__(self, script: Script, settling: int) -> None:
        self.script = script
        self.settling = settling
        self.hop = 0
        self._recorded: list[Draw] = []
        silence = torch.zeros(1, 1, script.hop)
        script.run(silence, script.at_rest(), self._record)  # whatever it makes when first run
        self.draws = tuple(self._recorded)
        self._places = _attributes(script)
        for _ in range(settling):
            self.step(silence)
        self._find()
        self._shrink()

    def _record(self, draw: Draw) -> Tensor:
        self._recorded.append(draw)
        return torch.from_numpy(drawn([draw], 0)[0].copy())

    def step(self, x: Tensor, knobs: Tensor | None = None) -> Tensor:
        """Run one hop ``[1, 1, hop]`` from the states that it has."""
        left = list(zip(self.draws, drawn(self.draws, self.hop), strict=True))

        def give(draw: Draw) -> Tensor:
            if not left or left[0][0] != draw:
                raise ModelError("it draws other random numbers from block to block")
            return torch.from_numpy(left.pop(0)[1].copy())

        y = self.script.run(x, self.script.at_rest() if knobs is None else knobs, give)
        self.hop = (self.hop + 1) % COUNTED
        return y

    def rewind(self) -> None:
        """Return to the beginning."""
        self._put([b.clone() for b in self.begin])
        self.hop = self.settling

    def play(self, x: Array, knobs: Array | None = None) -> Array:
        """A sound ``[hops, hop]`` from the beginning, knobs at rest or as given."""
        self.rewind()
        held = None if knobs is None else torch.from_numpy(knobs)
        return np.stack([
            self.step(torch.from_numpy(b).reshape(1, 1, -1), held).numpy().ravel() for b in x
        ])  # fmt: skip

    def _noise(self) -> Array:
        rng = np.random.default_rng(1)
        return (0.3 * rng.standard_normal((HEARD, self.script.hop))).astype(np.float32)

    def _find(self) -> None:
        """See what changes while it hears noise."""
        before = [_copied(_value(p)) for p in self._places]
        seen: list[list[Any]] = []
        self.begin, start = [], self.hop
        for block in self._noise():
            self.step(torch.from_numpy(block).reshape(1, 1, -1))
            seen.append([_copied(_value(p)) for p in self._places])
        changed = []
        for k, place in enumerate(self._places):
            if any(not _same(before[k], row[k]) for row in seen):
                if _tensors(before[k]) is None:
                    raise ModelError(
                        f"it remembers '{place.said}', which is no tensor"
                        f" ({type(before[k]).__name__}); keep it in a buffer and export it again"
                    )
                changed.append(k)
        self._states = [self._places[k] for k in changed]
        self._forms = [tree.tree_flatten(before[k])[1] for k in changed]
        self.begin = [t for k in changed for t in tree.tree_leaves(before[k])]
        later = [[t for k in changed for t in tree.tree_leaves(row[k])] for row in seen]
        self._seen = [[b, *(row[i] for row in later)] for i, b in enumerate(self.begin)]
        for values in self._seen:
            if any(v.shape != values[0].shape for v in values):
                raise ModelError("what it remembers changes its shape from block to block")
        self._put([b.clone() for b in self.begin])
        self.hop = start

    def _shrink(self) -> None:
        """Cut from states what belongs to other batches, where it plays the same without."""
        x = self._noise()
        expected = self.play(x)
        narrow = [_narrow(values) for values in self._seen]
        del self._seen
        if not self._plays(narrow, x, expected):
            for i, one in enumerate(narrow):
                self._plays([*self.begin[:i], one, *self.begin[i + 1 :]], x, expected)
        self.rewind()

    def _plays(self, begin: list[Tensor], x: Array, expected: Array) -> bool:
        """Begin with other states if that gives the same bits."""
        before, self.begin = self.begin, begin
        try:
            good = np.array_equal(self.play(x), expected)
        except ModelError:
            good = False
        if not good:
            self.begin = before
        return good

    def _get(self) -> list[Tensor]:
        return [t for p in self._states for t in tree.tree_leaves(_value(p))]

    def _put(self, values: Sequence[Tensor]) -> None:
        left = list(values)
        for place, form in zip(self._states, self._forms, strict=True):
            part, left = left[: form.num_leaves], left[form.num_leaves :]
            setattr(place.owner, place.name, tree.tree_unflatten(part, form))

    def graph(self) -> tuple[bytes, list[str], dict[str, Array]]:
        """The script as a graph of one hop.

        Returns
        -------
        graph : bytes
            Inputs :data:`SOUND` ``[1, 1, hop]``, ``knob_<n>`` ``[1]`` and states; outputs
            :data:`RESULT` and states.
        states : list of str
            Names of the inputs; each has an output ``<name>_out``.
        begin : dict of name to ndarray
        """
        knobs = list(self.script.at_rest().split(1)) if self.script.knobs else []
        x = torch.zeros(1, 1, self.script.hop)
        given = [torch.from_numpy(d.copy()) for d in drawn(self.draws, 0)]
        begin = [b.to(torch.float32) for b in self.begin]
        for held, real in zip(begin, self.begin, strict=True):
            if real.dtype != torch.float32 and bool((held.abs() >= COUNTED).any()):
                raise ModelError("it remembers numbers larger than a float32 holds")

        def run(x: Tensor, *more: Tensor) -> tuple[Tensor, ...]:
            knob = torch.cat(more[: len(knobs)]) if knobs else torch.zeros(0)
            states = more[len(knobs) : len(knobs) + len(begin)]
            left = list(more[len(knobs) + len(begin) :])
            self._put([
                s.reshape(b.shape).to(b.dtype).clone()
                for s, b in zip(states, self.begin, strict=True)
            ])  # fmt: skip
            y = self.script.run(x, knob, lambda draw: left.pop(0))
            found = [s.to(torch.float32).reshape(_shape(s)) for s in self._get()]
            return (y.clone(), *(s.clone() for s in found))

        inputs = (x, *knobs, *(b.reshape(_shape(b)) for b in begin), *given)
        try:
            followed = make_fx(run)(*inputs)
        except Exception as error:  # of any class: it comes from inside the interpreter
            raise _said(error) from None
        finally:
            self.rewind()
        names = [f"held_{i}" for i in range(len(begin))]
        draws = [f"drawn_{i}" for i in range(len(given))]
        ins = [SOUND, *(f"knob_{i}" for i in range(len(knobs))), *names, *draws]
        model = _exported(followed, inputs)
        _name(model, ins, [RESULT, *(f"{n}_out" for n in names)])
        used = {i for inner in _graphs(model.graph) for n in inner.node for i in n.input}
        kept = [n for n in names if n in used]
        arrays = {n: b.reshape(_shape(b)).numpy().copy() for n, b in zip(names, begin, strict=True)}
        if draws:
            nodes, weights = write_draws(self.draws, draws, "hop", "hop_out")
            kept.append("hop")
            arrays["hop"] = np.array([self.settling], dtype=np.float32)
            _lead(model, nodes, weights, "hop", "hop_out")
        gone = {n for n in names if n not in kept} | set(draws)
        _drop(model, gone, {f"{n}_out" for n in gone})
        if len(model.graph.node) > MOST_NODES:
            raise ModelError(
                f"a block of {self.script.hop} samples takes {len(model.graph.node)} operations, a"
                f" recurrent layer step by step perhaps; at most {MOST_NODES} are possible"
            )
        return bytes(model.SerializeToString()), kept, {n: arrays[n] for n in kept}


def _value(place: _Place) -> Any:
    return getattr(place.owner, place.name, None)


def _tensors(value: Any) -> list[Tensor] | None:
    """The tensors of a value that is one, or a tuple or list of some; None where it is neither."""
    leaves = tree.tree_leaves(value)
    plain = isinstance(value, Tensor | tuple | list) and leaves
    return leaves if plain and all(isinstance(v, Tensor) for v in leaves) else None


def _copied(value: Any) -> Any:
    if _tensors(value) is not None:
        return tree.tree_map(torch.clone, value)
    return list(value) if isinstance(value, list) else value


def _same(a: Any, b: Any) -> bool:
    first, second = _tensors(a), _tensors(b)
    if first is not None and second is not None:
        return len(first) == len(second) and all(map(torch.equal, first, second))
    if isinstance(a, (*_SCALARS, tuple, list)) and isinstance(b, (*_SCALARS, tuple, list)):
        return (first is None) == (second is None) and bool(a == b)
    return True  # dictionaries and objects are written anew, or the proof finds out


def _narrow(values: Sequence[Tensor]) -> Tensor:
    """The first of them, without what stays as it is along axes where only the first changes."""
    moving = torch.stack([v != values[0] for v in values]).any(dim=0)
    found = values[0]
    for axis, size in enumerate(moving.shape):
        if size > 1 and not bool(moving.narrow(axis, 1, size - 1).any()):
            found = found.narrow(axis, 0, 1)
    return found.clone()


def _shape(value: Tensor) -> tuple[int, ...]:
    return tuple(value.shape) or (1,)


def _said(error: BaseException) -> ModelError:
    text = reason(error)
    if text.endswith("RuntimeError:"):  # a number or a yes is wanted of what has none in a trace
        text = "what it computes decides which way its code takes"
    return ModelError(f"its states cannot be lifted out: {text}")


def _exported(followed: Any, inputs: tuple[Tensor, ...]) -> Any:
    """The trace as ONNX.

    Raises
    ------
    ModelError
        Names the operator that ONNX has nothing for.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(followed, inputs, strict=False)
            program = program.run_decompositions(
                {
                    torch.ops.aten.copy.default: _copy,
                    torch.ops.aten._convolution.default: _convolution,
                }
            )
            found = torch.onnx.export(
                program, (), dynamo=True, optimize=False, opset_version=OPSET, verbose=False,
                external_data=False,
            )  # fmt: skip
            fold_constants(found.model)  # the exporter's optimiser takes "+ 1e-8" away, too
            remove_unused_nodes(found.model)
            return onnx.inliner.inline_local_functions(found.model_proto)
    except Exception as error:
        wanted = re.findall(r"(?:target=|operator:? ?'?)torch\.ops\.([\w.]+)", str(error))
        wanted = wanted or re.findall(r"OpOverload\(op='([\w.]+)'", str(error))
        if wanted:
            raise ModelError(f"the operator {wanted[0]} cannot be written as ONNX") from None
        raise ModelError(f"it cannot be written as ONNX: {reason(error)}") from None


def _copy(target: Tensor, source: Tensor, non_blocking: bool = False) -> Tensor:
    """What ``copy_`` makes: of the shape of the target, which the exporter forgets for numbers."""
    return source.to(target.dtype).expand(target.shape)


def _convolution(*given: Any) -> Tensor:
    """A convolution as ``torch.jit.trace`` writes it: four words for CUDA stand behind it."""
    return torch.ops.aten.convolution.default(*given[:9])


def _name(model: Any, ins: Sequence[str], outs: Sequence[str]) -> None:
    """Give inputs and outputs names of ours."""
    graph = model.graph
    given = dict(zip((v.name for v in graph.input), ins, strict=True))
    for value in graph.input:
        value.name = given[value.name]
    for inner in _graphs(graph):
        for node in inner.node:
            node.input[:] = [given.get(n, n) for n in node.input]
    for value, name in zip(graph.output, outs, strict=True):
        source = given.get(value.name, value.name)
        graph.node.append(helper.make_node("Identity", [source], [name]))
        value.name = name
    del graph.value_info[:]


def _graphs(graph: Any) -> Iterator[Any]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _graphs(inner)


def _lead(model: Any, nodes: list[Any], weights: list[Any], state: str, after: str) -> None:
    """Put nodes before all others, with a state of one number."""
    graph = model.graph
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *rest])
    graph.initializer.extend(weights)
    graph.input.append(helper.make_tensor_value_info(state, TensorProto.FLOAT, [1]))
    graph.output.append(helper.make_tensor_value_info(after, TensorProto.FLOAT, [1]))


def _drop(model: Any, inputs: set[str], outputs: set[str]) -> None:
    """Take inputs and outputs away."""
    for side, names in ((model.graph.input, inputs), (model.graph.output, outputs)):
        kept = [v for v in side if v.name not in names]
        del side[:]
        side.extend(kept)
