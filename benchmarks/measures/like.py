"""``restyle bench like``: what `restyle like` makes of references that no training heard.

The easiest reference is another take of one's own guitar through an overdrive; harder is a
soundfont's overdriven guitar, each note of which was driven alone.  Others are other guitars
through effects whose truth is known and compared with: mild and hard drive by curves that the
search does not have, filters alone, a compressor alone, a whole hall.  The last are whole mixes
from the test split of the game music.  The playing is another score on another guitar.
Minutes are counted by the processor, so that a busy machine does not change the result; the wall's
are printed beside.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard as pb
import soundfile

from realtime.errors import ConfigError
from train.data.examples import teachers
from train.data.manifest import SAMPLE_RATE
from train.data.pairs import Voice, played
from train.data.sets.recordings import load_set
from train.like.judge import table, told_by
from train.like.report import verdict
from train.like.run import like
from train.like.space import text

Array = npt.NDArray[np.float32]
SECONDS = 60.0
PEAK = 0.5
MINE = (771_000, Voice(27))  # score seed and guitar of the playing
REAL = ("hr-domina-hunting", "hr3-graveyard", "Coherence")
COLUMNS = ("embedding", "mfcc", "contrast", "loudness_range", "score", "statistics")


def mild(x: Array) -> Array:
    """An uneven curve that bends the loudest alone, and a little less treble."""
    return teachers.filtered(teachers.bend(x, 9, 0.15), pb.LowpassFilter(6500), pb.Gain(-4))


def overdrive(x: Array) -> Array:
    """Treble driven hard, the dry sound beside it, a tone control behind."""
    y = teachers.bend(teachers.filtered(x, pb.HighpassFilter(720)), 34)
    return teachers.filtered(0.5 * y + 0.4 * x, pb.LowpassFilter(3000))


def lead(x: Array) -> Array:
    """An oversampled, uneven curve between filters: the search has neither."""
    y = teachers.filtered(x, pb.HighpassFilter(140), pb.PeakFilter(1100, gain_db=6, q=0.8))
    return teachers.filtered(
        teachers.bend(y, 26, 0.2),
        pb.LowShelfFilter(200, gain_db=4),
        pb.PeakFilter(3000, gain_db=-5, q=1),
        pb.LowpassFilter(5500),
        pb.Gain(-8),
    )


def tone(x: Array) -> Array:
    """Filters alone: nothing that an equaliser could not do."""
    return teachers.filtered(
        x,
        pb.LowShelfFilter(180, gain_db=-7),
        pb.PeakFilter(900, gain_db=8, q=0.9),
        pb.HighShelfFilter(3500, gain_db=-9),
    )


def squeezed(x: Array) -> Array:
    """A compressor alone."""
    return teachers.filtered(
        x, pb.Compressor(threshold_db=-38, ratio=8, attack_ms=4, release_ms=160), pb.Gain(12)
    )


def hall(x: Array) -> Array:
    """A warm amplifier, a phaser and clipping in a hall: of these the search has reverb alone."""
    y = teachers.warm(x)
    return teachers.filtered(
        y,
        pb.Clipping(-14),
        pb.Phaser(rate_hz=0.4, mix=0.4),
        pb.LadderFilter(cutoff_hz=3500),
        pb.Reverb(room_size=0.7, wet_level=0.3, dry_level=0.5),
    )


HIDDEN: dict[str, tuple[Callable[[Array], Array] | None, int, Voice]] = {
    "own guitar driven": (overdrive, 881_006, Voice(27)),
    "overdriven guitar": (None, 881_002, Voice(29)),
    "mild drive": (mild, 881_003, Voice(25)),
    "hard drive": (lead, 881_000, Voice(25)),
    "filters alone": (tone, 881_004, Voice(26)),
    "compressor alone": (squeezed, 881_005, Voice(25)),
    "hall": (hall, 881_001, Voice(26)),
}


def main(argv: list[str]) -> int:
    """Print a table for every reference; ``--json`` keeps the figures."""
    parser = argparse.ArgumentParser(prog="restyle bench like", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of CPU, for each reference")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="parts of names, commas between")
    parser.add_argument("--out", type=Path, default=Path("out/like"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--content", action="store_true", help="how much content moves statistics")
    options = parser.parse_args(argv)
    if options.content:
        from .like_content import content

        print(content())
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    mine = options.out / "mine.wav"
    _write(mine, _score(*MINE))
    found: dict[str, Any] = {}
    if options.json and options.json.exists():
        found = json.loads(options.json.read_text())  # references not run now stay as they were
    for name, make, truth in references():
        if not any(part in name for part in options.only.split(",")):
            continue
        reference = options.out / f"{name.replace(' ', '-')}.wav"
        _write(reference, make())
        print(f"\n## {name}\n", flush=True)
        result = like(
            reference,
            mine,
            options.out / f"like-{name.replace(' ', '-')}.onnx",
            minutes=options.minutes,
            threads=options.threads,
            clock=time.process_time,
            truth=truth,
        )
        if result.found.interrupted:
            return 2
        print(f"\n{table(result.rows)}\n")
        print(verdict(result))
        print(f"offer: {result.offer}; CPU {result.cpu_seconds / 60:.1f} min,", end=" ")
        print(f"wall {result.seconds / 60:.1f} min", flush=True)
        found[name] = {
            "rows": result.rows,
            "offer": result.offer,
            "told_by": told_by(result.rows),
            "chain": text(result.chain).splitlines(),
            "tried": result.found.tried,
            "said": result.taught.said() if result.taught is not None else "no network",
            "cpu_minutes": round(result.cpu_seconds / 60, 2),
            "wall_minutes": round(result.seconds / 60, 2),
        }
        if options.json:
            options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def references() -> list[tuple[str, Callable[[], Array], Callable[[Array], Array] | None]]:
    """Name, sound, and the effects behind it where they are known."""
    rows: list[tuple[str, Callable[[], Array], Callable[[Array], Array] | None]] = []
    for name, (effect, seed, voice) in HIDDEN.items():
        rows.append((name, lambda e=effect, s=seed, v=voice: (e or dry)(_score(s, v)), effect))
    try:
        music = {Path(r.name).stem: r.samples for r in load_set("game-music").test}
    except ConfigError:
        return rows
    for name in REAL:
        sound = next((x for key, x in music.items() if name in key), None)
        if sound is not None:
            middle = len(sound) // 2 - round(SECONDS / 2 * SAMPLE_RATE)
            part = sound[max(0, middle) :][: round(SECONDS * SAMPLE_RATE)]
            rows.append((f"record {name}", lambda x=part: x, None))
    return rows


def dry(x: Array) -> Array:
    """What the instrument is by itself."""
    return x


def _score(seed: int, voice: Voice) -> Array:
    x = played(seed, SECONDS, voice)
    return np.asarray(PEAK * x / np.abs(x).max(), dtype=np.float32)


def _write(path: Path, x: Array) -> None:
    soundfile.write(str(path), x, SAMPLE_RATE, "FLOAT")


if __name__ == "__main__":
    import sys

    raise SystemExit(main(sys.argv[1:]))
