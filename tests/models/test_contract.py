"""What makes a file a model: every way to break the contract ends in one clear sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from realtime.errors import CardError, ModelError, RestyleError
from realtime.models.card import CARD_KEY, STATE_KEY, TEST_KEY, Card, State, from_json
from realtime.models.catalog import list_models
from realtime.models.metadata import pack_array, read_metadata, unpack_array, write_metadata
from realtime.models.streaming import load_model, paired_output

from ..graphs import finish, fir_model, identity_spectrum, seal
from ..networks import controlled_model, gru_model

FIR = fir_model(np.array([1.0, 0.5, 0.25], dtype=np.float32))
CARD = Card("test", "t", "s", "waveform", 48000, 64, 0, "GPL-3.0-or-later")


def with_card(model: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The model with its card's JSON changed in place."""
    data = json.loads(read_metadata(model)[CARD_KEY])
    change(data)
    return write_metadata(model, {CARD_KEY: json.dumps(data)})


def without(model: bytes, key: str) -> bytes:
    """The model without one metadata entry, by onnx's own library."""
    proto = onnx.load_from_string(model)
    kept = [p for p in proto.metadata_props if p.key != key]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    return bytes(proto.SerializeToString())


def refuse(model: bytes, error: type[RestyleError], says: str, channels: int = 1) -> None:
    with pytest.raises(error, match=says) as caught:
        load_model(model, channels)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) > 20


def test_metadata_is_read_as_onnx_reads_it() -> None:
    props = onnx.load_from_string(FIR).metadata_props
    assert read_metadata(FIR) == {p.key: p.value for p in props}


def test_written_metadata_is_a_valid_model_with_other_entries_kept() -> None:
    model = write_metadata(FIR, {"note": "ü" * 300, TEST_KEY: "x"})
    proto = onnx.load_from_string(model)
    onnx.checker.check_model(proto)
    found = {p.key: p.value for p in proto.metadata_props}
    assert found["note"] == "ü" * 300
    assert found[TEST_KEY] == "x"
    assert found[CARD_KEY] == read_metadata(FIR)[CARD_KEY]
    assert proto.graph == onnx.load_from_string(FIR).graph


def test_arrays_survive_packing_bit_for_bit() -> None:
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    assert np.array_equal(unpack_array(pack_array(x), (3, 5)), x)
    for damaged in (pack_array(x)[:-8], "no base64!", pack_array(x[:2])):
        with pytest.raises(ModelError, match="array inside the model file"):
            unpack_array(damaged, (3, 5))


@pytest.mark.parametrize("make", [gru_model, identity_spectrum, controlled_model])
def test_a_file_cut_anywhere_is_refused_with_a_sentence(make: Callable[[], bytes]) -> None:
    model = make()
    points = np.unique(np.linspace(0, len(model) - 1, 120).astype(int))
    for end in [*points, *range(len(model) - 20, len(model))]:
        with pytest.raises(RestyleError) as caught:
            load_model(model[:end])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"RIFF\0\0\0\0WAVE", bytes(1000), b"\xff" * 64, b"hello"])
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    refuse(data, RestyleError, "model")


def test_damaged_bytes_never_end_in_anything_but_a_sentence() -> None:
    model = gru_model()
    rng = np.random.default_rng(5)
    for _ in range(150):
        broken = bytearray(model)
        for at in rng.integers(0, len(model), 4):
            broken[at] = int(rng.integers(256))
        try:
            load_model(bytes(broken)).close()
        except RestyleError as error:
            assert "\n" not in str(error)


def test_a_model_without_a_card_is_refused() -> None:
    refuse(without(FIR, CARD_KEY), CardError, "carries no restyle card")


def test_a_model_without_a_test_vector_is_refused() -> None:
    refuse(without(FIR, TEST_KEY), ModelError, "no test vector")


def test_a_tampered_test_vector_is_refused() -> None:
    vector = json.loads(read_metadata(FIR)[TEST_KEY])
    y = unpack_array(vector["y"], (vector["steps"], 1, 1, 64)) * 1.01
    tampered = write_metadata(FIR, {TEST_KEY: json.dumps({**vector, "y": pack_array(y)})})
    refuse(tampered, ModelError, "does not reproduce its own test vector")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"steps": 0, "x": "eNoDAAAAAAE=", "y": "eNoDAAAAAAE="}',
        '{"steps": 3, "x": 1, "y": 2}',
        '{"steps": 1e30, "x": "", "y": ""}',
    ],
)
def test_a_malformed_test_vector_is_refused(text: str) -> None:
    refuse(write_metadata(FIR, {TEST_KEY: text}), ModelError, "model")


def test_changed_weights_do_not_pass_the_test_vector() -> None:
    proto = onnx.load_from_string(FIR)
    weight = next(i for i in proto.graph.initializer if i.name == "w")
    values = onnx.numpy_helper.to_array(weight) * np.float32(1.1)
    weight.CopyFrom(onnx.numpy_helper.from_array(values, "w"))
    refuse(proto.SerializeToString(), ModelError, "does not reproduce")


def test_a_changed_initial_state_does_not_pass_the_test_vector() -> None:
    model = gru_model()
    refuse(without(model, STATE_KEY + "h"), ModelError, "does not reproduce")


@pytest.mark.parametrize("version", ["2.0", "0.9"])
def test_another_major_format_version_is_refused(version: str) -> None:
    refuse(
        with_card(FIR, lambda c: c.update(format_version=version)), CardError, "not readable here"
    )


def test_a_newer_minor_format_version_is_read() -> None:
    load_model(with_card(FIR, lambda c: c.update(format_version="1.99", future_field=[1]))).close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.update(format_version="one"), "not of the form"),
        (lambda c: c.pop("name"), "name"),
        (lambda c: c.update(name="a b"), "name must be"),
        (lambda c: c.update(domain="time"), "domain must be one of"),
        (lambda c: c.update(sample_rate=0), "sample_rate must be positive"),
        (lambda c: c.update(sample_rate="48000"), "must be a whole number"),
        (lambda c: c.update(hop_length=64.5), "hop_length must be a whole"),
        (lambda c: c.update(hop_length=0), "hop_length must be positive"),
        (lambda c: c.update(latency=-1), "latency must not be negative"),
        (lambda c: c.update(latency=0.5), "latency must be a whole"),
        (lambda c: c.update(licence=""), "licence is empty"),
        (lambda c: c.update(domain="spectrum"), "STFT geometry"),
        (lambda c: c.update(kind="classifier"), "is no converter"),
        (
            lambda c: c.update(states=[{"name": "past"}]),
            "states 1: it needs shape, a list of whole",
        ),
        (
            lambda c: c.update(states=[{"name": "past", "shape": [float("inf")]}]),
            "shape must be a list of whole numbers",
        ),
        (lambda c: c.update(summary=1.5), "summary must be text, got 1.5"),
        (lambda c: c.update(name={"a": 1}), "name must be text"),
        (lambda c: c.update(metrics={"sets": [1]}), "metrics: sets must be an object, got list"),
        (lambda c: c.update(metrics={"rate": 10**400}), "metrics: rate must be a number"),
        (lambda c: c.update(states=c["states"] * 2), "same name"),
        (lambda c: c.update(states=[{"name": "past", "shape": [1, 0]}]), "empty axis"),
        (lambda c: c.update(states=[{"name": "past", "shape": [1, 3]}]), "shape"),
        (lambda c: c.update(states=[{"name": "past", "shape": [1, 2, 1]}]), "shape"),
        (lambda c: c.update(states=[{"name": "other", "shape": [1, 2]}]), "no pair of input"),
        (lambda c: c.update(states=[]), "inputs the card does not know: state_past"),
        (lambda c: c.update(controls=[{"name": "drive"}]), "no input 'controls'"),
        (lambda c: c.update(controls=["drive"]), "controls"),
        (lambda c: c.update(controls=[{"name": "a", "default": 2.0}]), "outside"),
        (lambda c: c.update(controls=[{"name": "a", "maximum": float("inf")}]), "must be a number"),
        (lambda c: c.update(controls=[{"name": "a", "kind": "knob"}]), "kind must be"),
    ],
)
def test_a_card_that_contradicts_itself_or_the_graph_is_refused(
    change: Callable[[dict[str, Any]], object], says: str
) -> None:
    refuse(with_card(FIR, change), CardError, says)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"text"'])
def test_a_card_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(CardError, match="JSON"):
        from_json(text)


def test_a_spectrum_card_with_the_wrong_latency_is_refused() -> None:
    model = identity_spectrum()
    refuse(with_card(model, lambda c: c.update(latency=0)), CardError, "latency must be 128")
    refuse(with_card(model, lambda c: c["spectrum"].pop("n_fft")), CardError, "n_fft")
    refuse(with_card(model, lambda c: c["spectrum"].update(window="kaiser")), CardError, "window")


def test_a_spectrum_geometry_that_cannot_reconstruct_is_refused() -> None:
    def odd(card: dict[str, Any]) -> None:
        card["spectrum"]["synthesis_length"] = 250
        card["latency"] = 250 - 128

    refuse(with_card(identity_spectrum(), odd), RestyleError, "hop_length must divide")


def test_a_card_nested_too_deeply_is_refused() -> None:
    for depth in (100, 100_000):
        card = CARD.to_json().replace('"metrics": {}', f'"metrics": {"[" * depth + "]" * depth}')
        card = card.replace('"metrics": ', '"metrics": {"a": ').replace(
            "]" * depth, "]" * depth + "}"
        )
        with pytest.raises(CardError, match="nested too deeply"):
            from_json(card)


def test_a_card_without_a_version_is_read() -> None:
    load_model(with_card(FIR, lambda c: c.pop("format_version"))).close()


def test_bundled_cards_are_written_as_they_were_read() -> None:
    for entry in list_models():
        text = read_metadata(entry.path.read_bytes())[CARD_KEY]
        again = json.loads(from_json(text).to_json())
        assert {k: again[k] for k in json.loads(text)} == json.loads(text)
        for control, old in zip(again["controls"], json.loads(text)["controls"], strict=True):
            assert json.dumps(control) == json.dumps(old, sort_keys=True)  # whole numbers as such


def test_a_cards_json_reads_back_as_the_same_card() -> None:
    for model in (FIR, gru_model(), identity_spectrum(), controlled_model()):
        card = from_json(read_metadata(model)[CARD_KEY])
        assert from_json(card.to_json()) == card


def _graph(nodes: list[Any], inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> bytes:
    model = finish(nodes, inputs, outputs, {})
    return write_metadata(model, {CARD_KEY: CARD.to_json(), TEST_KEY: "{}"})


def test_a_graph_without_x_or_y_is_refused() -> None:
    shape = ["n", 1, "t"]
    node = helper.make_node("Identity", ["a"], ["y"])
    refuse(_graph([node], {"a": shape}, {"y": shape}), CardError, "no x; it has a")
    node = helper.make_node("Identity", ["x"], ["b"])
    refuse(_graph([node], {"x": shape}, {"b": shape}), CardError, "no y; it has b")


def test_a_graph_of_another_rank_or_fixed_batch_is_refused() -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    refuse(_graph([node], {"x": ["n", "t"]}, {"y": ["n", "t"]}), CardError, "'x' has shape")
    fixed = [1, 1, 64]
    model = _graph([node], {"x": fixed}, {"y": fixed})
    refuse(model, CardError, r"the card needs \[2, 1, 64\]", channels=2)


def test_a_graph_that_is_not_float32_is_refused() -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    info = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, ["n", 1, "t"]) for n in "xy"]
    graph = helper.make_graph([node], "g", info[:1], info[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    data = write_metadata(model.SerializeToString(), {CARD_KEY: CARD.to_json()})
    refuse(data, ModelError, "not a float32 tensor")


@pytest.mark.parametrize(
    ("state", "output"),
    [
        ("state_a", "state_a_out"),
        ("cache", "cache_out"),
        ("state", "stateN"),
        ("h", "hn"),
        ("h", "new_h"),
        ("h", "out_h"),
    ],
)
def test_states_pair_with_outputs_by_the_habits_of_public_models(state: str, output: str) -> None:
    assert paired_output(state, ["y", output, "other"]) == output
    assert paired_output(state, ["y", "other"]) is None


@pytest.mark.parametrize(("state", "output"), [("cache", "cache_out"), ("state", "stateN")])
def test_public_state_names_stream_like_our_own(state: str, output: str) -> None:
    shape = ["n", 1, "t"]
    nodes = [
        helper.make_node("Add", ["x", state], ["y"]),
        helper.make_node("Identity", ["x"], [output]),
    ]
    model = finish(nodes, {"x": shape, state: shape}, {"y": shape, output: shape}, {})
    card = replace(CARD, states=(State(state, (1, 64)),))
    x = np.ones((1, 1, 1, 64), dtype=np.float32)
    vector = {"steps": 1, "x": pack_array(x), "y": pack_array(x)}
    loaded = load_model(
        write_metadata(model, {CARD_KEY: card.to_json(), TEST_KEY: json.dumps(vector)})
    )
    frames = np.random.default_rng(0).standard_normal((4, 1, 1, 64)).astype(np.float32)
    before = np.zeros_like(frames[0])
    for frame in frames:
        assert np.array_equal(loaded.step(frame), frame + before)
        before = frame


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot read model .*gone\.onnx: No such file"):
        load_model(tmp_path / "gone.onnx")
    with pytest.raises(ModelError, match="Is a directory"):
        load_model(tmp_path)
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(FIR[:50])
    with pytest.raises(RestyleError, match=r"^bad\.onnx: "):
        load_model(bad)


def test_a_sealed_model_loads_from_path_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "fir.onnx"
    path.write_bytes(FIR)
    assert load_model(path).card == load_model(FIR).card
    assert seal(without(without(FIR, CARD_KEY), TEST_KEY), load_model(FIR).card) == FIR
