"""pedalboard's effects as stages.

pedalboard returns short blocks from effects with latency: the first samples are held back and what
comes out is already aligned to the input.  The stage therefore keeps a FIFO whose pre-fill is the
largest shortage seen while feeding silence at `prepare`; that shortage is the effect's latency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..engine.stage import ANY_HOP
from ..errors import ChainError
from ..parameters.parameter import CATEGORICAL, SWITCH, Parameter, find_parameter
from .glide import Glide
from .pedals import as_choice
from .ranges import RANGES

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

    native = governed = False
    hop, settling = ANY_HOP, 0

    def __init__(self, plugin: Any, name: str | None = None) -> None:
        self._plugin = plugin
        self.name = name or type(plugin).__name__
        self.latency = 0
        self._rate = self._channels = self._block = 0
        self._fifo: Array = np.zeros((1, 0), dtype=np.float32)
        self._glide = Glide(self._listed(), self.get_value, self.put_value)

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
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
        self._rate, self._channels, self._block = sample_rate, channels, length
        self._plugin.reset()
        self._glide.prepare(sample_rate, length, False)
        silence = np.zeros((channels, length), dtype=np.float32)
        shortage = worst = 0
        settled = 0
        limit = int(MAX_LATENCY_SECONDS * sample_rate)
        for _ in range(int(_PROBE_SECONDS * sample_rate / length)):
            shortage += length - self._call(silence).shape[1]
            settled = settled + 1 if shortage <= worst else 0
            worst = max(worst, shortage)
            if worst > limit:
                raise ChainError(
                    f"effect {self.name} cannot stream: it holds back more than"
                    f" {1000 * MAX_LATENCY_SECONDS:.0f} ms of sound; use it in offline tools only"
                )
            if settled * length > 0.1 * sample_rate and worst == 0:
                break
        self.latency = worst
        self.reset()
        self._listen()
        self.reset()
        self._glide.prepare(sample_rate, length, self.takes_pieces and self.latency == 0)

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

    takes_pieces = True  # blocks may be shorter than the prepared ones

    def _listed(self) -> list[Parameter]:
        """What can be set, with sensible ranges; empty for effects that are no use live."""
        return list(RANGES.get(type(self._plugin).__name__, ()))

    def parameters(self) -> list[Parameter]:
        """What can be set, standing where it does."""
        return [p.at(self.get_value(p)) for p in self._listed()]

    def get_value(self, parameter: Parameter) -> float:
        """The value in force, as a number."""
        value = getattr(self._plugin, parameter.name)
        if parameter.kind == CATEGORICAL:
            return float(parameter.choices.index(value.name))
        return float(value)

    def put_value(self, parameter: Parameter, value: float) -> None:
        """Set a checked value at once (between two blocks)."""
        given: Any = bool(value) if parameter.kind == SWITCH else value
        if parameter.kind == CATEGORICAL:
            given = as_choice(type(self._plugin), parameter.choices[round(value)])
        setattr(self._plugin, parameter.name, given)

    def set_parameter(self, name: str, value: Any) -> None:
        """Set a parameter before the stage is prepared, from a number, a word, true or false.

        Raises
        ------
        ConfigError
            Unknown name, or a value that does not fit.
        """
        owner = self._owner
        parameter = find_parameter(self._listed(), name, owner)
        self.put_value(parameter, parameter.number(value, owner))

    @property
    def _owner(self) -> str:
        return f"effect {self.name}"

    def turn(self, number: int, value: float) -> bool:
        """Glide to a value; False for one that can only jump, which :meth:`take` does."""
        return self._glide.turn(number, value)

    def take(self, number: int, value: float) -> None:
        """Take a value at once."""
        self.put_value(self._listed()[number], value)

    def close(self) -> None:
        """Nothing is held but the effect itself."""

    def _call(self, block: Array) -> Array:
        result: Array = self._plugin.process(
            block, self._rate, buffer_size=self._block, reset=False
        )
        return result

    def reset(self) -> None:
        """Return to the initial state, the FIFO pre-filled with the latency."""
        self._glide.finish()
        self._plugin.reset()
        self._fifo = np.zeros((self._channels, self.latency), dtype=np.float32)

    def restart(self) -> None:
        """See :class:`realtime.engine.stage.PythonStage`."""
        self.reset()

    def process(self, block: Array) -> Array:
        """Process one block (allocates: worker lane only)."""
        return self._glide.process(block, self._play)

    def _play(self, block: Array) -> Array:
        out, n = self._call(block), block.shape[1]
        if out.shape[1] == n and self._fifo.shape[1] == 0:
            return out
        held = np.concatenate([self._fifo, out], axis=1)
        if held.shape[1] < n:
            held = np.pad(held, ((0, 0), (n - held.shape[1], 0)))
        self._fifo = held[:, n:]
        return np.ascontiguousarray(held[:, :n])
