"""``python -m benchmarks.measures.kernels``: bundled networks as they play, and by ONNX Runtime.

Both take one step of the same file, called from compiled code as the engine calls them (ONNX
Runtime by its C function ``OrtApi.Run``), in turns within one run: *hot*, steps one after the
other, and *paced*, as a sound card would ask for them.  Median / p99 / p99.9.  *Null*: the
difference of their sound over the sound.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from realtime.errors import RestyleError
from realtime.models.card import KINDS
from realtime.models.catalog import find_model, list_models
from realtime.models.generator import Generator
from realtime.models.load import open_model, plays_in_kernel
from realtime.models.nam.convert import null_db
from realtime.models.steppable import Steppable
from realtime.models.streaming import StreamingModel, load_model
from realtime.proof.players import struck

from ..rig import spread
from ..rig.tables import Report, Row, as_command
from . import stages

COLUMNS = {
    "network": "network", "by": "played by", "way": "way", "own_us": "own µs",
    "graph_us": "ONNX Runtime µs", "ratio": "own / ONNX Runtime", "null_db": "null dB",
}  # fmt: skip


def _null(one: Steppable, other: Steppable) -> float:
    if one.card.kind == "player":
        x = struck(one.card, 400, 0)
    else:
        x = np.random.default_rng(0).uniform(-0.5, 0.5, (400, *one.x.shape)).astype(np.float32)
    for model in (one, other):
        model.reset()
    return null_db(*(np.stack([m.step(f) for f in x]) for m in (one, other)))


def _as_played(path: Path) -> Steppable:
    """A model as the engine plays it; of a generator the network alone."""
    model = open_model(path)
    if not isinstance(model, Generator):
        return model
    model.close()
    return load_model(path, kinds=KINDS)


def rows_for(path: Path, rounds: int, seconds: float) -> list[Row]:
    """Both ways of one file."""
    rows: list[Row] = []
    by = "kernel of captures" if plays_in_kernel(path) else "tape"
    graph = StreamingModel(path.read_bytes(), kinds=KINDS, tape=False)
    with closing(_as_played(path)) as own, closing(graph):
        for way in ("hot", "paced"):
            found: dict[str, list[np.ndarray]] = {"own": [], "graph": []}
            for _ in range(rounds):
                for name, model in (("own", own), ("graph", graph)):
                    times = stages.sample(model, seconds, paced=way == "paced")
                    found[name].append(times[:, stages.MODEL])
            both = {name: np.concatenate(times) for name, times in found.items()}
            middle = [float(np.median(both[name])) for name in ("own", "graph")]
            rows.append(
                {
                    "network": path.stem,
                    "by": by,
                    "way": way,
                    **{f"{name}_us": spread.of_values(times) for name, times in both.items()},
                    "ratio": round(middle[0] / middle[1], 2),
                    "null_db": round(_null(own, graph), 1),
                }
            )
    return rows


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.measures.kernels", description=__doc__
    )
    parser.add_argument("files", nargs="*", help="names or files (default: the bundled ones)")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each way and round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(list(argv))
    named = [find_model(n) for n in options.files]
    paths = named or [e.path for e in list_models() if e.source == "bundled" and e.plays]
    report = Report("kernels", "python -m benchmarks.measures.kernels")
    rows = []
    for path in paths:
        model = _as_played(path)
        model.close()
        if isinstance(model, StreamingModel) and not model.on_tape:
            raise RestyleError(f"{path.name} is played by ONNX Runtime alone; name another")
        report.progress(path.stem)
        rows += rows_for(path, options.rounds, options.seconds)
    report.table("kernels", "One step of a network", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 0


if __name__ == "__main__":
    as_command(main)
