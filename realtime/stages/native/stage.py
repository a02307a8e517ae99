"""A native effect as a stage of a path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine.stage import ANY_HOP
from ...native.records import Record, Store
from ...parameters.parameter import Parameter, find_parameter
from .common import Common
from .record import EFFECT, reset_at, reset_function


class Inner:
    """Owner of a record that an effect's step works with.

    Attributes
    ----------
    address : int
    level : float
        A number that goes with it.
    """

    address: int
    level: float

    def readings(self, values: Sequence[float]) -> Mapping[str, float]:
        """What it measures, by name: nothing.  `values` are those of the effect's parameters."""
        return {}

    def close(self) -> None:
        """Let go of what is shared: of nothing; memory goes with its last holder."""


class Kind(NamedTuple):
    """What makes one effect.

    Attributes
    ----------
    step : callable
        Returns the compiled step; compiles it at the first call.
    coefficients : int
        Numbers that its parameters turn into.
    state, places : int
        Numbers it remembers of each channel, and whole ones.
    shared : int
        Numbers it remembers of all channels together.
    room : callable ``(sample rate, parameters) -> samples``, optional
        Sound it remembers of each channel.
    inner : callable ``(sample rate, channels, parameters, common, identity) -> Inner``, optional
    reset : callable
        Returns the compiled reset.
    latency : callable ``(sample rate) -> samples``
    least_channels : int
        With fewer it passes the sound on.
    """

    step: Callable[[], Any]
    coefficients: int
    state: int = 0
    places: int = 0
    shared: int = 0
    room: Callable[[int, Sequence[Parameter]], int] | None = None
    inner: Callable[[int, int, Sequence[Parameter], Common, int], Inner] | None = None
    reset: Callable[[], Any] = reset_function
    latency: Callable[[int], int] = lambda rate: 0
    least_channels: int = 1


def placed(
    listed: Sequence[Parameter], given: Mapping[str, Any], owner: str
) -> tuple[Parameter, ...]:
    """Parameters standing at the values given, checked.

    Raises
    ------
    ConfigError
        An unknown name, or a value that does not fit.
    """
    found = {p.name: p.at(p.default) for p in listed}
    for name, value in given.items():
        parameter = find_parameter(listed, name, owner)
        found[name] = parameter.at(parameter.number(value, owner))
    return tuple(found.values())


class NativeEffect:
    """See :class:`realtime.engine.stage.NativeStage`.

    Parameters
    ----------
    name : str
    kind : Kind
    listed : sequence of Parameter
    given : mapping
        Values by name; a choice as its word or its place.
    common : Common, optional
        What it shares with other stages of the stream.
    identity : int
        The stage's in the session; 0 where it has none.

    Raises
    ------
    ConfigError
        An unknown parameter, or a value that does not fit.
    """

    native, governed = True, False
    hop, latency, settling = ANY_HOP, 0, 0
    error: str | None = None
    note: str | None = None
    record: Record
    argument: int
    values: npt.NDArray[np.float32]
    _inner: Inner | None = None

    def __init__(
        self,
        name: str,
        kind: Kind,
        listed: Sequence[Parameter],
        given: Mapping[str, Any],
        common: Common | None = None,
        identity: int = 0,
    ) -> None:
        self.name, self._kind = name, kind
        self._common, self._identity = common or Common(), identity
        self._parameters = placed(listed, given, f"effect {name}")
        self.step_address = int(kind.step().address)
        self.reset_address = int(kind.reset().address)

    def parameters(self) -> list[Parameter]:
        """All parameters, standing where they were given."""
        return list(self._parameters)

    def prepare(self, sample_rate: int, channels: int, length: int) -> None:
        """Allocate for blocks ``[channels, any length]``."""
        kind = self._kind
        self.note = None
        if channels < kind.least_channels:
            self.note = (
                f"{self.name} needs {kind.least_channels} channels, got {channels}, and passes the"
                " sound on; live, --in-map 1,1 makes one input two, and 'render' has --stereo"
            )
        self.latency = kind.latency(sample_rate)
        self.record = EFFECT.make(
            channels=channels,
            rate=sample_rate,
            n_parameters=len(self._parameters),
            n_coefficients=kind.coefficients,
            n_state=kind.state,
            n_shared=kind.shared,
            n_places=kind.places,
            room=kind.room(sample_rate, self._parameters) if kind.room else 0,
        )
        if kind.inner is not None:
            self.close()
            self._inner = kind.inner(
                sample_rate, channels, self._parameters, self._common, self._identity
            )
            self.record["inner"] = self._inner.address
            self.record["inner_level"] = self._inner.level
        self.argument = self.record.address
        self.values = self.record.arrays["values"]
        self.values[:] = [p.value for p in self._parameters]

    def reset(self) -> None:
        """Return to the initial state (not live)."""
        reset_at(self.reset_address, self.argument)

    def clock_store(self, address: int) -> Store:
        """What has it count by the stream's position at `address`."""
        return self.record.where("clock"), address

    def readings(self) -> Mapping[str, float]:
        """What it measures, by name (any thread but the audio's)."""
        inner = self._inner  # another thread may close the stage meanwhile
        return {} if inner is None else inner.readings(self.values.tolist())

    def close(self) -> None:
        """Let go of what is shared; the rest is memory."""
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.close()
