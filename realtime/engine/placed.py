"""Python's side of slots: who owns their memory, and how Python stages are stepped in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError
from ..native.records import Record, Store, as_bits
from ..parameters.parameter import Parameter, find_parameter
from .governor import FADE as COVER_FADE
from .slot import BYPASS, MIX, PARAMETERS, SLOT, begin_at, end_at, leave_at, run_at, run_slot
from .stage import FEED_SECONDS, WARM_SECONDS, Block, Gathers, Stage, make_record

FADE_SECONDS = 0.02
MARK_STAGE = 0  # place in the mark where the running slot's identity stands
Mark = npt.NDArray[np.int64]


class Placed:
    """A stage with its record.

    Parameters
    ----------
    stage : Stage
        Prepared; owned from now on.
    channels : int
    sample_rate : int [Hz]

    Attributes
    ----------
    error : Exception or None
        What a Python stage raised; it is passed over from then on.
    filling : int [samples]
        Until a stage that comes into the sound is given all of it and has filled its latency.
    warming : int [samples]
        Until it plays well enough for a whole path to be faded to, which cannot wait.
    """

    error: Exception | None

    def __init__(self, stage: Stage, channels: int, sample_rate: int) -> None:
        self.stage, self.error = stage, None
        self.parameters: Sequence[Parameter] = tuple(stage.parameters())
        self.record: Record = make_record(stage, channels, sample_rate)
        self.address = self.record.address
        fed, brief = (round(seconds * sample_rate) for seconds in (FEED_SECONDS, WARM_SECONDS))
        self.filling = fed + stage.latency
        self.warming = max(fed, min(int(self.record["warm"]), brief))
        self._changes = 0
        self._given = self.record.arrays["targets"].copy()
        self._waiting: dict[int, float] = {}

    @property
    def native(self) -> bool:
        """Whether compiled code alone can run it."""
        return self.stage.native

    def number(self, name: str) -> int:
        """Place of a parameter in the stage's list; ConfigError where there is none."""
        return self.parameters.index(find_parameter(self.parameters, name, self.stage.name))

    def value(self, name: str) -> float:
        """Value last asked for."""
        return float(self.record.arrays["targets"][self.number(name)])

    def set(self, name: str, value: float) -> None:
        """Ask for a value at once (not live; live ones come as events)."""
        self.aim(name, value)
        number = self.number(name)
        self.record.arrays["current"][number] = self.record.arrays["targets"][number]

    def aim(self, name: str, value: float) -> None:
        """Ask for a value that is reached by a ramp (not live; live ones come as events)."""
        number = self.number(name)
        self.record.arrays["targets"][number] = self.parameters[number].number(value)
        self.record["changes"] += 1

    def step(self, slot: Record, wet: Block) -> int:
        """Step in Python over ``wet [channels, n]`` in place; 1 if what came is good."""
        if self.native:
            return int(run_at(self.address, wet, wet.ctypes.data))
        stage: Any = self.stage
        try:
            self._turn(slot, stage)
            made = stage.process(wet)
        except Exception as error:  # a broken stage must not end the sound
            self.error = error
            self.record["rest"] = 1
            return 0
        if not np.isfinite(made).all():
            stage.reset()
            self.record["errors"] += 1
            return 0
        wet[...] = made
        return 1

    def restart(self) -> None:
        """Clear what a Python stage remembers; compiled code has said that it starts afresh."""
        stage: Any = self.stage
        if not self.native:
            stage.restart()

    def _turn(self, slot: Record, stage: Any) -> None:
        """Hand new values to a Python stage; those that would click while it is not heard."""
        if int(self.record["changes"]) != self._changes:
            self._changes = int(self.record["changes"])
            targets = self.record.arrays["targets"]
            for number in map(int, np.flatnonzero(targets != self._given)):
                if not stage.turn(number, float(targets[number])):
                    self._waiting[number] = float(targets[number])
            self._given = targets.copy()
        if not self._waiting:
            return
        slot["muted"] = 1
        if slot["wet"] == 0.0:
            for waiting, value in self._waiting.items():
                stage.take(waiting, value)
            self._waiting.clear()
            slot["muted"] = 0

    def reset(self) -> None:
        """Return to the initial state, parameters as asked for (not live)."""
        self.stage.reset()
        r = self.record
        r.arrays["current"][...] = r.arrays["targets"]
        r.arrays["dry_line"][...] = r.arrays["last"][...] = 0.0
        latency = self.stage.latency
        r["latency"] = latency
        r.arrays["dry_state"][...] = (0, latency, latency, 0)
        r["level"] = r["fed"] = r["fed_goal"] = 1.0
        r["rest"] = int(self.error is not None)
        for name in ("holding", "unheard", "idle", "resting", "rest_left", "pressure", "clean"):
            r[name] = 0
        r["rest_length"] = r["rest_least"]
        for name in ("errors", "resets", "overruns", "trips", "rested"):
            r[name] = 0
        r.arrays["histogram"][...] = 0


class Slot:
    """One place of a path.

    Parameters
    ----------
    stage : Stage
        Prepared; owned by the slot.
    identity : int
        Unique within a session; how events and the crash mark name the slot.
    channels : int
    sample_rate : int [Hz]
    bypass : bool
    mix : float
        0 dry .. 1 wet.
    mark : ndarray [int64], optional
        Where the running slot's identity is written while it may crash.

    Attributes
    ----------
    placed : Placed
        The stage that plays once all edits are made.
    present : bool
        False for a slot on its way out.
    identity : int
        As it is once all edits are made.
    """

    def __init__(
        self,
        stage: Stage,
        identity: int,
        channels: int,
        sample_rate: int,
        *,
        bypass: bool = False,
        mix: float = 1.0,
        mark: Mark | None = None,
    ) -> None:
        if not 0.0 <= mix <= 1.0:
            raise ConfigError(f"stage_mix must be within 0..1, got {mix:g}")
        self.placed = Placed(stage, channels, sample_rate)
        self._known = {self.placed.address: self.placed}  # those not freed yet, the newest last
        self.mark = mark
        fade = round(FADE_SECONDS * sample_rate)
        self.identity = identity
        self.record = SLOT.make(
            identity=identity,
            channels=channels,
            stage=self.placed.address,
            fade_length=fade,
            bypass=float(bypass),
            mix=mix,
            step=1.0 / fade,
        )
        self.address = self.record.address
        self.present = True
        self.settle()

    @property
    def stage(self) -> Stage:
        """The stage that plays once all edits are made."""
        return self.placed.stage

    @property
    def name(self) -> str:
        """The stage's name."""
        return self.stage.name

    @property
    def latency(self) -> int:
        """The stage's latency [samples]; a slot on its way out has none."""
        return self.stage.latency if self.present else 0

    @property
    def settling(self) -> int:
        """How long it takes until it is heard after it has started afresh [samples]."""
        fade = COVER_FADE if self.stage.governed else 0
        return self.stage.latency + int(self.placed.record["warm"]) + fade

    @property
    def native(self) -> bool:
        """Whether compiled code alone can run it."""
        return all(p.native for p in self._known.values())

    @property
    def fading(self) -> bool:
        """Whether it comes, goes or changes its stage."""
        changing = bool(self.record["incoming"])
        return changing or self.record["presence"] != self.record["present"]

    def live(self) -> dict[str, tuple[int, int]]:
        """Where each value lies that an event can set, and its number in events, by its name."""
        targets = self.placed.record.arrays["targets"]
        return {
            "bypass": (self.record.where("bypass"), BYPASS),
            "stage_mix": (self.record.where("mix"), MIX),
        } | {
            p.name: (int(targets[k:].ctypes.data), PARAMETERS + k)
            for k, p in enumerate(self.placed.parameters)
            if p.live
        }

    # -- changes; each is prepared here and taken up by the stores of an edit --------------------

    def enter(self) -> None:
        """Make ready to fade in, once the stage is given all of the sound and has settled."""
        self.present = True
        self.record["present"], self.record["presence"] = 1.0, 0.0
        self.record["waiting"] = self.placed.filling + int(self.placed.record["warm"])
        self.placed.record["fed"] = 0.0

    def leave_stores(self) -> list[Store]:
        """What has the slot fade out."""
        return [(self.record.where("present"), as_bits(0.0))]

    def starve_stores(self) -> list[Store]:
        """What has a slot that has faded out, and is to come back, be given less and less sound."""
        return [(self.placed.record.where("fed_goal"), as_bits(0.0))]

    def enter_stores(self) -> list[Store]:
        """What has a slot that has faded out come back, perhaps elsewhere."""
        stage = self.placed.record
        return [
            (self.record.where("present"), as_bits(1.0)),
            (self.record.where("presence"), as_bits(0.0)),
            (self.record.where("waiting"), self.placed.filling),
            (stage.where("fed"), as_bits(0.0)),
            (stage.where("fed_goal"), as_bits(1.0)),
        ]

    def replace(self, other: Slot) -> list[Store]:
        """Take over the stage, identity, mix and bypass of `other`: what has it crossfaded to.

        To be made while no other stage is on its way in: not before :attr:`incoming` holds 0.
        """
        self.placed = other.placed
        self._known[self.placed.address] = self.placed
        self.identity, self.mark = other.identity, other.mark
        new = self.placed.record
        new["fed"] = 0.0
        return [
            (self.record.where("faded"), 0),
            (self.record.where("unheard"), self.placed.filling + int(new["warm"])),
            (self.record.where("identity"), self.identity),
            (self.record.where("bypass"), as_bits(other.record["bypass"])),
            (self.record.where("mix"), as_bits(other.record["mix"])),
            (self.record.where("incoming"), self.placed.address),
        ]

    @property
    def incoming(self) -> int:
        """Address of the stage that is crossfaded to: where that stands."""
        return self.record.where("incoming")

    def settle(self) -> None:
        """Complete all fades at once (not live)."""
        r = self.record
        r["present"] = r["presence"] = 1.0 if self.present else 0.0
        r["wet"] = 0.0 if r["bypass"] >= 0.5 else r["mix"]
        r["muted"] = r["waiting"] = r["incoming"] = 0
        r["stage"] = self.placed.address

    def reset(self) -> None:
        """Return to the initial state, all fades completed (not live)."""
        self.placed.reset()
        self.settle()

    # -- running in Python ------------------------------------------------------------------------

    def process(self, block: Block, scratch: Block) -> None:
        """Process ``block [channels, n]`` in place (worker thread).

        Parameters
        ----------
        scratch : ndarray [shape=(SCRATCH, channels, n), float32]
        """
        plays = self._known[int(self.record["stage"])]
        incoming = self._known.get(int(self.record["incoming"]))
        if plays.native and (incoming is None or incoming.native):
            run_slot(self.address, block, scratch.ctypes.data)
            return
        wet = self._run(plays, block, scratch[0], scratch[1])
        if incoming is not None:
            self._run(incoming, block, scratch[2], scratch[3])
        leave_at(self.address, block, scratch[1], scratch[3], wet)

    def _run(self, placed: Placed, block: Block, dry: Block, wet: Block) -> float:
        starts = int(placed.record["resets"])
        ran = begin_at(self.address, placed.address, block, dry, wet)
        good = 0
        if ran:
            if placed.record["resets"] != starts:
                placed.restart()
            self._write_mark(self.identity)
            good = placed.step(self.record, wet)
            self._write_mark(0)
        return float(end_at(self.address, placed.address, dry, wet, good, ran))

    def _write_mark(self, identity: int) -> None:
        if self.mark is not None:
            self.mark[MARK_STAGE] = identity

    def stages(self) -> list[Stage]:
        """The stage that plays, and those on their way in or out."""
        return [p.stage for p in self._known.values()]

    def shape_stores(self) -> list[tuple[int, int]]:
        """What follows from the stages inside a group: latency, settling, its branches' delays."""
        if not isinstance(self.stage, Gathers):
            return []
        record, stage = self.placed.record, self.stage
        latency = (record.where("latency"), stage.latency)
        return [latency, (record.where("warm"), stage.settling), *stage.delay_stores()]

    def collect(self) -> None:
        """Free the stages that have been crossfaded from (control thread, nothing fades)."""
        for placed in list(self._known.values()):
            if placed is not self.placed:
                placed.stage.close()
        self._known = {self.placed.address: self.placed}

    def close(self) -> None:
        """Free the stages (when they sound no more)."""
        for placed in self._known.values():
            placed.stage.close()
