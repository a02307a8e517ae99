"""Work a session by data: build it from a spec, make the changes an operation asks for.

An operation is a mapping with ``op`` and its arguments; the same one does the same live, from the
control process, and in a replay.  Every change is logged with the position at which the sound took
it up.

==========  ==========================================================
``swap``    ``model`` (path or null), ``controls``
``preset``  ``spec``: model, chains, gains and mix anew
``insert``  ``place`` (pre or post), ``index``, ``stage``
``remove``  ``identity``
``move``    ``identity``, ``index``
``mix``     ``place``, ``value``: the mix of a whole chain
``lane``    ``lane``: inline or worker
``rest``    ``on``: stop running the model, or start it afresh
==========  ==========================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..dsp.dynamics import db_to_gain
from ..engine.engine import PASSTHROUGH_HOP
from ..errors import ChainError, ConfigError, nearest
from ..native.events import EventQueue
from ..stages.chain import Chain
from ..stream.transport import Transport
from .builder import Builder, describe
from .config import StreamConfig
from .session import Session
from .spec import PLACES, Spec, StageSpec

Operation = Mapping[str, Any]


class Change(NamedTuple):
    """A change the sound took up.

    Attributes
    ----------
    kind : str
        ``voice``: the callback crossfaded to another voice, `position` is the stream's;
        ``path``: the worker made an edit between two blocks, at ``operation["at"]`` of the path.
    """

    kind: str
    position: int
    operation: dict[str, Any]


class Desk:
    """A session with a spec, changed by operations.

    Parameters
    ----------
    spec : Spec
    device : Transport
    mark : ndarray [int64], optional
        Where the running stage's identity is written, see :class:`realtime.stages.slot.Slot`.
    record, events : optional
        Shared memory for the stream, see :class:`realtime.session.session.Session`.

    Attributes
    ----------
    spec : Spec
        As it is after the operations made.
    log : list of Change
        Changes heard out so far.
    """

    def __init__(
        self,
        spec: Spec,
        device: Transport,
        *,
        mark: npt.NDArray[np.int64] | None = None,
        record: npt.NDArray[np.void] | None = None,
        events: EventQueue | None = None,
    ) -> None:
        self.device, self.spec = device, spec
        self.channels = spec.device.channels or max(1, device.in_channels)
        self._build = Builder(device, self.channels, mark)
        self.log: list[Change] = []
        self._pending: dict[str, Any] | None = None
        pre, post = (self._build.chain(spec, place) for place in PLACES)
        model = self._build.model(spec.model)
        config = StreamConfig(
            lane=spec.lane,
            mix=spec.mix,
            input_gain_db=spec.input_gain_db,
            output_gain_db=spec.output_gain_db,
            controls=spec.controls,
            worker_blocks=spec.worker_blocks,
        )
        self.session = Session(
            config,
            device,
            model,
            channels=self.channels,
            pre=pre,
            post=post,
            in_map=spec.device.in_map,
            out_map=spec.device.out_map,
            fixed_latency=spec.fixed_latency,
            record=record,
            events=events,
        )
        if model is not None:
            self.session.own(model)
        if spec.bypass:
            self.session.memory.record["bypass"] = 1.0
            self.session.voice.record["bypass"] = 1.0

    # -- operations -----------------------------------------------------------------------------

    def do(self, operation: Operation, at: int | None = None, wait: bool = True) -> dict[str, Any]:
        """Make a change; it is wholly prepared before any of it is heard.

        Parameters
        ----------
        at : int [samples], optional
            Position of the path for a change of its chains; by default the next block.
        wait : bool
            Return when the change has been heard out, so that what is returned holds.

        Returns
        -------
        dict
            What the session is now, see :meth:`describe`.

        Raises
        ------
        RestyleError
            The operation cannot be made; the sound goes on as it was.
        """
        name = str(operation.get("op"))
        known = [m[4:] for m in dir(self) if m.startswith("_do_")]
        if name not in known:
            raise ConfigError(f"unknown operation '{name}'{nearest(name, known)}")
        if at is None:  # with a position, the changes before it have theirs, too
            self.settle()
        getattr(self, f"_do_{name}")(operation, at)
        if wait:
            self.settle()
        return self.describe()

    def settle(self) -> None:
        """Wait until the last change has been heard out, and log where it began."""
        self.session.settle()
        if self._pending is None:
            return
        path, operation = self.session.path, self._pending
        self._pending = None
        inside = [position for position, _ in path.taken]
        path.taken.clear()
        if inside:
            at = inside[-1]
            place = path.origin + int(at / float(self.session.voice.record["ratio"]))
            self.log.append(Change("path", place, {**operation, "at": at}))
        else:
            position = int(self.session.memory.record["swap_position"])
            self.log.append(Change("voice", position, operation))

    def _log(self, operation: Operation) -> None:
        self._pending = dict(operation)

    def _do_swap(self, operation: Operation, at: int | None) -> None:
        path, controls = operation.get("model"), operation.get("controls") or {}
        model = self._build.model(path)
        try:
            block = self.session.path.block_length
            hop = model.card.hop_length if model is not None else PASSTHROUGH_HOP
            rate = model.card.sample_rate if model is not None else self.device.sample_rate
            same = rate == self.session.engine.sample_rate and self.session.fixed_latency is None
            if self.session.path.native or (block % hop == 0 and same):
                self.session.swap(model, controls, operation.get("lane"), at)
            else:  # the chains have to be cut into other blocks: all of it anew
                pre, post = (self._build.chain(self.spec, place) for place in PLACES)
                self.session.replace(model, pre, post, controls, operation.get("lane"))
        except Exception:
            if model is not None:
                model.close()
            raise
        self.spec = replace(self.spec, model=path, controls=dict(controls))
        self._log({**operation, "lane": self.session.lane})

    def _do_lane(self, operation: Operation, at: int | None) -> None:
        controls = self.controls()
        model = self._build.model(self.spec.model)
        self.session.swap(model, controls, lane=str(operation["lane"]))
        self.spec = replace(self.spec, lane=str(operation["lane"]))
        self._log(operation)

    def _do_preset(self, operation: Operation, at: int | None) -> None:
        given = operation["spec"]
        spec = given if isinstance(given, Spec) else Spec.from_dict(given)
        spec = replace(spec, device=self.spec.device, fixed_latency=self.spec.fixed_latency)
        pre, post = (self._build.chain(spec, place) for place in PLACES)
        model = self._build.model(spec.model)
        try:
            gains = {
                "mix": spec.mix,
                "input_gain": db_to_gain(spec.input_gain_db),
                "output_gain": db_to_gain(spec.output_gain_db),
                "bypass": float(spec.bypass),
            }
            self.session.replace(model, pre, post, spec.controls, spec.lane, gains)
        except Exception:
            if model is not None:
                model.close()
            raise
        self.spec = spec
        self._log({**operation, "spec": replace(spec, lane=self.session.lane).to_dict()})

    def _do_insert(self, operation: Operation, at: int | None) -> None:
        place, index = _place(operation), int(operation.get("index", 1 << 20))
        given = operation["stage"]
        stage = given if isinstance(given, StageSpec) else StageSpec(**given)
        stages = list(self.spec.chain(place))
        stages.insert(index, stage)
        spec = self.spec.with_chain(place, stages)
        slot = self._build.slot(stage)
        chain: Chain | None = getattr(self.session.path, place)
        if chain is None:  # a native path has no place for Python stages: a voice that has
            controls = self.controls()
            pre, post = (Chain([slot] if place == p else []) for p in PLACES)
            model = self._build.model(self.spec.model)
            self.session.replace(model, pre, post, controls, "worker")
        else:
            ready, path, into = chain.ready(slot), self.session.path, chain
            path.edit("insert", lambda: into.insert(index, ready), at)
        self.spec = spec
        self._log({**operation, "stage": asdict(stage)})

    def _do_remove(self, operation: Operation, at: int | None) -> None:
        identity = self._known(operation)
        self._edit_slot("remove", identity, -1, at)
        self.spec = self.spec.without(identity)
        self._log(operation)

    def _do_move(self, operation: Operation, at: int | None) -> None:
        identity, index = self._known(operation), int(operation["index"])
        self._edit_slot("move", identity, index, at)
        for place in PLACES:
            stages = list(self.spec.chain(place))
            moved = [s for s in stages if s.identity == identity]
            if moved:
                stages.remove(moved[0])
                stages.insert(index, moved[0])
                self.spec = self.spec.with_chain(place, stages)
        self._log(operation)

    def _do_mix(self, operation: Operation, at: int | None) -> None:
        place, value = _place(operation), float(operation["value"])
        chain: Chain | None = getattr(self.session.path, place)
        if not 0.0 <= value <= 1.0:
            raise ConfigError(f"{place}_mix must be within 0..1, got {value:g}")
        if chain is not None:
            self.session.path.edit("mix", lambda: setattr(chain, "mix", value), at)
        pre = place == "pre"
        self.spec = replace(self.spec, pre_mix=value) if pre else replace(self.spec, post_mix=value)
        self._log(operation)

    def _do_rest(self, operation: Operation, at: int | None) -> None:
        self.session.engine.rest(bool(operation["on"]))

    def _known(self, operation: Operation) -> int:
        """The stage an operation names, among those there are once all edits are made."""
        identity = int(operation["identity"])
        if identity not in [s.identity for s in self.spec.stages]:
            raise ChainError(f"there is no stage {identity}")
        return identity

    def _edit_slot(self, name: str, identity: int, moving_to: int, at: int | None) -> None:
        """Have a slot leave its place, between two blocks."""
        path = self.session.path

        def change() -> None:
            slot = path.slot(identity)
            if slot is not None:
                slot.leave(moving_to)

        path.edit(name, change, at)

    # -- what there is --------------------------------------------------------------------------

    def controls(self) -> dict[str, float]:
        """Model controls as last asked for."""
        engine = self.session.engine
        names = [c.name for c in engine.model.card.controls] if engine.model else []
        return {n: engine.get(n) for n in names}

    def describe(self) -> dict[str, Any]:
        """Lane, latency and parameters, as plain data."""
        return describe(self.session)


def _place(operation: Operation) -> str:
    place = str(operation.get("place"))
    if place not in PLACES:
        raise ConfigError(f"a chain is pre or post, got '{place}'")
    return place
