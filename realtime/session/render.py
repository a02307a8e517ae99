"""Offline render: the very engine of the live stream, with arrays for the device.

The result is what a live stream plays for the same input, minus its declared latency, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..audio_files import Clip, resample
from ..engine.engine import Engine
from ..errors import AudioFileError
from ..models.steppable import Steppable
from ..stages.chain import Chain
from ..stream.path import BlockPath
from .config import StreamConfig

Array = npt.NDArray[np.float32]
PART_SECONDS = 0.5  # between two calls of the progress function
Progress = Callable[[int, int], None]


def render_samples(path: BlockPath, x: Array, progress: Progress | None = None) -> Array:
    """Run ``x [shape=(channels, n)]`` through `path` from its initial state.

    Returns
    -------
    ndarray [shape=(channels, n), float32]
        Aligned to the input: the path's latency is trimmed, its tail rendered with silence.
    """
    path.reset()
    length, latency, block = x.shape[1], path.latency, path.block_length
    total = -(-(length + latency) // block) * block
    padded = np.zeros((x.shape[0], total), dtype=np.float32)
    padded[:, :length] = x
    out = np.empty_like(padded)
    part = block * max(1, int(PART_SECONDS * path.engine.sample_rate) // block)
    for start in range(0, total, part if path.native else block):
        end = min(start + (part if path.native else block), total)
        out[:, start:end] = path.process(np.ascontiguousarray(padded[:, start:end]))
        if progress is not None and (path.native or start % part < block):
            progress(min(end, length), length)
    return np.ascontiguousarray(out[:, latency : latency + length])


def render_clip(
    clip: Clip,
    load: Callable[[int], Steppable] | None,
    config: StreamConfig,
    *,
    pre: Chain | None = None,
    post: Chain | None = None,
    progress: Progress | None = None,
) -> Clip:
    """Restyle a clip; rate, channels and length stay.

    Parameters
    ----------
    clip : Clip
    load : callable of channels, or None
        Opens the model; called with the clip's number of channels.  None renders the chain alone.
    config : StreamConfig
        Mix, gains and controls.
    progress : callable of (samples done, samples in all), or None
    """
    channels, length = clip.samples.shape
    model = load(channels) if load is not None else None
    try:
        rate = model.card.sample_rate if model is not None else clip.sample_rate
        engine = Engine(
            model,
            channels=channels,
            sample_rate=rate,
            mix=config.mix,
            input_gain=config.input_gain,
            output_gain=config.output_gain,
            controls=config.controls,
        )
        x = resample(clip.samples, clip.sample_rate, rate)
        y = render_samples(BlockPath(engine, pre, post), x, progress)
    finally:
        if model is not None:
            model.close()
    y = resample(y, rate, clip.sample_rate)
    if clip.sample_rate != rate:
        y = np.clip(y, -1.0, 1.0)
        y = np.pad(y, ((0, 0), (0, max(0, length - y.shape[1]))))[:, :length]
    if not np.isfinite(y).all():
        raise AudioFileError("the render holds samples that are not finite; this is a bug")
    return Clip(np.ascontiguousarray(y), clip.sample_rate)
