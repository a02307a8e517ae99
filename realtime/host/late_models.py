"""The slow side of the governor: a model that keeps being late is given more room.

The callback's own governor (:mod:`realtime.engine.governor`) sends a late model to rest at once.
Here, off the audio path, a slimmer variant is put in its place if there is one, else it moves to
the worker lane, where being late costs concealment but no missed callback.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ..errors import RestyleError
from ..models.catalog import list_models
from ..session.editor import Desk

LEAST_SECONDS = 1.0  # between two measures


class Relief:
    """Watches a desk's engine for rests.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: dict[int, int] = {}
        self._notes: dict[int, str] = {}  # what a plug-in's latency turned out to be, once told
        self._last = 0.0

    def look(self) -> list[dict[str, Any]]:
        """What was noticed or done since the last call, as notices."""
        desk, engine = self._desk, self._desk.session.engine
        identity, trips = int(engine.lane["identity"]), int(engine.lane["trips"])
        errors = int(engine.lane["model_errors"])
        notices: list[dict[str, Any]] = []
        for slot in (s for c in desk.session.path.chains for s in c.slots):
            if slot.error is not None and self._seen.get(-slot.identity) is None:
                self._seen[-slot.identity] = 1
                notices.append({"stage": slot.stage.name, "failed": str(slot.error)})
            note = getattr(slot.stage, "note", None)
            if note is not None and self._notes.get(slot.identity) != note:
                self._notes[slot.identity] = note
                notices.append({"note": note})
        if errors and not self._seen.get(identity + (1 << 40)):
            self._seen[identity + (1 << 40)] = 1
            reason = engine.model.error if engine.model else None
            notices.append({"model": desk.spec.model, "failed": str(reason)})
        if trips <= self._seen.get(identity, 0) or desk.session.pending:
            return notices
        if time.monotonic() - self._last < LEAST_SECONDS:
            return notices
        self._seen[identity], self._last = trips, time.monotonic()
        notice: dict[str, Any] = {"late": engine.model.card.name if engine.model else None}
        slim = slimmer(desk.spec.model)
        try:
            if slim is not None:
                desk.do({"op": "swap", "model": str(slim), "controls": desk.controls()})
                notice["instead"] = slim.stem
            elif desk.session.lane == "inline" and desk.session.fixed_latency is None:
                desk.do({"op": "lane", "lane": "worker"})
                notice["lane"] = "worker"
        except RestyleError as error:
            notice["failed"] = str(error)
        return [*notices, notice]


def slimmer(path: str | None) -> Path | None:
    """A variant ``NAME-lite`` of the model at `path` that lies beside it or in the catalog."""
    if path is None:
        return None
    here = Path(path)
    if here.stem.endswith("-lite"):
        return None
    beside = here.with_name(f"{here.stem}-lite{here.suffix}")
    if beside.is_file():
        return beside
    return next((m.path for m in list_models() if m.path.stem == f"{here.stem}-lite"), None)
