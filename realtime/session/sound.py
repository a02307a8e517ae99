"""The sound as a value: what plays, as plain frozen data.

A :class:`Sound` is what a preset stores; a :class:`Device` is what a session file adds; a
:class:`Setup` is both.  The engine process owns the Setup that plays; every other part of the
program holds copies of it and changes them by :mod:`realtime.session.operations` alone.  All of it
survives a trip through JSON (``msgspec.json``), so that session logs and pipes can carry it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import msgspec
from msgspec import Meta

from ..errors import ConfigError, nearest
from ..parameters.parameter import HIGHEST_DB, LOWEST_DB
from ..schema import check

LaneName = Literal["auto", "inline", "worker"]
LANES: tuple[LaneName, ...] = ("auto", "inline", "worker")
EngineName = Literal["native", "pedalboard"]
DEEPEST = 4  # groups within groups
MOST_STAGES = 256  # of a sound, those in groups included

Value = float | bool | str
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Decibels = Annotated[float, Meta(ge=LOWEST_DB, le=HIGHEST_DB, extra={"unit": "dB"})]
Rate = Annotated[int, Meta(ge=8000, le=768000, extra={"unit": "Hz"})]
BlockSize = Annotated[int, Meta(ge=1, le=65536, extra={"unit": "samples"})]
Channels = Annotated[int, Meta(ge=1, le=1024)]
MOST_KNOB = 1e9  # a knob's range lies within
Slack = Annotated[int, Meta(ge=1, le=64)]
Text = Annotated[str, Meta(min_length=1)]
Base64 = Annotated[
    str,
    Meta(
        pattern="^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        extra={"words": "bytes in base64", "example": '"VlNUMw=="'},
    ),
]
Level = Annotated[float, Meta(ge=-40.0, le=40.0, extra={"unit": "dBu"})]
Ceiling = Annotated[float, Meta(ge=-24.0, le=0.0, extra={"unit": "dBFS"})]
Ends = Annotated[
    tuple[float, ...],
    Meta(min_length=2, extra={"words": "two numbers", "example": "[0.0, 1.0]"}),
]
Samples = Annotated[int, Meta(ge=0, le=10**6, extra={"unit": "samples"})]


class Branch(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of the parallel ways through a group.

    Attributes
    ----------
    stages : tuple of Stage
        In the order of the sound; empty for the input as it came.
    gain_db : float [dB]
    """

    stages: tuple[Stage, ...] = ()
    gain_db: Decibels = 0.0

    def __post_init__(self) -> None:
        check(self)


class Stage(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One stage of a path: exactly one of `model`, `effect`, `plugin` and `group` is given.

    Attributes
    ----------
    model : str or None
        Path of a model file, or a name in the catalogue.
    effect : str or None
        Name of a built-in effect.
    engine : str or None
        Of an effect: ``native`` or ``pedalboard``; None for the native one where there is one.
    plugin : str or None
        A plug-in's name in ``restyle scan``, or its path; `plugin_name` says which one where a
        file holds several, `preset` is a ``.vstpreset`` file and `state` base64 text.
    group : tuple of Branch or None
        Branches in parallel, aligned to the longest of them and added.
    identity : int
        Unique within a session, from 1; 0 in files.
    bypass : bool
        Kept, but passed over.
    mix : float
        0 dry .. 1 wet, the dry sound delayed by the stage's latency; ``stage_mix`` in files, as
        some effects have a parameter ``mix``.
    parameters : mapping
        Those that differ from their defaults, by name; a choice as its word or its place.
    """

    model: Text | None = None
    effect: Text | None = None
    plugin: Text | None = None
    group: tuple[Branch, ...] | None = None
    engine: EngineName | None = None
    plugin_name: Text | None = None
    preset: Text | None = None
    state: Base64 | None = None
    identity: int = 0
    bypass: bool = False
    mix: Share = msgspec.field(default=1.0, name="stage_mix")
    parameters: Mapping[str, Value] = {}

    def __post_init__(self) -> None:
        kinds = (self.model, self.effect, self.plugin, self.group)
        if sum(k is not None for k in kinds) != 1:
            raise ConfigError(
                'a stage needs exactly one of model = "NAME", effect = "NAME", plugin = "NAME or'
                ' FILE" and group'
            )
        if self.engine is not None and self.effect is None:
            raise ConfigError("engine belongs to an effect")
        check(self)

    @property
    def kind(self) -> str:
        """``model``, ``effect``, ``plugin`` or ``group``."""
        return next(
            k for k in ("model", "effect", "plugin", "group") if getattr(self, k) is not None
        )

    @property
    def name(self) -> str:
        """What to call it."""
        if self.group is not None:
            return "group"
        named = self.model or self.plugin or ""
        path = Path(named)
        if path.suffix.lower() in (".vst3", ".component", ".onnx", ".nam"):
            named = path.stem
        return self.effect or named


def walk(stages: tuple[Stage, ...]) -> Iterator[Stage]:
    """Every stage of a list, those inside groups included."""
    for stage in stages:
        yield stage
        for branch in stage.group or ():
            yield from walk(branch.stages)


def depth(stages: tuple[Stage, ...]) -> int:
    """How deep groups stand within groups; 0 where there are none."""
    return max(
        (
            1 + max((depth(b.stages) for b in s.group), default=0)
            for s in stages
            if s.group is not None
        ),
        default=0,
    )


class Scene(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where the parameters of a sound stand, under a name: recalled without loading anything.

    Attributes
    ----------
    name : str
    values : mapping
        By the names of :mod:`realtime.session.names`, such as ``2.bypass``; what is not named stays
        as it is.
    """

    name: Text
    values: Mapping[str, Value] = {}


class Macro(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A knob of a sound's own: one name for several parameters that it moves together.

    It stands where its first target stands, so no value of its own can contradict them.

    Attributes
    ----------
    name : str
        What it is called beside ``mix`` and the like.
    targets : mapping
        Parameters by the names of :mod:`realtime.session.names`, each with its values where the
        knob is at its minimum and at its maximum; straight lines between.
    minimum, maximum, default : float
    unit : str
    """

    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,31}$", extra={"words": "a knob's name"})]
    targets: Annotated[Mapping[str, Ends], Meta(min_length=1, max_length=16)]
    minimum: float = 0.0
    maximum: float = 1.0
    default: float = 0.5
    unit: str = ""

    def __post_init__(self) -> None:
        check(self)
        if not self.minimum <= self.default <= self.maximum or self.minimum == self.maximum:
            raise ConfigError(
                f"knob {self.name}: minimum, default and maximum must rise, got {self.minimum:g},"
                f" {self.default:g}, {self.maximum:g}"
            )
        if not -MOST_KNOB <= self.minimum < self.maximum <= MOST_KNOB:
            raise ConfigError(
                f"knob {self.name}: its range must lie within {-MOST_KNOB:g}..{MOST_KNOB:g}, got"
                f" {self.minimum:g}..{self.maximum:g}"
            )
        for name, ends in self.targets.items():
            if len(ends) != 2 or ends[0] == ends[1]:
                raise ConfigError(
                    f"knob {self.name}: {name} needs its values at both ends of the knob, such as"
                    f" [0.0, 1.0], got {list(ends)}"
                )

    def values(self, value: float) -> dict[str, float]:
        """Where the targets stand when the knob stands at `value`."""
        share = (value - self.minimum) / (self.maximum - self.minimum)
        return {name: low + (high - low) * share for name, (low, high) in self.targets.items()}

    def value(self, first: float) -> float:
        """Where the knob stands when its first target stands at `first`."""
        low, high = next(iter(self.targets.values()))
        share = min(1.0, max(0.0, (first - low) / (high - low)))
        return round(self.minimum + (self.maximum - self.minimum) * share, 6)


class Sound(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a stream sounds like: what a preset stores.

    Attributes
    ----------
    stages : tuple of Stage
        In the order of the sound.
    input_gain_db, output_gain_db : float [dB]
    mix : float
        0 dry .. 1 wet, of the whole path.
    bypass : bool
        Whether the input passes as it is.
    mute : bool
        Whether nothing is heard; no file keeps it, and no other sound ends it.
    scenes : tuple of Scene
    macros : tuple of Macro
    """

    stages: tuple[Stage, ...] = ()
    input_gain_db: Decibels = 0.0
    output_gain_db: Decibels = 0.0
    mix: Share = 1.0
    bypass: bool = False
    mute: bool = False
    scenes: tuple[Scene, ...] = ()
    macros: tuple[Macro, ...] = ()

    def __post_init__(self) -> None:
        check(self)
        if depth(self.stages) > DEEPEST:
            raise ConfigError(f"groups stand within groups at most {DEEPEST} deep")
        if (many := sum(1 for _ in self.walk())) > MOST_STAGES:
            raise ConfigError(f"a sound has at most {MOST_STAGES} stages, this one {many}")
        known = [s.identity for s in self.walk() if s.identity]
        if len(set(known)) < len(known):
            twice = next(k for k in known if known.count(k) > 1)
            raise ConfigError(f"two stages have the identity {twice}; each needs one of its own")
        names = [scene.name for scene in self.scenes]
        if len(set(names)) < len(names):
            same = next(n for n in names if names.count(n) > 1)
            raise ConfigError(f"two scenes are called '{same}'; each needs a name of its own")
        names = [macro.name for macro in self.macros]
        if len(set(names)) < len(names):
            same = next(n for n in names if names.count(n) > 1)
            raise ConfigError(f"two knobs are called '{same}'; each needs a name of its own")

    def walk(self) -> Iterator[Stage]:
        """Every stage, those inside groups included, in the order of the sound."""
        return walk(self.stages)

    def find(self, identity: int) -> Stage | None:
        """The stage of that identity, wherever it stands."""
        return next((s for s in self.walk() if s.identity == identity), None)

    def macro(self, name: str) -> Macro | None:
        """The knob of that name; None where there is none."""
        return next((m for m in self.macros if m.name == name), None)

    def scene(self, which: int | str) -> Scene:
        """A scene by its name, or by its number from 1.

        Raises
        ------
        ConfigError
            There is none.
        """
        names = [s.name for s in self.scenes]
        if isinstance(which, str) and which in names:
            return self.scenes[names.index(which)]
        if isinstance(which, int) and 1 <= which <= len(names):
            return self.scenes[which - 1]
        if not names:
            raise ConfigError("this sound has no scenes; keep one under a name first")
        near = nearest(which, names) if isinstance(which, str) else ""
        listed = ", ".join(f"{i} {n}" for i, n in enumerate(names, 1))
        raise ConfigError(f"there is no scene '{which}'{near}; there are {listed}")


class Device(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which cards, and how the stream runs on them.

    Attributes
    ----------
    kind : str
        ``portaudio``; ``tape`` for a simulated one whose sound lies in shared memory; ``plugin``
        for a plug-in in a DAW.
    input, output : str or None
        As in :func:`realtime.devices.list.find_device`.
    sample_rate, preferred_rate : int or None [Hz]
        The one is asked for; the other, the models', is tried, and converted to where the device
        refuses it.
    clocks : str
        ``one`` or ``two`` clocks of input and output; ``auto`` tells by their names.
    fall_back : bool
        Whether the system's default devices may take the place of those that are gone.
    tape : str or None
        Name of the shared memory of a ``tape`` or a ``plugin``.
    in_map, out_map : tuple of int or None
        The card's channels, from 0, that the engine's channels hear and play on; -1 is none.  See
        :mod:`realtime.stream.maps`.
    lane : str
        ``inline`` runs the path in the audio callback, ``worker`` in a thread behind two rings,
        ``auto`` chooses by measurement.
    worker_blocks : int
        Device blocks of slack that the worker lane is given on top of the least.
    fixed_latency : int or None [samples]
        What restyle adds, whatever plays.
    ceiling_db : float or None [dBFS, true peak]
        With one, what is played spares the ears, see :mod:`realtime.stream.protection`.
    monitor : str or None
        A second output that plays what the first plays, `monitor_gain_db` louder.
    input_level_dbu : float or None [dBu]
        What full scale stands for at the interface's input, as the gain stands.
    """

    kind: str = "portaudio"
    input: str | None = None
    output: str | None = None
    sample_rate: Rate | None = None
    preferred_rate: Rate | None = None
    block_size: BlockSize | None = None
    channels: Channels | None = None
    clocks: str = "auto"
    fall_back: bool = False
    tape: str | None = None
    in_map: tuple[int, ...] | None = None
    out_map: tuple[int, ...] | None = None
    lane: LaneName = "auto"
    worker_blocks: Slack = 1
    fixed_latency: Samples | None = None
    ceiling_db: Ceiling | None = None
    monitor: Text | None = None
    monitor_gain_db: Decibels = 0.0
    input_level_dbu: Level | None = None

    def __post_init__(self) -> None:
        check(self)


class Setup(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A sound on a device: all that an engine needs to begin.

    Attributes
    ----------
    shelf : tuple of Sound
        Those that are kept loaded beside what plays, so that changing to one takes no time.
    """

    sound: Sound = Sound()
    device: Device = Device()
    shelf: tuple[Sound, ...] = ()

    def with_sound(self, sound: Sound) -> Self:
        """Another sound on the same device."""
        return msgspec.structs.replace(self, sound=sound)

    def with_device(self, device: Device) -> Self:
        """The same sound on another device."""
        return msgspec.structs.replace(self, device=device)


def places(stages: Sequence[Stage], begin: str = "") -> Iterator[tuple[str, Stage]]:
    """Every stage with its place, such as ``3.1.2.``, those inside groups included."""
    for i, stage in enumerate(stages, 1):
        yield f"{begin}{i}.", stage
        for k, branch in enumerate(stage.group or (), 1):
            yield from places(branch.stages, f"{begin}{i}.{k}.")


def placed(sound: Sound, name: str) -> tuple[str, Stage | None, str]:
    """A parameter's full name as the place of its stage, the stage, and its own name there.

    ``3.1.gain_db`` is ``1.gain_db`` of the group at ``3.``; a name without a place is of the path.
    """
    found: tuple[str, Stage | None] = ("", None)
    for place, stage in places(sound.stages):
        if name.startswith(place) and len(place) > len(found[0]):
            found = place, stage
    return (*found, name.removeprefix(found[0]))


def each(stages: tuple[Stage, ...], change: Callable[[Stage], Stage]) -> tuple[Stage, ...]:
    """The same list with every stage changed, those inside groups after the group itself."""
    found = []
    for stage in map(change, stages):
        if stage.group is not None:
            group = tuple(
                msgspec.structs.replace(b, stages=each(b.stages, change)) for b in stage.group
            )
            stage = msgspec.structs.replace(stage, group=group)
        found.append(stage)
    return tuple(found)


def identified(stages: tuple[Stage, ...], first: int) -> tuple[Stage, ...]:
    """The same stages, each without an identity given the next one from `first` on."""
    numbers = iter(range(first, first + 1 + sum(1 for _ in walk(stages))))
    return each(stages, lambda s: msgspec.structs.replace(s, identity=s.identity or next(numbers)))


def anonymous(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The same stages without identities, as files have them."""
    return each(stages, lambda s: msgspec.structs.replace(s, identity=0))
