"""Every rule of the format as the C++ core follows it: its own output, recorded once.

See ``core/record.py``; where the trainer's library says something else, the core is right.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from realtime.models.nam.build import variants
from realtime.models.nam.convert import make_player, null_db, to_onnx
from realtime.models.nam.file import read_capture
from realtime.models.streaming import StreamingModel

from .core.kinds import kinds, signal
from .core.record import BLOCK, PLAYED

KINDS = kinds()
CORE = json.loads(PLAYED.read_text(encoding="utf-8"))


def core_plays(name: str) -> np.ndarray:
    """What the core played of this kind."""
    found = CORE[name]
    assert hashlib.sha256(KINDS[name]).hexdigest()[:16] == found["sha"], "record again"
    return np.frombuffer(base64.b64decode(found["y"]), dtype="<f4")


def written(name: str, folder: Path) -> Path:
    path = folder / "x.nam"
    path.write_bytes(KINDS[name])
    return path


def test_all_kinds_are_recorded() -> None:
    assert list(CORE) == list(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_it_plays_as_the_core_plays_it(name: str, tmp_path: Path) -> None:
    variant = variants(read_capture(written(name, tmp_path)))[0]
    player = make_player(variant, "x", 1, BLOCK)
    blocks = signal().reshape(-1, 1, 1, BLOCK)
    got = np.concatenate([player.step(b).ravel() for b in blocks])
    assert null_db(got, core_plays(name)) <= -110.0


@pytest.mark.parametrize(
    "name", [k for k in KINDS if "activation" in k or "layer1x1" in k or "condition" in k]
)
def test_its_graph_plays_as_the_core_plays_it(name: str, tmp_path: Path) -> None:
    variant = variants(read_capture(written(name, tmp_path)))[0]
    graph = StreamingModel(to_onnx(variant, "x", BLOCK)[1], tape=False)
    blocks = signal().reshape(-1, 1, 1, BLOCK)
    got = np.concatenate([graph.step(b).ravel() for b in blocks])
    graph.close()
    assert null_db(got, core_plays(name)) <= -110.0
