"""Offline render: the very path of the live stream, with arrays for the device.

The result is what a live stream plays for the same input, minus its declared latency, bit for bit,
also at another rate than the models': the converters are the stream's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..audio_files import Clip, resample
from ..dsp.dynamics import db_to_gain
from ..dsp.round_trip import RoundTrip
from ..engine.path import Path
from ..errors import AudioFileError, ConfigError
from .builder import Builder
from .sound import Sound, Stage, identified
from .whole import is_whole, parts, play_whole

Array = npt.NDArray[np.float32]
QUIET_DB = 60.0
PART_SECONDS = 0.5  # between two calls of the progress function
Progress = Callable[[int, int], None]
Tell = Callable[[str], None]


def _silent(sentence: str) -> None:
    """Tell nobody."""


def render_samples(path: Path, x: Array, progress: Progress | None = None) -> Array:
    """Run ``x [shape=(channels, n)]`` through `path` from its initial state.

    Returns
    -------
    ndarray [shape=(channels, n), float32]
        Aligned to the input: the path's latency is trimmed, its tail rendered with silence.
    """
    length, latency = x.shape[1], path.latency
    y = _run(path, x, length + latency, progress)
    return np.ascontiguousarray(y[:, latency : latency + length])


def _run(path: Path, x: Array, least: int, progress: Progress | None) -> Array:
    """Run `x` and silence behind it through `path` from its initial state: `least` samples or more.

    Latency is not trimmed.
    """
    path.reset()
    length, hop = x.shape[1], path.hop
    total = -(-least // hop) * hop
    y = np.zeros((x.shape[0], total), dtype=np.float32)
    y[:, :length] = x
    part = hop * max(1, int(PART_SECONDS * path.sample_rate) // hop)
    for start in range(0, total, part):
        block = np.ascontiguousarray(y[:, start : start + part])
        path.run(block)
        y[:, start : start + part] = block
        if progress is not None:
            progress(min(start + part, length), length)
    return y


def _run_converted(path: Path, trip: RoundTrip, x: Array, progress: Progress | None) -> Array:
    """Play `x` at another rate than the path's, as a stream does; aligned to it, as long as it."""
    length = x.shape[1]
    tail = trip.latency + trip.outward.filter.taps
    inside = trip.inward.process(np.pad(x, ((0, 0), (0, tail))))
    y = trip.outward.process(_run(path, inside, inside.shape[1], progress))
    y = np.clip(y, -1.0, 1.0)  # a converter may overshoot full scale by a little
    return np.ascontiguousarray(y[:, trip.latency : trip.latency + length])


def render(
    sound: Sound,
    clip: Clip,
    progress: Progress | None = None,
    input_level_dbu: float | None = None,
    tell: Tell = _silent,
) -> Clip:
    """Restyle a clip; rate, channels and length stay.

    Parameters
    ----------
    sound : Sound
    clip : Clip
    progress : callable of (samples done, samples in all), or None
    input_level_dbu : float or None [dBu]
        See :class:`realtime.session.builder.Builder`.
    tell : callable
        Takes a sentence of what is to be known of a stage.

    Raises
    ------
    RestyleError
        A stage cannot be built.
    """
    length = clip.samples.shape[1]
    stages = () if sound.bypass else identified(sound.stages, 1)
    sound = Sound(stages, sound.input_gain_db, sound.output_gain_db, sound.mix)
    pieces = parts(stages)
    if any(map(is_whole, stages)):
        y, rate = _in_pieces(sound, pieces, clip, progress, input_level_dbu, tell)
    else:
        y, rate = _in_one(sound, clip, progress, input_level_dbu, tell)
    y = resample(y, rate, clip.sample_rate)
    if clip.sample_rate != rate:
        y = np.clip(y, -1.0, 1.0)
        y = np.pad(y, ((0, 0), (0, max(0, length - y.shape[1]))))[:, :length]
    if not np.isfinite(y).all():
        raise AudioFileError("the render holds samples that are not finite; this is a bug")
    return Clip(np.ascontiguousarray(y), clip.sample_rate)


def _in_one(
    sound: Sound,
    clip: Clip,
    progress: Progress | None = None,
    level: float | None = None,
    tell: Tell = _silent,
) -> tuple[Array, int]:
    """Play a clip through one path; returns the rate of the result, too."""
    channels = clip.samples.shape[0]
    path = Builder(channels, clip.sample_rate, input_level_dbu=level).path(sound)
    rate = path.sample_rate
    for slot in path.slots():
        note = getattr(slot.stage, "note", None)
        if note:
            tell(note)
    try:
        trip = _round_trip(clip.sample_rate, path)
        if trip is not None:
            y, rate = _run_converted(path, trip, clip.samples, progress), clip.sample_rate
        else:
            x = resample(clip.samples, clip.sample_rate, rate)
            y = render_samples(path, x, progress)
        for slot in path.slots():
            if slot.placed.error is not None:
                raise AudioFileError(f"{slot.name} failed: {slot.placed.error}")
    finally:
        path.close()
    return y, rate


def _round_trip(rate: int, path: Path) -> RoundTrip | None:
    """The stream's converters; None where none are needed, or the two rates have no common ratio
    that a stream could convert by.
    """
    if rate == path.sample_rate:
        return None
    try:
        return RoundTrip(rate, path.sample_rate, path.channels, path.latency)
    except ConfigError:
        return None


def _in_pieces(
    sound: Sound,
    pieces: list[tuple[Stage, ...]],
    clip: Clip,
    progress: Progress | None,
    level: float | None,
    tell: Tell,
) -> tuple[Array, int]:
    """The same with effects that need the whole clip: one piece of the path after the other."""
    played = tuple(s for piece in pieces for s in piece if not is_whole(s))
    rate = Builder(clip.samples.shape[0], clip.sample_rate).shape(played).sample_rate
    x = resample(clip.samples, clip.sample_rate, rate)
    dry = x * np.float32(db_to_gain(sound.input_gain_db))
    wet = dry
    for piece in pieces:
        if is_whole(piece[0]):
            wet = play_whole(piece[0], wet, rate)
        else:
            # quietly, so that the output stage's limiter has nothing to do between two pieces
            quiet = Sound(piece, output_gain_db=-QUIET_DB)
            first = level if piece is pieces[0] else None
            y, _ = _in_one(quiet, Clip(wet, rate), progress, first, tell)
            wet = y * np.float32(db_to_gain(QUIET_DB))
    mixed = np.float32(1.0 - sound.mix) * dry + np.float32(sound.mix) * wet
    last = Sound((), output_gain_db=sound.output_gain_db)
    return _in_one(last, Clip(np.ascontiguousarray(mixed, dtype=np.float32), rate))[0], rate
