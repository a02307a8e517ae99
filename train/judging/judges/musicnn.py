"""musicnn (Pons & Serra, 2019): a music tagger trained on MagnaTagATune, with its own weights.

The network is written anew in torch from the description in the paper and the package; the weights
are read from the package's checkpoint.  It hears log-mel spectrograms of 16 kHz sound, three
seconds at a time, and gives 50 tags and a 200-dimensional embedding.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import soxr
import torch
from torch import Tensor
from torch.nn import functional as F

from .memo import remembered
from .packages import folder_of, require
from .tensorflow_file import read_checkpoint

Array = npt.NDArray[np.float32]
RATE, N_FFT, HOP, MELS, FRAMES = 16000, 512, 256, 96, 187  # 187 frames are 3 s
TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast",
    "piano", "ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male",
    "singing", "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman",
    "male vocal", "no vocal", "pop", "soft", "sitar", "solo", "man", "classic", "choir", "voice",
    "new age", "dance", "male voice", "female vocal", "beats", "harp", "cello", "no voice",
    "weird", "country", "metal", "female voice", "choral",
)  # fmt: skip
FEW = 2  # windows at a time
EPSILON = 1e-3  # of TensorFlow's batch normalisation


class Musicnn:
    """The tagger; a pure function of its checkpoint."""

    def __init__(self, tensors: dict[str, Array]) -> None:
        self._w = {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}

    def _conv(self, x: Tensor, index: int, pad: tuple[int, int]) -> Tensor:
        """``x [b, 1, t, f]`` through a layer, ReLU; `pad` frames before and after."""
        name = f"conv2d_{index}" if index else "conv2d"
        kernel = self._w[f"{name}/kernel"].permute(3, 2, 0, 1)
        y = F.conv2d(F.pad(x, (0, 0, *pad)), kernel, self._w[f"{name}/bias"])
        return self._norm(torch.relu(y), index + 1)

    def _norm(self, x: Tensor, index: int) -> Tensor:
        """Batch normalisation over axis 1 with the kept statistics."""
        name = f"batch_normalization_{index}" if index else "batch_normalization"
        mean, var, gamma, beta = (
            self._w[f"{name}/{k}"] for k in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return F.batch_norm(x, mean, var, gamma, beta, eps=EPSILON)

    @torch.no_grad()
    def __call__(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """``patches [b, 187, 96]`` of log-mel to tags ``[b, 50]`` and embedding ``[b, 200]``."""
        x = self._norm(patches.unsqueeze(1), 0)
        timbral = [self._conv(x, i, (3, 3)).amax(dim=3) for i in (0, 1)]
        temporal = [
            self._conv(x, i, ((k - 1) // 2, k // 2)).amax(dim=3)
            for i, k in ((2, 128), (3, 64), (4, 32))
        ]
        front = torch.cat(timbral + temporal, dim=1)  # [b, 561, t]
        one = self._conv(front.transpose(1, 2).unsqueeze(1), 5, (3, 3))[..., 0]  # [b, 64, t]
        two = one + self._conv(one.transpose(1, 2).unsqueeze(1), 6, (3, 3))[..., 0]
        three = two + self._conv(two.transpose(1, 2).unsqueeze(1), 7, (3, 3))[..., 0]
        features = torch.cat([front, one, two, three], dim=1)  # [b, 753, t]
        pooled = torch.stack([features.amax(dim=2), features.mean(dim=2)], dim=2).flatten(1)
        h = self._norm(pooled, 9)
        h = torch.relu(h @ self._w["dense/kernel"] + self._w["dense/bias"])
        embedding = self._norm(h, 10)
        logits = embedding @ self._w["dense_1/kernel"] + self._w["dense_1/bias"]
        return torch.sigmoid(logits), embedding


@cache
def load() -> Musicnn:
    """The tagger with the package's MagnaTagATune weights."""
    return Musicnn(read_checkpoint(folder_of("musicnn") / "MTT_musicnn"))


def log_mel(samples: Array, rate: int) -> Array:
    """Log-mel spectrogram as the tagger was trained on ``[frames, 96]``."""
    librosa = require("librosa")
    sound = soxr.resample(samples, rate, RATE)
    mel = librosa.feature.melspectrogram(
        y=sound, sr=RATE, hop_length=HOP, n_fft=N_FFT, n_mels=MELS
    ).T.astype(np.float16)
    return np.asarray(np.log10(10000 * mel.astype(np.float32) + 1), dtype=np.float32)


def listen(samples: Array, rate: int = 48000, overlap: int = 2) -> tuple[Array, Array]:
    """Tag a mono recording in windows of three seconds.

    Parameters
    ----------
    samples : ndarray [shape=(n,), float32]
        Shorter than a window: padded with silence.
    overlap : int
        Windows begin every ``3 s / overlap``.

    Returns
    -------
    ndarray [shape=(windows, 50)], ndarray [shape=(windows, 200)]
        Likelihood of :data:`TAGS`, and embeddings.
    """
    mel = log_mel(samples, rate)
    mel = np.pad(mel, ((0, max(0, FRAMES - len(mel))), (0, 0)))
    starts = range(0, len(mel) - FRAMES + 1, max(1, FRAMES // overlap))
    patches = torch.from_numpy(np.stack([mel[s : s + FRAMES] for s in starts]))
    # few at a time: large intermediates go back to the system, and pages are slow to come by
    parts = [load()(part) for part in torch.split(patches, FEW)]
    tags, embedding = (torch.cat(p).numpy() for p in zip(*parts, strict=True))
    return tags, embedding


def heard(samples: Array, rate: int = 48000) -> tuple[Array, Array]:
    """:func:`listen`, remembered."""
    found = remembered(f"musicnn 0.1.0 {rate} 2", samples, lambda: listen(samples, rate))
    return found[0], found[1]
