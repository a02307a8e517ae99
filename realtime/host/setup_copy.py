"""A copy of the session that runs ahead of its owner.

The engine owns the session that plays and tells it whole after each change.  Knobs are turned
without asking it; until the owner has heard of them, they are laid over what it told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..session.spec import Spec, StageSpec
from .knobs import Turn, turned_all

Missing = tuple[str, int, StageSpec]  # place, index, stage


class SetupCopy:
    """The session as it was last asked for.

    Parameters
    ----------
    spec : Spec
        Its device is the one that is wanted, whichever plays meanwhile.

    Attributes
    ----------
    spec : Spec
    missing : Missing or None
        A stage that is out for a while and comes back.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.missing: Missing | None = None
        self._ahead: dict[tuple[int, str], float] = {}
        self._sent: dict[tuple[int, str], float] = {}

    @property
    def ahead(self) -> tuple[Turn, ...]:
        """Knobs the owner has not heard of."""
        return tuple((*key, value) for key, value in self._ahead.items())

    def turn(self, turns: Iterable[Turn]) -> None:
        """Turn knobs here; the owner hears of them with the next change."""
        for identity, parameter, value in turns:
            self._ahead[identity, parameter] = value
            self.spec = turned_all(self.spec, [(identity, parameter, value)])

    def send(self) -> tuple[Turn, ...]:
        """What goes to the owner before the change that is sent now."""
        sent, self._sent, self._ahead = self.ahead, self._ahead, {}
        return sent

    def told(self, spec: Spec, *, answer: bool = False) -> None:
        """The owner's session; `answer` when it is what became of the change that was sent."""
        if answer:
            self._sent = {}
        spec = replace(spec, device=self.spec.device)
        if self.missing is not None:
            place, index, stage = self.missing
            if all(s.identity != stage.identity for s in spec.stages):
                stages = list(spec.chain(place))
                stages.insert(index, stage)
                spec = spec.with_chain(place, stages)
        for turns in (self._sent, self._ahead):
            spec = turned_all(spec, [(*key, value) for key, value in turns.items()])
        self.spec = spec

    def lost(self) -> None:
        """The owner has ended; the next one begins with this copy."""
        self._ahead, self._sent = {}, {}
