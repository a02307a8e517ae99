"""Build what a spec names: models, stages and chains for one stream."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..models.load import open_model
from ..models.steppable import Steppable
from ..stages.chain import Chain
from ..stages.file import build_stage
from ..stages.slot import Slot
from ..stream.transport import Transport
from .session import Session
from .spec import PLACES, Spec, StageSpec


class Builder:
    """Builds for `channels` channels of `device`.

    Parameters
    ----------
    mark : ndarray [int64] or None
        Where the identity of the stage that is being built or run is written.
    """

    def __init__(
        self, device: Transport, channels: int, mark: npt.NDArray[np.int64] | None = None
    ) -> None:
        self._device, self._channels, self._mark = device, channels, mark

    def model(self, path: str | None) -> Steppable | None:
        """Open a model; None where there is none."""
        if path is None:
            return None
        return open_model(Path(path), self._channels, self._device.block_size)

    def slot(self, spec: StageSpec) -> Slot:
        """Build one stage; the mark names it meanwhile, as loading a plug-in may crash."""
        if self._mark is not None:
            self._mark[0] = spec.identity
        try:
            stage: Any = build_stage(dict(spec.entry), Path())
            listed = {p.name: p for p in getattr(stage, "parameters", list)()}
            for name, value in spec.values.items():
                stage.set_parameter(name, _own(listed.get(name), value))
        finally:
            if self._mark is not None:
                self._mark[0] = 0
        slot = Slot(stage, spec.identity, bypass=spec.bypass, mix=spec.mix)
        slot.mark = self._mark
        return slot

    def chain(self, spec: Spec, place: str) -> Chain | None:
        """The chain of that place; an empty one beside a chain that is not, so both can grow."""
        if not spec.stages:
            return None
        mix = spec.pre_mix if place == "pre" else spec.post_mix
        return Chain([self.slot(s) for s in spec.chain(place)], mix)


def _own(parameter: Any, value: float) -> Any:
    """A number as the parameter's own kind of value: a choice by its place, or true and false."""
    if parameter is not None and parameter.kind == "choice":
        return parameter.choices[round(value)]
    return value >= 0.5 if parameter is not None and parameter.kind == "bool" else value


def describe(session: Session) -> dict[str, Any]:
    """Model, lane, latency and parameters of a session, as plain data."""
    engine = session.engine
    card = engine.model.card if engine.model else None
    return {
        "identity": int(engine.lane["identity"]),
        "model": card.name if card else None,
        "lane": session.lane,
        "lane_reason": session.lane_reason,
        "hop_length": engine.hop_length,
        "model_rate": engine.sample_rate,
        "latency": session.budget.to_dict(),
        "controls": [asdict(c) for c in card.controls] if card else [],
        "stages": [
            {
                "identity": s.identity,
                "name": s.name,
                "place": place,
                "latency": s.latency,
                "parameters": [asdict(p) for p in getattr(s.stage, "parameters", list)()],
            }
            for place in PLACES
            if getattr(session.path, place) is not None
            for s in getattr(session.path, place).slots
            if s.present
        ],
    }
