"""pedalboard's effects as stages (the only importer of pedalboard).

pedalboard returns short blocks from effects with latency: the first samples are held back and what
comes out is already aligned to the input.  The stage therefore keeps a FIFO whose pre-fill is the
largest shortage seen while feeding silence at `prepare`; that shortage is the effect's latency.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import numpy.typing as npt
import pedalboard

from ..errors import ChainError, nearest

Array = npt.NDArray[np.float32]
MAX_LATENCY_SECONDS = 0.25
_PROBE_SECONDS = 0.6

# pedalboard names that are no effects of their own or that cannot stream
_EXCLUDED = {"Plugin", "ExternalPlugin", "PluginContainer", "Pedalboard", "Mix", "Chain"}
_EXCLUDED |= {"VST3Plugin", "AudioUnitPlugin", "IIRFilter"}
_HIGHEST_RATE = {"MP3Compressor": 48000}  # pedalboard 0.9 ends the process above


def effect_names() -> list[str]:
    """Names of the effects a chain may use."""
    found = []
    for name, value in vars(pedalboard).items():
        if inspect.isclass(value) and issubclass(value, pedalboard.Plugin):
            if name not in _EXCLUDED and not name.startswith("_"):
                found.append(name)
    return sorted(found)


def make_plugin(name: str, parameters: dict[str, Any]) -> Any:
    """Build one effect by name.

    Raises
    ------
    ChainError
        Unknown effect or parameter, or a value pedalboard refuses.
    """
    known = effect_names()
    if name not in known:
        raise ChainError(f"unknown effect '{name}'{nearest(name, known)}; try {', '.join(known)}")
    kind = getattr(pedalboard, name)
    properties = [
        p for p, v in inspect.getmembers(kind) if not p.startswith("_") and not callable(v)
    ]
    arguments = [a for a in _argument_names(kind) if a not in properties]
    for key in parameters:
        if key not in properties and key not in arguments:
            accepted = sorted({*properties, *arguments} - {"is_effect", "is_instrument"})
            raise ChainError(
                f"effect {name} has no parameter '{key}'{nearest(key, accepted)};"
                f" it has {', '.join(accepted) or 'none'}"
            )
    try:
        return kind(**parameters)
    except (TypeError, ValueError, RuntimeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "incompatible" in first:
            first = "a value has the wrong type in " + ", ".join(
                f"{k} = {v!r}" for k, v in parameters.items()
            )
        raise ChainError(f"effect {name} refuses its parameters: {first}") from None


def _argument_names(kind: Any) -> list[str]:
    """Names of the constructor's arguments, read from pybind11's signature line."""
    signature = (kind.__init__.__doc__ or "").splitlines()[:1]
    if not signature or "(" not in signature[0]:
        return []
    inside = signature[0].split("(", 1)[1]
    return [p.split(":")[0].strip() for p in inside.split(",") if ":" in p and "self" not in p]


class EffectStage:
    """One pedalboard effect with constant blocks in and out.

    Parameters
    ----------
    plugin : pedalboard.Plugin
        Owned by the stage from now on.
    name : str
    """

    def __init__(self, plugin: Any, name: str | None = None) -> None:
        self._plugin = plugin
        self.name = name or type(plugin).__name__
        self.latency = 0
        self._rate = 0
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
        self._try_with_noise()
        self.reset()

    def _try_with_noise(self) -> None:
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
        out = self._call(block)
        if out.shape[1] == self._block and self._fifo.shape[1] == 0:
            return out
        held = np.concatenate([self._fifo, out], axis=1)
        if held.shape[1] < self._block:
            held = np.pad(held, ((0, 0), (self._block - held.shape[1], 0)))
        self._fifo = held[:, self._block :]
        return np.ascontiguousarray(held[:, : self._block])
