"""A copy of the setup that runs ahead of its owner.

The engine owns the setup that plays and tells it whole after each change.  Parameters are set
without asking it; until the owner has heard of them, they are laid over what it told.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ..session.operations import Insert, Turn, turned
from ..session.sound import Setup


class SetupCopy:
    """The setup as it was last asked for.

    Parameters
    ----------
    setup : Setup
        Its device is the one that is wanted, whichever plays meanwhile.

    Attributes
    ----------
    setup : Setup
    missing : Insert or None
        What brings a stage back that is out for a while.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.missing: Insert | None = None
        self._ahead: dict[tuple[int, str], float] = {}

    @property
    def ahead(self) -> tuple[Turn, ...]:
        """Parameters set since the change that was sent last."""
        return tuple((*key, value) for key, value in self._ahead.items())

    def turn(self, turns: Iterable[Turn]) -> None:
        """Set parameters here."""
        for identity, name, value in turns:
            self._ahead[identity, name] = value
            self.setup = turned(self.setup, [(identity, name, value)])

    def send(self) -> None:
        """A change is sent; whatever was set before, the owner has heard of by then."""
        self._ahead = {}

    def told(self, setup: Setup) -> None:
        """The owner's setup."""
        setup = setup.with_device(self.setup.device)
        if self.missing is not None and setup.sound.find(self.missing.stage.identity) is None:
            setup = self.missing.apply(setup)
        self.setup = turned(setup, self.ahead)

    def leave_off(self, identity: int) -> bool:
        """Do not load any sound but the one that plays beforehand that has this stage."""
        setup = self.setup
        shelf = tuple(s for s in setup.shelf if s.find(identity) is None)
        if not identity or len(shelf) == len(setup.shelf) or setup.sound.find(identity):
            return False
        self.setup = msgspec.structs.replace(setup, shelf=shelf)
        return True

    def lost(self) -> None:
        """The owner has ended; the next one begins with this copy."""
        self._ahead = {}
