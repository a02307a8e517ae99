"""``restyle train``: the commands that make, judge and export styles.

Nothing heavy is imported before a command runs.  Commands of other modules are looked up when they
are called.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from realtime.audio_files import check_absent
from realtime.errors import ConfigError, interruptible

from .endings import explain
from .voices.commands import app as voices

app = typer.Typer(
    name="train",
    help="Make training data, train styles, judge them and export them. Recipes: train/recipes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.registered_commands += voices.registered_commands
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
Name = Annotated[str, typer.Argument(help="A recipe; see: restyle train recipes")]
Threads = Annotated[int, typer.Option(help="CPU threads of each process.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Begin again; the earlier run is kept beside.")
]
Owner = Annotated[str | None, typer.Option(help="Whose recordings, for the card.")]
Licence = Annotated[str, typer.Option(help="Of them: SPDX, or own-recording.")]


def main(arguments: list[str]) -> int:
    """Run ``restyle train`` with these words; returns the exit code."""
    command = typer.main.get_command(app)
    try:
        command.main(arguments, prog_name="restyle train")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except ModuleNotFoundError as error:
        explain(error)
        raise
    return 0


def _recipe(name: str, threads: int = 1) -> Any:
    import torch

    from .recipes import get_recipe

    torch.set_num_threads(threads)
    return get_recipe(name)


def _origin(owner: str | None, licence: str) -> Any:
    from .own.keep import Origin

    return Origin(licence=licence) if owner is None else Origin(owner, licence)


@app.command()
@interruptible
def fit(
    name: Name,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...", help="Settings, e.g. learning_rate=1e-3 steps=2000"
        ),
    ] = None,
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="32-true or bf16-mixed.")] = "32-true",
    processes: Annotated[
        int, typer.Option(help="Processes on this machine; torchrun and Slurm say it themselves.")
    ] = 1,
    threads: Threads = 1,
    fresh: Fresh = False,
    start: Annotated[
        Path | None, typer.Option("--from", help="Begin with the weights of this model file.")
    ] = None,
    check_every: Annotated[int, typer.Option(help="Steps between validations.")] = 100,
    save_every: Annotated[int, typer.Option(help="Steps between checkpoints.")] = 100,
    own_loss: Annotated[
        bool,
        typer.Option(
            "--own-loss", help="Each process its own loss: faster from four processes on."
        ),
    ] = False,
    board: Annotated[bool, typer.Option(help="TensorBoard events, if it is installed.")] = True,
) -> None:
    """Train a recipe, or go on where it stopped; the best checkpoint is kept."""
    from .fit.processes import is_first
    from .fit.run import Options
    from .fit.run import fit as run
    from .fit.settings import apply

    recipe = _recipe(name, threads)
    recipe.start = start
    schedule, changed = apply(recipe, overrides or [])
    say = typer.echo if is_first() else lambda text: None
    for key, value in changed.items():
        say(f"{key} = {value}")
    options = Options(
        device=device,
        precision=precision,
        processes=processes,
        fresh=fresh,
        check_every=max(1, check_every),
        save_every=max(1, save_every),
        share_loss=not own_loss,
        board=board,
    )
    best = run(recipe, schedule=schedule, options=options)
    say(f"best checkpoint: {best}")


@app.command()
@interruptible
def sweep(
    name: Name,
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE[,VALUE]...", help="E.g. learning_rate=1e-3,3e-3 steps=2000"
        ),
    ],
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time.")] = 1,
    draws: Annotated[
        int | None, typer.Option(help="So many of the combinations, by chance; default: all.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="On a Ray cluster: auto, local or its address."),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Make the best the recipe's own run, to be judged, exported."),
    ] = False,
    device: Device = "auto",
    threads: Threads = 1,
) -> None:
    """Train a recipe at several settings and say which validates best.

    The same command goes on where it stopped, and more values join what is there.
    """
    from .fit import sweep as sweeps
    from .fit.run import Options
    from .recipes import get_recipe

    options = Options(device=device, board=False)
    recipe = get_recipe(name)
    found = sweeps.trials(type(recipe), settings, draws, threads, options)
    played = sweeps.on_ray(found, ray) if ray is not None else sweeps.in_processes(found, jobs)
    outcomes = []
    for outcome in played:
        outcomes.append(outcome)
        result = outcome.failed or f"validation {outcome.loss:.5g}"
        typer.echo(f"{len(outcomes)} of {len(found)}: {' '.join(outcome.words)}: {result}")
    typer.echo(sweeps.table(outcomes))
    best = min(outcomes, key=lambda o: o.loss)
    if not best.best:
        raise ConfigError("no run of the sweep came to an end")
    kept = sweeps.keep(recipe, Path(best.best)) if keep else best.best
    typer.echo(f"best checkpoint: {kept}")


@app.command()
@interruptible
def evaluate(
    name: Name,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report; default: the run's own.")
    ] = None,
    threads: Threads = 1,
) -> None:
    """Measure the best checkpoint, or a bundled model, on recordings it has never heard.

    Where a bundled model has no checkpoint here, its card takes the figures.
    """
    from .export.gate import EXPORTED
    from .fit.checkpoint import BEST, folder_of
    from .judging import run as judge
    from .recipes.player import PLAYERS, Bundled

    if name in PLAYERS:
        import torch

        torch.set_num_threads(threads)
        _later("train.export.player").evaluate(Bundled(name), out, typer.echo)
        return
    recipe, bundled = _recipe(name, threads), EXPORTED / f"{name}.onnx"
    trained = (folder_of(recipe) / BEST).exists() or not bundled.exists()
    judge.run(recipe, out, typer.echo, None if trained else bundled)


@app.command()
@interruptible
def export(name: Name, threads: Threads = 1) -> None:
    """Write exported/NAME.onnx through the gate: it proves itself, or nothing is written."""
    typer.echo(f"wrote {_export(_recipe(name, threads))}")


def _export(recipe: Any) -> Path:
    from .export.gate import EXPORTED, export_recipe

    EXPORTED.mkdir(exist_ok=True)
    return export_recipe(recipe)


@app.command()
@interruptible
def unpaired(
    inputs: Annotated[Path, typer.Option("--from", help="Folder of recordings to be converted.")],
    wanted: Annotated[Path, typer.Option("--to", help="Folder of recordings to sound like.")],
    out: Annotated[Path, typer.Option(help="The model to write, NAME.onnx.")],
    minutes: Annotated[float, typer.Option(help="CPU minutes to train.")] = 15.0,
    licence: Annotated[
        str | None, typer.Option(help="Of both, SPDX, e.g. CC-BY-4.0; or own-recording.")
    ] = None,
    device: Device = "auto",
    fresh: Fresh = False,
    threads: Threads = 1,
) -> None:
    """Learn a style from two folders of recordings that do not belong together."""
    import torch

    from .fit.run import Options
    from .own.unpaired import train_folders

    torch.set_num_threads(threads)
    options = Options(device=device, fresh=fresh)
    train_folders(inputs, wanted, out, minutes, licence, options, log=typer.echo)


@app.command()
@interruptible
def paired(
    dry: Annotated[Path, typer.Option(help="Folder of recordings before.")],
    wet: Annotated[Path, typer.Option(help="Folder of the same playing after, by file name.")],
    out: Annotated[Path, typer.Option(help="The model to write, NAME.onnx.")],
    kind: Annotated[str, typer.Option(help="effect, instrument or voice.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Of the schedule, e.g. minutes=20."),
    ] = None,
    recipe: Annotated[
        Path | None, typer.Option(help="Python file with a recipe of your own; it is run.")
    ] = None,
    owner: Owner = None,
    licence: Licence = "own-recording",
    device: Device = "auto",
    fresh: Fresh = False,
    threads: Threads = 1,
) -> None:
    """Learn a style from two folders: the same playing before and after."""
    import torch

    from .fit.run import Options
    from .own.paired import train_paired

    torch.set_num_threads(threads)
    train_paired(
        dry,
        wet,
        out,
        kind,
        recipe=recipe,
        settings=settings or [],
        origin=_origin(owner, licence),
        options=Options(device=device, fresh=fresh),
        log=typer.echo,
    )


@app.command()
@interruptible
def voice(
    target: Annotated[
        Path, typer.Option(help="Folder of recorded sentences, each with its words: a.wav, a.txt.")
    ],
    consent: Annotated[
        str, typer.Option(help="Who is heard and that they agree; the card and the preset keep it.")
    ],
    out: Annotated[Path, typer.Option(help="The model to write, NAME.onnx; beside it NAME.toml.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Of the schedule, e.g. steps=1000."),
    ] = None,
    owner: Owner = None,
    licence: Licence = "own-recording",
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    device: Device = "auto",
    fresh: Fresh = False,
    threads: Threads = 1,
) -> None:
    """Learn the colour of somebody's voice from their recordings (experimental)."""
    import torch

    from .fit.run import Options
    from .target.train import train_voice

    torch.set_num_threads(threads)
    train_voice(
        target,
        out,
        consent,
        settings=settings or [],
        origin=_origin(owner, licence),
        force=force,
        options=Options(device=device, fresh=fresh, check_every=200),
        log=typer.echo,
    )


@app.command()
@interruptible
def models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Recipes; default: all that are bundled.")
    ] = None,
    device: Device = "auto",
    threads: Threads = 1,
) -> None:
    """Train, judge and export recipes, then write demo clip and pages."""
    from realtime.models.catalog import RETIRED

    from .fit.run import Options, fit
    from .judging import clips
    from .judging import model_pages as pages
    from .judging import run as judge
    from .recipes import RECIPES

    for name in names or [n for n in RECIPES if n not in RETIRED]:
        recipe = _recipe(name, threads)
        for rival in recipe.ablations.values():
            fit(_recipe(rival, threads), options=Options(device=device))
        fit(recipe, options=Options(device=device))
        judge.run(recipe, None, typer.echo)
        path = _export(recipe)
        made = clips.write_clip(path)
        typer.echo(f"wrote {path}{f' and {made}' if made else ''}")
    clips.render_demo()
    pages.write_pages()


@app.command()
@interruptible
def prove(
    names: Annotated[list[str] | None, typer.Argument(help="Bundled models; default: all.")] = None,
) -> None:
    """Measure bundled models as a listener would, and write the figures into their cards."""
    from .export.gate import EXPORTED
    from .export.listener import stamp

    chosen = [EXPORTED / f"{name}.onnx" for name in names or ()]
    missing = [f.stem for f in chosen if not f.exists()]
    if missing:
        raise ConfigError(f"no bundled model is called {', '.join(missing)}")
    stamp(chosen or sorted(EXPORTED.glob("*.onnx")), typer.echo)


@app.command()
@interruptible
def readme() -> None:
    """Write exported/README.md and the model pages from the cards inside the models."""
    from .judging import model_pages as pages

    pages.write_pages()


@app.command()
@interruptible
def demo() -> None:
    """Render exported/demo.flac and a clip of every model, before and after."""
    from .judging import clips

    typer.echo(f"wrote {clips.render_demo()}")
    for path in sorted(clips.EXPORTED.glob("*.onnx")):
        if made := clips.write_clip(path):
            typer.echo(f"wrote {made}")


@app.command()
@interruptible
def morph(
    first: Annotated[str, typer.Argument(help="A model, by name or file.")],
    second: Annotated[str, typer.Argument(help="Another of the same kind.")],
    out: Annotated[Path, typer.Option(help="The new file.")] = Path("morph.onnx"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Join two models into one file, with a blend of how much of each is heard."""
    if out.suffix.lower() != ".onnx":
        raise ConfigError(f"--out must end in .onnx, got {out.name}")
    check_absent(out, force)
    typer.echo(f"wrote {_later('train.export.morph').morph(first, second, out)}")


@app.command()
@interruptible
def recipes() -> None:
    """List the recipes."""
    from .recipes import RECIPES, get_recipe

    for name in RECIPES:
        recipe = get_recipe(name)
        s = recipe.schedule
        length = f"{s.steps} steps" if s.steps else f"{s.minutes:g} CPU minutes"
        about = (type(recipe).__doc__ or "").strip().splitlines()
        typer.echo(f"{name:20}{recipe.kind:12}{length:18}{about[0] if about else ''}")


@app.command()
@interruptible
def listen(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Recipes or bundled players; default: all recipes."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the page.")] = Path("out/listen"),
    rival: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.onnx",
            help="Model that players are heard beside, in place of the dry input.",
        ),
    ] = None,
    threads: Threads = 1,
) -> None:
    """Write a page with sounds side by side, for ears."""
    import torch

    from .recipes import RECIPES

    torch.set_num_threads(threads)
    page = _later("train.judging.listen").write_page(list(names or RECIPES), out, rival=rival)
    typer.echo(f"wrote {page}")


@app.command()
@interruptible
def heard(
    names: Annotated[list[str] | None, typer.Argument(help="Styles; default: all.")] = None,
    threads: Threads = 1,
) -> None:
    """Let the tagger judge styles: does it hear in them what they are to be?"""
    import torch

    torch.set_num_threads(threads)
    typer.echo(_later("train.judging.heard").judge(names))


@app.command(context_settings=dict(PASS_ON))
@interruptible
def data(context: typer.Context) -> None:
    """Fetch, make and check training data: restyle train data --help."""
    command = typer.main.get_command(_later("train.data.sets.commands").app)
    command.main(list(context.args), prog_name="restyle train data")


def _later(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            raise ConfigError(f"this version of restyle has no {module}") from None
        raise
