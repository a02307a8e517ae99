"""The same restyling as a plain Python audio callback: NumPy STFT and ``InferenceSession.run``.

What a careful programmer would write with sounddevice and onnxruntime: arrays are preallocated
where NumPy lets them be, the session has one thread, the windows and the hop grid are restyle's.
The glitch table runs it beside restyle's lanes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.dsp.windows import asymmetric_windows
from realtime.engine.latency import adapter_latency
from realtime.models.streaming import load_model, paired_output

Array = npt.NDArray[np.float32]


class PythonHost:
    """One channel through a model, any block size.

    Parameters
    ----------
    path : Path or None
        Model file; None passes sound through.
    block_size : int [samples]
        Sets the pre-fill.
    """

    def __init__(self, path: Path | None, block_size: int) -> None:
        self._path = path
        if path is None:
            return
        import onnxruntime

        model = load_model(path)
        card = model.card
        initial = model.initial_states()
        model.close()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        outputs = [o.name for o in self._session.get_outputs()]
        self._outputs = ["y", *(str(paired_output(k, outputs)) for k in initial)]
        self._states = list(initial)
        self._feed = dict(initial)
        if card.controls:
            self._feed["controls"] = np.array([[c.default for c in card.controls]], np.float32)
        self._hop, self._geometry = card.hop_length, card.spectrum
        if card.spectrum is not None:
            s = card.spectrum
            self._analysis, self._synthesis = asymmetric_windows(
                s.n_fft, s.synthesis_length, card.hop_length, s.fall
            )
            self._history = np.zeros(s.n_fft, np.float32)
            self._ola = np.zeros(s.synthesis_length, np.float32)
        self._waiting = np.zeros(0, np.float32)
        self._ready = np.zeros(adapter_latency(card.hop_length, block_size), np.float32)

    def _run(self, x: Array) -> Array:
        self._feed["x"] = x
        y, *states = self._session.run(self._outputs, self._feed)
        self._feed.update(zip(self._states, states, strict=True))
        return y

    def _step(self, hop: Array) -> Array:
        if self._geometry is None:
            return self._run(hop[None, None])[0, 0]
        n, length = self._hop, self._geometry.synthesis_length
        self._history[:-n] = self._history[n:]
        self._history[-n:] = hop
        spectrum = np.fft.rfft(self._history * self._analysis)
        x = np.stack([spectrum.real, spectrum.imag]).astype(np.float32, copy=False)
        y = self._run(x[None, :, None])[0, :, 0]
        frame = np.fft.irfft(y[0] + 1j * y[1])
        self._ola += frame[-length:] * self._synthesis
        out = self._ola[:n].copy()
        self._ola[:-n] = self._ola[n:]
        self._ola[-n:] = 0.0
        return out

    def process(self, block: Array) -> Array:
        """Process one callback's samples ``[n]``; return as many."""
        if self._path is None:
            return block
        waiting = np.concatenate([self._waiting, block])
        done = [self._ready]
        while len(waiting) >= self._hop:
            done.append(self._step(waiting[: self._hop]))
            waiting = waiting[self._hop :]
        self._waiting = waiting
        ready = np.concatenate(done)
        self._ready = ready[len(block) :]
        return np.clip(ready[: len(block)], -1.0, 1.0)
