"""VST3 plug-ins (on macOS Audio Units, too) as stages.

pedalboard drops as many samples as a plug-in reports as latency; the stage's FIFO puts them back,
as for its own effects.  Blocks are always of one length, and the plug-in is never reset while it
runs.  Whether the reported latency is true is tried with an impulse when the stage is prepared.

A plug-in runs inside this process: one that crashes while it plays ends restyle.  What crashes
while it is loaded is found by the scan beforehand, see :mod:`realtime.stages.library`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ChainError
from ..parameters.parameter import Parameter
from .buses import Buses
from .effects import EffectStage
from .knobs import get_value, read_parameters, set_value
from .pedals import load_bundle
from .states import from_text, read_preset, read_state, to_text, write_state

Array = npt.NDArray[np.float32]
TOLERANCE = 16  # samples a steep filter may smear an impulse's beginning by
_LISTEN_SECONDS = 0.5
_DRAIN_SECONDS, _QUIET_SECONDS, _QUIET = 20.0, 0.2, 1e-5
_HANDED_OVER_SECONDS = 0.1


class PluginStage(EffectStage):
    """One effect plug-in with constant blocks in and out.

    Made and prepared on the main thread; :meth:`process` and the parameters on any.

    Parameters
    ----------
    path : Path
        A ``.vst3`` or ``.component`` bundle.  :func:`realtime.stages.library.open_plugin` looks
        whether it is safe to load; this does not.
    plugin_name : str or None
        Which one, where a file holds several.

    Attributes
    ----------
    reported : int [samples]
        The latency the plug-in states, valid after :meth:`prepare`.
    note : str or None
        What was heard, where it is not the latency the plug-in states.

    Raises
    ------
    ChainError
        The file cannot be loaded or the plug-in is no effect.
    """

    def __init__(self, path: Path, plugin_name: str | None = None) -> None:
        self.path, self.plugin_name = path, plugin_name
        self._buses = Buses(lambda: load_bundle(path, plugin_name), plugin_name or path.stem)
        self._parameters = read_parameters(self._first)
        super().__init__(self._buses, str(self._first.name))
        if not self._first.is_effect:
            raise ChainError(f"plug-in {self.name} is an instrument; chains take effects")
        self._buses.name = self.name
        self._unheard = False
        self.reported = 0
        self.note: str | None = None

    @property
    def _first(self) -> Any:
        return self._buses.instances[0]

    @property
    def layout(self) -> str:
        """How the plug-in's buses meet the stream's channels, see :mod:`realtime.stages.buses`."""
        return self._buses.layout

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
        """Fit the buses, measure the latency and compare it with the stated one.

        Raises
        ------
        ChainError
            Buses that do not fit, too much latency, or not on the main thread where it must be.
        """
        self._buses.fit(sample_rate, channels, length)
        if not self._buses.reset():
            raise ChainError(f"plug-in {self.name} can be prepared on the main thread only")
        self._unheard = False
        super().prepare(sample_rate, channels, length)

    def _listen(self) -> None:
        """Compare where an impulse comes out with the latency the plug-in states."""
        self.reported = int(self._first.reported_latency_samples)
        at = self._block
        silent = self._answer(0.0, at)
        heard = np.abs(self._answer(0.5, at) - silent).max(axis=0)
        peak = float(heard.max())
        self.note = None
        if peak < 1e-6 or heard[:at].max() > 1e-5 * peak:
            return  # a closed gate, or a plug-in that never sounds the same twice
        begins = int(np.argmax(heard > 1e-5 * peak)) - at
        loudest = int(np.argmax(heard)) - at
        found = None
        if begins > self.reported + TOLERANCE:
            found = f"its sound begins after {begins}"
        elif loudest < self.reported - TOLERANCE:
            found = f"its sound comes after {loudest}"
        elif self.latency != self.reported:
            found = f"it holds back {self.latency}"
        same = self._answer(0.5, at)[:, at + self.latency] - silent[:, at + self.latency]
        if found:
            self.note = f"plug-in {self.name} states a latency of {self.reported} samples; {found}"
        elif self._buses.note:
            self.note = f"plug-in {self.name}: {self._buses.note}"
        elif self._passes(heard, at, same):
            self.note = (
                f"plug-in {self.name} passes the sound unchanged, as it is set, at {self._rate} Hz"
            )

    def _passes(self, heard: Array, at: int, same: Array) -> bool:
        """Whether an impulse of 0.5 came out as it went in, and nothing else."""
        rest = np.delete(heard, at + self.latency)
        return bool(np.abs(same - 0.5).max() < 1e-6 and rest.max(initial=0.0) < 1e-6)

    def _answer(self, height: float, at: int) -> Array:
        self.reset()
        blocks = 2 + -(-(int(_LISTEN_SECONDS * self._rate) + self.latency) // self._block)
        x = np.zeros((self._channels, blocks * self._block), dtype=np.float32)
        x[:, at] = height
        parts = [self.process(part) for part in np.split(x, blocks, axis=1)]
        return np.concatenate(parts, axis=1)

    takes_pieces = False

    def _play(self, block: Array) -> Array:
        self._unheard = False
        return super()._play(block)

    def reset(self) -> None:
        """Clear all sound; a plug-in that can do so only on the main thread plays its tail out."""
        self._glide.finish()
        if self._buses.reset():
            self._fifo = np.zeros((self._channels, self.latency), dtype=np.float32)
            return
        silence = np.zeros((self._channels, self._block), dtype=np.float32)
        quiet, enough = 0, _QUIET_SECONDS * self._rate + self.latency
        for _ in range(-(-int(_DRAIN_SECONDS * self._rate) // self._block)):
            loud = float(np.abs(self.process(silence)).max()) > _QUIET
            quiet = 0 if loud else quiet + self._block
            if quiet > enough:
                break

    def restart(self) -> None:
        """Clear all sound; a plug-in that cannot do so at once goes on from where it was."""
        self._glide.finish()
        if self._buses.reset():
            self._fifo = np.zeros((self._channels, self.latency), dtype=np.float32)

    def _listed(self) -> list[Parameter]:
        """All parameters, as the plug-in names and words them."""
        return self._parameters

    def get_value(self, parameter: Parameter) -> float:
        """The value in force, as a number."""
        return get_value(self._first, parameter)

    def put_value(self, parameter: Parameter, value: float) -> None:
        """Set a checked value (between two blocks); it acts on the next one.

        A parameter that changes the plug-in's latency is heard at once; what the stage declares
        follows when it is prepared anew.
        """
        for instance in self._buses.instances:
            set_value(instance, parameter, value)
        self._unheard = True

    @property
    def _owner(self) -> str:
        return f"plug-in {self.name}"

    def save_state(self) -> str:
        """Return all settings as base64 text, for ``state`` in a chain file."""
        end = time.monotonic() + _HANDED_OVER_SECONDS
        while self._unheard and time.monotonic() < end:
            time.sleep(0.005)  # a plug-in learns its parameters with a block; one may be coming
        if self._unheard:
            self._buses.fit(self._rate or 48000, self._channels or 2, self._block or 512)
            self._unheard = False
        return to_text(read_state(self._first))

    def load_state(self, text: str) -> None:
        """Take the settings that :meth:`save_state` returned; ChainError where it cannot."""
        self._take(from_text(text), "this state")

    def load_preset(self, path: Path) -> None:
        """Take the settings of a ``.vstpreset`` file; ChainError where it cannot."""
        self._take(read_preset(path), f"preset {path.name}")

    def _take(self, state: bytes, what: str) -> None:
        try:
            for instance in self._buses.instances:
                write_state(instance, state)
        except (RuntimeError, AttributeError):
            raise ChainError(
                f"plug-in {self.name} refuses {what}; was it saved by another plug-in?"
            ) from None
