"""restyle bench: one report of everything, or one benchmark by its name."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ConfigError, RestyleError

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
BENCHMARKS = {
    "startup": "Time from nothing to the first callback, cold and warm.",
    "networks": "Networks trained for the same CPU time: quality, cost, latency.",
    "personalise": "Three minutes of one's own pairs: before and after, and refusals.",
    "like": "Records and hidden effects: what `restyle like` makes of them, by judges.",
    "captured": "Hidden gear captured in ten minutes, beside the trainer of neural-amp-modeler.",
    "nam": "What captures cost: kernel, ONNX Runtime, other players.",
    "oversampling": "Captures at 2, 4 and 8 times their rate: aliases, passband, delay, cost.",
    "align": "Captures' own delay and polarity, by three methods; two of them side by side.",
    "rig": "Native effects beside pedalboard's; a whole rig beside its capture; long responses.",
    "tools": "The tuner on plucked strings: time and cents; an hour of a loop beside the click.",
    "droptune": "Strings and chords moved by an interval: sidebands, pitch, onsets, beside others.",
    "voice": "Speech shifted, and the bundled voices: words, quality, pitch, hiss, knobs.",
    "idle": "A virtual microphone while nobody listens, and while one does: processor time.",
    "clean": "Denoisers on noisy speech: quality, likeness, words by judges, beside peers.",
    "rates": "Conversions between sample rates: quality, latency, cost.",
    "capture": "A session captured, replayed and compared bit by bit.",
    "slots": "What a path's slots cost, empty and with models in series.",
    "edits": "A random edit every 100 ms of virtual time: clicks, latency, memory.",
    "presets": "40 presets changed at random on JACK, by number or MIDI: clicks, gaps, memory.",
    "panel": "What the panel costs: its own processor time, and the engine's p99.",
    "page": "What the page costs the browser that shows it, beside a page that moves one bar.",
    "generator": "An hour of a generator's music: bounded, no loop, the same seed the same bits.",
    "clocks": "Two devices on two clocks, an hour in virtual time: pitch, latency, breaks.",
    "recovery": "Engine killed, model too slow, model gone wrong: time until sound is back.",
    "latency": "Latency declared and measured, CPU per hop, missed callbacks under load.",
}
group = typer.Typer(
    help="Measure this machine: a report of everything, two reports compared, or one benchmark.",
    no_args_is_help=True,
)


def _load(name: str) -> Any:
    try:
        return importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        raise RestyleError(
            f"this benchmark needs the package '{error.name}'; run: pip install 'restyle[train]'"
        ) from None


@group.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="A report of everything in under two minutes.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="The same, longer and finer, in under twenty.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="For the report: HTML, Markdown, JSON, plots."),
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Names or files, commas between; default: all.")
    ] = None,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A.json B.json", help="What changed from one report to another."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="With --compare: figures that did not change, too.")
    ] = False,
) -> None:
    """Measure this machine: a report of everything, two reports compared, or one benchmark."""
    if context.invoked_subcommand is not None:
        if quick or full or out or models or compare or every:
            raise ConfigError(
                f"options come after the name: restyle bench {context.invoked_subcommand} ..."
            )
        return
    if quick + full + (compare is not None) != 1:
        raise ConfigError("name one of --quick, --full and --compare, or a benchmark")
    if compare is not None and (out or models):
        raise ConfigError("--compare prints; --out and --models belong to --quick and --full")
    if every and compare is None:
        raise ConfigError("--every belongs to --compare")
    command = _load("suite.command")
    if compare is not None:
        raise typer.Exit(command.compare(*compare, every))
    try:
        raise typer.Exit(command.measure("quick" if quick else "full", out, models))
    except KeyboardInterrupt:
        raise RestyleError("interrupted; nothing was written") from None


def _mount(name: str, summary: str) -> None:
    """Mount ``benchmarks.measures.<name>.main(argv)`` as ``restyle bench <name>``."""

    def run(context: typer.Context) -> None:
        raise typer.Exit(_load(f"measures.{name}").main(context.args) or 0)

    group.command(name, help=summary, context_settings=dict(PASS_ON))(run)


for _name, _summary in BENCHMARKS.items():
    _mount(_name, _summary)
