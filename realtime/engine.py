"""The engine: owns the native lane's memory and runs it, live or offline.

A sample's way through it, in one direction: :mod:`realtime.adapter` cuts callbacks into hops,
:mod:`realtime.converter` takes each hop through input stage, model and output stage,
:mod:`realtime.dsp.stft` makes frames for spectrum models, :mod:`realtime.models` steps the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from .adapter import process_block, run_hops
from .converter import WHOLE, hop_function
from .dsp.dynamics import gain_to_db
from .dsp.fft import twiddles
from .dsp.meters import N_BINS
from .dsp.windows import asymmetric_windows
from .errors import ConfigError, nearest
from .events import EventQueue
from .lane import (
    CONTROLS,
    IN_PEAK,
    IN_POWER,
    INPUT_GAIN,
    LANE,
    LIMITER_GAIN,
    MIX,
    N_METERS,
    NO_MODEL,
    OUT_PEAK,
    OUT_POWER,
    OUTPUT_GAIN,
    SPECTRUM,
    WAVEFORM,
)
from .latency import adapter_latency
from .models.steppable import Steppable
from .native import clock_address

Array = npt.NDArray[np.float32]
PASSTHROUGH_HOP = 32  # samples; the grid of ramps and meters where no model sets one
RAMP_SECONDS = 0.01  # time constant of parameter ramps
METER_SECONDS = 0.3
LIMITER_RELEASE_SECONDS = 0.08
WARM_SECONDS = 0.05  # a model that starts afresh runs unheard for so long
REST_SECONDS = (0.25, 8.0)  # shortest and longest rest of a model that was late
EVENTS = 256  # parameter events that may wait for their time


class Engine:
    """Input stage, converter and output stage for one stream.

    Parameters
    ----------
    model : Steppable or None
        Owned by the caller and kept alive here; ``None`` passes sound through.
    channels : int
        Must be the model's.
    sample_rate : int [Hz]
        Must be the model's where there is one.
    block_size : int [samples] or None
        What callbacks bring; ``None`` for varying sizes.  Sets the pre-fill and nothing else.
    mix : float
        0 dry .. 1 wet.
    input_gain, output_gain : float
        Amplitude factors.
    controls : mapping of name to value
        Model controls that differ from their defaults.

    Raises
    ------
    ConfigError
        For values outside their range, unknown controls, or a rate that is not the model's.
    """

    def __init__(
        self,
        model: Steppable | None = None,
        *,
        channels: int = 1,
        sample_rate: int = 48000,
        block_size: int | None = None,
        mix: float = 1.0,
        input_gain: float = 1.0,
        output_gain: float = 1.0,
        controls: Mapping[str, float] | None = None,
    ) -> None:
        if channels < 1:
            raise ConfigError(f"channels must be at least 1, got {channels}")
        if model is not None:
            if model.card.sample_rate != sample_rate:
                raise ConfigError(
                    f"model '{model.card.name}' runs at {model.card.sample_rate} Hz, the stream at"
                    f" {sample_rate} Hz; choose --rate {model.card.sample_rate}"
                )
            if model.channels != channels:
                raise ConfigError(f"model has {model.channels} channels, stream {channels}")
        self.model, self.channels, self.sample_rate = model, channels, sample_rate
        self.hop_length = model.card.hop_length if model else PASSTHROUGH_HOP
        self._memory: dict[str, npt.NDArray[Any]] = {}
        self._record = np.zeros(1, dtype=LANE)
        self._fresh: Any = None
        self.events = EventQueue(EVENTS)
        self.lane = self._record[0]
        self.address = int(self._record.ctypes.data)
        self._lay_out()
        self.set_block_size(block_size)
        self.set("input_gain", input_gain)
        self.set("output_gain", output_gain)
        self.set("mix", mix)
        for name, value in (controls or {}).items():
            self.set(name, value)
        self.settle()
        self._fresh = self.snapshot()

    # -- memory ---------------------------------------------------------------------------------

    def _place(self, field: str, array: npt.NDArray[Any]) -> None:
        """Own `array` and write its address into the record."""
        self._memory[field] = array
        self.lane[field] = array.ctypes.data

    def _lay_out(self) -> None:
        lane, model, channels, hop = self.lane, self.model, self.channels, self.hop_length
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
            windows = asymmetric_windows(n_fft, geometry.synthesis_length, hop)
            self._place("analysis_window", windows[0])
            self._place("synthesis_window", windows[1])
            self._place("table", twiddles(n_fft))

        def zeros(field: str, *shape: int, dtype: Any = np.float32) -> None:
            self._place(field, np.zeros(shape, dtype=dtype))

        zeros("work", 4, n_fft // 2)
        zeros("frame", n_fft)
        zeros("history", channels, n_fft)
        zeros("ola", channels, int(lane["synthesis"]))
        zeros("dry_line", channels, int(lane["latency"]))
        zeros("dry", channels, hop)
        zeros("wet", channels, hop)
        zeros("fifo_in", channels, hop)
        zeros("last", channels)
        self._memory["hop_block"] = np.zeros((channels, hop), dtype=np.float32)
        zeros("targets", CONTROLS + int(lane["n_controls"]), dtype=np.float64)
        zeros("current", CONTROLS + int(lane["n_controls"]), dtype=np.float64)
        zeros("meters", N_METERS, dtype=np.float64)
        zeros("hop_histogram", N_BINS, dtype=np.int64)
        zeros("model_histogram", N_BINS, dtype=np.int64)
        lane["clock"] = clock_address()
        lane["address"], lane["hop_function"] = self.address, hop_function().address
        if model:
            lane["step"], lane["reset"] = model.step_address, model.reset_address
            lane["argument"] = model.argument
            for field in ("x", "y"):
                lane[f"model_{field}"] = getattr(model, field).ctypes.data
            lane["controls"] = model.controls.ctypes.data
            controls = model.card.controls
            kinds = [c.kind == "categorical" for c in controls]
            self._place("switched", np.array(kinds, dtype=np.int64))
            self._memory["targets"][CONTROLS:] = [c.default for c in controls]
            model.reset()
        seconds = hop / self.sample_rate
        lane["smoothing"] = 1.0 - np.exp(-seconds / RAMP_SECONDS)
        lane["meter_decay"] = np.exp(-seconds / METER_SECONDS)
        lane["limiter_gain"] = lane["level"] = 1.0
        lane["events"] = self.events.address
        lane["warm_hops"] = round(WARM_SECONDS / seconds)
        lane["rest_least"], lane["rest_most"] = (round(s / seconds) for s in REST_SECONDS)
        lane["rest_hops"] = lane["rest_least"]
        lane["limiter_release"] = 1.0 - np.exp(-1.0 / (LIMITER_RELEASE_SECONDS * self.sample_rate))

    def set_block_size(self, block_size: int | None, extra: int = 0) -> None:
        """Start afresh with the pre-fill for callbacks of `block_size` samples (not live).

        `extra` samples of pre-fill come on top, where a latency must be kept whatever the model.
        """
        if self._fresh:
            self.reset()
        lane = self.lane
        prefill = adapter_latency(self.hop_length, block_size) + extra
        self.block_size = block_size
        lane["max_block"] = max(8192, block_size or 0)
        capacity = 1 << int(lane["max_block"] + 3 * self.hop_length + extra - 1).bit_length()
        self._place("fifo_out", np.zeros((self.channels, capacity), dtype=np.float32))
        lane["fifo_out_capacity"], lane["prefill"] = capacity, prefill
        lane["fifo_out_read"], lane["fifo_out_written"] = 0, prefill
        lane["fifo_in_fill"] = lane["resized"] = 0
        self._fresh = self.snapshot()

    def snapshot(self) -> Any:
        """Copy everything that changes while running (not live), for :meth:`restore`."""
        memory = {k: v.copy() for k, v in self._memory.items()}
        return memory, self._record.copy(), self.model.snapshot() if self.model else None

    def restore(self, snapshot: Any) -> None:
        """Put a :meth:`snapshot` of this engine back (not live)."""
        memory, record, model = snapshot
        for key, value in memory.items():
            self._memory[key][...] = value
        self._record[...] = record
        if self.model:
            self.model.restore(model)

    def reset(self) -> None:
        """Return to the state after construction, keeping the parameters (not live)."""
        targets = self._memory["targets"].copy()
        self.restore(self._fresh)
        self._memory["targets"][...] = targets
        self.settle()

    # -- parameters (any thread, while running) -------------------------------------------------

    def _slot(self, name: str) -> int:
        fixed = {"input_gain": INPUT_GAIN, "output_gain": OUTPUT_GAIN, "mix": MIX}
        names = [c.name for c in self.model.card.controls] if self.model else []
        if name in fixed:
            return fixed[name]
        if name in names:
            return CONTROLS + names.index(name)
        known = [*fixed, *names]
        raise ConfigError(
            f"unknown parameter '{name}'{nearest(name, known)}; there are {', '.join(known)}"
        )

    fixed_slots = CONTROLS  # slots below this one are the stream's, those above the model's

    def check(self, name: str, value: float) -> int:
        """Return the slot of a parameter.

        Raises
        ------
        ConfigError
            Unknown name, or a value outside the range.
        """
        slot, low, high = self._slot(name), 0.0, 1.0 if name == "mix" else 16.0
        if slot >= CONTROLS and self.model:
            control = self.model.card.controls[slot - CONTROLS]
            low, high = control.minimum, control.maximum
        if not low <= value <= high:
            raise ConfigError(f"{name} must be within {low:g}..{high:g}, got {value:g}")
        return slot

    def set(self, name: str, value: float) -> None:
        """Ask for a parameter value; the lane ramps to it over about 10 ms.

        Raises
        ------
        ConfigError
            Unknown name, or a value outside the range.
        """
        slot = self.check(name, value)
        self._memory["targets"][slot] = value

    def get(self, name: str) -> float:
        """Value last asked for."""
        return float(self._memory["targets"][self._slot(name)])

    def settle(self) -> None:
        """Finish all ramps at once (not live)."""
        self._memory["current"][...] = self._memory["targets"]

    def follow(self, other: Engine, targets: bool = True) -> None:
        """Take over gains, mix, limiter and meters from `other`, so that none of them jumps."""
        for name in ("targets", "current") if targets else ("current",):
            self._memory[name][:CONTROLS] = other._memory[name][:CONTROLS]
        self._memory["meters"][...] = other._memory["meters"]
        self.lane["limiter_gain"] = other.lane["limiter_gain"]

    def set_deadline(self, seconds: float) -> None:
        """Send the model to rest when its hops keep taking longer than `seconds`; 0 never does."""
        self.lane["budget_ns"] = int(1e9 * seconds)

    def rest(self, on: bool) -> None:
        """Fade to the dry path and stop running the model, or start it afresh (any thread)."""
        self.lane["rest"] = int(on)

    # -- running --------------------------------------------------------------------------------

    @property
    def latency(self) -> int:
        """Algorithmic latency, without the adapter's pre-fill [samples]."""
        return int(self.lane["latency"])

    @property
    def prefill(self) -> int:
        """Samples the adapter adds [samples]."""
        return int(self.lane["prefill"])

    def process(self, x: Array) -> Array:
        """Process one callback's worth ``x [shape=(channels, n)]``; return a new array."""
        x = np.ascontiguousarray(x, dtype=np.float32)
        y = np.empty_like(x)
        process_block(self.address, x, y)
        return y

    def process_hops(self, x: Array) -> Array:
        """Process ``x [shape=(channels, k * hop_length)]`` past the adapter; return a new array."""
        y = np.array(x, dtype=np.float32, order="C")
        self.run(WHOLE, y)
        y[:, y.shape[1] // self.hop_length * self.hop_length :] = 0.0
        return y

    def run(self, part: int, block: Array) -> None:
        """Run a part of the lane over whole hops of ``block [shape=(channels, n)]`` in place."""
        scratch = self._memory["hop_block"]
        run_hops(self.address, part, block, scratch, scratch.ctypes.data)

    def meters(self) -> dict[str, float]:
        """Levels in dBFS: peak and RMS of input and output, and what the limiter takes."""
        m = self._memory["meters"]
        return {
            "input_peak_db": gain_to_db(m[IN_PEAK]),
            "input_rms_db": gain_to_db(np.sqrt(m[IN_POWER])),
            "output_peak_db": gain_to_db(m[OUT_PEAK]),
            "output_rms_db": gain_to_db(np.sqrt(m[OUT_POWER])),
            "limiter_db": gain_to_db(m[LIMITER_GAIN]) if m[LIMITER_GAIN] else 0.0,
        }

    def histogram(self, which: str) -> npt.NDArray[np.int64]:
        """Durations per hop: ``hop`` (all of it) or ``model`` (the step alone)."""
        return self._memory[f"{which}_histogram"]

    def counters(self) -> dict[str, int]:
        """Counts since the start."""
        names = ("hops", "input_scrubbed", "output_limited", "model_errors", "model_resets")
        return {n: int(self.lane[n]) for n in (*names, "resized", "overruns", "trips", "rested")}
