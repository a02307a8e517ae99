"""Every kind of collapse is planted, and seen; a sound training is left alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from train.data.pairs import Pair, PairSet
from train.fit import checkpoint
from train.fit import run as fit
from train.losses.adversarial import GAMES
from train.networks.collapse import Collapse, Watch, balance
from train.networks.layers import Streamable
from train.networks.unpaired import UnpairedAdversary
from train.recipes.base import Batch

from .tiny import Tiny, plucked

pytestmark = pytest.mark.usefixtures("without_curves")

EVEN = torch.tensor([0.6, 0.9])


def sounds() -> Tensor:
    return torch.from_numpy(np.stack([plucked(i) for i in range(3)]))


def watched(y: Tensor, rivals: Tensor = EVEN, steps: int = 4) -> None:
    watch, x = Watch(window=4), sounds()
    for _ in range(steps):
        watch.note(watch(rivals, x, y))


def test_a_filtered_input_is_left_alone() -> None:
    watched(0.5 * torch.tanh(3 * sounds()), steps=9)


def test_one_bad_step_is_no_collapse() -> None:
    watch, x = Watch(window=5), sounds()
    for i in range(12):
        watch.note(watch(EVEN, x, torch.randn_like(x) if i == 7 else x))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda x: 0.1 * torch.randn_like(x), "unchanging sound|no longer follows"),
        (lambda x: 0.1 * torch.randn_like(x) * x[:1].abs().flip(1), "no longer follows"),
        (lambda x: 40 * x, "32 dB louder than the input"),
        (lambda x: 1e-3 * x, r"died away \(-60 dB"),
        (lambda x: x * float("nan"), "not a number"),
    ],
)
def test_planted_outputs_are_seen(make: object, said: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(Collapse, match=said):
        watched(make(sounds()))  # type: ignore[operator]


@pytest.mark.parametrize("kind", GAMES)
def test_a_discriminator_that_wins_totally_is_seen(kind: str) -> None:
    game = GAMES[kind]
    far = 0.5 if kind == "lsgan" else 9.0
    real, fake = [torch.full((4,), game.middle + far)], [torch.full((4,), game.middle - far)]
    won = balance(game, real, fake)
    assert won[0] == 1.0 and won[1] < 0.02
    with pytest.raises(Collapse, match="right 100.0% of the time and learn nothing"):
        watched(sounds(), won)
    middle = [torch.full((4,), game.middle)]
    assert balance(game, middle, middle)[1].item() == pytest.approx(1.0, rel=1e-6)


class Deaf(Streamable):
    """Noise, whatever it hears, once `after` calls in training are through."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.gain, self.after, self.state_shapes = nn.Parameter(torch.ones(1)), after, [(1, 1)]
        self.calls = 0

    def forward(self, x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        self.calls += self.training
        y = x if self.calls <= self.after else 0.2 * torch.randn_like(x)
        return (self.gain * y, *states)


class Doomed(Tiny):
    """An unpaired style whose network goes deaf on the way."""

    name = "doomed"
    schedule = replace(Tiny.schedule, segment=12288, steps=40, learning_rate=1e-5)
    after = 12

    def network(self) -> Streamable:
        return Deaf(self.after)

    def adversary(self) -> nn.Module:
        return UnpairedAdversary(channels=2, window=8)

    def practise(self, network: Streamable, batch: Batch) -> tuple[Tensor, Tensor]:
        return self.convert(network, batch.dry, batch.controls), torch.cat([batch.dry, batch.wet])

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        return 0.0 * y.square().mean()

    def validation(self, y: Tensor, target: Tensor, dry: Tensor) -> Tensor:
        return (y - dry).square().mean()


def heaps() -> PairSet:
    made = [Pair(f"tune{i}", plucked(i), plucked(9 + i)) for i in range(5)]
    return PairSet(tuple(made[:3]), (made[3],), (made[4],))


def quiet(text: str) -> None:
    """Log nowhere."""


def test_a_run_that_collapses_stops_with_a_sentence_and_keeps_the_best(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    options = fit.Options(board=False, check_every=5, save_every=5)
    with pytest.raises(Collapse, match="training stopped at step .*best.pt keeps the best") as got:
        fit.fit(Doomed(), heaps(), log=quiet, options=options)
    step = int(str(got.value).split("at step ")[1].split(":")[0])
    assert Doomed.after + 3 <= step <= Doomed.after + 9, "half the window and a little"
    best = checkpoint.read(checkpoint.RUNS / "doomed" / "best.pt")
    assert best["step"] < Doomed.after


class Sound(Doomed):
    """One that stays well, killed on the way or not."""

    name, after = "sound", 999
    schedule = replace(Doomed.schedule, steps=12, learning_rate=1e-2)

    def __init__(self, left: int = 999) -> None:
        super().__init__()
        self.left = left

    def augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        self.left -= 1
        if self.left < 0:
            raise MemoryError
        return batch

    def loss(self, y: Tensor, target: Tensor) -> Tensor:
        return y.square().mean()


def test_a_killed_run_goes_on_bit_for_bit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Discriminators, encoder, watch, R1's turn and both optimisers come back."""
    monkeypatch.chdir(tmp_path)
    options = fit.Options(board=False, check_every=5, save_every=3)
    log = checkpoint.RUNS / "sound" / "log.jsonl"
    fit.fit(Sound(), heaps(), log=quiet, options=options)
    whole = log.read_text()
    with pytest.raises(MemoryError):
        fit.fit(Sound(8), heaps(), log=quiet, options=replace(options, fresh=True))
    fit.fit(Sound(), heaps(), log=quiet, options=options)
    assert log.read_text() == whole
    last = checkpoint.read(checkpoint.RUNS / "sound" / "last.pt")["adversary"]
    assert int(last["watch.count"]) == int(last["turn"]) == 12
