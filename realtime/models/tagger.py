"""A tagger at work: probabilities of labels, hop by hop."""

from __future__ import annotations

from pathlib import Path

from .analyser import Analyser, Array


class Tagger(Analyser):
    """Steps a model of kind ``tagger``; see :class:`~realtime.models.analyser.Analyser`.

    Attributes
    ----------
    labels : tuple of str
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        super().__init__(path, sample_rate, "tagger")
        self.labels = self.card.labels

    def feed(self, samples: Array) -> Array:
        """Hear samples ``[channels, n]`` or ``[n]``: probabilities ``[hops, n_labels]``."""
        return self.answers(samples)[:, :, 0]
