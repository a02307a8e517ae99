"""Nothing of the maker's machine leaves with a model, and the sound stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from typer.testing import CliRunner

from benchmarks.rig.hostile import loop
from realtime.commands.app import app
from realtime.models.metadata import read_metadata
from realtime.models.strip import paths_in, stripped

from ..graphs import fir_model

EXPORTED = Path(__file__).parents[2] / "exported"
TRACE = "File /home/jane/models/amp.py, line 12, in forward\n  y = self.conv(x)"


def traced(model: bytes) -> bytes:
    """The model as an exporter leaves it, with traces in every place that takes them."""
    proto = onnx.load_from_string(model)
    parts = [*proto.graph.node, *proto.graph.input, *proto.graph.output, *proto.graph.initializer]
    parts += [proto.graph]
    for node in proto.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                parts += [attribute.g, *attribute.g.node]
            attribute.doc_string = TRACE
    for part in parts:
        part.doc_string = TRACE
        part.metadata_props.add(key="pkg.torch.onnx.stack_trace", value=TRACE)
    info = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, None)
    info.doc_string = TRACE
    proto.graph.value_info.append(info)
    proto.doc_string = TRACE
    return bytes(proto.SerializeToString())


@pytest.mark.parametrize(
    "model", [fir_model(np.array([1.0, 0.5, 0.25], dtype=np.float32)), loop(3)]
)
def test_traces_go_and_the_sound_stays(model: bytes) -> None:
    dirty = traced(model)
    clean = stripped(dirty)
    assert paths_in(dirty) == ["/home/jane/models/amp.py"] and paths_in(clean) == []
    assert b"jane" not in clean and b"stack_trace" not in clean
    assert read_metadata(clean) == read_metadata(model)
    x = np.random.default_rng(0).standard_normal((1, 1, 64)).astype(np.float32)
    found = []
    for data in (dirty, clean):
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        feed = {
            i.name: x if i.name == "x" else np.zeros((1, *i.shape[1:]), np.float32)
            for i in session.get_inputs()
        }
        found.append(session.run(None, feed))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("path", sorted(EXPORTED.glob("*.onnx")), ids=lambda p: p.stem)
def test_bundled_models_tell_nothing_of_their_maker(path: Path) -> None:
    data = path.read_bytes()
    assert paths_in(data) == [] and stripped(data) == data


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"C:\\Users\\jane\\amp.py", ["C:\\Users\\jane\\amp.py"]),
        (b"/Users/jane/amp.py, line 3", ["/Users/jane/amp.py"]),
        (b"/conv/Conv_output_0 ai.onnx.ml", []),
        (b"https://example.org/home", []),
    ],
)
def test_paths_are_told_from_names_of_nodes(text: bytes, found: list[str]) -> None:
    assert paths_in(text) == found


def test_verify_warns_of_paths(tmp_path: Path) -> None:
    path = tmp_path / "amp.onnx"
    path.write_bytes(traced(fir_model(np.array([1.0, 0.5], dtype=np.float32))))
    said = " ".join(CliRunner().invoke(app, ["verify", "--quick", str(path)]).output.split())
    assert "amp.onnx tells of the machine it was made on: /home/jane/models/amp.py;" in said
    path.write_bytes(stripped(path.read_bytes()))
    assert "tells of" not in CliRunner().invoke(app, ["verify", "--quick", str(path)]).output
