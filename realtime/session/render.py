"""Offline render: the very path of the live stream, with arrays for the device.

The result is what a live stream plays for the same input, minus its declared latency, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..audio_files import Clip, resample
from ..engine.path import Path
from ..errors import AudioFileError
from .builder import Builder
from .sound import Sound, identified

Array = npt.NDArray[np.float32]
PART_SECONDS = 0.5  # between two calls of the progress function
Progress = Callable[[int, int], None]


def render_samples(path: Path, x: Array, progress: Progress | None = None) -> Array:
    """Run ``x [shape=(channels, n)]`` through `path` from its initial state.

    Returns
    -------
    ndarray [shape=(channels, n), float32]
        Aligned to the input: the path's latency is trimmed, its tail rendered with silence.
    """
    path.reset()
    length, latency, hop = x.shape[1], path.latency, path.hop
    total = -(-(length + latency) // hop) * hop
    y = np.zeros((x.shape[0], total), dtype=np.float32)
    y[:, :length] = x
    part = hop * max(1, int(PART_SECONDS * path.sample_rate) // hop)
    for start in range(0, total, part):
        block = np.ascontiguousarray(y[:, start : start + part])
        path.run(block)
        y[:, start : start + part] = block
        if progress is not None:
            progress(min(start + part, length), length)
    return np.ascontiguousarray(y[:, latency : latency + length])


def render(sound: Sound, clip: Clip, progress: Progress | None = None) -> Clip:
    """Restyle a clip; rate, channels and length stay.

    Parameters
    ----------
    sound : Sound
    clip : Clip
    progress : callable of (samples done, samples in all), or None

    Raises
    ------
    RestyleError
        A stage cannot be built.
    """
    channels, length = clip.samples.shape
    builder = Builder(channels, clip.sample_rate)
    stages = () if sound.bypass else identified(sound.stages, 1)
    path = builder.path(Sound(stages, sound.input_gain_db, sound.output_gain_db, sound.mix))
    try:
        rate = path.sample_rate
        x = resample(clip.samples, clip.sample_rate, rate)
        y = render_samples(path, x, progress)
        for slot in path.slots():
            if slot.placed.error is not None:
                raise AudioFileError(f"{slot.name} failed: {slot.placed.error}")
    finally:
        path.close()
    y = resample(y, rate, clip.sample_rate)
    if clip.sample_rate != rate:
        y = np.clip(y, -1.0, 1.0)
        y = np.pad(y, ((0, 0), (0, max(0, length - y.shape[1]))))[:, :length]
    if not np.isfinite(y).all():
        raise AudioFileError("the render holds samples that are not finite; this is a bug")
    return Clip(np.ascontiguousarray(y), clip.sample_rate)
