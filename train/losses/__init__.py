"""Losses and distances on waveforms ``[batch, n]``.

One file per idea: ``waveform``, ``spectral``, ``mel``, ``level``, ``style``, ``adversarial``. Each
function works in any floating-point type, on any device, and has finite gradients on silence.
"""

from .adversarial import (
    feature_matching,
    hinge_discriminator,
    hinge_generator,
    lsgan_discriminator,
    lsgan_generator,
)
from .level import k_weighting, level_distance, loudness_distance, short_term_level
from .mel import mel_distance, mel_matrix
from .spectral import RESOLUTIONS, magnitudes, stft_distance
from .style import RandomFeatures, gram, gram_distance, statistics_distance
from .waveform import esr, identity, pre_emphasis

__all__ = [
    "RESOLUTIONS",
    "RandomFeatures",
    "esr",
    "feature_matching",
    "gram",
    "gram_distance",
    "hinge_discriminator",
    "hinge_generator",
    "identity",
    "k_weighting",
    "level_distance",
    "loudness_distance",
    "lsgan_discriminator",
    "lsgan_generator",
    "magnitudes",
    "mel_distance",
    "mel_matrix",
    "pre_emphasis",
    "short_term_level",
    "statistics_distance",
    "stft_distance",
]
