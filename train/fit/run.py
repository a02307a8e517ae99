"""Train a recipe, or go on where it stopped.

A run lives in ``.runs/<recipe>/``: ``last.pt`` and ``best.pt`` (:mod:`train.fit.checkpoint`),
``log.jsonl`` (:mod:`train.fit.log`), ``curves.png`` (:mod:`train.fit.curves`) and TensorBoard's
events (:mod:`train.fit.tensorboard`).  It may be killed at any moment; the same command goes on
from ``last.pt``. With a schedule in *steps* the result is then the same, bit for bit on a CPU, as
that of a run that was never interrupted: weights, optimiser, generators and history all come back.
A schedule in *minutes* goes on with the time already spent, but where its learning rate stands
depends on how fast the machine is, so no two such runs are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from realtime.errors import ConfigError

from ..data.pairs import PairSet
from ..networks.layers import Streamable
from ..own.rebuild import begin_with
from ..recipes.base import Recipe, Schedule
from . import batches, checkpoint
from .batches import whole
from .checkpoint import load
from .log import Console
from .loop import Interrupted, Loop, Options, rate
from .processes import make_fabric, together
from .state import Training, begin
from .step import Stepper

__all__ = ["Interrupted", "Options", "fit", "load", "rate", "whole"]


def fit(
    recipe: Recipe,
    data: PairSet | None = None,
    schedule: Schedule | None = None,
    log: Callable[[str], None] | None = None,
    options: Options = Options(),
) -> Path:
    """Train, or go on training, and keep the best checkpoint by validation loss.

    Parameters
    ----------
    recipe : Recipe
    data : PairSet, optional
        Default: ``recipe.data()``, made by the first process before the others ask for it.
    schedule : Schedule, optional
        Default: the recipe's.
    log : callable, optional
        Takes lines of text; default: a progress bar or standard output.
    options : Options

    Returns
    -------
    Path
        ``.runs/<recipe>/best.pt``.

    Raises
    ------
    ConfigError
        Bad data or options, a checkpoint that does not fit, a full disk.
    Interrupted
        After Ctrl-C or SIGTERM.
    """
    schedule = schedule or recipe.schedule
    fabric = make_fabric(options.device, options.precision, options.processes)
    fabric.launch()
    console = Console(recipe.name, log if fabric.is_global_zero else lambda text: None)
    try:
        folder = checkpoint.folder_of(recipe)
        together(fabric, lambda: _make_room(folder, options.fresh, console))
        training = begin(recipe, schedule)
        together(fabric, lambda: _earlier(recipe, schedule, training))
        earlier = _earlier(recipe, schedule, training)
        if earlier and earlier["done"]:
            console.say(
                f"{recipe.name} is trained already ({earlier['step']} steps);"
                " --fresh begins again and keeps this run under another name"
            )
            return folder / checkpoint.BEST
        box = [data] if data is not None else []
        together(fabric, lambda: box or box.append(recipe.data()))
        data = box[0] if box else recipe.data()
        together(fabric, lambda: batches.check_data(recipe, schedule, fabric.world_size, data))
        stepper = Stepper(fabric, recipe, schedule, training, options.share_loss)
        if not earlier:
            training.start(lambda network: _prepare(recipe, network, data))
            if recipe.start is not None:
                console.say(f"beginning with the weights of {recipe.start}")
        if earlier:
            training.recall(earlier)
            recipe.carried = earlier.get("carried")
            console.say(f"going on at step {training.step} from {folder / checkpoint.LAST}")
        return Loop(fabric, recipe, data, schedule, options, training, stepper, console).run()
    finally:
        console.close()


def _prepare(recipe: Recipe, network: Streamable, data: PairSet) -> None:
    recipe.prepare(network, data)
    if recipe.start is not None:
        begin_with(network, recipe.start)


def _make_room(folder: Path, fresh: bool, console: Console) -> None:
    """Set an old run aside when asked, or when it left nothing to go on from."""
    if fresh or not (folder / checkpoint.LAST).exists():
        aside = checkpoint.set_aside(folder)
        if aside is not None:
            console.say(f"the earlier run is now {aside}")


def _earlier(recipe: Recipe, schedule: Schedule, training: Training) -> dict[str, Any] | None:
    """Contents of ``last.pt``, if there is one, checked against what is asked for now."""
    path = checkpoint.folder_of(recipe) / checkpoint.LAST
    if not path.exists():
        return None
    content = checkpoint.read(path)
    other = checkpoint.other_settings(content, recipe, schedule)
    other = other or checkpoint.other_architecture(content["moving"], training.network)
    if other:
        raise ConfigError(
            f"{path} does not fit: {other}; use the earlier settings to go on, or --fresh to begin"
            " again (the earlier run is kept under another name)"
        )
    return content
