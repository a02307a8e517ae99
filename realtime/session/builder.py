"""Build what a sound names: models, effects, plug-ins and groups, in slots of one path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import gcd, lcm
from pathlib import Path as FilePath
from typing import NamedTuple

from ..engine.group import Group
from ..engine.path import PASSTHROUGH_HOP, Path
from ..engine.placed import Mark, Slot
from ..engine.stage import Stage as EngineStage
from ..errors import ConfigError
from ..models.catalog import find_model
from ..models.load import (
    LARGEST_HOP,
    SMALLEST_HOP,
    ModelShape,
    capture_hop,
    open_model,
    read_shape,
)
from ..models.nam.oversample import OVERSAMPLING
from ..parameters.heard import Rows
from ..stages.model import ModelStage
from ..stages.native.common import Common
from ..stages.ranges import is_native
from .sound import Sound, Stage, walk

LEAST_BLOCK = 64  # samples; Python stages are not called for less
LONGEST_HOP = 8192  # samples


class Shape(NamedTuple):
    """What every stage of a path is prepared for.

    Attributes
    ----------
    sample_rate : int [Hz]
    hop : int [samples]
    native : bool
        Whether no stage needs Python.
    """

    sample_rate: int
    hop: int
    native: bool


class Builder:
    """Builds for one stream.

    Parameters
    ----------
    channels : int
    device_rate : int [Hz]
        The path's rate where no model sets one.
    block_size : int or None [samples]
        What the device brings; captures step by exactly that where they can.
    mark : ndarray [int64], optional
        Where the identity of the stage that is being built or run is written.
    progress : callable
        Told before and after each stage what is done; what it raises stops the building.
    input_level_dbu : float or None [dBu]
        What full scale stands for at the interface's input; captures are played at the level that
        they were captured at where both know theirs.
    heard : Rows, optional
        Where players tell their notes.
    """

    def __init__(
        self,
        channels: int,
        device_rate: int,
        block_size: int | None = None,
        mark: Mark | None = None,
        progress: Callable[[str], None] = lambda text: None,
        input_level_dbu: float | None = None,
        heard: Rows | None = None,
    ) -> None:
        self.channels, self._device_rate, self._mark = channels, device_rate, mark
        self._progress, self._common, self._heard = progress, Common(), heard
        self._level, self._gains = input_level_dbu, dict[int, float]()
        self.set_block(block_size)

    def set_block(self, block_size: int | None) -> None:
        """What the device brings from now on."""
        fits = block_size is not None and SMALLEST_HOP <= block_size <= LARGEST_HOP
        self._block = block_size if fits else None

    def shape(self, stages: Iterable[Stage]) -> Shape:
        """Rate and hop that serve all stages.

        Raises
        ------
        RestyleError
            A model cannot be read, or the models do not go together.
        """
        stages = tuple(stages)
        found = list(walk(stages))
        self._gains = {}
        self._calibrate(stages, self._level)
        models = [self._read(s.model) for s in found if s.model is not None]
        rates = {m.sample_rate for m in models}
        if len(rates) > 1:
            listed = " and ".join(f"{m.name} at {m.sample_rate} Hz" for m in models)
            raise ConfigError(f"models in one path run at one rate; here are {listed}")
        native = all(s.plugin is None for s in found) and all(
            is_native(s.effect, s.engine) for s in found if s.effect is not None
        )
        fixed = [m.hop for m in models if m.hop is not None]
        hop = lcm(*fixed) if fixed else PASSTHROUGH_HOP
        if len(fixed) < len(models) and not fixed:
            hop = self._block or capture_hop()
        if not native:
            hop *= -(-LEAST_BLOCK // hop)
        if hop > LONGEST_HOP:
            raise ConfigError(
                f"these models advance by {', '.join(map(str, sorted(set(fixed))))} samples, which"
                f" meet only every {hop}; the most is {LONGEST_HOP}"
            )
        return Shape(rates.pop() if rates else self._device_rate, hop, native)

    def _calibrate(self, stages: Iterable[Stage], level: float | None) -> None:
        """Work out the gain into each capture, of a sound whose full scale is `level` dBu."""
        for stage in stages:
            if stage.model is not None:
                model = self._read(stage.model)
                if level is not None and model.input_dbu is not None:
                    self._gains[stage.identity] = level - model.input_dbu
                level = model.output_dbu
            for branch in stage.group or ():
                self._calibrate(branch.stages, level)
            if any(s.model is not None for s in walk((stage,))) and stage.group is not None:
                level = None

    def _read(self, model: str) -> ModelShape:
        self._progress(f"reading {FilePath(model).name}")
        return read_shape(find_model(model))

    def path(self, sound: Sound) -> Path:
        """The whole path of a sound, everything opened and prepared."""
        shape = self.shape(sound.stages)
        slots: list[Slot] = []
        try:
            slots.extend(self.slot(stage, shape) for stage in sound.stages)
        except BaseException:
            for slot in slots:
                slot.close()
            raise
        return Path(
            slots,
            channels=self.channels,
            sample_rate=shape.sample_rate,
            hop=shape.hop,
            block_size=self._block_of(shape),
            mix=sound.mix,
            input_gain_db=sound.input_gain_db,
            output_gain_db=sound.output_gain_db,
        )

    def _block_of(self, shape: Shape) -> int | None:
        return self._block if shape.sample_rate == self._device_rate else None

    def slot(self, spec: Stage, shape: Shape) -> Slot:
        """One stage in a slot of its own, at its parameters."""
        slot = Slot(
            self.stage(spec, shape),
            spec.identity,
            self.channels,
            shape.sample_rate,
            bypass=spec.bypass,
            mix=spec.mix,
            mark=self._mark,
        )
        if spec.model is not None:
            for name, value in spec.parameters.items():
                number = slot.placed.number(name)
                parameter = slot.placed.parameters[number]
                slot.placed.set(name, parameter.number(value, f"model {spec.name}"))
        return slot

    def stage(self, spec: Stage, shape: Shape) -> EngineStage:
        """Build and prepare a stage; the mark names it meanwhile, as a plug-in may crash."""
        self._progress(f"opening {spec.name}")
        if self._mark is not None:
            self._mark[0] = spec.identity
        try:
            stage = self._made(spec, shape)
            try:
                stage.prepare(shape.sample_rate, self.channels, shape.hop)
                self._progress(f"{spec.name} is open")
            except BaseException:
                stage.close()
                raise
            return stage
        finally:
            if self._mark is not None:
                self._mark[0] = 0

    def _made(self, spec: Stage, shape: Shape) -> EngineStage:
        if spec.model is not None:
            path: FilePath = find_model(spec.model)
            factor = spec.parameters.get(OVERSAMPLING.name, 1.0)
            hop = self._capture_hop(shape.hop)
            gain = self._gains.get(spec.identity, 0.0)
            finer = OVERSAMPLING.number(factor, f"model {spec.name}")
            model = open_model(path, self.channels, hop, finer, gain)
            plays = model.card.kind == "player"
            return ModelStage(model, self._heard.take() if self._heard and plays else None)
        from ..stages.build import make_effect, make_plugin_stage  # pedalboard where it is needed

        if spec.effect is not None:
            return make_effect(
                spec.effect, spec.parameters, spec.engine, self._common, spec.identity
            )
        if spec.plugin is not None:
            return make_plugin_stage(
                spec.plugin, spec.plugin_name, spec.preset, spec.state, spec.parameters
            )
        return Group(
            [
                ([self.slot(inner, shape) for inner in branch.stages], branch.gain_db)
                for branch in spec.group or ()
            ]
        )

    def _capture_hop(self, hop: int) -> int:
        """What a capture steps by in a path of this hop: the device's block where that fits."""
        common = gcd(hop, self._block) if self._block else hop
        return common if common >= SMALLEST_HOP * 2 else min(hop, LARGEST_HOP)
