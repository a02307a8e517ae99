"""TensorBoard: scalars, sounds and spectrograms of a run, where TensorBoard is installed.

Look at them with ``tensorboard --logdir .runs``.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..data.pairs import Pair
from ..data.scores.render import SAMPLE_RATE
from ..losses import magnitudes
from ..networks.layers import Streamable
from ..recipes.base import Batch, Recipe
from . import batches
from .step import still

SECONDS = 4  # of the first held-out recording
RANGE_DB = 80.0
N_FFT, HOP = 1024, 256
ROOM = 64 * 2**20  # bytes to leave free


def spectrogram(signal: torch.Tensor, peak: float | None = None) -> npt.NDArray[np.float32]:
    """Picture of ``signal [n]``: ``[3, bins, frames]`` in 0..1, low pitches at the bottom.

    Level in dB below `peak` (default: its own), down to -80, in matplotlib's colours.
    """
    from matplotlib import colormaps

    level = 20 * torch.log10(magnitudes(signal[None].float().cpu(), N_FFT, HOP)[0])
    top = float(level.max()) if peak is None else peak
    unit = ((level - top) / RANGE_DB + 1).clamp(0, 1).flip(0).numpy()
    return np.asarray(colormaps["magma"](unit)[..., :3].transpose(2, 0, 1), dtype=np.float32)


class Board:
    """Writes events into a run's folder from step `begin` on, or does nothing.

    Parameters
    ----------
    folder : Path
    begin : int
        What a killed run wrote for later steps is hidden.
    wanted : bool
        False in all processes but the first.

    On a disk that is nearly full nothing is recorded.
    """

    def __init__(self, folder: Path, begin: int, wanted: bool = True) -> None:
        self._writer: Any = None
        self._folder = folder
        if wanted and importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            if shutil.disk_usage(folder).free > ROOM:
                self._writer = SummaryWriter(str(folder), purge_step=begin)

    def _write(self, method: str, *values: Any) -> None:
        """While there is room: checkpoints need the rest of the disk more."""
        if self._writer is not None and shutil.disk_usage(self._folder).free > ROOM:
            getattr(self._writer, method)(*values)

    def scalars(self, step: int, terms: dict[str, float]) -> None:
        """Loss, learning rate and further terms of one step."""
        for name, value in terms.items():
            self._write("add_scalar", f"train/{name}", value, step)

    def validation(self, step: int, loss: float, copy_loss: float) -> None:
        """Validation loss beside that of handing the input through."""
        self._write("add_scalar", "validation/loss", loss, step)
        self._write("add_scalar", "validation/input handed through", copy_loss, step)

    def sounds(
        self, step: int, recipe: Recipe, network: Streamable, pair: Pair, device: torch.device
    ) -> None:
        """Input, output and target of a held-out recording, as sound and as pictures."""
        if self._writer is None:
            return
        batch = batches.held_out(pair)
        n = min(batch.dry.shape[1], recipe.warm_up + recipe.latency + SECONDS * SAMPLE_RATE)
        n = max(n // batches.MULTIPLE, 1) * batches.MULTIPLE
        batch = Batch(batch.dry[:, :n], batch.wet[:, :n], batch.controls)
        was_training = network.training
        with torch.no_grad(), still(device):
            on_device = Batch(*(part.to(device) for part in batch))
            y, target = recipe.aligned(network.eval(), on_device)
        network.train(was_training)
        begin = recipe.warm_up
        dry = batch.dry[:, begin : begin + y.shape[1]]
        peak = float(20 * torch.log10(magnitudes(target.float().cpu(), N_FFT, HOP).max()))
        for name, signal in (("input", dry), ("output", y), ("target", target)):
            heard = signal[0].float().cpu().clamp(-1, 1)
            self._write("add_audio", name, heard[None], step, SAMPLE_RATE)
            self._write("add_image", name, spectrogram(signal[0], peak), step)
        self._write("flush")

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
