"""Runs in processes of their own: killed, interrupted, and two at a time."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch

from realtime.errors import ConfigError
from train import commands
from train.fit import checkpoint
from train.fit.processes import make_fabric
from train.fit.processes import surroundings as placed
from train.recipes import RECIPES

from .tiny import HOLD, TINY, program, surroundings

FIT = ("train", "fit", "tiny", "batch=4", "steps=24", "--no-board", "--check-every", "10")
OFTEN = ("--save-every", "7")
PATIENCE = 240.0  # seconds; the most that a busy machine may take


def start(folder: Path, *words: str, **more: str) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        program(*words),
        cwd=folder,
        env={**surroundings(), **more},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out


def wait_for_step(folder: Path, step: int) -> None:
    """Until the log holds so many lines."""
    log, until = folder / ".runs" / "tiny" / "log.jsonl", time.monotonic() + PATIENCE
    while not log.exists() or log.read_text().count("\n") <= step:
        assert time.monotonic() < until, "the training did not start"
        time.sleep(0.01)


def logged(folder: Path) -> str:
    return (folder / ".runs" / "tiny" / "log.jsonl").read_text()


def best(folder: Path) -> dict[str, object]:
    return checkpoint.read(folder / ".runs" / "tiny" / "best.pt")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run by one process, this one, that nobody disturbed."""
    folder, threads = tmp_path_factory.mktemp("whole"), torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setitem(RECIPES, "tiny", TINY["tiny"])
        assert commands.main(list(FIT[1:])) == 0
    torch.set_num_threads(threads)
    return folder


def test_killed_and_started_again_the_losses_are_those_of_one_run(
    whole: Path, tmp_path: Path
) -> None:
    """Kill -9 while a step waits for it, then the same command again."""
    broken = tmp_path / "broken"
    killed = start(broken, *FIT, "hold=12", *OFTEN, **{HOLD: "1"})
    wait_for_step(broken, 9)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    saved = checkpoint.read(broken / ".runs" / "tiny" / "last.pt")
    assert 0 < saved["step"] < 24 and not saved["done"]
    said = finish(start(broken, *FIT, "hold=12", *OFTEN))
    assert "going on at step" in said
    assert logged(broken) == logged(whole), "byte for byte"
    assert best(broken)["history"] == best(whole)["history"]


def test_two_processes_learn_what_one_learns(whole: Path, tmp_path: Path) -> None:
    """Gloo on the CPU; rows of the same batches, gradients as of the whole batch."""
    two = tmp_path / "two"
    said = finish(start(two, *FIT, "--processes", "2"))
    assert said.count("best checkpoint") == 1, "the second process is silent"
    for a, b in zip(logged(whole).splitlines(), logged(two).splitlines(), strict=True):
        assert json.loads(a)["loss"] == pytest.approx(json.loads(b)["loss"], rel=1e-4)
    (step, loss), (same, other) = (best(f)["history"][-1] for f in (whole, two))
    assert step == same and loss == pytest.approx(other, rel=1e-4)


def test_torchrun_and_slurm_say_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert placed(3) == (3, 1)
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_NNODES", "2")
    assert placed(1) == (4, 2)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("WORLD_SIZE", "6")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert placed(1) == (2, 3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"device": "gpu"}, "no device 'gpu'; there are auto, cpu, cuda"),
        ({"precision": "8"}, "no precision '8'; there are 32-true"),
        ({"processes": 0, "device": "cpu"}, "one is the least"),
    ],
)
def test_wrong_devices_are_one_sentence(words: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        make_fabric(**words)  # type: ignore[arg-type]
