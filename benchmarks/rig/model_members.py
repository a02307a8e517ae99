"""Kinds of model files: cards, graphs, and files of other makes."""

from __future__ import annotations

import itertools
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper

from realtime.models.card import CARD_KEY
from realtime.models.metadata import read_metadata, write_metadata

from . import hostile
from .members import EITHER, PLAYS, SENTENCE, Member, Try, sound

EXPORTED = Path(__file__).parents[2] / "exported"


def _render(folder: Path, model: Path, *says: str, wanted: str = SENTENCE) -> Try:
    source, target = str(sound(folder / "in.wav")), str(folder / "out.wav")
    return Try(("render", source, target, "--model", str(model)), wanted, says)


def broken_cards(folder: Path) -> Iterator[Member]:
    """Cards whose values are of another kind: listed as broken, refused, and others play."""
    deep: Any = 0
    for _ in range(900):
        deep = [deep]
    wrong: tuple[dict[str, Any], ...] = (
        {"summary": 1.5}, {"summary": None}, {"title": ["x"]}, {"name": {"a": 1}}, {"name": 7},
        {"metrics": {"sets": []}}, {"metrics": "x"}, {"metrics": {"sets": 3}}, {"licence": deep},
        {"states": [{"name": "s", "shape": [float("inf")]}]}, {"states": "s"}, {"states": [[]]},
        {"states": [{"name": "s", "shape": [float("nan")]}]}, {"latency": "none"},
        {"controls": [{"name": 5}]}, {"controls": {"x": 1}}, {"sample_rate": "48k"},
        {"domain": 3}, {"hop_length": True},
    )  # fmt: skip
    made = [(f"{k} is {str(v)[:24]}", hostile.card_of(**{k: v})()) for w in wrong
            for k, v in w.items()]  # fmt: skip
    texts = {f"is {t!r}": t for t in ("", "{", "null", "[1]", '{"name"', "\ufeff{}")}
    texts |= {f"nested {n} deep": "[" * n + "]" * n for n in (3_000, 30_000, 300_000)}
    for name, text in texts.items():
        made.append((name, write_metadata(hostile.harmless(), {CARD_KEY: text})))
    models = folder / "models"
    models.mkdir(parents=True)
    for k, (_, data) in enumerate(made):
        (models / f"odd{k}.onnx").write_bytes(data)
    for k, size in enumerate((1 << 34, 40 << 30), len(made)):
        hostile.sparse(models / f"odd{k}.onnx", size)
        made.append((f"{size >> 30} GiB of nothing", b""))
    (models / "good.onnx").write_bytes(hostile.harmless())
    names = tuple(f"odd{k}" for k in range(len(made)))
    listed = Try(("models",), PLAYS, (*names, "broken", "evil", "tube-amp"))
    yield Member("all of them in one folder", (listed,), {"RESTYLE_MODELS": str(models)})
    for k, (name, _) in enumerate(made):
        own = folder / str(k)
        own.mkdir()
        bad = _render(own, models / f"odd{k}.onnx", wanted=EITHER)
        yield Member(f"card: {name}", (bad,), {"RESTYLE_MODELS": str(own)})


def endless_graphs(folder: Path) -> Iterator[Member]:
    """Graphs that compute for ever or fill the memory, and vectors of a million steps."""
    makers = {k: make for k, (make, _) in hostile.KINDS.items()}
    chosen = [(k, makers[k]) for k in (
        "loop by input", "nested loops", "big constant", "big range", "big expand",
        "functions in functions", "weights elsewhere", "long test vector",
    )]  # fmt: skip
    chosen += [(f"{1 << n} turns", lambda n=n: hostile.loop(1 << n)) for n in (20, 31, 40, 62)]
    for k, (name, make) in enumerate(chosen):
        own = folder / str(k)
        own.mkdir()
        (own / "evil.onnx").write_bytes(make())
        yield Member(name, (_render(own, own / "evil.onnx", "evil.onnx"),))


def sizes_beyond_reason(folder: Path) -> Iterator[Member]:
    """Hops, states and rates that no machine has room for."""
    sizes: list[dict[str, Any]] = [{"hop_length": n} for n in (0, -1, 1 << 20, 1 << 31, 1 << 63)]
    sizes += [{"states": [{"name": "s", "shape": s}]} for s in (
        [1 << 31], [1 << 40], [-4], [0], [1 << 20, 1 << 20], [1] * 2000,
    )]  # fmt: skip
    sizes += [{"latency": n} for n in (-1, 1 << 40)] + [{"sample_rate": n} for n in (0, 1, 10**9)]
    for k, changes in enumerate(sizes):
        own = folder / str(k)
        own.mkdir()
        (own / "evil.onnx").write_bytes(hostile.card_of(**changes)())
        yield Member(str(changes)[:60], (_render(own, own / "evil.onnx", "evil.onnx"),))


def without_version(folder: Path) -> Iterator[Member]:
    """Cards that do not say of which format they are, as the first ones: they play, the same."""
    for name in ("tape", "tube-amp", "radio-voice", "amp-blend"):
        own = folder / name
        own.mkdir()
        data = (EXPORTED / f"{name}.onnx").read_bytes()
        card = json.loads(read_metadata(data)[CARD_KEY])
        del card["format_version"]
        (own / "old.onnx").write_bytes(write_metadata(data, {CARD_KEY: json.dumps(card)}))
        source = str(sound(own / "in.wav"))
        tries = []
        for model, target in ((str(own / "old.onnx"), "old.wav"), (name, "own.wav")):
            words = ("render", source, str(own / target), "--model", model)
            tries.append(Try(words, PLAYS, check=_same(own) if target == "own.wav" else _nothing))
        yield Member(name, tuple(tries))


def _nothing(text: str) -> str:
    return ""


def _same(folder: Path) -> Any:
    def check(text: str) -> str:
        found = [soundfile.read(folder / n)[0] for n in ("old.wav", "own.wav")]
        return "" if np.array_equal(*found) else "it sounds otherwise"

    return check


CARD = """name = "other"
title = "Other"
summary = "of another make"
licence = "MIT"
sample_rate = 48000
hop_length = {hop}
[[graph]]
input = "a"
output = "b"
"""


def fixed_steps(folder: Path) -> Iterator[Member]:
    """Graphs of other makes with one step and one batch: proved, and stereo sounds as mono twice.

    Each gives half of what it hears, and one adds what it heard a hop before.
    """
    shapes = ([1, "hop"], [1, 1, "hop"], ["n", "hop"], [1, "hop", 1])
    for k, (shape, hop) in enumerate(itertools.product(shapes, (64, 160, 512))):
        own = folder / str(k)
        own.mkdir()
        held = [hop if d == "hop" else d for d in shape]
        info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, held) for n in "ab"]
        node = helper.make_node("Mul", ["a", "half"], ["b"])
        kept = [numpy_helper.from_array(np.float32(0.5), "half")]
        graph = helper.make_graph([node], "g", info[:1], info[1:], kept)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.save(model, str(own / "part.onnx"))
        (own / "card.toml").write_text(CARD.format(hop=hop))
        source, target = str(sound(own / "in.wav", channels=2)), str(own / "out.wav")
        words = ("import", str(own / "part.onnx"), "--card", str(own / "card.toml"))
        brought = Try((*words, "--out", str(own / "made")), PLAYS)
        made = str(own / "made" / "other.onnx")
        played = Try(("render", source, target, "--model", made), PLAYS, check=_half(own))
        yield Member(f"{shape} of {hop}", (brought, played))


def _half(folder: Path) -> Any:
    def check(text: str) -> str:
        x, y = (soundfile.read(folder / n, dtype="float32")[0] for n in ("in.wav", "out.wav"))
        return "" if x.shape == y.shape and np.abs(y - 0.5 * x).max() < 1e-6 else "another sound"

    return check


def other_makes(folder: Path) -> Iterator[Member]:
    """Files of other programs, taken for models: what they are, and the way on."""
    folder.mkdir(exist_ok=True)
    dense = {"type": "dense", "shape": [None, None, 1], "activation": "",
             "weights": [[[0.1]], [0.0]]}  # fmt: skip
    layers = {"in_shape": [None, None, 1], "layers": [dense]}
    guitarml = {"model_data": {"model": "SimpleRNN", "unit_type": "LSTM", "hidden_size": 1},
                "state_dict": {}}  # fmt: skip
    texts = {"rtneural.json": layers, "aidax.aidax": {**layers, "in_skip": 1},
             "proteus.json": guitarml}  # fmt: skip
    for name, value in texts.items():
        (folder / name).write_text(json.dumps(value))
    for name, inner in (
        ("rave.ts", "archive/constants.pkl"), ("neutone.nm", "model/constants.pkl"),
        ("weights.pth", "archive/data.pkl"), ("weights.pt", "weights/data.pkl"),
    ):  # fmt: skip
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr(inner, b"\x80\x02}q\x00.")
            archive.writestr(inner.partition("/")[0] + "/version", "3\n")
    graph = hostile.graph_of([helper.make_node("Identity", ["x"], ["y"])])
    bare = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(bare, str(folder / "bare.onnx"))
    (folder / "text.nam").write_text("not a capture")
    says = {"weights.pth": (), "weights.pt": (), "text.nam": ()}
    for path in sorted(folder.iterdir()):
        wanted = says.get(path.name, ("restyle import",))
        own = folder / f"{path.name} is tried"
        own.mkdir()
        yield Member(path.name, (_render(own, path, path.name, *wanted),))
