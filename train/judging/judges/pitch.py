"""Are the notes still there?  Frame pitch and onsets by basic-pitch (Bittner et al., ICASSP 2022).

The transcriber hears 2 s of 22.05 kHz sound and gives, 86 times a second, how likely each of 88
piano keys sounds and begins.  It is right about some instruments more than about others, so a
figure means something only beside that of the true target playing the same notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from .memo import remembered
from .packages import folder_of, require

Array = npt.NDArray[np.float32]
Notes = Sequence[tuple[float, float, int]]  # begin and end in seconds, MIDI pitch
RATE, HOP, WINDOW, OVERLAP = 22050, 256, 43844, 30  # overlap in frames
LOWEST, KEYS = 21, 88
FRAME_THRESHOLD, ONSET_THRESHOLD = 0.3, 0.5  # the package's defaults


@cache
def _session() -> Any:
    path = folder_of("basic_pitch") / "saved_models" / "icassp_2022" / "nmp.onnx"
    ort = require("onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def activations(samples: Array, rate: int = 48000) -> tuple[Array, Array]:
    """Likelihood that keys sound and that they begin ``[frames, 88]``, 22050 / 256 a second."""
    x = soxr.resample(samples, rate, RATE)
    step, half = WINDOW - OVERLAP * HOP, OVERLAP // 2
    padded = np.concatenate([np.zeros(half * HOP, dtype=np.float32), x])
    count = -(-len(padded) // step)
    padded = np.pad(padded, (0, count * step + WINDOW - len(padded)))
    windows = np.stack([padded[i * step : i * step + WINDOW] for i in range(count)])[..., None]
    names = ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"]
    parts = [_session().run(names, {_session().get_inputs()[0].name: w[None]}) for w in windows]
    total = len(x) // HOP
    frames, onsets = (np.concatenate([p[k][0, half:-half] for p in parts])[:total] for k in (0, 1))
    return frames, onsets


def piano_roll(notes: Notes, frames: int) -> npt.NDArray[np.bool_]:
    """Which keys a score holds down in each frame ``[frames, 88]``."""
    roll = np.zeros((frames, KEYS), dtype=bool)
    for begin, end, pitch in notes:
        if LOWEST <= pitch < LOWEST + KEYS:
            first, last = (round(t * RATE / HOP) for t in (begin, end))
            roll[first : max(first + 1, last), pitch - LOWEST] = True
    return roll


def f1(hits: int, found: int, wanted: int) -> float:
    """Harmonic mean of precision and recall, ``2 hits / (found + wanted)``."""
    return 2.0 * hits / (found + wanted) if found + wanted else 1.0


def frame_f1(frames: Array, notes: Notes) -> float:
    """F1 of sounding keys, frame by frame, against the score."""
    heard, true = frames > FRAME_THRESHOLD, piano_roll(notes, len(frames))
    return f1(int((heard & true).sum()), int(heard.sum()), int(true.sum()))


def onset_f1(onsets: Array, notes: Notes, tolerance: float = 0.05) -> float:
    """F1 of beginnings, whatever the key, within `tolerance` seconds (mir_eval's matching).

    A note that begins at 0 sounds on from before and counts as no beginning.
    """
    mir_eval = require("mir_eval")
    strength = onsets.max(axis=1)
    peaks = np.flatnonzero(
        (strength[1:-1] > ONSET_THRESHOLD)
        & (strength[1:-1] >= strength[:-2])
        & (strength[1:-1] > strength[2:])
    )
    found = (peaks + 1) * HOP / RATE
    true = np.unique(np.round([n[0] for n in notes if n[0] > 0.0], 2))
    return float(mir_eval.onset.f_measure(true, found, window=tolerance)[0])


def scores(samples: Array, notes: Notes, rate: int = 48000) -> dict[str, float]:
    """``pitch_f1`` and ``onset_f1`` of one recording against its score; remembered."""

    def judge() -> tuple[Array, ...]:
        frames, onsets = activations(samples, rate)
        return (np.array([frame_f1(frames, notes), onset_f1(onsets, notes)], dtype=np.float32),)

    ((pitch, onset),) = remembered(f"basic-pitch 0.4.0 {rate} {tuple(notes)}", samples, judge)
    return {"pitch_f1": float(pitch), "onset_f1": float(onset)}
