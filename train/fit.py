"""The training loop, top to bottom.

A run lives in ``.runs/<recipe>/``: ``last.pt`` and ``best.pt`` (:mod:`train.checkpoint`),
``log.jsonl`` (:mod:`train.record`), ``curves.png`` (:mod:`train.curves`) and TensorBoard's events
(:mod:`train.board`).  It may be killed at any moment; the same command goes on from ``last.pt``.
With a schedule in *steps* the result is then the same, bit for bit on a CPU, as that of a run that
was never interrupted: weights, optimiser, generators and history all come back.  A schedule in
*minutes* goes on with the time already spent, but where its learning rate stands depends on how
fast the machine is, so no two such runs are equal.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from realtime.errors import ConfigError, RestyleError

from . import batches, checkpoint
from .batches import whole
from .board import Board
from .checkpoint import load
from .curves import draw_curves
from .data.pairs import PairSet
from .processes import Stop, agree, make_fabric, together
from .recipes.base import Recipe, Schedule
from .record import Console, LossLog
from .state import Training, begin
from .step import Stepper

__all__ = ["Interrupted", "Options", "fit", "load", "rate", "whole"]
CHECK_EVERY = 100  # steps


@dataclass(frozen=True)
class Options:
    """How to run; nothing here changes what is learnt, except the precision."""

    device: str = "auto"
    precision: str = "32-true"
    processes: int = 1
    fresh: bool = False  # begin again, with the old run set aside
    check_every: int = CHECK_EVERY  # steps between validations
    save_every: int = CHECK_EVERY  # steps between checkpoints
    share_loss: bool = True  # see train.step.Stepper
    board: bool = True  # TensorBoard, where it is installed


class Interrupted(RestyleError):
    """Ctrl-C or SIGTERM came; ``last.pt`` is written."""


def rate(schedule: Schedule, progress: float) -> float:
    """Learning rate: two percent of warm-up, then a cosine from the first to the final rate."""
    if progress < 0.02:
        return schedule.learning_rate * (0.05 + 0.95 * progress / 0.02)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return schedule.final_rate + (schedule.learning_rate - schedule.final_rate) * cosine


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
        if earlier:
            training.recall(earlier)
            console.say(f"going on at step {training.step} from {folder / checkpoint.LAST}")
        return Loop(fabric, recipe, data, schedule, options, training, stepper, console).run()
    finally:
        console.close()


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


@dataclass
class Loop:
    """The loop itself and what it writes."""

    fabric: Fabric
    recipe: Recipe
    data: PairSet
    schedule: Schedule
    options: Options
    training: Training
    stepper: Stepper
    console: Console

    def run(self) -> Path:
        """Steps, validations and checkpoints until the schedule is through."""
        run, schedule = self.training, self.schedule
        self.folder = checkpoint.folder_of(self.recipe)
        n = batches.segment_length(self.recipe, schedule)
        clock = time.process_time if self.fabric.device.type == "cpu" else time.monotonic
        spent_before, began = run.minutes, clock()
        first = self.fabric.is_global_zero
        log = LossLog(self.folder, run.step) if first else None
        self.board = Board(self.folder, run.step, first and self.options.board)
        saved = run.step
        try:
            with Stop() as stop:
                while True:
                    minutes = spent_before + (clock() - began) / 60
                    stopping, run.minutes = agree(self.fabric, stop.asked, minutes)
                    done = run.progress(schedule) >= 1.0
                    if done or (run.step % self.options.check_every == 0 and not stopping):
                        self._check(done)
                    if done or stopping or run.step - saved >= self.options.save_every:
                        self._save(checkpoint.LAST, {**run.remember(), "done": done})
                        saved = run.step
                    if done:
                        return self.folder / checkpoint.BEST
                    if stopping and not first:
                        raise SystemExit(0)
                    if stopping:
                        raise Interrupted(
                            f"interrupted at step {run.step}; the same command goes on from"
                            f" {self.folder / checkpoint.LAST}"
                        )
                    self._step(n, log)
        finally:
            if log is not None:
                log.close()
            self.board.close()

    def _step(self, n: int, log: LossLog | None) -> None:
        run = self.training
        step, progress = run.step, run.progress(self.schedule)
        now = rate(self.schedule, progress)
        try:
            terms = self.stepper(self.data.train, n, now)
        except FloatingPointError:
            raise ConfigError(
                f"the loss is not a number any more at step {step}; {self.folder} keeps the last"
                " good checkpoint — lower learning_rate and begin again with --fresh"
            ) from None
        if log is not None:
            log(step, {**terms, "rate": now})
            self.console.step(progress, run.step, terms["loss"])
            self.board.scalars(step, {**terms, "rate": now})

    def _check(self, done: bool) -> None:
        """Validate once per step, keep the best, draw."""
        run, held = self.training, self.data.validation
        if not run.history or run.history[-1][0] != run.step:
            if run.copy_loss is None:
                run.copy_loss = self.stepper.validate_copy(held)
            loss = self.stepper.validate(held)
            run.history.append((run.step, loss))
            better = loss < run.best
            if better:
                run.best = loss
                self._save(checkpoint.BEST, run.summary())
            self.console.validation(run.step, run.minutes, loss, better)
            self.board.validation(run.step, loss, run.copy_loss)
            self.board.sounds(run.step, self.recipe, run.judged, held[0], self.fabric.device)
        if self.fabric.is_global_zero:
            draw_curves(self.folder, run.history, run.copy_loss)

    def _save(self, name: str, content: dict[str, object]) -> None:
        whole_content = checkpoint.describe(self.recipe, self.schedule) | content
        together(self.fabric, lambda: checkpoint.write(self.folder / name, whole_content))
