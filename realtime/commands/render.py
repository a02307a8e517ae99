"""``restyle render``: a file in, a restyled file out; or a folder of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ..audio_files import check_target
from ..errors import ConfigError
from ..presets.check import Library
from ..presets.interfaces import checked_level
from ..presets.opening import open_preset
from ..session.sound import Sound
from .archive import (
    Done,
    Job,
    check_apart,
    files_of,
    is_url,
    prepare,
    render_file,
    result_name,
    what_is_made,
)
from .archive_pools import cores, in_processes, on_ray
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

MOST_JOBS = 1024


def render(
    source: Annotated[
        str, typer.Argument(metavar="IN", help="WAV, FLAC, OGG or MP3; or a folder, or its URL.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="OUT", help="File to write, by its ending; or a folder.")
    ],
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
    stereo: Annotated[
        bool, typer.Option("--stereo", help="One channel as two, for what makes them differ.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(help="Of a folder: files at once; one a core if left out.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Of a folder: a Ray cluster: auto, local or its address.", metavar="ADDRESS"
        ),
    ] = None,
) -> None:
    """Restyle a file offline, with the very engine of the live stream.

    Rate, channels (but for --stereo) and length stay; the latency is trimmed.  Of a folder, every
    file of sound below it, several at once; what is there already is not rendered again.
    """
    if model is None and chain is None and preset is None:
        raise ConfigError(
            "nothing to do: name a --model (see 'restyle models'), a --chain FILE or a --preset"
        )
    whole = is_url(source) or Path(source).is_dir()
    if not whole and (jobs is not None or ray is not None):
        raise ConfigError(f"--jobs and --ray are for a folder; {source} is none")
    if jobs is not None and not 1 <= jobs <= MOST_JOBS:
        raise ConfigError(f"--jobs must be 1..{MOST_JOBS}, got {jobs}")
    if not whole:
        check_target(target, replace=force)
    if input_level_dbu is not None:
        checked_level(input_level_dbu)
    own = {"mix": mix, "input_gain_db": gain, "output_gain_db": output_gain}

    def chosen() -> Sound:
        base = open_preset(preset, Library()).sound if preset is not None else None
        return chosen_sound(model, chain, parse_values(controls), own, base)

    sound = with_yes(chosen, trust)
    announce_cold_start()
    if whole:
        _render_all(source, target, sound, input_level_dbu, stereo, jobs, ray, force)
    else:
        _render_one(Path(source), Path(target), sound, input_level_dbu, stereo)


def _render_one(
    source: Path, target: Path, sound: Sound, level: float | None, stereo: bool
) -> None:
    bar = _bar("{task.percentage:3.0f} %")
    begin = time.perf_counter()
    try:
        with bar:
            task = bar.add_task(f"{source.name} → {target.name}", total=None)
            seconds, channels, rate = render_file(
                sound,
                source,
                target,
                level,
                lambda done, total: bar.update(task, completed=done, total=total),
                lambda note: err.print(note, highlight=False, markup=False),
                stereo,
            )
    except KeyboardInterrupt:
        raise fail(f"interrupted; {target} was not written") from None
    spent = time.perf_counter() - begin
    out.print(
        f"wrote {target}: {seconds:.2f} s, {channels} channel(s),"
        f" {rate} Hz, {seconds / max(spent, 1e-9):.1f} x real time",
        highlight=False,
    )


def _render_all(
    source: str,
    target: str,
    sound: Sound,
    level: float | None,
    stereo: bool,
    jobs: int | None,
    ray: str | None,
    force: bool,
) -> None:
    check_apart(source, target)
    names = files_of(source)
    if not names:
        raise ConfigError(f"there is no file of sound below {source}")
    wanted = {result_name(n) for n in names}
    there = prepare(target, what_is_made(sound, level, stereo), force, wanted)
    todo = [Job(source, target, n, stereo) for n in names if force or result_name(n) not in there]
    if ray is not None:
        done = on_ray(todo, sound, level, ray)
    else:
        done = in_processes(todo, sound, level, jobs or cores())
    bar = _bar("{task.completed}/{task.total} files")
    begin, seconds, failed = time.perf_counter(), 0.0, list[Done]()
    try:
        with bar:
            task = bar.add_task(target, total=len(names), completed=len(names) - len(todo))
            for one in done:
                seconds += one.seconds
                if one.error is not None:
                    failed.append(one)
                bar.advance(task)
    except KeyboardInterrupt:
        raise fail(
            f"interrupted; whole files are in {target}, and the same command goes on from there"
        ) from None
    spent = time.perf_counter() - begin
    out.print(
        f"rendered {len(todo) - len(failed)} of {len(names)} files to {target},"
        f" {len(names) - len(todo)} were there: {seconds / 3600:.2f} h of sound,"
        f" {seconds / max(spent, 1e-9):.1f} x real time",
        highlight=False,
    )
    for one in failed:
        err.print(f"not rendered: {one.job.name}: {one.error}", highlight=False, soft_wrap=True)
    if failed:
        raise fail(f"{len(failed)} of {len(names)} files could not be rendered; see above")


def _bar(last: str) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(last),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
