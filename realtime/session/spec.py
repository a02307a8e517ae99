"""What a session is made of, as plain data: sent to the engine process, kept to restart it.

Everything here survives a trip through JSON, so that captures and presets can hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

PLACES = ("pre", "post")


@dataclass(frozen=True)
class StageSpec:
    """One stage of a chain.

    Attributes
    ----------
    identity : int
        Unique within a session.
    entry : mapping
        Its table in a chain file, see :mod:`realtime.stages.file`.
    values : mapping
        Parameters changed since, by name.
    """

    identity: int
    entry: Mapping[str, Any]
    bypass: bool = False
    mix: float = 1.0
    values: Mapping[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What to call it."""
        plugin = str(self.entry.get("plugin") or "stage")
        bundle = plugin.lower().endswith((".vst3", ".component"))
        return str(self.entry.get("effect") or (Path(plugin).stem if bundle else plugin))


@dataclass(frozen=True)
class DeviceSpec:
    """A device to open.

    Attributes
    ----------
    kind : str
        ``portaudio``, or ``tape`` for a simulated one whose sound lies in shared memory.
    input, output : str or None
        As in :func:`realtime.devices.list.find_device`.
    sample_rate, preferred_rate : int or None [Hz]
        The one is asked for; the other, the model's, is tried, and converted to where the device
        refuses it.
    clocks : str
        ``one`` or ``two`` clocks of input and output; ``auto`` tells by their names.
    fall_back : bool
        Whether the system's default devices may take the place of those that are gone.
    tape : str or None
        Name of the shared memory of a ``tape``.
    in_map, out_map : tuple of int or None
        Channel maps, from 0; -1 is silence.
    """

    kind: str = "portaudio"
    input: str | None = None
    output: str | None = None
    sample_rate: int | None = None
    preferred_rate: int | None = None
    block_size: int | None = None
    channels: int | None = None
    clocks: str = "auto"
    fall_back: bool = False
    tape: str | None = None
    in_map: tuple[int, ...] | None = None
    out_map: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Spec:
    """A whole session.

    Attributes
    ----------
    model : str or None
        Path of the file.
    controls : mapping
        Model controls that differ from their defaults.
    """

    device: DeviceSpec = DeviceSpec()
    model: str | None = None
    controls: Mapping[str, float] = field(default_factory=dict)
    mix: float = 1.0
    input_gain_db: float = 0.0
    output_gain_db: float = 0.0
    bypass: bool = False
    pre: tuple[StageSpec, ...] = ()
    post: tuple[StageSpec, ...] = ()
    pre_mix: float = 1.0
    post_mix: float = 1.0
    lane: str = "auto"
    worker_blocks: int = 1
    fixed_latency: int | None = None

    @property
    def stages(self) -> tuple[StageSpec, ...]:
        """All stages, in the order of the sound."""
        return self.pre + self.post

    def chain(self, place: str) -> tuple[StageSpec, ...]:
        """The stages of ``pre`` or ``post``."""
        return self.pre if place == "pre" else self.post

    def with_chain(self, place: str, stages: Iterable[StageSpec]) -> Spec:
        """The same session with other stages in one place."""
        new = tuple(stages)
        return replace(self, pre=new) if place == "pre" else replace(self, post=new)

    def without(self, identity: int) -> Spec:
        """The same session but for one stage."""
        spec = self
        for place in PLACES:
            spec = spec.with_chain(place, (s for s in spec.chain(place) if s.identity != identity))
        return spec

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Spec:
        """Undo :meth:`to_dict`, also after JSON."""
        plain = dict(data)
        device = dict(plain.pop("device"))
        for name in ("in_map", "out_map"):
            device[name] = tuple(device[name]) if device[name] is not None else None
        for place in PLACES:
            plain[place] = tuple(StageSpec(**s) for s in plain[place])
        return cls(device=DeviceSpec(**device), **plain)


def after(spec: Spec, operation: Mapping[str, Any]) -> Spec:
    """The session after an operation that succeeded, see :mod:`realtime.session.editor`."""
    name = operation["op"]
    if name == "swap":
        controls = dict(operation.get("controls") or {})
        return replace(spec, model=operation.get("model"), controls=controls)
    if name == "preset":
        given = operation["spec"]
        new = given if isinstance(given, Spec) else Spec.from_dict(given)
        return replace(new, device=spec.device, fixed_latency=spec.fixed_latency)
    if name == "insert":
        given = operation["stage"]
        stage = given if isinstance(given, StageSpec) else StageSpec(**given)
        stages = list(spec.chain(operation["place"]))
        stages.insert(int(operation.get("index", len(stages))), stage)
        return spec.with_chain(operation["place"], stages)
    if name == "remove":
        return spec.without(int(operation["identity"]))
    if name == "move":
        for place in PLACES:
            stages = list(spec.chain(place))
            moved = [s for s in stages if s.identity == operation["identity"]]
            if moved:
                stages.remove(moved[0])
                stages.insert(int(operation["index"]), moved[0])
                spec = spec.with_chain(place, stages)
        return spec
    if name == "mix":
        value = float(operation["value"])
        pre = operation["place"] == "pre"
        return replace(spec, pre_mix=value) if pre else replace(spec, post_mix=value)
    if name == "lane":
        return replace(spec, lane=operation["lane"])
    return spec
