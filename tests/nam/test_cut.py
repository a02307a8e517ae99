"""A capture's stream through the engine does not depend on how callbacks cut it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ..sounds import model, path_of, sound
from .test_file import tiny, write


@pytest.mark.parametrize("block", [16, 64, 441, None])
def test_random_callbacks_give_the_bits_of_the_whole_file(
    tmp_path: Path, block: int | None
) -> None:
    source = write(tmp_path, tiny())
    rng = np.random.default_rng(3)
    x = rng.uniform(-0.8, 0.8, (2, 20_000)).astype(np.float32)
    what = sound(model(source))
    whole = path_of(what, 2).process_hops(x)
    engine = path_of(what, 2, block)
    parts, at = [], 0
    while at < x.shape[1] - 1024:
        n = block or int(rng.integers(1, 1025))
        parts.append(engine.process(x[:, at : at + n]))
        at += n
    played = np.concatenate(parts, axis=1)[:, engine.prefill :]
    count = min(played.shape[1], whole.shape[1] // 64 * 64)
    assert engine.prefill == (0 if block else 63)
    assert np.array_equal(played[:, :count], whole[:, :count])
