"""Two models side by side in one file, with a blend of how much of each is heard.

Both hear the input; their outputs are added with weights that sum to 1.  For models that shape the
input's own spectrum the two outputs agree in phase, so a mix is a sound between them and not two
sounds; for others it is a crossfade.  The cost per hop is that of both.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, TensorProto, compose, helper, numpy_helper

from realtime.audio_files import whole_file
from realtime.errors import ConfigError, ModelError
from realtime.models.card import CARD_KEY, STATE_KEY, TEST_KEY, Card, State
from realtime.models.catalog import find_model
from realtime.models.metadata import pack_array, write_metadata
from realtime.models.streaming import StreamingModel, load_model, relative_error
from realtime.parameters.parameter import Parameter
from realtime.proof.verify import verify

Array = npt.NDArray[np.float32]
SIDES = ("a", "b")
SAME = ("domain", "sample_rate", "hop_length", "latency", "lookahead", "spectrum")
STEPS = 12  # of the test vector
TOLERANCE = 1e-5  # of the joined file against the two files, relative to the peak


def morph(first: str, second: str, out: Path) -> Path:
    """Join two models, by name or file, into one file that proves itself.

    Raises
    ------
    ConfigError
        They do not fit together, or one is no model with a graph.
    ModelError
        The joined file fails a check; nothing is written.
    """
    paths = [find_model(name) for name in (first, second)]
    for path in paths:
        if path.suffix.lower() != ".onnx":
            raise ConfigError(f"{path.name} is a capture; import it first: restyle import {path}")
    models = [load_model(path) for path in paths]
    try:
        cards = [m.card for m in models]
        _fit_together(cards)
        graph = _joined([onnx.load(str(p)) for p in paths], cards)
        card = _card(out.stem, cards)
        file, error = _sealed(graph, card, models)
    finally:
        for model in models:
            model.close()
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / out.name
        trial.write_bytes(file)
        checks = verify(trial)
    bad = [f"{c.name} ({c.found})" for c in checks if not c.passed]
    if bad:
        raise ModelError(f"'{first}' and '{second}' joined fail: {'; '.join(bad)}")
    proof = {
        "reference": "the two files",
        "streaming_error": float(f"{error:.2g}"),
        "steps": STEPS,
        "verify": {c.name: c.found for c in checks},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(out) as partial:
        sealed = replace(card, proof=proof).to_json()
        partial.write_bytes(write_metadata(file, {CARD_KEY: sealed}))
    return out


def _fit_together(cards: list[Card]) -> None:
    a, b = cards
    for key in SAME:
        if getattr(a, key) != getattr(b, key):
            raise ConfigError(
                f"'{a.name}' and '{b.name}' cannot be joined: {key.replace('_', ' ')} is"
                f" {getattr(a, key)} and {getattr(b, key)}; choose two of one kind"
                " (restyle models lists them)"
            )
    if a.name == b.name:
        raise ConfigError(f"both are '{a.name}'; choose two different models")
    for card in cards:
        if any(c.kind == "blend" for c in card.controls):
            raise ConfigError(
                f"'{card.name}' blends styles of its own, and a model has one blend; choose"
                " models without, or blend inside it"
            )


def _card(name: str, cards: list[Card]) -> Card:
    """One blend weight a model, then both models' own controls under their names."""
    controls = [Parameter(c.name, default=0.5, kind="blend") for c in cards]
    controls += [
        msgspec.structs.replace(k, name=f"{c.name} {k.name}") for c in cards for k in c.controls
    ]
    states = [
        State(f"{side}_{s.name}", s.shape)
        for side, c in zip(SIDES, cards, strict=True)
        for s in c.states
    ]
    licences = list(dict.fromkeys(c.licence for c in cards))
    a, b = cards
    data = [d for c in cards for d in c.provenance.get("data", ())]
    provenance: dict[str, Any] = {
        "joined": [c.name for c in cards],
        "data": [dict(d) for d in {json.dumps(d, sort_keys=True): d for d in data}.values()],
    }
    return replace(
        a,
        name=name,
        title=f"{a.title} and {b.title}",
        licence=" AND ".join(licences),
        summary=f"{a.name} and {b.name} side by side, with a blend of how much of each is heard",
        controls=tuple(controls),
        states=tuple(states),
        dc_blocker=max(c.dc_blocker for c in cards),
        provenance=provenance,
        metrics={},
        proof={},
    )


def _joined(graphs: list[ModelProto], cards: list[Card]) -> bytes:
    """Both graphs with names of their own, one input, one mixed output."""
    opsets = [{o.domain: o.version for o in g.opset_import} for g in graphs]
    if opsets[0] != opsets[1]:
        raise ConfigError(f"the two files use operators {opsets[0]} and {opsets[1]}")
    whole, counts = graphs[0].graph, [len(c.controls) for c in cards]
    total = 2 + sum(counts)
    nodes, constants, inputs, outputs = [], [], [_like(whole.input, "x")], []
    start = 2
    for side, graph, card, count in zip(SIDES, graphs, cards, counts, strict=True):
        g = compose.add_prefix(graph, f"{side}_").graph
        renamed = {f"{side}_x": "x"}
        if count:
            nodes.append(_columns(f"{side}_controls", constants, start, start + count))
            start += count
        for s in card.states:
            renamed[f"{side}_state_{s.name}"] = f"state_{side}_{s.name}"
            renamed[f"{side}_state_{s.name}_out"] = f"state_{side}_{s.name}_out"
        for node in g.node:
            for names in (node.input, node.output):
                names[:] = [renamed.get(n, n) for n in names]
        for value, group in [(v, inputs) for v in g.input] + [(v, outputs) for v in g.output]:
            if value.name in renamed and renamed[value.name] != "x":
                value.name = renamed[value.name]
                group.append(value)
        nodes += g.node
        constants += g.initializer
    inputs.insert(1, helper.make_tensor_value_info("controls", TensorProto.FLOAT, [1, total]))
    nodes += _mixer(constants)
    outputs.insert(0, _like(whole.output, "y"))
    graph = helper.make_graph(nodes, "morph", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=graphs[0].opset_import)
    model.ir_version = max(g.ir_version for g in graphs)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _like(values: Any, name: str) -> Any:
    return next(v for v in values if v.name == name)


def _columns(name: str, constants: list[TensorProto], begin: int, end: int) -> Any:
    """A node that takes some columns of the controls."""
    parts = {"from": [begin], "to": [end], "axis": [1]}
    for key, value in parts.items():
        constants.append(numpy_helper.from_array(np.array(value, np.int64), f"{name}_{key}"))
    return helper.make_node("Slice", ["controls", *(f"{name}_{k}" for k in parts)], [name])


def _mixer(constants: list[TensorProto]) -> list[Any]:
    """Nodes for ``(a w_a + b w_b) / (w_a + w_b)``, weights not negative, nothing asked: halves."""
    constants.append(numpy_helper.from_array(np.array(1e-6, np.float32), "mix_least"))
    nodes = []
    for k, side in enumerate(SIDES):
        nodes += [
            _columns(f"mix_{side}", constants, k, k + 1),
            helper.make_node("Max", [f"mix_{side}", "mix_least"], [f"mix_{side}_weight"]),
            helper.make_node("Mul", [f"{side}_y", f"mix_{side}_weight"], [f"mix_{side}_part"]),
        ]
    return [
        *nodes,
        helper.make_node("Add", ["mix_a_part", "mix_b_part"], ["mix_sum"]),
        helper.make_node("Add", ["mix_a_weight", "mix_b_weight"], ["mix_weights"]),
        helper.make_node("Div", ["mix_sum", "mix_weights"], ["y"]),
    ]


def _sealed(graph: bytes, card: Card, models: list[StreamingModel]) -> tuple[bytes, float]:
    """Put card, initial states and a test vector into the file; the two files are the reference.

    Returns the file and how far it is from the two, relative to the peak.

    Raises
    ------
    ModelError
        The joined file does not play half of each.
    """
    rng = np.random.default_rng(11)
    shape = (STEPS, *card.step_shape(1))
    size = 0.1 if card.spectrum is None else 8.0
    x = (size * rng.standard_normal(shape)).astype(np.float32)
    halves = []
    for model in models:
        model.reset()
        halves.append(np.stack([model.step(step) for step in x]))
    y = np.asarray(0.5 * halves[0] + 0.5 * halves[1], dtype=np.float32)
    entries = {CARD_KEY: card.to_json()}
    for side, model in zip(SIDES, models, strict=True):
        for name, value in model.initial_states().items():
            entries[f"{STATE_KEY}{side}_{name.removeprefix('state_')}"] = pack_array(value[0])
    vector = {"steps": STEPS, "x": pack_array(x), "y": pack_array(y)}
    file = write_metadata(graph, entries | {TEST_KEY: json.dumps(vector)})
    joined = load_model(file)
    try:
        joined.reset()
        got = np.stack([joined.step(step) for step in x])
    finally:
        joined.close()
    error = relative_error(got, y)
    if not error <= TOLERANCE:
        raise ModelError(f"the joined file differs from the two by {error:.1g} of their peak")
    return file, error
