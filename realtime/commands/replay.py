"""``restyle replay``: run a captured session through the engine again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..audio_files import Clip, check_target, write_audio
from .common import ForceOption, announce_cold_start, err, out
from .trusting import TrustOption, with_yes


def replay(
    folder: Annotated[Path, typer.Argument(metavar="CAPTURE", help="What --capture wrote.")],
    target: Annotated[
        Path | None, typer.Option("--out", metavar="OUT.wav", help="Write what it gives.")
    ] = None,
    trust: TrustOption = None,
    force: ForceOption = False,
) -> None:
    """Render a capture again, change by change, and compare it with what was played.

    Exit code 1 when the bits differ.
    """
    from ..host.replay import replay as run

    if target is not None:
        check_target(target, replace=force)
    announce_cold_start()
    found = with_yes(lambda: run(folder), trust)
    for remark in found.remarks:
        err.print(remark, highlight=False, style="yellow")
    samples = found.output.shape[1]
    seconds = samples / found.sample_rate
    if target is not None:
        write_audio(target, Clip(found.output, found.sample_rate))
        err.print(f"wrote {target}", highlight=False)
    if found.differing:
        out.print(
            f"{found.differing} of {samples} samples differ from what was played, the first at"
            f" {found.first} ({(found.first or 0) / found.sample_rate:.3f} s)",
            highlight=False,
        )
        raise typer.Exit(1)
    out.print(f"the same bits: {samples} samples, {seconds:.1f} s", highlight=False)
