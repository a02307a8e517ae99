"""Steps, validations and checkpoints until the schedule is through."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

from lightning_fabric import Fabric

from realtime.errors import ConfigError, RestyleError

from ..data.pairs import PairSet
from ..networks.collapse import Collapse
from ..recipes.base import Recipe, Schedule
from . import batches, checkpoint
from .curves import draw_curves
from .log import Console, LossLog
from .processes import Stop, agree, together
from .state import Training
from .step import Stepper
from .tensorboard import Board

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
    share_loss: bool = True  # see train.fit.step.Stepper
    board: bool = True  # TensorBoard, where it is installed


class Interrupted(RestyleError):
    """Ctrl-C or SIGTERM came; ``last.pt`` is written."""


def rate(schedule: Schedule, progress: float) -> float:
    """Learning rate: two percent of warm-up, then a cosine from the first to the final rate."""
    if progress < 0.02:
        return schedule.learning_rate * (0.05 + 0.95 * progress / 0.02)
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return schedule.final_rate + (schedule.learning_rate - schedule.final_rate) * cosine


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
        self.log: LossLog | None = None
        together(self.fabric, self._open_log)
        self.board = Board(self.folder, run.step, first and self.options.board)
        saved = run.step or -self.options.save_every  # the first checkpoint at once
        try:
            with Stop() as stop:
                while True:
                    minutes = spent_before + (clock() - began) / 60
                    stopping, run.minutes = agree(self.fabric, stop.asked, minutes)
                    done = run.progress(schedule) >= 1.0
                    if done or (run.step % self.options.check_every == 0 and not stopping):
                        self._check(done)
                    if done or stopping or run.step - saved >= self.options.save_every:
                        more = {"done": done, "carried": self.recipe.carried}
                        self._save(checkpoint.LAST, {**run.remember(), **more})
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
                    self._step(n)
        finally:
            if self.log is not None:
                self.log.close()
            self.board.close()

    def _open_log(self) -> None:
        self.log = LossLog(self.folder, self.training.step)

    def _step(self, n: int) -> None:
        run = self.training
        step, progress = run.step, run.progress(self.schedule)
        now = rate(self.schedule, progress)
        try:
            terms = self.stepper(self.data.train, n, now)
        except Collapse as error:
            raise Collapse(
                f"training stopped at step {step}: {error};"
                f" {self.folder / checkpoint.BEST} keeps the best network before that"
            ) from None
        except FloatingPointError:
            raise ConfigError(
                f"the loss is not a number any more at step {step}; {self.folder} keeps the last"
                " good checkpoint — lower learning_rate and begin again with --fresh"
            ) from None
        if self.log is not None:
            self.log(step, {**terms, "rate": now})
            self.console.step(progress, run.step, terms["loss"])
            self.board.scalars(step, {**terms, "rate": now})

    def _check(self, done: bool) -> None:
        """Validate once per step, keep the best, draw."""
        run, held = self.training, self.data.validation
        if not run.history or run.history[-1][0] != run.step:
            loss, run.copy_loss = self.stepper.validate(held)
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
        """Write a checkpoint; if that or the log failed, every process ends."""

        def write() -> None:
            settings = checkpoint.describe(self.recipe, self.schedule)
            checkpoint.write(self.folder / name, settings | content)
            if self.log is not None:
                self.log.check()

        together(self.fabric, write)
