"""``restyle render``: a file in, a restyled file out."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ..audio_files import check_target, read_audio, write_audio
from ..errors import ConfigError
from ..models.catalog import find_model
from ..models.load import open_model
from ..session.render import render_clip
from .common import (
    ChainOption,
    GainOption,
    MixOption,
    ModelOption,
    OutGainOption,
    SetOption,
    announce_cold_start,
    chosen_controls,
    err,
    fail,
    make_config,
    open_chains,
    out,
)


def render(
    source: Annotated[Path, typer.Argument(metavar="IN", help="WAV, FLAC, OGG or MP3.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, by its ending.")],
    model: ModelOption = None,
    mix: MixOption = 1.0,
    chain: ChainOption = None,
    gain: GainOption = 0.0,
    output_gain: OutGainOption = 0.0,
    controls: SetOption = None,
) -> None:
    """Restyle a file offline, with the very engine of the live stream.

    Rate, channels and length stay; the latency is trimmed.
    """
    if model is None and chain is None:
        raise ConfigError("nothing to do: name a --model (see 'restyle models') or a --chain FILE")
    config = make_config(mix, gain, output_gain, controls)
    check_target(target)
    path = find_model(model) if model is not None else None
    config = replace(config, controls=chosen_controls(path, config.controls))
    pre, post = open_chains(chain)
    clip = read_audio(source)
    announce_cold_start()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
    begin = time.perf_counter()
    try:
        with bar:
            task = bar.add_task(f"{source.name} → {target.name}", total=None)
            result = render_clip(
                clip,
                None if path is None else lambda channels: open_model(path, channels),
                config,
                pre=pre,
                post=post,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        write_audio(target, result)
    except KeyboardInterrupt:
        raise fail(f"interrupted; {target} was not written") from None
    seconds = result.samples.shape[1] / result.sample_rate
    spent = time.perf_counter() - begin
    out.print(
        f"wrote {target}: {seconds:.2f} s, {result.samples.shape[0]} channel(s),"
        f" {result.sample_rate} Hz, {seconds / max(spent, 1e-9):.1f} x real time",
        highlight=False,
    )
