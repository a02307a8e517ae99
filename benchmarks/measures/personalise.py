"""``restyle bench personalise``: three minutes of pairs, before and after, and a refusal.

The pairs are three scores on guitars through an amplifier that no training heard, the wet side late
by 480 samples as an interface would make it.  Minutes are counted by the processor.  Then the same
playing through the effects of :mod:`benchmarks.measures.like`, of which filters alone are for an
equaliser, and a compressor's memory for no network that hears 40 ms.  The refusals: the wet side is
another player's, or a mix; there is no such base; the base sounds like that already.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from realtime.errors import RestyleError
from realtime.models.catalog import find_model
from train.data.manifest import SAMPLE_RATE
from train.data.pairs import Voice, played
from train.own.run import Worse, personalise
from train.player import play

from .like import HIDDEN, lead, references

LATE = 480  # samples
SCORES = ((772_000, Voice(27)), (772_001, Voice(25)), (772_002, Voice(26)))
SECONDS = 59.0


def main(argv: list[str]) -> int:
    """Print the log, the table and the refusals; ``--json`` keeps the figures."""
    parser = argparse.ArgumentParser(prog="restyle bench personalise", description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="of CPU, for each base")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bases", default="tube-amp,amp-blend")
    parser.add_argument("--out", type=Path, default=Path("out/personalise"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    dry, wet, other, same, mix = (
        options.out / name for name in ("dry", "wet", "other", "same", "mix")
    )
    effects = {name: effect for name, (effect, _, _) in HIDDEN.items() if effect is not None}
    places = {name: options.out / name.replace(" ", "-") for name in effects}
    for folder in (dry, wet, other, same, mix, *places.values()):
        folder.mkdir(parents=True, exist_ok=True)
    mixes = [make() for name, make, _ in references() if name not in HIDDEN]
    for k, (seed, voice) in enumerate(SCORES):
        x = played(seed, SECONDS, voice)
        x = np.asarray(0.5 * x / np.abs(x).max(), dtype=np.float32)
        y = np.concatenate([np.zeros(LATE, dtype=np.float32), lead(x)])
        strange = played(seed + 10, SECONDS, voice)
        own = play(find_model("tube-amp"), x)
        for folder, sound in ((dry, x), (wet, y), (other, strange), (same, own)):
            soundfile.write(str(folder / f"take{k}.wav"), sound, SAMPLE_RATE, "FLOAT")
        for name, effect in effects.items():
            late = np.concatenate([np.zeros(LATE, dtype=np.float32), effect(x)])
            soundfile.write(str(places[name] / f"take{k}.wav"), late, SAMPLE_RATE, "FLOAT")
        if k < len(mixes):
            soundfile.write(str(mix / f"take{k}.wav"), mixes[k], SAMPLE_RATE, "FLOAT")
    found: dict[str, Any] = {}
    for base in options.bases.split(","):
        print(f"\n## {base}\n", flush=True)
        done = personalise(
            dry,
            wet,
            base,
            options.out / f"my-{base}.onnx",
            minutes=options.minutes,
            threads=options.threads,
            clock=time.process_time,
        )
        minutes = done.cpu_seconds / 60, done.seconds / 60
        print(f"wrote {done.path.name}; CPU {minutes[0]:.1f} min, wall {minutes[1]:.1f} min")
        found[base] = {
            "rows": done.rows,
            "steps": done.tuned.steps,
            "ended": done.tuned.ended,
            "weights_moved": done.tuned.moved,
            "weights": done.tuned.weights,
            "cpu_minutes": round(minutes[0], 2),
            "wall_minutes": round(minutes[1], 2),
        }
        if options.json:
            options.json.write_text(json.dumps(found, indent=1) + "\n")
    for name, place in places.items():
        print(f"\n## {name}\n", flush=True)
        out = options.out / f"{place.name}.onnx"
        out.unlink(missing_ok=True)
        try:
            made = personalise(
                dry, place, "tube-amp", out, minutes=options.minutes, threads=options.threads,
                clock=time.process_time,
            )  # fmt: skip
            row = {"said": "written", "rows": made.rows}
        except Worse as error:
            row = {"said": str(error), "rows": error.rows}
        print(f"{name}: {row['said']}; file written: {out.exists()}", flush=True)
        found.setdefault("materials", {})[name] = row
    print("\n## Refused\n", flush=True)
    for title, arguments in (
        ("another player's wet side", (dry, other, "tube-amp")),
        *((("a mix as the wet side", (dry, mix, "tube-amp")),) if mixes else ()),
        ("a base that cannot be trained", (dry, wet, "no-such-model")),
        ("what the base plays already", (dry, same, "tube-amp")),
    ):
        refused = options.out / "refused.onnx"
        try:
            personalise(
                arguments[0],
                arguments[1],
                str(arguments[2]),
                refused,
                minutes=0.2,
                clock=time.process_time,
            )
            said = "NOT refused"
        except RestyleError as error:
            said = str(error)
        print(f"{title}: {said}; file written: {refused.exists()}")
        found.setdefault("refused", {})[title] = {"said": said, "written": refused.exists()}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
