"""What a change does meanwhile, and that it is not wanted any more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import RestyleError
from ..models.steppable import Steppable
from ..session.builder import Builder
from ..session.spec import Spec, StageSpec
from ..stages.chain import Chain
from ..stages.slot import Slot


class Cancelled(RestyleError):
    """A change that was called off; nothing has changed."""


class Reporting(Builder):
    """Tells of each step of a builder, and stops between two steps where that is wanted.

    Parameters
    ----------
    builder : Builder
        Does the work.
    progress : callable
        Takes a sentence; may raise :class:`Cancelled`.
    """

    def __init__(self, builder: Builder, progress: Callable[[str], None]) -> None:
        self._builder, self._progress = builder, progress

    def model(self, path: str | None) -> Steppable | None:
        """Open a model; None where there is none."""
        if path is None:
            return None
        self._progress(f"opening the model {Path(path).name}")
        return self._built(self._builder.model(path))

    def slot(self, spec: StageSpec) -> Slot:
        """Build one stage."""
        self._progress(f"opening {spec.name}")
        slot = self._builder.slot(spec)
        self._progress(f"{spec.name} is open")
        return slot

    def chain(self, spec: Spec, place: str) -> Chain | None:
        """The chain of that place."""
        if not spec.stages:
            return None
        mix = spec.pre_mix if place == "pre" else spec.post_mix
        return Chain([self.slot(s) for s in spec.chain(place)], mix)

    def _built(self, model: Any) -> Any:
        try:
            self._progress("warming up")
        except RestyleError:
            model.close()
            raise
        return model
