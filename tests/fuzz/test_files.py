"""Any file of any format is taken, or refused in one sentence, soon, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
import soundfile
import tomli_w
from hypothesis import assume, given, settings

from realtime.commands.imports import carded, convert
from realtime.host import replay
from realtime.host.recover import recover
from realtime.host.session_log import LoggedChange, Played, SessionLog
from realtime.models.card import CARD_KEY, TEST_KEY
from realtime.models.catalog import read_entry
from realtime.models.load import open_model
from realtime.models.metadata import read_metadata, write_metadata
from realtime.presets.asking import session_asks
from realtime.presets.chains import read_chain
from realtime.presets.check import Library
from realtime.presets.files import read_session
from realtime.presets.opening import open_session
from realtime.session.operations import Insert
from realtime.session.sound import Setup, Sound, Stage
from realtime.trust import admission
from realtime.trust.sounds import read_sound

from ..graphs import fir_model
from ..models.test_foreign_graphs import HEAD as CARD_HEAD
from ..models.test_foreign_graphs import LEAKY, leaky
from ..signals import noise
from .ledger import taken_or_refused, tried
from .mutate import blobs, grown, trees

FUZZ = settings(settings.get_profile("fuzz"))
FIR = fir_model(np.array([0.5, 0.25], dtype=np.float32))
CARD = json.loads(read_metadata(FIR)[CARD_KEY])
VECTOR = json.loads(read_metadata(FIR)[TEST_KEY])
LSTM = {
    "version": "0.5.4",
    "architecture": "LSTM",
    "config": {"input_size": 1, "hidden_size": 2, "num_layers": 1},
    "weights": [0.1] * 39,
    "sample_rate": 48000,
    "metadata": {"name": "amp", "loudness": -18.0},
}
SESSION: dict[str, Any] = {
    "format": 2,
    "name": "Lead",
    "mix": 0.5,
    "stage": [
        {"model": "amp-blend", "warm": 0.5},
        {"effect": "Reverb", "room_size": 0.3, "bypass": True},
        {"group": [{"stage": [{"model": "tape"}]}, {"gain_db": -6.0}]},
        {"plugin": "Amp", "state": "AAAA"},
    ],
    "device": {"input": "hw:0", "block_size": 64, "input_channels": [1]},
    "midi": [{"cc": 7, "parameter": "mix"}, {"program": 1, "preset": "lead"}],
    "osc": {"host": "127.0.0.1", "port": 9000},
    "record": {"folder": "takes", "dry": True},
}
OLD = {
    "format": 1,
    "model": "tape",
    "controls": {},
    "pre": [{"effect": "Gain", "gain_db": 3.0}],
    "post": [{"effect": "Delay", "delay_seconds": 0.1}],
}
LOG = msgspec.to_builtins(
    SessionLog(
        format=2,
        setup=Setup(Sound((Stage(model="tape", identity=1),))),
        lane="inline",
        device=Played(64, 64),
        changes=(LoggedChange(64, None, "inline", Insert(Stage(effect="Gain", identity=2))),),
        models={"tape": "x"},
        versions={"numpy": "2"},
        lost=0,
        restarts=0,
        concealed_samples=0,
        rested=0,
    )
)

DENSE = {"type": "dense", "shape": [None, None, 1], "activation": "", "weights": [[[0.1]] * 2, [0]]}
NETWORKS: tuple[dict[str, Any], ...] = (  # of RTNeural, of AIDA-X, of GuitarML
    {
        "in_shape": [None, None, 1],
        "layers": [
            {
                "type": "gru",
                "shape": [None, None, 2],
                "activation": "",
                "weights": [[[0.1] * 6], [[0.1] * 6] * 2, [[0.1] * 6] * 2],
            },
            DENSE,
        ],
    },
    {
        "in_shape": [None, None, 1],
        "in_skip": 1,
        "out_gain": -3.0,
        "metadata": {"name": "amp", "samplerate": "48000"},
        "layers": [
            {
                "type": "lstm",
                "shape": [None, None, 2],
                "activation": "",
                "weights": [[[0.1] * 8], [[0.1] * 8] * 2, [0.1] * 8],
            },
            DENSE,
        ],
    },
    {
        "model_data": {"model": "SimpleRNN", "unit_type": "LSTM", "hidden_size": 1, "skip": 1},
        "state_dict": {
            "rec.weight_ih_l0": [[0.1]] * 4,
            "rec.weight_hh_l0": [[0.1]] * 4,
            "rec.bias_ih_l0": [0.1] * 4,
            "rec.bias_hh_l0": [0.0] * 4,
            "lin.weight": [[0.5]],
            "lin.bias": [0.0],
        },
    },
)
FOREIGN = tomllib.loads(CARD_HEAD + LEAKY)  # a card file with [[graph]]; a card of our own form
OWN = tomllib.loads(CARD_HEAD + 'domain = "waveform"\nlatency = 0\n')


def _plain_graph() -> bytes:
    graph = onnx.ModelProto.FromString(fir_model(np.array([0.5, 0.25]), 32))
    del graph.metadata_props[:]
    return bytes(graph.SerializeToString())


def _npy(rows: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()


JOURNAL = _npy(np.array([[0.0, 0.0, 64.0, 0.0], [64.0, 0.0, 64.0, 0.0]]))


def _sound(kind: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, noise(3000, channels=2, level=0.3).T, 48000, subtype, format=kind)
    return file.getvalue()


SOUNDS = [_sound(*kind) for kind in (
    ("WAV", "FLOAT"), ("WAV", "PCM_16"), ("RF64", "FLOAT"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"),
)]  # fmt: skip

HEAD = "format = 2\n"
GROWN = (
    (HEAD, "a.", "b = 1\n"), (HEAD + "[", "a.", "b]\n"), (HEAD, "a.a.a.a.a.a.a.a = 1\n", ""),
    (HEAD + "x = ", "[", ""), (HEAD + "x = ", "{a = ", "1}"), (HEAD + "x = [", "1,", "]\n"),
    (HEAD, "[[stage]]\neffect = 'Gain'\n", ""), (HEAD, "[[stage]]\nmodel = 'tape'\n", ""),
    (HEAD + "[[stage]]\nmodel = '", "t", "'\n"), (HEAD + "[[stage]]\nplugin = '", "t", ".vst3'\n"),
    (HEAD + "[[stage]]\neffect = 'Convolution'\nimpulse_response_filename = '", "t", "'\n"),
    (HEAD + "name = '", "a", "'\n"), (HEAD + 'note = "', "\\u0041", '"\n'),
    (HEAD + "[[stage]]\ngroup = [", "{stage = [{effect = 'Gain'}]},", "]\n"),
    (HEAD, "[[stage.group]]\n", ""), (HEAD, "# note\n", ""), ("format = ", "1", "\n"),
    (HEAD, "[[midi]]\ncc = 7\nparameter = 'mix'\n", ""), (HEAD, "[[scene]]\nname = 'x'\n", ""),
)  # fmt: skip


@pytest.fixture(autouse=True)
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "CPU_SECONDS", 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def opened(path: Path) -> None:
    read_entry(path)
    open_model(path).close()


@FUZZ
@given(card=trees(CARD), vector=trees(VECTOR))
@tried("model cards")
def test_cards(folder: Path, card: Any, vector: Any) -> None:
    try:
        entries = {CARD_KEY: json.dumps(card), TEST_KEY: json.dumps(vector)}
    except ValueError:
        assume(False)
    path = folder / "model.onnx"
    path.write_bytes(write_metadata(FIR, entries))
    taken_or_refused(lambda: opened(path), path)
    path.write_bytes(write_metadata(FIR, {CARD_KEY: entries[CARD_KEY]}))
    taken_or_refused(lambda: opened(path), path)


@FUZZ
@given(data=blobs(FIR))
@tried("models (.onnx)")
def test_models(folder: Path, data: bytes) -> None:
    path = folder / "model.onnx"
    path.write_bytes(data)
    taken_or_refused(lambda: opened(path), path)


@FUZZ
@given(data=trees(LSTM))
@tried("captures (.nam)")
def test_captures(folder: Path, data: Any) -> None:
    path = folder / "amp.nam"
    path.write_text(json.dumps(data))
    taken_or_refused(lambda: open_model(path).close(), path)


@FUZZ
@given(data=blobs(*SOUNDS))
@tried("sounds (WAV, RF64, FLAC, OGG)")
def test_sounds(folder: Path, data: bytes) -> None:
    for name in ("take.wav", "take.flac"):
        path = folder / name
        path.write_bytes(data)
    taken_or_refused(lambda: read_sound(path), path)


@FUZZ
@given(data=blobs(*SOUNDS[:4]))
@tried("recordings to mend")
def test_recovery(folder: Path, data: bytes) -> None:
    path, target = folder / "take.wav", folder / "mended.wav"
    path.write_bytes(data)
    target.write_bytes(b"")
    taken_or_refused(lambda: recover(path, target), path)


def without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_none(v) for v in value if v is not None]
    return value


def write_toml(path: Path, value: Any) -> None:
    """Write what TOML can hold; anything else is no example."""
    try:
        path.write_text(tomli_w.dumps(without_none(value)), encoding="utf-8")
    except (TypeError, AttributeError, UnicodeEncodeError, ValueError, RecursionError):
        assume(False)


@FUZZ
@given(data=trees(SESSION, OLD))
@tried("presets, sessions, chains")
def test_presets_sessions_and_chains(folder: Path, data: Any) -> None:
    path = folder / "live.toml"
    write_toml(path, data)
    taken_or_refused(lambda: open_session(path, Library()), path)
    taken_or_refused(lambda: list(session_asks(read_session(path), path)), path)
    taken_or_refused(lambda: read_chain(path), path)


@FUZZ
@given(data=blobs(tomli_w.dumps(SESSION).encode()) | grown(*GROWN))
@tried("their text (TOML)")
def test_texts_of_sessions(folder: Path, data: bytes) -> None:
    path = folder / "live.toml"
    path.write_bytes(data)
    taken_or_refused(lambda: open_session(path, Library()), path)
    taken_or_refused(lambda: read_chain(path), path)


@FUZZ
@given(log=trees(LOG), rows=blobs(JOURNAL))
@tried("session logs, journals")
def test_session_logs(folder: Path, log: Any, rows: bytes) -> None:
    (folder / "session.json").write_text(json.dumps(log))
    (folder / "journal.npy").write_bytes(JOURNAL)
    taken_or_refused(lambda: replay._read(folder), folder / "session.json")
    (folder / "session.json").write_text(json.dumps(LOG))
    (folder / "journal.npy").write_bytes(rows)
    taken_or_refused(lambda: replay._read(folder), folder / "session.json")


@FUZZ
@given(
    data=trees(*NETWORKS).map(json.dumps).map(str.encode) | blobs(json.dumps(NETWORKS[1]).encode())
)
@tried("networks (RTNeural, AIDA-X, GuitarML)")
def test_networks(folder: Path, data: bytes) -> None:
    path = folder / "amp.json"
    path.write_bytes(data)
    taken_or_refused(lambda: convert(path), path)


@FUZZ
@given(card=trees(FOREIGN, OWN))
@tried("card files")
def test_card_files(folder: Path, card: Any) -> None:
    path = folder / "card.toml"
    write_toml(path, card)
    for name, data in (("foreign.onnx", leaky()), ("own.onnx", _plain_graph())):
        (folder / name).write_bytes(data)
        taken_or_refused(lambda name=name: carded([folder / name], str(path)), path)  # type: ignore[misc]


@FUZZ
@given(
    foreign=blobs(leaky()), own=blobs(_plain_graph()), text=blobs(tomli_w.dumps(FOREIGN).encode())
)
@tried("graphs with cards, packs")
def test_graphs_with_cards(folder: Path, foreign: bytes, own: bytes, text: bytes) -> None:
    path = folder / "card.toml"
    for data, said in (
        (foreign, tomli_w.dumps(FOREIGN).encode()),
        (own, tomli_w.dumps(OWN).encode()),
        (leaky(), text),
    ):
        (folder / "graph.onnx").write_bytes(data)
        path.write_bytes(said)
        taken_or_refused(lambda: carded([folder / "graph.onnx"], str(path)), path)
