"""Options of ``restyle bench latency``: reading them, and writing them down beside a result."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from realtime.errors import ConfigError
from realtime.models.catalog import find_model, list_models

PASS_THROUGH = "pass-through"
Models = list[tuple[str, Path | None]]


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command's options."""
    parser = argparse.ArgumentParser(
        prog="restyle bench latency",
        description="Latency declared and measured, CPU per hop, missed callbacks under load.",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    parser.add_argument("--seconds", type=float, default=2.5, help="per glitch cell (default 2.5)")
    parser.add_argument("--rounds", type=int, default=1, help="of the glitch table (default 1)")
    parser.add_argument("--blocks", default="64,128,256", help="samples (default 64,128,256)")
    parser.add_argument(
        "--models", help=f"names or files, commas between; default: {PASS_THROUGH} and all models"
    )
    parser.add_argument("--glitch-block", type=int, default=128, help="samples (default 128)")
    parser.add_argument("--no-glitch", action="store_true", help="leave out the glitch table")
    parser.add_argument("--no-jack", action="store_true", help="simulated devices only")
    parser.add_argument("--quick", action="store_true", help="a rough look in under a minute")
    options = parser.parse_args(list(argv))
    try:
        options.blocks = [int(b) for b in options.blocks.split(",")]
    except ValueError:
        parser.error(f"--blocks takes whole numbers with commas, got '{options.blocks}'")
    if not all(1 <= b <= 8192 for b in [*options.blocks, options.glitch_block]):
        parser.error("block sizes must be within 1..8192 samples")
    if not 0.05 <= options.seconds <= 600:
        parser.error(f"--seconds must be within 0.05..600, got {options.seconds:g}")
    if not 1 <= options.rounds <= 100:
        parser.error(f"--rounds must be within 1..100, got {options.rounds}")
    return options


def choose_models(wanted: str | None) -> Models:
    """Pass-through and every usable model, or those named."""
    if wanted is None:
        found = [(e.name, e.path) for e in list_models() if e.converts]
        return [(PASS_THROUGH, None), *found]
    names = [n.strip() for n in wanted.split(",") if n.strip()]
    if not names:
        raise ConfigError("--models names no model")
    return [(Path(n).stem, None if n == PASS_THROUGH else find_model(n)) for n in names]


def command_of(options: argparse.Namespace) -> str:
    """The command that gives this result again, without the folders of this machine."""
    words = ["restyle bench latency"]
    words += ["--quick"] * options.quick + ["--no-jack"] * options.no_jack
    words += ["--no-glitch"] * options.no_glitch
    if options.models is not None:
        words.append("--models " + ",".join(Path(m).name for m in options.models.split(",")))
    words.append(f"--blocks {','.join(map(str, options.blocks))}")
    if not options.no_glitch and not options.quick:
        words.append(f"--seconds {options.seconds:g} --rounds {options.rounds}")
    return " ".join(words)
