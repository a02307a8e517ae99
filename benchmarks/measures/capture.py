"""``restyle bench capture``: a session with edits, captured, replayed, compared bit by bit."""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from realtime.devices.shared_simulated import Tape
from realtime.errors import ConfigError
from realtime.host.host import Host
from realtime.host.replay import replay
from realtime.host.session_log import Capture
from realtime.models.catalog import find_model
from realtime.session.operations import Insert, Load, Move, Remove, Swap
from realtime.session.sound import Stage

from ..rig.sounds import on_tape, one_model
from ..rig.tables import Report, Row

RATE, BLOCK = 48_000, 64
STYLES = ("tube-amp", "tape", "clean", "amp-blend")
EFFECTS = ("Reverb", "Delay", "Chorus", "Gain", "Compressor")
MOST_STAGES = 3
STEP_S = 0.005  # of our time; the tape is let on by STEP_SAMPLES each time
STEP_SAMPLES = 1440
EDIT_SAMPLES = 5760  # of sound to an edit; while one is on its way there is a block a step


def edit(host: Host, rng: random.Random) -> str:
    """One random change of a playing host; returns its kind."""
    kinds = ("gain", "mix", "bypass", "swap", "insert", "remove", "move", "turn", "load")
    kind, stages = rng.choice(kinds), host.setup.sound.stages
    stage = rng.choice(stages) if stages else None
    if kind == "gain":
        host.set("output_gain_db", rng.uniform(-20.0, 0.0))
    elif kind == "mix":
        host.set("mix", rng.random())
    elif kind == "bypass":
        host.set("bypass", rng.choice([0.0, 1.0]))
    elif kind == "insert" and len(stages) < MOST_STAGES:
        host.do(Insert(new_stage(host, rng), rng.randrange(MOST_STAGES)))
    elif kind == "load":
        sound = one_model(find_model(rng.choice(STYLES)), mix=rng.random(), output_gain_db=-6.0)
        (model,) = sound.stages
        model = msgspec.structs.replace(model, identity=host.new_identity())
        host.do(Load(msgspec.structs.replace(sound, stages=(model,))))
    elif stage is None:
        return "nothing"
    elif kind == "swap":
        host.do(Swap(stage.identity, new_stage(host, rng)))
    elif kind == "remove":
        host.do(Remove(stage.identity))
    elif kind == "move":
        host.do(Move(stage.identity, rng.randrange(MOST_STAGES)))
    elif kind == "turn":
        host.set(f"{stages.index(stage) + 1}.stage_mix", rng.random())
    else:
        return "nothing"
    return kind


def new_stage(host: Host, rng: random.Random) -> Stage:
    """A model as often as an effect."""
    identity = host.new_identity()
    if rng.random() < 0.5:
        return Stage(model=str(find_model(rng.choice(STYLES))), identity=identity)
    return Stage(effect=rng.choice(EFFECTS), identity=identity)


def run(minutes: float, seed: int, folder: Path) -> dict[str, float]:
    """Capture a session into `folder` and replay it; returns what is printed."""
    length = int(60 * minutes * RATE)
    rng = np.random.default_rng(seed)
    tape = Tape.make(
        rng.uniform(-0.3, 0.3, (1, length)).astype(np.float32), RATE, BLOCK, paced=False
    )
    tape.hold(0)
    setup = on_tape(tape.name, find_model(STYLES[0]))
    told: list[str] = []
    host = Host(setup, told.append, standby=False, journal=True)
    capture, ended = Capture(host, folder, told.append), threading.Event()

    def let_play() -> None:
        while not ended.wait(STEP_S):
            on_time = tape.position < EDIT_SAMPLES * turns
            tape.hold(tape.position + (STEP_SAMPLES if on_time else BLOCK))

    chooser, edits, turns = random.Random(seed), 0, 0
    player = threading.Thread(target=let_play, daemon=True)
    player.start()
    try:
        host.start()
        capture.start()
        while tape.position < length - 2 * RATE:
            turns += 1
            edits += edit(host, chooser) != "nothing"
            time.sleep(0.02)
        stats, log = host.stats(), host.changes()
        host.stop()
        capture.finish(log, stats)
    finally:
        ended.set()
        player.join()
        host.close()
        tape.close()
    begin = time.monotonic()
    found = replay(folder)
    samples = found.output.shape[1]
    return {
        "edits": edits,
        "crossfades and edits of the path among them": len(log),
        "samples compared": samples,
        "minutes": round(samples / RATE / 60, 2),
        "samples that differ": found.differing,
        "replay, times real time": round(samples / RATE / (time.monotonic() - begin), 1),
        "remarks": len(found.remarks) + len(told),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench capture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="of sound (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    if not 0.1 <= options.minutes <= 120:
        raise ConfigError(f"--minutes must be within 0.1..120, got {options.minutes:g}")
    folder = Path(tempfile.mkdtemp(prefix="restyle-capture-"))
    try:
        found = run(options.minutes, options.seed, folder / "session")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    rows: list[Row] = [{"what": k, "value": v} for k, v in found.items()]
    report = Report("capture", " ".join(["restyle bench capture", *(arguments or [])]))
    report.table(
        "capture", "A captured session, replayed", rows, {"what": "what", "value": "value"}
    )
    if options.json is not None:
        report.write(Path(options.json))
    return 1 if found["samples that differ"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
