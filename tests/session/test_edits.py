"""Random edits in virtual time, short: the benchmark of half an hour is `restyle bench edits`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.measures.edits import EVERY, RATE, run

from ..graphs import fir_model, identity_spectrum


@pytest.mark.parametrize("seed", [1, 2])
def test_no_edit_clicks_and_the_latency_is_as_declared(tmp_path: Path, seed: int) -> None:
    models = []
    for name, content in (
        ("loud", fir_model(np.array([1.2, 0.0], dtype=np.float32))),
        ("turned", fir_model(np.array([-0.7, 0.0], dtype=np.float32))),
        ("late", identity_spectrum(512, 256, 128)),
    ):
        models.append(str(tmp_path / f"{name}.onnx"))
        Path(models[-1]).write_bytes(content)
    found = run(0.25, models, seed)
    assert found.clicks == []
    assert found.wrong_latency == 0
    assert found.refused == 0
    assert found.peak <= 1.0
    assert sum(found.edits.values()) == int(15 * RATE) // EVERY - 1
