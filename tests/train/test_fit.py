"""The training loop: same seed, same run; interrupted, resumed, refused."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from realtime.errors import ConfigError
from train.data.pairs import Pair, PairSet
from train.fit import checkpoint
from train.fit import run as fit
from train.fit.batches import draw, share
from train.fit.log import read_log
from train.fit.state import begin
from train.recipes.base import Batch

from .tiny import SCHEDULE, Noisy, Tiny, pairs

pytestmark = pytest.mark.usefixtures("without_curves")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def quiet(text: str) -> None:
    """Log nowhere."""


def losses(name: str) -> list[str]:
    return (checkpoint.RUNS / name / "log.jsonl").read_text().splitlines()


def test_the_same_seed_trains_the_same_weights() -> None:
    weights = []
    for _ in range(2):
        fit.fit(Tiny(), log=quiet, options=fit.Options(fresh=True, board=False))
        weights.append(fit.load(Tiny())[0].state_dict())
    assert all(torch.equal(a, b) for a, b in zip(*(w.values() for w in weights), strict=True))
    old = json.loads((checkpoint.RUNS / "tiny.old1" / "log.jsonl").read_text().splitlines()[0])
    assert old["step"] == 0, "an earlier run is set aside, not deleted"


class Crash(Noisy):
    """Falls over while drawing its n-th batch."""

    def __init__(self, after: int, how: type[BaseException] | None = None) -> None:
        super().__init__()
        self.left, self.how = after, how

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        self.left -= 1
        if self.left < 0 and self.how is not None:
            raise self.how
        if self.left == 0 and self.how is None:
            os.kill(os.getpid(), signal.SIGINT)
        return super().augment(batch, rng)


@pytest.mark.parametrize("after", [3, 10, 13])
def test_a_crashed_run_goes_on_as_if_nothing_had_happened(after: int) -> None:
    """With a mean, noise from torch, and an adversary from a quarter on."""
    options = fit.Options(check_every=5, save_every=4, board=False)
    fit.fit(Noisy(), log=quiet, options=options)
    whole, best = losses("noisy"), fit.load(Noisy())[1]
    with pytest.raises(MemoryError):
        fit.fit(Crash(after, MemoryError), log=quiet, options=replace(options, fresh=True))
    assert len(losses("noisy")) == after
    fit.fit(Noisy(), log=quiet, options=options)
    assert losses("noisy") == whole
    again = fit.load(Noisy())[1]
    assert again["history"] == best["history"] and again["step"] == best["step"]
    for name, weight in best["weights"].items():
        assert torch.equal(weight, again["weights"][name]), name


def test_ctrl_c_ends_the_step_writes_a_checkpoint_and_says_how_to_go_on() -> None:
    options = fit.Options(board=False)
    fit.fit(Noisy(), log=quiet, options=options)
    whole = losses("noisy")
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(fit.Interrupted, match="interrupted at step 7; the same command goes on"):
        fit.fit(Crash(7), log=quiet, options=replace(options, fresh=True))
    assert signal.getsignal(signal.SIGINT) is before
    assert checkpoint.read(checkpoint.RUNS / "noisy" / "last.pt")["step"] == 7
    fit.fit(Noisy(), log=quiet, options=options)
    assert losses("noisy") == whole


def test_a_finished_run_is_not_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    fit.fit(Tiny(), log=quiet, options=fit.Options(board=False))
    stamp = (checkpoint.RUNS / "tiny" / "best.pt").stat().st_mtime_ns
    said: list[str] = []
    fit.fit(Tiny(), log=said.append, options=fit.Options(board=False))
    assert "trained already (10 steps)" in said[0]
    assert (checkpoint.RUNS / "tiny" / "best.pt").stat().st_mtime_ns == stamp


def test_other_settings_are_refused_with_the_difference() -> None:
    fit.fit(Tiny(), log=quiet, options=fit.Options(board=False))
    with pytest.raises(ConfigError, match="learning_rate was 0.003 and is now 0.1;.*--fresh"):
        fit.fit(Tiny(), schedule=replace(SCHEDULE, learning_rate=0.1), log=quiet)
    wider = Tiny()
    wider.config = replace(wider.config, channels=5)
    with pytest.raises(ConfigError, match="channels was 4 and is now 5"):
        fit.fit(wider, log=quiet)


def test_minutes_add_up_over_resumes() -> None:
    schedule = replace(SCHEDULE, minutes=0.01, steps=None)
    options = fit.Options(check_every=1000, save_every=5, board=False)
    crash = Crash(3)
    crash.name = "tiny"
    with pytest.raises(fit.Interrupted):
        fit.fit(crash, schedule=schedule, log=quiet, options=options)
    spent = checkpoint.read(checkpoint.RUNS / "tiny" / "last.pt")["cpu_minutes"]
    assert 0 < spent < 0.01
    fit.fit(Tiny(), schedule=schedule, log=quiet, options=options)
    last = checkpoint.read(checkpoint.RUNS / "tiny" / "last.pt")
    assert last["cpu_minutes"] >= 0.01 and last["done"]


def test_an_empty_set_and_a_batch_that_cannot_be_shared_are_refused() -> None:
    made = pairs()
    for name in ("train", "validation"):
        empty = PairSet(**{**vars(made), name: ()})
        with pytest.raises(ConfigError, match="set of 'tiny' is empty"):
            fit.fit(Tiny(), empty, log=quiet)
    from train.fit.batches import check_data

    with pytest.raises(ConfigError, match="batch of 2 cannot be split evenly over 3"):
        check_data(Tiny(), SCHEDULE, 3, made)


def test_a_loss_that_explodes_keeps_the_last_good_checkpoint() -> None:
    options = fit.Options(save_every=1, board=False)

    class Burst(Tiny):
        def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
            factor = 1.0 if rng.bit_generator.state["state"]["state"] % 5 else float("nan")
            return batch._replace(dry=batch.dry * factor)

    with pytest.raises(ConfigError, match="not a number any more at step .*lower learning_rate"):
        fit.fit(Burst(), schedule=replace(SCHEDULE, steps=500), log=quiet, options=options)
    saved = checkpoint.read(checkpoint.RUNS / "tiny" / "last.pt")
    assert all(torch.isfinite(w).all() for w in saved["moving"].values())
    assert len(read_log(checkpoint.RUNS / "tiny" / "log.jsonl")) == saved["step"]


def test_the_rate_warms_up_and_falls_to_the_final_one() -> None:
    assert fit.rate(SCHEDULE, 0.0) == pytest.approx(0.05 * SCHEDULE.learning_rate)
    middle = (SCHEDULE.learning_rate + SCHEDULE.final_rate) / 2
    assert fit.rate(SCHEDULE, 0.5) == pytest.approx(middle)
    assert fit.rate(SCHEDULE, 1.0) == pytest.approx(SCHEDULE.final_rate)


def test_segments_are_aligned_loud_and_know_their_controls() -> None:
    ramp = np.linspace(0.1, 1.0, 5000, dtype=np.float32)
    made = (Pair("a", ramp, 2 * ramp, (0.25,)), Pair("b", -ramp, -2 * ramp, (0.75,)))
    batch = draw(made, 8, 1024, np.random.default_rng(0))
    torch.testing.assert_close(batch.wet, 2 * batch.dry)
    for dry, control in zip(batch.dry, batch.controls, strict=True):
        assert float(control) == (0.25 if dry[0] > 0 else 0.75)
    rows = [share(batch, rank, 2).dry for rank in range(2)]
    assert torch.equal(torch.stack(rows, dim=1).reshape(batch.dry.shape), batch.dry)


def test_a_short_recording_is_padded_with_silence() -> None:
    short = Pair("short", np.ones(100, np.float32), np.ones(100, np.float32))
    batch = draw((short,), 2, 1024, np.random.default_rng(0))
    assert batch.dry[:, 100:].abs().max() == 0 and batch.dry[:, :100].min() == 1
    assert batch.controls.shape == (2, 0)


def test_the_mean_of_the_weights_by_hand() -> None:
    run = begin(Noisy(), Noisy.schedule)
    assert run.mean is not None
    first = run.mean.head.weight.clone()
    with torch.no_grad():
        run.network.head.weight.add_(1.0)
    run.step = 4
    run.average(0.9)  # decay min(0.9, 5 / 14)
    torch.testing.assert_close(run.mean.head.weight, first + 1 - 5 / 14)
