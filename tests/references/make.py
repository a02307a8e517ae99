"""Render the references with the version before paths of stages (commit 2ecee79).

    git worktree add /tmp/before 2ecee79
    PYTHONPATH=/tmp/before python tests/references/make.py

Written once; what plays now is held against it by a null, see ``tests/test_references.py``.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from cases import CAPTURES, CASES, RATE, Case, Effects, signal
from realtime.chain.chain import Chain  # type: ignore[import-not-found]
from realtime.chain.effects import EffectStage, make_plugin  # type: ignore[import-not-found]
from realtime.path import BlockPath  # type: ignore[import-not-found]
from realtime.render import render_samples  # type: ignore[import-not-found]

from realtime.engine import Engine  # type: ignore[attr-defined]
from realtime.models.catalog import find_model
from realtime.models.load import open_model


def chain(effects: Effects) -> Any:
    """A chain of that version."""
    if not effects:
        return None
    return Chain([EffectStage(make_plugin(name, values), name) for name, values in effects])


def render(case: Case, folder: Path, x: Any) -> Any:
    """One case, latency trimmed."""
    model = None
    if case.model is not None:
        captured = folder / case.model
        model = open_model(captured if captured.exists() else find_model(case.model), 1)
    engine = Engine(model, channels=1, sample_rate=RATE, controls=case.controls)
    return render_samples(BlockPath(engine, chain(case.before), chain(case.after)), x)


def main() -> None:
    """Render all cases."""
    kept = {"x": signal()}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in CAPTURES.items():
            (Path(folder) / f"{name}.nam").write_text(json.dumps(data))
        for name, case in CASES.items():
            y = render(case, Path(folder), kept["x"])
            print(f"{name:24} peak {np.abs(y).max():.3f} rms {np.sqrt(np.mean(y**2)):.4f}")
            kept[name] = y
    np.savez_compressed(Path(__file__).parent / "before.npz", **kept)


if __name__ == "__main__":
    main()
