"""A tagger at work: samples of any cutting in, probabilities of labels out, hop by hop.

Every hop is one step of the network on the same memory, and a stream whose rate is not the
network's is converted by one resampler with a memory.  So the same samples give the same bits
whether they come from a file or live, and however they were cut.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from .streaming import load_model

Array = npt.NDArray[np.float32]


class Tagger:
    """Steps a model of kind ``tagger``; not for the audio path.

    Parameters
    ----------
    path : Path
    sample_rate : int [Hz]
        Of the samples to come.

    Attributes
    ----------
    labels : tuple of str
    hop_seconds : float
        Between two answers.
    sample_rate : int [Hz]

    Raises
    ------
    ModelError, CardError
        The file cannot be read, or is no tagger.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        self._model = load_model(path, 1, kinds=("tagger",))
        card = self._model.card
        self.name, self.labels = card.name, card.labels
        self.hop_seconds = card.hop_length / card.sample_rate
        self.sample_rate = sample_rate
        self.reset()

    def reset(self, sample_rate: int | None = None) -> None:
        """Forget what was heard; what comes may have another rate."""
        self._model.reset()
        self._left: Array = np.zeros(0, dtype=np.float32)
        self.sample_rate = sample_rate or self.sample_rate
        own = self._model.card.sample_rate
        self._resampler: Any = None
        if self.sample_rate != own:
            self._resampler = soxr.ResampleStream(self.sample_rate, own, 1, dtype="float32")

    def feed(self, samples: Array) -> Array:
        """Hear samples ``[channels, n]`` (their mean) or ``[n]``.

        Returns
        -------
        ndarray [shape=(hops, n_labels), float32]
            Probabilities at every hop that has been filled; none where none has.
        """
        mono = samples if samples.ndim == 1 else samples.mean(axis=0, dtype=np.float32)
        if self._resampler is not None and len(mono):
            mono = self._resampler.resample_chunk(np.ascontiguousarray(mono))
        whole = np.concatenate([self._left, mono])
        hop = self._model.card.hop_length
        count = len(whole) // hop
        self._left = whole[count * hop :]
        found = np.empty((count, len(self.labels)), dtype=np.float32)
        for k in range(count):
            found[k] = self._model.step(whole[None, None, k * hop : (k + 1) * hop])[0, :, 0]
        return found

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def __enter__(self) -> Tagger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
