"""Lay out an engine's memory: the arrays its lane works on, and the lane's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.fft import twiddles
from ..dsp.meters import N_BINS
from ..dsp.windows import asymmetric_windows
from ..models.steppable import Steppable
from ..native.intrinsics import clock_address
from .hop import hop_function
from .lane import CONTROLS, N_METERS, NO_MODEL, SPECTRUM, WAVEFORM

RAMP_SECONDS = 0.01  # time constant of parameter ramps
METER_SECONDS = 0.3
LIMITER_RELEASE_SECONDS = 0.08
WARM_SECONDS = 0.05  # a model that starts afresh runs unheard for so long
REST_SECONDS = (0.25, 8.0)  # shortest and longest rest of a model that was late


def lay_out(
    lane: Any, model: Steppable | None, channels: int, sample_rate: int, hop: int
) -> dict[str, npt.NDArray[Any]]:
    """Make the arrays and write their addresses, and what follows from the model, into `lane`.

    Parameters
    ----------
    lane : record
        :data:`realtime.engine.lane.LANE`, zeroed.

    Returns
    -------
    dict of str to ndarray
        To be kept as long as the lane is used.
    """
    memory: dict[str, npt.NDArray[Any]] = {}

    def place(field: str, array: npt.NDArray[Any]) -> None:
        memory[field] = array
        lane[field] = array.ctypes.data

    card = model.card if model else None
    geometry = card.spectrum if card else None
    lane["channels"], lane["hop"] = channels, hop
    lane["domain"] = SPECTRUM if geometry else WAVEFORM if model else NO_MODEL
    lane["latency"] = card.latency if card else 0
    lane["n_controls"] = len(card.controls) if card else 0
    n_fft = geometry.n_fft if geometry else 0
    lane["n_fft"] = n_fft
    lane["synthesis"] = geometry.synthesis_length if geometry else 0
    if geometry:
        windows = asymmetric_windows(n_fft, geometry.synthesis_length, hop, geometry.fall)
        place("analysis_window", windows[0])
        place("synthesis_window", windows[1])
        place("table", twiddles(n_fft))

    def zeros(field: str, *shape: int, dtype: Any = np.float32) -> None:
        place(field, np.zeros(shape, dtype=dtype))

    zeros("work", 4, n_fft // 2)
    zeros("frame", n_fft)
    zeros("history", channels, n_fft)
    zeros("ola", channels, int(lane["synthesis"]))
    zeros("dry_line", channels, int(lane["latency"]))
    zeros("dry", channels, hop)
    zeros("wet", channels, hop)
    zeros("fifo_in", channels, hop)
    zeros("last", channels)
    memory["hop_block"] = np.zeros((channels, hop), dtype=np.float32)
    zeros("targets", CONTROLS + int(lane["n_controls"]), dtype=np.float64)
    zeros("current", CONTROLS + int(lane["n_controls"]), dtype=np.float64)
    zeros("meters", N_METERS, dtype=np.float64)
    zeros("hop_histogram", N_BINS, dtype=np.int64)
    zeros("model_histogram", N_BINS, dtype=np.int64)
    lane["clock"] = clock_address()
    lane["hop_function"] = hop_function().address
    if model:
        lane["step"], lane["reset"] = model.step_address, model.reset_address
        lane["argument"] = model.argument
        for field in ("x", "y"):
            lane[f"model_{field}"] = getattr(model, field).ctypes.data
        lane["controls"] = model.controls.ctypes.data
        controls = model.card.controls
        kinds = [c.kind == "categorical" for c in controls]
        place("switched", np.array(kinds, dtype=np.int64))
        memory["targets"][CONTROLS:] = [c.default for c in controls]
        model.reset()
    seconds = hop / sample_rate
    lane["smoothing"] = 1.0 - np.exp(-seconds / RAMP_SECONDS)
    lane["meter_decay"] = np.exp(-seconds / METER_SECONDS)
    lane["limiter_gain"] = lane["level"] = 1.0
    lane["warm_hops"] = round(WARM_SECONDS / seconds)
    lane["rest_least"], lane["rest_most"] = (round(s / seconds) for s in REST_SECONDS)
    lane["rest_hops"] = lane["rest_least"]
    lane["limiter_release"] = 1.0 - np.exp(-1.0 / (LIMITER_RELEASE_SECONDS * sample_rate))
    return memory
