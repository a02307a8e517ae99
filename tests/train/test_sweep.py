"""A sweep trains what its recipe trains at the same settings, each apart, and ranks the runs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from realtime.errors import ConfigError
from train.data.pairs import PairSet
from train.fit import checkpoint, sweep
from train.fit.loop import Options
from train.fit.run import fit
from train.fit.settings import apply

from .tiny import HOLD, Tiny, program, surroundings

pytestmark = pytest.mark.usefixtures("without_curves")
OPTIONS = Options(device="cpu", check_every=2, save_every=2, board=False)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


class Killed(Tiny):
    """Whose process is killed when it asks for its data a second time."""

    def data(self) -> PairSet:
        with Path("asked").open("a") as file:
            file.write(".")
        if Path("asked").stat().st_size == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().data()


def trials(*words: str, draws: int | None = None) -> list[sweep.Trial]:
    return sweep.trials(Tiny, words, draws, 1, OPTIONS)


def test_each_run_is_that_of_its_settings_and_the_best_can_be_kept() -> None:
    found = trials("channels=0,4", "learning_rate=1e-4,1e-2", "steps=6")
    assert [t.words[:2] for t in found] == [
        ("channels=0", "learning_rate=1e-4"),
        ("channels=0", "learning_rate=1e-2"),
        ("channels=4", "learning_rate=1e-4"),
        ("channels=4", "learning_rate=1e-2"),
    ]
    outcomes = list(sweep.in_processes(found, 2))
    failed = {o.words[0] for o in outcomes if o.failed}
    assert failed == {"channels=0"}  # which the network alone finds impossible
    first, second = sorted((o for o in outcomes if not o.failed), key=lambda o: o.loss)
    assert first.loss < second.loss
    lines = sweep.table(outcomes).splitlines()
    assert [" ".join(o.words) in lines[k + 1] for k, o in enumerate((first, second))] == [True] * 2

    recipe = Tiny()
    schedule, _ = apply(recipe, list(first.words))
    alone = fit(recipe, schedule=schedule, log=lambda text: None, options=OPTIONS)
    content = checkpoint.read(alone)
    assert min(loss for _, loss in content["history"]) == first.loss
    assert content["schedule"]["learning_rate"] == float(first.words[1].partition("=")[2])
    kept = sweep.keep(Tiny(), Path(second.best))
    assert kept.read_bytes() == Path(second.best).read_bytes() and kept == alone
    assert (checkpoint.RUNS / "tiny.old1" / checkpoint.BEST).exists()
    _, content = checkpoint.load(Tiny())
    assert content["schedule"]["learning_rate"] == float(second.words[1].partition("=")[2])


def test_a_process_that_is_killed_is_tried_again() -> None:
    found = sweep.trials(Killed, ["learning_rate=1e-3,1e-2", "steps=2"], None, 1, OPTIONS)
    assert [o.failed for o in sweep.in_processes(found, 1)] == ["", ""]


def test_draws_are_the_same_each_time_and_no_two_alike() -> None:
    words = ("learning_rate=1e-4,1e-3,1e-2", "channels=2,4,8", "dilations=(1,2),(1,6)")
    drawn = [t.words for t in trials(*words, draws=5)]
    assert drawn == [t.words for t in trials(*words, draws=5)] and len(set(drawn)) == 5
    assert len(trials(*words)) == len(trials(*words, draws=100)) == 18
    assert {t.words[2] for t in trials(*words)} == {"dilations=(1,2)", "dilations=(1,6)"}


@pytest.mark.parametrize(
    ("words", "draws", "said"),
    [
        (["steps=2"], None, "a sweep needs several values of a setting"),
        (["learning_rat=1,2"], None, "no setting 'learning_rat'"),
        (["learning_rate=1,x"], None, "learning_rate=x: expected"),
        (["learning_rate=1e-3,-1"], None, "must be above 0"),
        (["steps"], None, "expected key=value"),
        (["steps=1,2", "steps=3"], None, "steps is given twice"),
        (["steps=1,2"], 0, "--draws must be at least 1"),
        (["seed=" + ",".join(map(str, range(1001)))], None, "1001 combinations, 1000 are the most"),
    ],
)
def test_what_is_no_sweep_is_one_sentence(words: list[str], draws: int | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        sweep.trials(Tiny, words, draws, 1, OPTIONS)
    assert not checkpoint.RUNS.exists()


def test_an_interrupted_sweep_goes_on_where_it_stopped(tmp_path: Path) -> None:
    words = ("train", "sweep", "tiny", "hold=6", "learning_rate=1e-3,1e-2", "steps=10")
    command = program(*words, "--draws", "1", "--device", "cpu")
    held = subprocess.Popen(
        command, env=surroundings() | {HOLD: "1"}, stderr=subprocess.PIPE, text=True
    )
    logs = checkpoint.RUNS / "tiny.sweep"
    end = time.monotonic() + 300
    while not list(logs.glob("*/tiny/log.jsonl")) and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(1.0)
    held.send_signal(signal.SIGTERM)
    _, said = held.communicate(timeout=300)
    assert (held.returncode, said.strip().splitlines()[-1]) == (2, "restyle: interrupted")
    done = subprocess.run(command, env=surroundings(), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "1 of 1" in done.stdout and "best checkpoint: .runs/tiny.sweep/" in done.stdout
    assert len(list(logs.glob("*/tiny/best.pt"))) == 1
