"""Train a recipe at several settings, each a run of its own, and say which validates best.

The runs of a sweep live in ``.runs/<recipe>.sweep/<settings>/<recipe>/``, so that they go on where
they stopped when the same command comes again, and others may join later.  Each trial is trained
in a process of its own, on this machine or on a Ray cluster whose nodes share the folder.
"""

from __future__ import annotations

import math
import multiprocessing
import random
import re
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from realtime.cluster import connected, next_ended
from realtime.errors import ConfigError, RestyleError
from realtime.signals import held_back

from ..recipes.base import Recipe
from . import checkpoint
from .loop import Interrupted, Options
from .run import fit
from .settings import apply

MOST = 1000  # trials
GRACE_SECONDS = 30.0  # for a run that is ended to write its checkpoint
TRIES = 2  # of a trial whose process is killed
LONGEST = 120  # characters of a trial's folder


@dataclass(frozen=True)
class Trial:
    """One run of a sweep.

    Attributes
    ----------
    make : callable
        Gives the recipe, in the process that trains; of a module's top level.
    words : tuple of str
        ``key=value``, see :mod:`train.fit.settings`.
    runs : Path
        Folder that its run's folder lies in.
    """

    make: Callable[[], Recipe]
    words: tuple[str, ...]
    runs: Path
    threads: int
    options: Options


@dataclass(frozen=True)
class Outcome:
    """What became of a trial: its best validation loss and where that was, or a sentence."""

    words: tuple[str, ...]
    loss: float = math.inf
    step: int = 0
    minutes: float = 0.0
    best: str = ""
    failed: str = ""


def trials(
    make: Callable[[], Recipe], words: Sequence[str], draws: int | None, threads: int,
    options: Options, runs: Path | None = None,
) -> list[Trial]:  # fmt: skip
    """Every combination of the values, or `draws` of them by chance, the same ones each time.

    Parameters
    ----------
    words : sequence of str
        ``key=value`` or ``key=value,value``; a tuple is one value in parentheses.
    runs : Path, optional
        Default: ``.runs/<recipe>.sweep``.

    Raises
    ------
    ConfigError
        A word is none, a value does not fit, nothing is swept, or there are too many.
    """
    recipe = make()
    given = [_values(word) for word in words]
    keys = [key for key, _ in given]
    if double := next((k for k in keys if keys.count(k) > 1), None):
        raise ConfigError(f"{double} is given twice; write its values as {double}=A,B")
    count = math.prod(len(values) for _, values in given)
    if count < 2:
        raise ConfigError("a sweep needs several values of a setting: learning_rate=1e-3,3e-3")
    if draws is not None and draws < 1:
        raise ConfigError(f"--draws must be at least 1, got {draws}")
    if count > MOST and draws is None or draws is not None and draws > MOST:
        raise ConfigError(
            f"{count} combinations, {MOST} are the most; take some of them by --draws"
        )
    chosen: Iterable[int] = range(count)
    if draws is not None and draws < count:
        chosen = sorted(random.Random(0).sample(range(count), draws))
    runs = runs or checkpoint.RUNS / f"{recipe.name}.sweep"
    found = []
    for index in chosen:
        places = np.unravel_index(index, [len(values) for _, values in given])
        one = [f"{key}={values[at]}" for (key, values), at in zip(given, places, strict=True)]
        apply(make(), one)
        found.append(Trial(make, tuple(one), runs / _folder(one), threads, options))
    return found


def _values(word: str) -> tuple[str, list[str]]:
    key, equals, text = word.partition("=")
    if not equals:
        raise ConfigError(f"expected key=value or key=value,value, got '{word}'")
    values = [v.strip() for v in re.split(r",(?![^(]*\))", text)]
    return key, list(dict.fromkeys(v for v in values if v)) or [text]


def _folder(words: Sequence[str]) -> str:
    name = " ".join(re.sub(r"[^\w.=,-]", "", w) for w in words)
    if len(name) > LONGEST:
        raise ConfigError(f"too many settings for the name of a folder: {name[:60]}…")
    return name


def train_trial(trial: Trial) -> Outcome:
    """Train one, in a process for it alone; what it wrote while it went is in its folder."""
    import torch

    torch.set_num_threads(trial.threads)
    recipe = trial.make()
    recipe.runs = trial.runs
    trial.runs.mkdir(parents=True, exist_ok=True)
    try:
        schedule, _ = apply(recipe, list(trial.words))
        with (trial.runs / "log.txt").open("a") as log:

            def write(text: str) -> None:
                print(text, file=log, flush=True)

            best = fit(recipe, schedule=schedule, log=write, options=trial.options)
        content = checkpoint.read(best)
        step, loss = min(content["history"], key=lambda entry: float(entry[1]))
        minutes = float(content["cpu_minutes"])
        return Outcome(trial.words, float(loss), int(step), minutes, str(best))
    except Interrupted:
        return Outcome(trial.words, failed="interrupted")
    except RestyleError as error:
        return Outcome(trial.words, failed=str(error))
    except Exception as error:  # settings that only torch finds impossible
        text = " ".join(str(error).split())[:200]
        return Outcome(trial.words, failed=f"{type(error).__name__}: {text}")


def in_processes(found: Sequence[Trial], jobs: int) -> Iterator[Outcome]:
    """Train `jobs` trials at a time, each in a new process; outcomes as they come.

    The first process makes what data there is to be made before others ask for it.  A trial whose
    process is killed goes on once more.
    """
    for _, failed in _each(_make_data, [found[0].make], 1):
        if failed:
            raise ConfigError(str(failed))
    left = list(found)
    for tries in range(TRIES):
        broken = []
        for trial, outcome in _each(train_trial, left, jobs):
            if outcome is not None:
                yield outcome
            elif tries < TRIES - 1:
                broken.append(trial)
            else:
                yield Outcome(trial.words, failed="the process that trained it was killed")
        left = broken


def _each(function: Callable[[Any], Any], given: Sequence[Any], jobs: int) -> Iterator[Any]:
    """Call `function` with each of `given` in a process of its own: it and the result, or None.

    After Ctrl-C nothing more begins, and what trains writes its checkpoint.
    """
    context = multiprocessing.get_context("spawn")
    left, running = list(given), {}
    try:
        while left or running:
            while left and len(running) < jobs:
                here, there = context.Pipe(duplex=False)
                process = context.Process(target=_send, args=(there, function, left[0]))
                with held_back([signal.SIGINT]):  # they are ended by this one
                    process.start()
                there.close()
                running[here] = process, left.pop(0)
            for here in wait(list(running)):
                process, one = running.pop(here)
                try:
                    result = here.recv()
                except EOFError:
                    result = None
                process.join()
                yield one, result
    finally:
        for process, _ in running.values():
            process.terminate()
        for process, _ in running.values():
            process.join(GRACE_SECONDS)
            process.kill()


def _send(there: Connection, function: Callable[[Any], Any], one: Any) -> None:
    there.send(function(one))


def _make_data(make: Callable[[], Recipe]) -> str:
    try:
        make().data()
    except RestyleError as error:
        return str(error)
    return ""


def keep(recipe: Recipe, best: Path) -> Path:
    """Make a run the recipe's own, to be judged and exported; the earlier one is kept beside.

    Returns
    -------
    Path
        Its best checkpoint.
    """
    folder = checkpoint.folder_of(recipe)
    checkpoint.set_aside(folder)
    shutil.copytree(best.parent, folder, dirs_exist_ok=True)
    return folder / best.name


def on_ray(found: Sequence[Trial], address: str) -> Iterator[Outcome]:
    """Train on a Ray cluster; a trial whose node is lost goes on elsewhere from its checkpoint.

    Parameters
    ----------
    address : str
        ``auto``, ``local`` or that of a cluster, whose nodes have the same folder of runs.

    Raises
    ------
    ConfigError
        Ray is not installed, or there is no cluster.
    """
    with connected(address) as ray:
        if failed := ray.get(ray.remote(_make_data).remote(found[0].make)):
            raise ConfigError(failed)
        here = Path.cwd()
        flying = {}
        for trial in found:
            task = ray.remote(num_cpus=trial.threads, max_retries=3, max_calls=1)(train_trial)
            flying[task.remote(replace(trial, runs=here / trial.runs))] = trial
        while flying:
            for trial, outcome, failed in next_ended(ray, flying):
                yield outcome or Outcome(
                    trial.words, failed=f"its worker did not train it: {failed}"
                )


def table(outcomes: Sequence[Outcome]) -> str:
    """Outcomes as lines, the best first, those that failed last."""
    ranked = sorted(outcomes, key=lambda o: (bool(o.failed), o.loss))
    wide = max(len(" ".join(o.words)) for o in ranked)
    head = f"{'settings':{wide}}  validation  at step  minutes"
    rows = [
        f"{' '.join(o.words):{wide}}  {o.failed}"
        if o.failed
        else f"{' '.join(o.words):{wide}}  {o.loss:10.5g}  {o.step:7d}  {o.minutes:7.1f}"
        for o in ranked
    ]
    return "\n".join([head, *rows])
