"""``python -m benchmarks.measures.imported``: models of other makes, from import to live sound.

Each file is imported as ``restyle import`` does it, verified, and played at its own rate over
JACK's dummy driver, output into input: what comes back must be what offline render makes of the
sound, bit for bit, later by the declared latency and the device's periods.  Without files these are
models of RTNeural's set, an AIDA-X and a GuitarML file, TorchScript of RAVE's and Neutone's kind
(all of the tests), and the networks of GTCRN and DTLN where their packages are installed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from realtime.commands.common import check_writable
from realtime.commands.imports import Ready, carded, convert
from realtime.errors import RestyleError
from realtime.models.streaming import load_model
from realtime.proof.verify import verify

from ..rig import jack
from ..rig.alignment import OK
from ..rig.child import ROOT, run_child
from ..rig.tables import Report, Row
from . import stages

CARDS = ("gtcrn", "dtln")
BLOCK, SECONDS = 64, 0.4
COLUMNS = {
    "what": "what", "rate": "Hz", "hop": "hop", "error": "proof", "checks": "checks passed",
    "block": "block", "lane": "lane", "declared": "declared", "device": "device alone",
    "wet": "measured", "cpu": "% of a core", "verdict": "",
}  # fmt: skip


def of_the_tests(folder: Path) -> Iterator[tuple[str, Path]]:
    """What it is and its file, of each that the tests make."""
    from tests.models.test_networks import aidax, guitarml
    from tests.torchscript import Queue, RaveLike, saved

    for path in sorted((ROOT / "tests" / "models" / "rtneural").glob("*.json")):
        yield f"RTNeural, {path.stem}", path
    for name, made in (("AIDA-X", aidax("lstm", 1)), ("GuitarML", guitarml("GRU", 1, 1))):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(made))
        yield name, path
    yield "TorchScript, RAVE's kind", saved(RaveLike(), folder / "rave.ts")
    yield "TorchScript, Neutone's kind", saved(Queue(), folder / "neutone.nm")


def imported(what: str, make: Callable[[], Ready], folder: Path) -> tuple[Row, Path]:
    """The row of one model, without its latency, and the file made of it."""
    ready = make()
    path = folder / f"{ready.card.name}.onnx"
    path.write_bytes(ready.data)
    checks = verify(path)
    model = load_model(path)
    try:
        cost = stages.measure(model, 1.5, paced=True)["cpu_percent"]
    finally:
        model.close()
    row: Row = {
        "what": what,
        "rate": ready.card.sample_rate,
        "hop": ready.card.hop_length,
        "error": ready.proof,
        "checks": f"{sum(c.passed for c in checks)} of {len(checks)}",
        "cpu": cost,
        "good": all(c.passed for c in checks),
    }
    return row, path


def live(rate: int, models: Sequence[tuple[Row, Path]]) -> Iterator[Row]:
    """Rows of :data:`COLUMNS`, a lane each, of models that play at one rate."""
    job = {
        "models": [(row["what"], str(path)) for row, path in models],
        "block": BLOCK,
        "seconds": SECONDS,
        "sample_rate": rate,
    }
    with jack.dummy_server(BLOCK, rate) as environment:
        heard: list[dict[str, Any]] = run_child("benchmarks.rig.loopback", job, environment)["rows"]
    known = {row["what"]: row for row, _ in models}
    for found in heard:
        row = known[found["model"]]
        good = found["verdict"] == OK and row["good"]
        yield row | found | {"verdict": OK if good else "not as it should be"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where a model is not what its file plays, or late."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.imported", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="files of other makes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    command = " ".join(["python -m benchmarks.measures.imported", *map(str, options.files)])
    report = Report("imported", command)
    by_rate: dict[int, list[tuple[Row, Path]]] = defaultdict(list)
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [(f.name, f) for f in options.files] or list(of_the_tests(folder))
        makes = [(what, lambda f=f: convert(f)[0]) for what, f in files]
        if not options.files:
            makes += [(card, lambda c=card: carded([], c)) for card in CARDS]
        for what, make in makes:
            report.progress(what)
            try:
                row, path = imported(what, make, folder)
                by_rate[int(row["rate"])].append((row, path))
            except RestyleError as error:
                report.note(f"{what}: {error}")
                failed += what not in CARDS  # whose packages need not be there
        rows = [row for rate, models in sorted(by_rate.items()) for row in live(rate, models)]
    report.table("imported", "Models of other makes, over JACK's dummy driver", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return 1 if failed or any(r["verdict"] != OK for r in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
