"""One optimisation step, and one validation, in one process or many."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ..data.pairs import Pair
from ..networks.collapse import FIGURES
from ..networks.discriminators import Adversary
from ..networks.layers import Streamable
from ..recipes.base import Batch, Recipe, Schedule
from . import batches
from .processes import gather_rows
from .state import Training

CLIP = 1.0  # largest norm of the gradient


class Aligned(nn.Module):
    """``recipe.practise`` as a module, so that Fabric can wrap the network's work in training."""

    def __init__(self, recipe: Recipe, network: Streamable) -> None:
        super().__init__()
        self.recipe, self.network = recipe, network

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """``(y, target)``."""
        return self.recipe.practise(self.network, batch)


@contextmanager
def still(device: torch.device) -> Iterator[None]:
    """Networks that use noise hear the same noise each time, and the training's is untouched."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(0)
        yield


class Stepper:
    """Takes the steps of a run.

    Parameters
    ----------
    share_loss : bool
        With several processes: bring all outputs together, so that the loss and its gradient are
        those of one process with the whole batch.  Ratios over a batch (ESR, spectral convergence)
        need it; without it each process takes the loss of its own rows, which is faster from four
        processes on.
    """

    def __init__(
        self,
        fabric: Fabric,
        recipe: Recipe,
        schedule: Schedule,
        training: Training,
        share_loss: bool = True,
    ) -> None:
        self.fabric, self.recipe, self.schedule, self.training = fabric, recipe, schedule, training
        self.share_loss = share_loss and recipe.shared_loss and fabric.world_size > 1
        self.convert: Any
        self.optimiser: Any
        self.convert, self.optimiser = fabric.setup(
            Aligned(recipe, training.network), training.optimiser
        )
        if training.mean is not None:
            training.mean.to(fabric.device)
        self.rival: Any = None
        self.opponent: Any = None
        if training.adversary is not None:
            self.rival, self.opponent = fabric.setup(training.adversary, training.opponent)

    def __call__(self, pairs: tuple[Pair, ...], n: int, rate: float) -> dict[str, float]:
        """Draw a batch and learn from it; returns ``loss``, ``gradient`` norm and further terms.

        Raises
        ------
        FloatingPointError
            The loss is not a number any more.
        """
        run = self.training
        batch = self.recipe.augment(
            batches.draw(pairs, self.schedule.batch, n, run.draws), run.draws
        )
        batch = batches.share(batch, self.fabric.global_rank, self.fabric.world_size)
        batch = Batch(*(part.to(self.fabric.device) for part in batch))
        y, target = self.convert(batch)
        terms: dict[str, float] = {}
        objection = None
        if self.recipe.tests:
            split = len(y) - self.recipe.tests
            objection = self.recipe.objection(y[split:], target[split:])
            y, target = y[:split], target[:split]
            terms["objection"] = self._mean(objection)
        if self.share_loss:
            loss = self.recipe.loss(gather_rows(y), gather_rows(target))
        else:
            loss = self.recipe.loss(y, target)
        total = loss if objection is None else loss + objection
        adversary = run.adversary
        if adversary is not None and run.progress(self.schedule) >= adversary.begin:
            terms["discriminator"] = self._teach(adversary, y.detach(), target)
            fooled, features = adversary.generator_terms(y, target)
            total = total + adversary.weight * fooled + adversary.feature_weight * features
            terms |= {"adversarial": self._mean(fooled), adversary.second: self._mean(features)}
            self._watch(adversary, y.detach(), target, terms)
        value = self._mean(loss)
        if not math.isfinite(value) or not math.isfinite(self._mean(total)):
            raise FloatingPointError
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        self.fabric.backward(total)
        norm = self.fabric.clip_gradients(
            self.convert, self.optimiser, max_norm=CLIP, error_if_nonfinite=False
        )
        self.optimiser.step()
        run.step += 1
        run.average(self.schedule.average)
        return {"loss": value, "gradient": float(norm), **terms}  # type: ignore[arg-type]

    def _teach(self, adversary: Adversary, fake: Tensor, real: Tensor) -> float:
        """One step of the discriminators; the generator's step then sees the newer ones."""
        adversary.requires_grad_(True)
        for group in self.opponent.param_groups:
            group["lr"] = adversary.rate
        verdicts = self.rival(torch.cat([real, fake]))  # one pass: DDP allows no second
        loss = adversary.discriminator_loss(verdicts)
        self.opponent.zero_grad()
        self.fabric.backward(loss)
        self.opponent.step()
        adversary.requires_grad_(False)
        return self._mean(loss)

    def _watch(
        self, adversary: Adversary, y: Tensor, target: Tensor, terms: dict[str, float]
    ) -> None:
        """Look for a collapse; every process comes to the same end."""
        found = adversary.figures(y, target)
        if found is None:
            return
        if self.fabric.world_size > 1:
            found = self.fabric.all_reduce(found, reduce_op="mean")  # type: ignore[assignment]
        terms |= dict(zip(FIGURES, found.tolist(), strict=True))
        adversary.note(found)

    def _mean(self, x: Tensor) -> float:
        x = x.detach()
        if self.fabric.world_size > 1:
            x = self.fabric.all_reduce(x, reduce_op="mean")  # type: ignore[assignment]
        return float(x)

    def validate(self, pairs: tuple[Pair, ...]) -> tuple[float, float]:
        """Mean loss over held-out recordings, and that of handing the input through.

        Each process hears its share of the recordings.
        """
        network = self.training.judged.eval()
        rank, processes, begin = (
            self.fabric.global_rank,
            self.fabric.world_size,
            self.recipe.warm_up,
        )
        found = torch.zeros(2, len(pairs), dtype=torch.float64)
        with torch.no_grad(), still(self.fabric.device):
            for index in range(rank, len(pairs), processes):
                batch = batches.held_out(pairs[index])
                batch = Batch(*(part.to(self.fabric.device) for part in batch))
                y, target = self.recipe.aligned(network, batch)
                copy = batch.dry[:, begin : begin + y.shape[1]]
                found[0, index] = float(self.recipe.validation(y, target, copy))
                found[1, index] = float(self.recipe.validation(copy, target, copy))
        self.training.network.train()
        if processes > 1:  # one recording each, so the sum is the same in any order
            whole: Any = self.fabric.all_reduce(found.to(self.fabric.device), reduce_op="sum")
            found = whole.cpu()
        loss, copy_loss = found.mean(dim=1).tolist()
        return loss, copy_loss
