"""What tests of training share: what is the same for all of them is done once, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest


@pytest.fixture(scope="session", autouse=True)
def operators_read_once() -> Iterator[None]:
    """torch's exporter reads the source of its 500 operators anew for every network."""
    try:
        from torch.onnx._internal._lazy_import import onnxscript_apis

        read = onnxscript_apis.get_torchlib_ops
    except (ImportError, AttributeError):  # no torch, or one that keeps them elsewhere
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnxscript_apis, "get_torchlib_ops", cache(read))
        yield


@pytest.fixture
def without_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train without a picture at every validation: for tests of all else."""
    monkeypatch.setattr("train.fit.loop.draw_curves", lambda *given: None)
