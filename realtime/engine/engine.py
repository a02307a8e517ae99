"""The engine: owns the native lane's memory and runs it, live or offline.

A sample's way through it, in one direction: :mod:`realtime.engine.adapter` cuts callbacks into
hops, :mod:`realtime.engine.hop` takes each hop through input stage, model and output stage,
:mod:`realtime.dsp.stft` makes frames for spectrum models, :mod:`realtime.models` steps the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.dynamics import gain_to_db
from ..errors import ConfigError, nearest
from ..models.steppable import Steppable
from ..native.events import EventQueue
from .adapter import process_block, run_hops
from .hop import WHOLE
from .lane import (
    CONTROLS,
    IN_PEAK,
    IN_POWER,
    INPUT_GAIN,
    LANE,
    LIMITER_GAIN,
    MIX,
    OUT_PEAK,
    OUT_POWER,
    OUTPUT_GAIN,
)
from .latency import adapter_latency
from .layout import lay_out

Array = npt.NDArray[np.float32]
PASSTHROUGH_HOP = 32  # samples; the grid of ramps and meters where no model sets one
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
        self._record = np.zeros(1, dtype=LANE)
        self._fresh: Any = None
        self.events = EventQueue(EVENTS)
        self.lane = self._record[0]
        self.address = int(self._record.ctypes.data)
        self._memory = lay_out(self.lane, model, channels, sample_rate, self.hop_length)
        self.lane["address"], self.lane["events"] = self.address, self.events.address
        self.set_block_size(block_size)
        self.set("input_gain", input_gain)
        self.set("output_gain", output_gain)
        self.set("mix", mix)
        for name, value in (controls or {}).items():
            self.set(name, value)
        self.settle()
        self._fresh = self.snapshot()

    # -- memory ---------------------------------------------------------------------------------

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
        self._memory["fifo_out"] = np.zeros((self.channels, capacity), dtype=np.float32)
        lane["fifo_out"] = self._memory["fifo_out"].ctypes.data
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
