"""The slow side of the governor: a model that keeps being late is given more room.

The callback's own governor (:mod:`realtime.engine.governor`) sends a late model to rest at once.
Here, off the audio path, a slimmer variant is put in its place if there is one, else the path moves
to the worker lane, where being late costs concealment but no missed callback.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from ..engine.placed import Slot
from ..errors import RestyleError
from ..models.catalog import find_model, list_models
from ..session.operations import Lane, Swap
from ..session.session import Session

LEAST_SECONDS = 1.0  # between two measures


class LateModels:
    """Watches a session's stages for rests and failures.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trips: dict[int, int] = {}  # by the stage's identity, as of the last measure
        self._told: set[tuple[int, str]] = set()
        self._last = 0.0

    def look(self) -> list[dict[str, Any]]:
        """What was noticed or done since the last call, as notices."""
        slots = [s for s in self._session.stream.path.slots() if s.present]
        notices = [found for slot in slots for found in self._failures(slot)]
        late = next((s for s in slots if self._is_late(s)), None)
        waits = time.monotonic() - self._last < LEAST_SECONDS
        if late is None or waits or self._session.stream.pending:
            return notices
        self._trips[late.identity] = int(late.placed.record["trips"])
        self._last = time.monotonic()
        return [*notices, self._relieve(late)]

    def _is_late(self, slot: Slot) -> bool:
        return int(slot.placed.record["trips"]) > self._trips.get(slot.identity, 0)

    def _failures(self, slot: Slot) -> list[dict[str, Any]]:
        """What a stage is to be told of, once."""
        found = []
        placed, note = slot.placed, getattr(slot.stage, "note", None)
        if placed.error is not None and self._is_news(slot, "error"):
            found.append({"stage": slot.name, "failed": str(placed.error)})
        elif placed.native and placed.record["errors"] and self._is_news(slot, "errors"):
            found.append({"model": slot.name, "failed": str(getattr(slot.stage, "error", None))})
        if note is not None and self._is_news(slot, note):
            found.append({"note": note})
        return found

    def _is_news(self, slot: Slot, what: str) -> bool:
        key = slot.identity, what
        new = key not in self._told
        self._told.add(key)
        return new

    def _relieve(self, slot: Slot) -> dict[str, Any]:
        """Put a slimmer model in a slot, or all of the path into the worker lane."""
        session, notice = self._session, {"late": slot.name}
        stage = session.now().sound.find(slot.identity)
        slim = slimmer(stage.model) if stage is not None else None
        try:
            if stage is not None and slim is not None:
                lighter = msgspec.structs.replace(stage, model=str(slim))
                session.do(Swap(stage.identity, lighter))
                notice["instead"] = slim.stem
            elif session.stream.lane == "inline" and session.stream.fixed_latency is None:
                session.do(Lane("worker"))
                notice["lane"] = "worker"
        except RestyleError as error:
            notice["failed"] = str(error)
        return notice


def slimmer(model: str | None) -> Path | None:
    """A variant ``NAME-lite`` of a model that lies beside it or in the catalogue."""
    if model is None:
        return None
    here = find_model(model)
    if here.stem.endswith("-lite"):
        return None
    beside = here.with_name(f"{here.stem}-lite{here.suffix}")
    if beside.is_file():
        return beside
    return next((m.path for m in list_models() if m.path.stem == f"{here.stem}-lite"), None)
