"""A model that listens: samples of any cutting in, answers out, hop by hop.

Every hop is one step of the network on the same memory, and a stream whose rate is not the
network's is converted by one resampler with a memory.  So the same samples give the same bits
whether they come from a file or live, and however they were cut.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import soxr

from .streaming import load_model

Array = npt.NDArray[np.float32]


class Analyser:
    """Steps a model that answers sound with numbers; not for the audio path.

    Parameters
    ----------
    path : Path
    sample_rate : int [Hz]
        Of the samples to come.
    kind : str
        What the model must be, see :data:`realtime.models.card.KINDS`.

    Attributes
    ----------
    name : str
    hop_seconds : float
        Between two answers.
    sample_rate : int [Hz]

    Raises
    ------
    ModelError, CardError
        The file cannot be read, or is of another kind.
    """

    def __init__(self, path: Path, sample_rate: int, kind: str) -> None:
        self._model = load_model(path, 1, kinds=(kind,))
        self.card = self._model.card
        self.name = self.card.name
        self.hop_seconds = self.card.hop_length / self.card.sample_rate
        self.sample_rate = sample_rate
        self.reset()

    def reset(self, sample_rate: int | None = None) -> None:
        """Forget what was heard; what comes may have another rate."""
        self._model.reset()
        self._left: Array = np.zeros(0, dtype=np.float32)
        self.sample_rate = sample_rate or self.sample_rate
        own = self.card.sample_rate
        self._resampler: Any = None
        if self.sample_rate != own:
            self._resampler = soxr.ResampleStream(self.sample_rate, own, 1, dtype="float32")

    def answers(self, samples: Array) -> Array:
        """Hear samples ``[channels, n]`` (their mean) or ``[n]``.

        Returns
        -------
        ndarray [shape=(hops, *card.output_shape(1)[1:]), float32]
            At every hop that has been filled; none where none has.
        """
        mono = samples if samples.ndim == 1 else samples.mean(axis=0, dtype=np.float32)
        if self._resampler is not None and len(mono):
            mono = self._resampler.resample_chunk(np.ascontiguousarray(mono))
        whole = np.concatenate([self._left, mono])
        hop = self.card.hop_length
        count = len(whole) // hop
        self._left = whole[count * hop :]
        found = np.empty((count, *self.card.output_shape(1)[1:]), dtype=np.float32)
        for k in range(count):
            found[k] = self._model.step(whole[None, None, k * hop : (k + 1) * hop])[0]
        return found

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
