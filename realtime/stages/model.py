"""A model as a stage: waveform models step samples, spectrum models frames of an STFT."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dsp.dynamics import step_of_mean, towards
from ..dsp.fft import twiddles
from ..dsp.mix import copy
from ..dsp.stft import analyse, synthesise
from ..dsp.windows import asymmetric_windows
from ..engine.path import Path
from ..engine.placed import Slot
from ..engine.stage import WARM_SECONDS
from ..errors import ConfigError
from ..models.steppable import PlaysNotes, Steppable
from ..native.intrinsics import call_step, view_f32
from ..native.late_numba import cfunc, njit, types
from ..native.records import F32, F64, FLOAT, INT, Array, Table
from ..parameters.heard import Words
from ..parameters.parameter import Parameter
from .played_notes import make_played, tell

MODEL = Table(
    "model",
    # the model's own memory and code, by address
    channels=INT, hop=INT, x=INT, y=INT, step=INT, reset=INT, argument=INT,
    # of a DC blocker: steps of its means (corner is 0: none) and of its fade; what it knows
    corner=FLOAT, fast=FLOAT, slow=FLOAT, fade=FLOAT,
    dc=Array(F64, "channels, 7"), blocking=Array(F32, "channels, hop"),
    played=INT,  # of a player whose notes are told, see realtime.stages.played_notes; else 0
    # of spectrum models alone: n_fft is 0 for the others
    n_fft=INT, synthesis=INT, analysis_window=Array(F32, "n_fft"),
    synthesis_window=Array(F32, "synthesis"), table=Array(F32, "2, n_fft"),
    work=Array(F32, "4, n_fft // 2"), frame=Array(F32, "n_fft"),
    history=Array(F32, "channels, n_fft"), ola=Array(F32, "channels, synthesis"),
)  # fmt: skip
view_model = MODEL.view
_history, _ola, _work, _frame = (MODEL.array(n) for n in ("history", "ola", "work", "frame"))
_table, _analysis, _synthesis = (
    MODEL.array(n) for n in ("table", "analysis_window", "synthesis_window")
)
_dc, _blocking = MODEL.array("dc"), MODEL.array("blocking")
# of a channel's input: mean and power of 20 ms, two means of 1 Hz, whether it is blocked;
# of its output: mean, share that is taken off
MEAN, POWER, SLOW, SLOWER, ON, OUT, SHARE = range(7)
DC_LEAST, DC_SHARE, DC_GONE = 1e-3, 0.7, 2.5e-4  # mean, share of the power; mean that is none
DC_FAST_S, DC_SLOW_HZ, DC_FADE_S = 0.02, 1.0, 0.01


@njit(nogil=True, error_model="numpy", cache=True)
def _listen_for_dc(m, block):  # type: ignore[no-untyped-def]
    """Find out for each sample to come whether its channel is being blocked, before the model."""
    held, blocking = _dc(m), _blocking(m)
    for c in range(block.shape[0]):
        d = held[c]
        for i in range(block.shape[1]):
            x = float(block[c, i])
            d[MEAN] += m.fast * (x - d[MEAN])
            d[POWER] += m.fast * (x * x - d[POWER])
            d[SLOW] += m.slow * (x - d[SLOW])
            d[SLOWER] += m.slow * (d[SLOW] - d[SLOWER])
            square = d[MEAN] * d[MEAN]
            if square > DC_LEAST * DC_LEAST and square > DC_SHARE * d[POWER]:
                d[ON], d[SLOWER] = 1.0, d[MEAN]
            elif abs(d[SLOWER]) < DC_GONE:
                d[ON] = 0.0
            blocking[c, i] = d[ON]


@njit(nogil=True, error_model="numpy", cache=True)
def _block_dc(m, block):  # type: ignore[no-untyped-def]
    """Take a first-order mean off the channels that are being blocked, in place."""
    held, blocking = _dc(m), _blocking(m)
    for c in range(block.shape[0]):
        d = held[c]
        for i in range(block.shape[1]):
            y = float(block[c, i])
            d[OUT] += m.corner * (y - d[OUT])
            d[SHARE] = towards(d[SHARE], float(blocking[c, i]), m.fade)
            if d[SHARE] > 0.0:
                block[c, i] = F32(y - d[SHARE] * d[OUT])


@njit(nogil=True, error_model="numpy", cache=True)
def _step_waveform(m, block):  # type: ignore[no-untyped-def]
    copy(block, view_f32(m.x, block.shape))
    status = call_step(m.step, (m.argument,))
    copy(view_f32(m.y, block.shape), block)
    if m.played != 0:
        tell(m.played)
    return status


@njit(nogil=True, error_model="numpy", cache=True)
def _step_spectrum(m, block):  # type: ignore[no-untyped-def]
    shape = (m.channels, 2, m.n_fft // 2 + 1)
    x, y = view_f32(m.x, shape), view_f32(m.y, shape)
    table, work, frame = _table(m), _work(m), _frame(m)
    history, window = _history(m), _analysis(m)
    for c in range(m.channels):
        analyse(block[c], history[c], window, x[c, 0], x[c, 1], frame, work, table)
    status = call_step(m.step, (m.argument,))
    ola, window = _ola(m), _synthesis(m)
    for c in range(m.channels):
        synthesise(y[c, 0], y[c, 1], ola[c], window, block[c], frame, work, table)
    return status


@cache
def step_function() -> Any:
    """C function ``step(record, block, n) -> status``; `n` is the model's hop."""

    @cfunc(
        types.int64(types.int64, types.int64, types.int64),
        nopython=True,
        error_model="numpy",
        cache=True,
    )
    def model_step(address, block_address, n):  # type: ignore[no-untyped-def]
        m = view_model(address)
        block = view_f32(block_address, (m.channels, n))
        if m.corner > 0.0:
            _listen_for_dc(m, block)
        status = _step_spectrum(m, block) if m.n_fft > 0 else _step_waveform(m, block)
        if m.corner > 0.0:
            _block_dc(m, block)
        return status

    return model_step


@cache
def reset_function() -> Any:
    """C function ``reset(record) -> status``: the model's state, and that of its STFT."""

    @cfunc(types.int64(types.int64), nopython=True, error_model="numpy", cache=True)
    def model_reset(address):  # type: ignore[no-untyped-def]
        m = view_model(address)
        if m.n_fft > 0:
            _history(m)[...] = 0.0
            _ola(m)[...] = 0.0
        _dc(m)[...] = 0.0
        return call_step(m.reset, (m.argument,))

    return model_reset


class ModelStage:
    """See :class:`realtime.engine.stage.NativeStage`.

    Parameters
    ----------
    model : Steppable
        Owned, and closed, by the stage.
    heard : ndarray [int64], optional
        Where a player's notes are told, a row of :data:`realtime.parameters.heard.SHAPE`;
        borrowed.
    """

    native = governed = True

    def __init__(self, model: Steppable, heard: Words | None = None) -> None:
        card = model.card
        self.model, self.name = model, card.name
        self.hop, self.latency, self.sample_rate = card.hop_length, card.latency, card.sample_rate
        geometry, corner = card.spectrum, card.dc_blocker
        self._record = m = MODEL.make(
            channels=model.channels,
            hop=card.hop_length,
            n_fft=geometry.n_fft if geometry else 0,
            synthesis=geometry.synthesis_length if geometry else 0,
            x=model.x.ctypes.data,
            y=model.y.ctypes.data,
            step=model.step_address,
            reset=model.reset_address,
            argument=model.argument,
            corner=step_of_mean(corner, self.sample_rate),
            fast=step_of_mean(1.0 / (2.0 * math.pi * DC_FAST_S), self.sample_rate),
            slow=step_of_mean(DC_SLOW_HZ, self.sample_rate),
            fade=1.0 / (DC_FADE_S * self.sample_rate),
        )
        source = model.note_slots() if isinstance(model, PlaysNotes) else None
        if heard is not None and source is not None:
            self._played = make_played(source, heard)
            m["played"] = self._played.address
        if geometry:
            windows = asymmetric_windows(
                geometry.n_fft, geometry.synthesis_length, self.hop, geometry.fall
            )
            m.place("analysis_window", windows[0])
            m.place("synthesis_window", windows[1])
            m.place("table", twiddles(geometry.n_fft))
        self.step_address = int(step_function().address)
        self.reset_address = int(reset_function().address)
        self.argument = m.address
        self.values: npt.NDArray[np.float32] = model.controls.reshape(-1)

    @property
    def lag(self) -> int:
        """How late the model is by itself [samples]."""
        return self.model.lag.samples

    @property
    def inverted(self) -> bool:
        """Whether the model turns the sound upside down."""
        return self.model.lag.inverted

    @property
    def error(self) -> str | None:
        """Why the last step failed."""
        return self.model.error

    def parameters(self) -> list[Parameter]:
        """The model's controls."""
        return [control.at(control.default) for control in self.model.card.controls]

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
        """Check that the model fits, and return to the initial state.

        Raises
        ------
        ConfigError
            Another rate or number of channels.
        """
        if self.sample_rate != sample_rate:
            raise ConfigError(
                f"model '{self.name}' runs at {self.sample_rate} Hz, the stream at {sample_rate}"
                f" Hz; choose --rate {self.sample_rate}"
            )
        self.settling = self.model.settling or round(WARM_SECONDS * sample_rate)
        if self.model.channels != channels:
            raise ConfigError(f"model has {self.model.channels} channels, stream {channels}")
        self.reset()

    def reset(self) -> None:
        """Return to the initial state (not live)."""
        self._record.arrays["history"][...] = 0.0
        self._record.arrays["ola"][...] = 0.0
        self._record.arrays["dc"][...] = 0.0
        self.model.reset()

    def close(self) -> None:
        """Free the model."""
        self.model.close()


def model_path(
    model: Steppable,
    controls: Mapping[str, float] | None = None,
    *,
    block_size: int | None = None,
    sample_rate: int | None = None,
) -> Path:
    """A path of one model alone, as proofs and judges play it.

    Parameters
    ----------
    model : Steppable
        Closed with the path.
    controls : mapping
        What differs from the defaults.
    block_size : int or None [samples]
        See :class:`realtime.engine.path.Path`.
    sample_rate : int or None [Hz]
        Of what it is to play; None: the model's own.

    Raises
    ------
    ConfigError
        Another rate than the model's, or an unknown control.
    """
    stage, rate = ModelStage(model), sample_rate or model.card.sample_rate
    stage.prepare(rate, model.channels, stage.hop)
    slot = Slot(stage, 1, model.channels, rate)
    for name, value in (controls or {}).items():
        slot.placed.set(name, value)
    return Path(
        [slot],
        channels=model.channels,
        sample_rate=rate,
        hop=stage.hop,
        block_size=block_size,
    )
