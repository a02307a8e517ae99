"""Networks of RTNeural, AIDA-X and GuitarML, against RTNeural's own sounds and against torch."""

from __future__ import annotations

import copy
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from realtime.commands.imports import find_files, told
from realtime.errors import ModelError, RestyleError
from realtime.models.foreign.convert import to_onnx
from realtime.models.foreign.files import from_data, read_network
from realtime.models.foreign.graph import write_graph
from realtime.models.foreign.kinds import CAPTURE, NETWORK, SCRIPT, recognise
from realtime.models.foreign.layers import run
from realtime.models.load import open_model
from realtime.models.nam.convert import model_name
from realtime.models.streaming import load_model
from realtime.proof.verify import verify

from ..nam.test_import import restyle

FIXTURES = sorted((Path(__file__).parent / "rtneural").glob("*.json"))
RNG = np.random.default_rng(3)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: p.stem)
def test_layers_and_graph_give_rtneurals_own_sounds(path: Path) -> None:
    data = json.loads(path.read_text())
    network = from_data(data)
    x, y = np.array(data["x"]), np.array(data["y"])
    assert np.abs(run(network, x, [], {}) - y).max() <= 1e-6
    graph, states = write_graph(network)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feed = {f"state_{s.name}": np.zeros((1, *s.shape), np.float32) for s in states}
    found = session.run(["y"], {"x": x[None, None].astype(np.float32), **feed})[0]
    assert np.abs(found.ravel() - y).max() <= 1e-6


def weights(*shape: int, scale: float = 0.5) -> list[Any]:
    return (scale * RNG.standard_normal(shape)).tolist()


def row(kind: str, size: int, *given: Any, activation: str = "", **more: Any) -> dict[str, Any]:
    return {"type": kind, "shape": [None, None, size], "activation": activation,
            "weights": list(given), **more}  # fmt: skip


def aidax(kind: str, inputs: int, **more: Any) -> dict[str, Any]:
    gates, size = {"lstm": 4, "gru": 3}[kind], 6
    bias = weights(gates * size) if kind == "lstm" else weights(2, gates * size)
    recurrent = row(kind, size, weights(inputs, gates * size), weights(size, gates * size), bias)
    dense = row("dense", 1, weights(size, 1), weights(1))
    metadata = {"name": "Lead", "samplerate": "44100", "license": "CC-BY-4.0", "author": "A. B."}
    return {"in_shape": [None, None, inputs], "layers": [recurrent, dense], "metadata": metadata,
            **more}  # fmt: skip


def guitarml(kind: str, inputs: int, layers: int) -> dict[str, Any]:
    gates, size = {"LSTM": 4, "GRU": 3}[kind], 5
    held: dict[str, Any] = {}
    for k in range(layers):
        held[f"rec.weight_ih_l{k}"] = weights(gates * size, inputs if k == 0 else size)
        held[f"rec.weight_hh_l{k}"] = weights(gates * size, size)
        held[f"rec.bias_ih_l{k}"], held[f"rec.bias_hh_l{k}"] = weights(2, gates * size)
    held |= {"lin.weight": weights(1, size), "lin.bias": weights(1)}
    about = {"model": "SimpleRNN", "input_size": inputs, "skip": 1, "output_size": 1,
             "unit_type": kind, "num_layers": layers, "hidden_size": size}  # fmt: skip
    return {"model_data": about, "state_dict": held}


def tensor(value: Any) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def keras_cell(layer: dict[str, Any], x: torch.Tensor) -> torch.Tensor:
    """The equations of Keras, sample by sample: ``x [t, inputs] -> [t, size]``."""
    kernel, again, bias = (tensor(w) for w in layer["weights"])
    h = c = torch.zeros(len(again), dtype=torch.float64)
    found = []
    for step in x:
        if layer["type"] == "lstm":
            i, f, g, o = (step @ kernel + h @ again + bias).chunk(4)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        else:
            gives, held = step @ kernel + bias[0], h @ again + bias[1]
            z, r, _ = (gives + held).chunk(3)
            new = (gives.chunk(3)[2] + r.sigmoid() * held.chunk(3)[2]).tanh()
            h = z.sigmoid() * h + (1 - z.sigmoid()) * new
        found.append(h)
    return torch.stack(found)


def expected_aidax(data: dict[str, Any], x: np.ndarray, knobs: list[float]) -> np.ndarray:
    sound = tensor(x) * 10 ** (data.get("in_gain", 0) / 20)
    heard = torch.cat([sound[:, None], tensor([knobs] * len(x)).reshape(len(x), -1)], 1)
    recurrent, dense = data["layers"]
    weight, bias = (tensor(w) for w in dense["weights"])
    y = (keras_cell(recurrent, heard) @ weight + bias)[:, 0]
    y = y + sound if data.get("in_skip") else y
    return (y * 10 ** (data.get("out_gain", 0) / 20)).numpy()


def expected_guitarml(data: dict[str, Any], x: np.ndarray, knobs: list[float]) -> np.ndarray:
    about = data["model_data"]
    make = getattr(nn, about["unit_type"])
    rec = make(about["input_size"], about["hidden_size"], about["num_layers"], batch_first=True)
    lin = nn.Linear(about["hidden_size"], 1)
    both = nn.ModuleDict({"rec": rec, "lin": lin}).double()
    both.load_state_dict({k: tensor(v) for k, v in data["state_dict"].items()})
    heard = torch.cat([tensor(x)[:, None], tensor([knobs] * len(x)).reshape(len(x), -1)], 1)
    with torch.no_grad():
        return (lin(rec(heard[None])[0])[0, :, 0] + tensor(x)).numpy()


CASES = {
    "aidax lstm": (aidax("lstm", 1), expected_aidax),
    "aidax gru, skip, gains, a knob": (
        aidax("gru", 2, in_skip=1, in_gain=-6.0, out_gain=3.0),
        expected_aidax,
    ),
    "aidax lstm, three knobs": (aidax("lstm", 4), expected_aidax),
    "guitarml lstm": (guitarml("LSTM", 1, 1), expected_guitarml),
    "guitarml gru of two layers, two knobs": (guitarml("GRU", 3, 2), expected_guitarml),
}


@pytest.mark.parametrize("case", CASES)
def test_imported_network_plays_what_its_definition_says(case: str, tmp_path: Path) -> None:
    data, expected = CASES[case]
    source = tmp_path / "any ending.txt"
    source.write_text(json.dumps(data))
    code, text = restyle("import", str(source), "--out", str(tmp_path / "out"))
    assert code == 0, text
    path = tmp_path / "out" / "any-ending.onnx"
    assert all(c.passed for c in verify(path))
    model = open_model(path)
    knobs = [0.25, 0.75, 1.0][: len(model.card.controls)]
    model.controls.reshape(-1)[: len(knobs)] = knobs
    assert [c.name for c in model.card.controls] == [f"knob_{i + 1}" for i in range(len(knobs))]
    x = RNG.uniform(-0.5, 0.5, 64 * 20)
    silence = np.zeros(model.card.sample_rate // 2 // 64 * 64)
    # it begins where half a second of silence with the knobs in the middle leaves it
    middle = [0.5] * len(knobs)
    whole = from_data(data)
    held: dict[int, Any] = {}
    run(whole, silence, middle, held)
    y = np.concatenate([model.step(b[None, None]).ravel() for b in np.split(np.float32(x), 20)])
    assert np.abs(y - run(whole, x, knobs, held)).max() <= 1e-5 * np.abs(y).max()
    # and the layers are those of the definition
    assert np.abs(run(whole, x, knobs, {}) - expected(data, x, knobs)).max() <= 1e-12
    model.close()


def test_card_says_what_the_file_says(tmp_path: Path) -> None:
    card, _ = to_onnx(from_data(aidax("lstm", 1)), "my amp")
    assert (card.name, card.title, card.sample_rate) == ("my-amp", "Lead", 44100)
    assert card.licence == "CC-BY-4.0" and card.provenance["imported"] == "AIDA-X"
    assert card.latency == 0
    assert from_data(guitarml("LSTM", 1, 1)).sample_rate == 44100
    assert from_data(guitarml("LSTM", 1, 1), 48000).sample_rate == 48000
    assert from_data(json.loads(FIXTURES[0].read_text())).sample_rate == 48000


def test_each_channel_is_an_amplifier_of_its_own() -> None:
    _, data = to_onnx(from_data(aidax("gru", 1)), "x")
    x = RNG.uniform(-0.5, 0.5, (10, 2, 1, 64)).astype(np.float32)
    both = load_model(data, 2)
    alone = [load_model(data, 1) for _ in range(2)]
    for step in x:
        found = both.step(step)
        for k, model in enumerate(alone):
            assert np.abs(found[k] - model.step(step[k : k + 1])[0]).max() <= 1e-6


def test_every_layer_type_streams_as_its_definition() -> None:
    layers = [
        row("conv1d", 4, weights(3, 1, 4), weights(4), kernel_size=[3], dilation=[5], groups=1),
        row("activation", 4, activation="relu"),
        row("conv1d", 4, weights(2, 2, 4), weights(4), kernel_size=[2], dilation=[1], groups=2),
        row("batchnorm", 4, weights(4), weights(4), weights(4), [0.5, 1.0, 2.0, 3.0], epsilon=0.01),
        row("prelu", 4, [[0.1, 0.2, 0.3, 0.4]]),
        row("dense", 3, weights(4, 3), weights(3), activation="elu"),
        row("activation", 3, activation="softmax"),
        row("dense", 1, weights(3, 1), activation="sigmoid"),
    ]  # fmt: skip
    data = {"in_shape": [None, None, 1], "layers": layers}
    x = RNG.uniform(-1, 1, 400)
    conv, grouped = nn.Conv1d(1, 4, 3, dilation=5), nn.Conv1d(4, 4, 2, groups=2)
    norm, prelu = nn.BatchNorm1d(4, eps=0.01), nn.PReLU(4)
    for module, k in ((conv, 0), (grouped, 2)):
        module.weight.data = tensor(layers[k]["weights"][0]).permute(2, 1, 0)
        module.bias.data = tensor(layers[k]["weights"][1])
    norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var = (
        tensor(w) for w in layers[3]["weights"]
    )
    prelu.weight.data = tensor(layers[4]["weights"][0][0])
    with torch.no_grad():
        y = torch.relu(conv(nn.functional.pad(tensor(x)[None, None], (10, 0))))
        y = prelu(norm.eval()(grouped(nn.functional.pad(y, (1, 0)))))[0].T
        y = nn.functional.elu(y @ tensor(layers[5]["weights"][0]) + tensor(layers[5]["weights"][1]))
        y = torch.softmax(y, 1) @ tensor(layers[7]["weights"][0])
    network = from_data(data)
    assert np.abs(run(network, x, [], {}) - torch.sigmoid(y)[:, 0].numpy()).max() <= 1e-12
    card, _ = to_onnx(network, "x")
    assert card.proof["streaming_error"] <= 1e-5


BROKEN: dict[str, tuple[Any, str]] = {
    "shape": (aidax("lstm", 1) | {"in_shape": [None, None, 9]}, "'in_shape' must be a whole"),
    "outputs": (
        {"in_shape": [1], "layers": [row("dense", 2, weights(1, 2))]},
        "2 outputs, expected 1",
    ),
    "type": (
        {"in_shape": [1], "layers": [row("conv2d", 1)]},
        "layer 1: type 'conv2d' is not supported; supported are dense",
    ),
    "gain": (aidax("lstm", 1, in_gain="loud"), "'in_gain' must be a number, got loud"),
    "skip": (aidax("lstm", 1, in_skip=2), "'in_skip' must be 0 or 1"),
    "weights": (
        {"in_shape": [1], "layers": [row("dense", 2, [[1.0, float("nan")]])]},
        "weights are NaN or infinite",
    ),
    "kind": ({"state_dict": {"c.weight": weights(2, 1, 3)}}, "does not say how a convolution"),
    "nothing": ({"hello": 1}, "JSON with hello"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_said_in_one_sentence(case: str, tmp_path: Path) -> None:
    data, words = BROKEN[case]
    source = tmp_path / "x.json"
    source.write_text(json.dumps(data))
    with pytest.raises(ModelError, match=words.replace("(", r"\(")) as found:
        recognise(source)
        read_network(source)
    assert "\n" not in str(found.value)


UNKNOWN = {
    "checkpoint.pth": (b"\x80\x02}q\x00.", "a torch checkpoint"),
    "model.gguf": (b"GGUF\x03\x00", "a GGUF"),
    "model.h5": (b"\x89HDF\r\n\x1a\n", "tf2onnx"),
    "model.tflite": (b"\x1c\x00\x00\x00TFL3", "tf2onnx"),
    "cab.wav": (b"RIFF\x00\x00\x00\x00WAVE", "Convolution"),
    "model.safetensors": (b"\x40\x00\x00\x00\x00\x00\x00\x00" + b'{"a":', "safetensors"),
    "saved_model.pb": (b"\x08\x01\x12", "SavedModel"),
    "empty": (b"", "is empty"),
    "text.txt": (b"hello there, this is no model", "of no kind known here"),
}


def sorted_keys(data: Any) -> Any:
    return json.loads(json.dumps(data, sort_keys=True))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_file_whose_names_were_sorted_plays_the_same(kind: str) -> None:
    data = guitarml(kind, 1, 2)
    held = data["state_dict"]
    backwards = {**data, "state_dict": dict(reversed(held.items()))}
    x = RNG.standard_normal(64)
    first = run(from_data(data), x, [], {})
    for other in (sorted_keys(data), backwards):
        assert np.array_equal(run(from_data(other), x, [], {}), first)


@pytest.mark.parametrize(
    ("key", "words"),
    [("rec.weight_ih_l0_reverse", "runs both ways"), ("rec.weight_hr_l0", "projects its state")],
)
def test_parts_of_a_recurrent_layer_that_are_not_played_are_named(key: str, words: str) -> None:
    data = guitarml("LSTM", 1, 1)
    data["state_dict"][key] = weights(4, 4)
    with pytest.raises(ModelError, match=words):
        from_data(data)


@pytest.mark.parametrize(("key", "value"), [("unit_type", "GRU"), ("hidden_size", 99)])
def test_weights_of_another_network_than_the_file_says_are_refused(key: str, value: Any) -> None:
    data = guitarml("LSTM", 1, 1)
    data["model_data"][key] = value
    with pytest.raises(ModelError, match=f"'{key}' is .*{value}"):
        from_data(data)


def test_a_convolution_that_skips_samples_is_refused_by_either_word() -> None:
    for word in ("stride", "strides"):
        conv = row("conv1d", 1, weights(2, 1, 1), [0.0], kernel_size=[2], **{word: 2})
        with pytest.raises(ModelError, match="skips samples"):
            from_data({"in_shape": [None, None, 1], "layers": [conv]})


def test_weights_that_are_words_are_refused() -> None:
    dense = row("dense", 1, [["0.5"]], [0.0])
    with pytest.raises(ModelError, match="expected 1 x 1 weights"):
        from_data({"in_shape": [None, None, 1], "layers": [dense]})


def test_names_of_any_alphabet_stay_apart() -> None:
    texts = ["ギター", "日本語", "日本語 [b]", "b", "усилитель", "Crème brûlée", "Creme brulee 2"]
    names = [model_name(t) for t in texts]
    assert len(set(names)) == len(texts) and names[3] == "b" and names[5] == "Creme-brulee"
    assert all(n.isascii() for n in names)


def test_what_a_file_is_does_not_hang_on_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "x.nam"
    path.write_text(json.dumps(guitarml("LSTM", 1, 1)))
    assert told(path) == NETWORK
    path.write_text("no JSON at all")
    assert told(path) == CAPTURE  # whose reader says best what is wrong


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_kinds_are_named_with_the_way_on(name: str, tmp_path: Path) -> None:
    data, words = UNKNOWN[name]
    (tmp_path / name).write_bytes(data)
    code, text = restyle("import", str(tmp_path / name), "--out", str(tmp_path / "out"))
    assert code == 2 and words.split()[0] in text and "Traceback" not in text
    with pytest.raises(ModelError, match=words):
        recognise(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "holds nothing"),
        ("[]", "holds nothing"),
        ("[1, 2]", "a list at its top"),
        ('{"tempo": 90}', "JSON with tempo"),
    ],
)
def test_json_of_no_kind_is_named(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ModelError, match=words):
        recognise(tmp_path / "a.json")


@pytest.mark.parametrize("kind", ["dense", "conv1d", "gru", "lstm", "prelu", "batchnorm"])
def test_a_layer_without_weights_is_named(kind: str) -> None:
    layer = {"type": kind, "shape": [None, None, 1], "kernel_size": [3], "weights": []}
    with pytest.raises(ModelError, match=f"layer 1: 'weights' of a {kind} must hold"):
        from_data({"in_shape": [None, None, 1], "layers": [layer]})


def test_a_folder_names_its_damaged_json_and_passes_over_what_is_none_of_its_kinds(
    tmp_path: Path,
) -> None:
    (tmp_path / "amp.json").write_text('{"in_shape": [null, null, 1], "lay')
    (tmp_path / "notes.json").write_text('{"tempo": 90}')
    assert [p.name for p in find_files(tmp_path)] == ["amp.json"]


def test_archives_are_told_apart(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rave.ts", "w") as archive:
        for one in ("rave/data.pkl", "rave/code/__torch__.py"):
            archive.writestr(one, b"x")
    assert recognise(tmp_path / "rave.ts") == SCRIPT
    for name, inside, words in (
        ("a.pth", ("a/data.pkl", "a/data/0"), "a torch checkpoint"),
        ("a.keras", ("config.json", "model.weights.h5"), "a Keras model"),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for one in inside:
                archive.writestr(one, b"x")
        with pytest.raises(ModelError, match=words):
            recognise(tmp_path / name)


def damaged(rng: random.Random) -> Any:
    """A network with one or two things changed."""
    data = copy.deepcopy(rng.choice([c[0] for c in CASES.values()]))
    odd = [None, True, -1, 0, 2, 3, 1e300, float("nan"), "", "x", [], [[]], {}, [1, [2]], 10**400]
    for _ in range(rng.choice((1, 2))):
        place: Any = data
        while isinstance(place, dict | list) and place:
            key = rng.choice(list(place) if isinstance(place, dict) else list(range(len(place))))
            if rng.random() < 0.35 or not isinstance(place[key], dict | list) or not place[key]:
                if rng.random() < 0.3:
                    del place[key]
                else:
                    place[key] = copy.deepcopy(rng.choice(odd))
                break
            place = place[key]
    return data


def test_damaged_networks_play_or_are_refused_in_a_sentence(count: int = 250) -> None:
    refused = 0
    for seed in range(count):
        data = json.loads(json.dumps(damaged(random.Random(seed))))
        try:
            write_graph(from_data(data))
        except RestyleError as error:
            refused += 1
            assert "\n" not in str(error) and len(str(error)) < 400
    assert count * 0.3 < refused < count
