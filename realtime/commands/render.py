"""``restyle render``: a file in, a restyled file out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ..audio_files import check_target, write_audio
from ..errors import ConfigError
from ..presets.check import Library
from ..presets.interfaces import checked_level
from ..presets.opening import open_preset
from ..session.render import render as render_sound
from ..session.sound import Sound
from ..trust.sounds import read_sound
from .common import (
    ChainOption,
    ForceOption,
    ModelOption,
    SetOption,
    announce_cold_start,
    err,
    fail,
    out,
)
from .sounds import chosen_sound, parse_values
from .trusting import TrustOption, with_yes


def render(
    source: Annotated[Path, typer.Argument(metavar="IN", help="WAV, FLAC, OGG or MP3.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, by its ending.")],
    model: ModelOption = None,
    preset: Annotated[str | None, typer.Option(help="A preset: name or file.")] = None,
    mix: Annotated[float | None, typer.Option(help="0 dry .. 1 wet.")] = None,
    chain: ChainOption = None,
    gain: Annotated[float | None, typer.Option(help="dB at the input.")] = None,
    output_gain: Annotated[float | None, typer.Option(help="dB before the limiter.")] = None,
    controls: SetOption = None,
    trust: TrustOption = None,
    force: ForceOption = False,
    input_level_dbu: Annotated[
        float | None,
        typer.Option(
            help="What full scale stood for at the input of the recording.", metavar="DBU"
        ),
    ] = None,
) -> None:
    """Restyle a file offline, with the very engine of the live stream.

    Rate, channels and length stay; the latency is trimmed.
    """
    if model is None and chain is None and preset is None:
        raise ConfigError(
            "nothing to do: name a --model (see 'restyle models'), a --chain FILE or a --preset"
        )
    check_target(target, replace=force)
    if input_level_dbu is not None:
        checked_level(input_level_dbu)
    own = {"mix": mix, "input_gain_db": gain, "output_gain_db": output_gain}

    def chosen() -> Sound:
        base = open_preset(preset, Library()).sound if preset is not None else None
        return chosen_sound(model, chain, parse_values(controls), own, base)

    sound = with_yes(chosen, trust)
    clip = read_sound(source)
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
            result = render_sound(
                sound,
                clip,
                lambda done, total: bar.update(task, completed=done, total=total),
                input_level_dbu,
                lambda note: err.print(note, highlight=False, markup=False),
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
