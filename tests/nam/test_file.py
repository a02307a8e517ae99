"""What is wrong with a file is said in one sentence, and nothing is half imported."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime.errors import ModelError
from realtime.models.nam.build import build_program, variants
from realtime.models.nam.file import MAX_BYTES, read_capture


def tiny(**changes: Any) -> dict[str, Any]:
    """A one-layer WaveNet written by hand: 2 + 14 + 2 + 6 + 3 weights and the scale."""
    layer = {
        "input_size": 1,
        "condition_size": 1,
        "channels": 2,
        "head_size": 1,
        "kernel_size": 3,
        "dilations": [1],
        "activation": "Tanh",
        "gated": False,
        "head_bias": True,
    }
    count = 2 + (2 * 2 * 3 + 2) + 2 + (2 * 2 + 2) + (2 + 1) + 1
    weights = np.random.default_rng(0).uniform(-0.5, 0.5, count).tolist()
    data = {
        "version": "0.5.4",
        "architecture": "WaveNet",
        "weights": weights,
        "config": {"layers": [layer], "head": None, "head_scale": 0.02},
    }
    data.update(changes)
    return data


def write(folder: Path, data: Any, name: str = "x.nam") -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def refuse(path: Path) -> str:
    with pytest.raises(ModelError) as found:
        for variant in variants(read_capture(path)):
            build_program(variant.capture)
    text = str(found.value)
    assert "\n" not in text
    return text


def test_a_hand_written_capture_is_read(tmp_path: Path) -> None:
    capture = read_capture(write(tmp_path, tiny()))
    assert capture.sample_rate == 48000
    assert build_program(capture).receptive_field == 3


@pytest.mark.parametrize("cut", [0, 1, 10, 100, 300])
def test_truncated_json(tmp_path: Path, cut: int) -> None:
    assert "JSON" in refuse(write(tmp_path, json.dumps(tiny())[:cut]))


@pytest.mark.parametrize(("count", "words"), [(-1, "needs more"), (1, "needs 28")])
def test_wrong_number_of_weights(tmp_path: Path, count: int, words: str) -> None:
    data = tiny()
    data["weights"] = data["weights"][:count] if count < 0 else data["weights"] + [0.5] * count
    assert words in refuse(write(tmp_path, data))


def test_weights_that_are_not_numbers(tmp_path: Path) -> None:
    data = tiny()
    data["weights"][3] = float("nan")
    assert "1 of 28 weights are NaN" in refuse(write(tmp_path, data))
    data["weights"][3] = "loud"
    assert "flat list" in refuse(write(tmp_path, data))
    data["weights"] = [[1.0], [2.0]]
    assert "flat list" in refuse(write(tmp_path, data))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "Transformer"}, "Transformer' is not supported; supported are WaveNet"),
        ({"version": "0.8.0"}, "0.8.0 is not supported; supported are 0.5 to 0.7"),
        ({"version": "1"}, "not of the form"),
        ({"version": "0.5"}, "not of the form"),
        ({"version": 0.5}, "not of the form"),
        ({"version": None}, "not of the form"),
        ({"version": "0.5.4-beta"}, "not of the form"),
        ({"version": "0.\u00b2.0"}, "not of the form"),
        ({"version": "0.5." + "9" * 5000}, "not of the form"),
        ({"sample_rate": "48000"}, "must be a number in Hz, got the text '48000'"),
        ({"sample_rate": True}, "must be a number in Hz, got the value 'True'"),
        ({"sample_rate": float("nan")}, "within 8000..384000 Hz, got nan"),
        ({"sample_rate": 10**400}, "within 8000..384000 Hz"),
        ({"weights": "0.5"}, "flat list"),
        ({"weights": ["0.5"] * 28}, "flat list"),
        ({"weights": [0.5] * 27 + [None]}, "flat list"),
        ({"weights": [0.5] * 27 + [10**400]}, "NaN or infinite"),
        ({"sample_rate": 7999}, "sample_rate must be within 8000..384000 Hz, got 7999"),
        ({"config": []}, "'config' must be an object"),
        ({"config": {}}, "needs a list 'layers'"),
    ],
)
def test_what_is_not_supported_is_named(tmp_path: Path, changes: dict, words: str) -> None:
    assert words in refuse(write(tmp_path, tiny(**changes)))


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("activation", "Snake", "activation 'Snake' is not supported"),
        ("dilations", [], "1..512 layers"),
        ("condition_size", 3, "condition_size"),
        ("channels", None, "whole number"),
        ("kernel_size", [3, 3], "2 entries for 1 layers"),
        ("gating_mode", ["sometimes"], "gating_mode 'sometimes'"),
        ("groups_input", 5, "groups"),
        ("groups_input", 0, "'groups_input' must be a whole number"),
        ("gated", "false", "'gated' must be true or false, got false"),
        ("head_bias", 1, "'head_bias' must be true or false"),
        ("bottleneck", 0, "'bottleneck' must be a whole number"),
        ("bottleneck", 3.5, "'bottleneck' must be a whole number"),
        ("input_size", 2, "input_size 2 but the input has 1"),
        ("kernel_sizes", [3], "both 'kernel_size' and 'kernel_sizes'"),
        ("layer1x1", {"active": "no"}, "'active' must be true or false"),
        ("layer1x1_post_film", {"active": True, "shift": 1}, "'shift' must be true or false"),
        ("head1x1", {"active": True}, "lacks 'out_channels'"),
        ("head1x1_post_film", {"active": True}, "more"),
        ("head", {"out_channels": 1}, "lacks 'kernel_size'"),
        ("head", "\x1b[2J", "'head' must be an object, got \ufffd[2J"),
        (
            "activation",
            {"type": "PReLU", "negative_slopes": [1, 2, 3]},
            "each of 2 channels, got 3",
        ),
        ("activation", {"type": "LeakyReLU", "negative_slope": "0.1"}, "is no number: 0.1"),
        ("activation", {}, "activation 'None' is not supported"),
    ],
)
def test_a_contradictory_layer(tmp_path: Path, key: str, value: Any, words: str) -> None:
    data = copy.deepcopy(tiny())
    data["config"]["layers"][0][key] = value
    assert words in refuse(write(tmp_path, data))


@pytest.mark.parametrize(
    ("stated", "rate"), [(-1, 48000), (0, 48000), (-2.5, 48000), (None, 48000), (44100.4, 44100)]
)
def test_a_rate_that_is_not_known_is_48_khz(tmp_path: Path, stated: Any, rate: int) -> None:
    capture = read_capture(write(tmp_path, tiny(sample_rate=stated)))
    assert capture.sample_rate == rate and capture.states_rate == (rate != 48000)


def test_a_number_of_thousands_of_digits_is_no_broken_file(tmp_path: Path) -> None:
    text = json.dumps(tiny(sample_rate=1, metadata={"loudness": 1}))
    number = "9" * 6000
    named = text.replace('"sample_rate": 1', f'"sample_rate": {number}')
    assert "sample_rate must be within 8000..384000 Hz, got inf" in refuse(write(tmp_path, named))
    ignored = text.replace('"loudness": 1', f'"loudness": {number}').replace(
        '_rate": 1', '_rate": 0'
    )
    assert build_program(read_capture(write(tmp_path, ignored))).receptive_field == 3


def test_a_condition_of_another_rate_is_refused(tmp_path: Path) -> None:
    data = tiny(sample_rate=48000)
    data["config"]["condition_dsp"] = tiny(sample_rate=44100)
    assert "the condition_dsp is for 44100 Hz" in refuse(write(tmp_path, data))


def test_a_damaged_condition_is_refused(tmp_path: Path) -> None:
    data = tiny()
    for nested in ("text", [1], {"architecture": "Linear"}, tiny(version="9.9.9")):
        data["config"]["condition_dsp"] = nested
        assert refuse(write(tmp_path, data))


def test_dense_weights_of_many_groups_are_not_written_out(tmp_path: Path) -> None:
    data = tiny()
    data["config"]["layers"][0] |= {
        "channels": 4096, "groups_input": 4096, "kernel_size": 9,
        "layer1x1": {"active": False}, "head_bias": False,
    }  # fmt: skip
    data["weights"] = [0.01] * (4096 * 13 + 1)
    assert "more than" in refuse(write(tmp_path, data))


def test_a_name_no_file_can_have() -> None:
    assert "no file can have that name" in refuse(Path("a\0b.nam"))


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.nam"
    with path.open("wb") as file:
        file.truncate(max(2**30, MAX_BYTES + 1))
    assert "1024 MB" in refuse(path)


def test_not_text_and_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.nam"
    path.write_bytes(b"\xff\xfe\x00binary")
    assert "not text" in refuse(path)
    assert "No such file" in refuse(tmp_path / "none.nam")


def test_a_container_gives_its_sizes_largest_first(tmp_path: Path) -> None:
    inner = tiny(version="0.7.0")
    submodels = [{"max_value": v, "model": inner} for v in (0.5, 1.0)]
    data = {
        "version": "0.7.0",
        "architecture": "SlimmableContainer",
        "sample_rate": 48000,
        "config": {"submodels": submodels},
        "weights": [],
        "metadata": {"loudness": -20.0},
    }
    found = variants(read_capture(write(tmp_path, data)))
    assert [v.suffix for v in found] == ["", "-lite"]
    assert found[0].capture.metadata["loudness"] == -20.0


def container(*sizes: tuple[Any, Any], rate: Any = 48000) -> dict[str, Any]:
    """A SlimmableContainer of ``(max_value, model)``."""
    entries = [{"max_value": v, "model": m} for v, m in sizes]
    data = {"version": "0.7.0", "architecture": "SlimmableContainer", "weights": []}
    return {**data, "config": {"submodels": entries}, "sample_rate": rate}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (container(), "needs a list 'submodels'"),
        (container((1.0, None)), "it has no 'architecture'"),
        (container((1.0, "x")), "'model' must be an object"),
        (container(("x", tiny())), "'max_value' of a submodel must be a number, got x"),
        (container((float("nan"), tiny())), "must be a number, got nan"),
        (container((1.0, tiny(sample_rate=44100))), "submodel is for 44100 Hz, its container"),
        (container((1.0, container())), "needs a list 'submodels'"),
    ],
)
def test_a_contradictory_container(tmp_path: Path, data: dict, words: str) -> None:
    assert words in refuse(write(tmp_path, data))


def test_the_full_size_is_described_by_the_file_and_a_slim_one_by_itself(tmp_path: Path) -> None:
    sizes = [(v, tiny(metadata={"loudness": -10.0 * v, "gain": v})) for v in (0.5, 1.0)]
    data = {**container(*sizes), "metadata": {"loudness": -20.0}}
    full, lite = variants(read_capture(write(tmp_path, data)))
    assert full.capture.metadata == {"loudness": -20.0, "gain": 1.0}
    assert lite.capture.metadata == {"loudness": -5.0, "gain": 0.5}
