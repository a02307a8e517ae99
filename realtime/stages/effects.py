"""pedalboard's effects as stages.

pedalboard returns short blocks from effects with latency: the first samples are held back and what
comes out is already aligned to the input.  The stage therefore keeps a FIFO whose pre-fill is the
largest shortage seen while feeding silence at `prepare`; that shortage is the effect's latency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ChainError
from .parameters import Parameter, Value, check_value, find_parameter
from .pedals import as_choice, effect_names, make_plugin
from .ranges import RANGES

__all__ = ["EffectStage", "effect_names", "make_plugin"]

Array = npt.NDArray[np.float32]
MAX_LATENCY_SECONDS = 0.25
_PROBE_SECONDS = 0.6
_HIGHEST_RATE = {"MP3Compressor": 48000}  # pedalboard 0.9 ends the process above


class EffectStage:
    """One pedalboard effect with constant blocks in and out.

    Parameters
    ----------
    plugin : pedalboard.Plugin
        Owned by the stage from now on.
    name : str
    """

    takes_pieces = True  # blocks may be shorter than the prepared ones, see chain.glide

    def __init__(self, plugin: Any, name: str | None = None) -> None:
        self._plugin = plugin
        self.name = name or type(plugin).__name__
        self.latency = 0
        self._rate = self._channels = self._block = 0
        self._fifo: Array = np.zeros((1, 0), dtype=np.float32)

    def prepare(self, sample_rate: int, channels: int, block_length: int) -> None:
        """Measure the shortage with silence, try the effect with noise, then start afresh.

        Raises
        ------
        ChainError
            When the effect holds back more than :data:`MAX_LATENCY_SECONDS` or loses the sound
            when it is fed in blocks.
        """
        highest = _HIGHEST_RATE.get(type(self._plugin).__name__, sample_rate)
        if sample_rate > highest:
            raise ChainError(
                f"effect {self.name} works up to {highest} Hz, the stream runs at {sample_rate} Hz;"
                f" choose --rate {highest} or leave it out"
            )
        self._rate, self._channels, self._block = sample_rate, channels, block_length
        self._plugin.reset()
        silence = np.zeros((channels, block_length), dtype=np.float32)
        shortage = worst = 0
        settled = 0
        limit = int(MAX_LATENCY_SECONDS * sample_rate)
        for _ in range(int(_PROBE_SECONDS * sample_rate / block_length)):
            shortage += block_length - self._call(silence).shape[1]
            settled = settled + 1 if shortage <= worst else 0
            worst = max(worst, shortage)
            if worst > limit:
                raise ChainError(
                    f"effect {self.name} cannot stream: it holds back more than"
                    f" {1000 * MAX_LATENCY_SECONDS:.0f} ms of sound; use it in offline tools only"
                )
            if settled * block_length > 0.1 * sample_rate and worst == 0:
                break
        self.latency = worst
        self.reset()
        self._listen()
        self.reset()

    def _listen(self) -> None:
        """Refuse effects that give (nearly) nothing block by block, such as pedalboard's GSM."""
        blocks = -(-int(_PROBE_SECONDS * self._rate) // self._block)
        rng = np.random.default_rng(0)
        shape = (self._channels, blocks, self._block)
        noise: Array = rng.uniform(-0.25, 0.25, shape).astype(np.float32)
        level = max(float(np.square(self.process(noise[:, k])).mean()) for k in range(blocks))
        whole = self._plugin.process(
            noise.reshape(self._channels, -1), self._rate, buffer_size=8192, reset=True
        )
        if level < 0.01 * float(np.square(whole).mean()):
            raise ChainError(
                f"effect {self.name} cannot stream: fed in blocks of {self._block} samples it"
                " loses the sound; use it in offline tools only"
            )

    def parameters(self) -> list[Parameter]:
        """What can be set, with sensible ranges; empty for effects that are no use live."""
        return list(RANGES.get(type(self._plugin).__name__, ()))

    def get_parameter(self, name: str) -> Value:
        """Return the value in force; see :meth:`set_parameter` for errors."""
        parameter = find_parameter(f"effect {self.name}", self.parameters(), name)
        value = getattr(self._plugin, name)
        if parameter.kind == "choice":
            return str(value.name)
        return bool(value) if parameter.kind == "bool" else float(value)

    def set_parameter(self, name: str, value: Value) -> None:
        """Set one parameter, from any thread, while the sound runs; it acts on the next block.

        Raises
        ------
        ChainError
            Unknown name, value outside the range, or a parameter that changes the latency of a
            stage in use (see :attr:`Parameter.live`).
        """
        owner = f"effect {self.name}"
        parameter = find_parameter(owner, self.parameters(), name)
        checked = check_value(owner, parameter, value)
        if self._rate and not parameter.live:
            raise ChainError(
                f"{owner}: {name} changes the latency; build the chain anew instead of setting it"
            )
        setattr(self._plugin, name, as_choice(type(self._plugin), checked))

    def _call(self, block: Array) -> Array:
        result: Array = self._plugin.process(
            block, self._rate, buffer_size=self._block, reset=False
        )
        return result

    def reset(self) -> None:
        """Return to the initial state, the FIFO pre-filled with the latency."""
        self._plugin.reset()
        self._fifo = np.zeros((self._channels, self.latency), dtype=np.float32)

    def process(self, block: Array) -> Array:
        """Process one block (allocates: Python lane only)."""
        out, n = self._call(block), block.shape[1]
        if out.shape[1] == n and self._fifo.shape[1] == 0:
            return out
        held = np.concatenate([self._fifo, out], axis=1)
        if held.shape[1] < n:
            held = np.pad(held, ((0, 0), (n - held.shape[1], 0)))
        self._fifo = held[:, n:]
        return np.ascontiguousarray(held[:, :n])
