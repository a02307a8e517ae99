"""The engine processes of a session: which plays, which is to play next, which stands by."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import RestyleError, StreamError
from .child import Message
from .engine_link import Link, Starter

END_SECONDS = 3.0  # what engines get to end by themselves
KILLED_SECONDS = 5.0  # and to be gone once killed
RETRY_SECONDS = (0.05, 5.0)  # first and longest pause between attempts


class Crew:
    """All engine processes there are; the supervisor's loop alone uses it.

    Parameters
    ----------
    start : callable
        Starts a process.
    heard : callable
        Takes a link and each message of its process, from another thread.
    clock : callable
        Seconds that never run backwards.

    Attributes
    ----------
    engine, fresh, standby : Link or None
        The one that plays, the one that is to play next, the one that waits.
    """

    def __init__(
        self, start: Starter, heard: Callable[[Link, Message], None], clock: Callable[[], float]
    ) -> None:
        self._start, self._heard, self._clock = start, heard, clock
        self.engine: Link | None = None
        self.fresh: Link | None = None
        self.standby: Link | None = None
        self._leaving: list[tuple[Link, float]] = []  # told to end; killed when it is time
        self._standby_due, self._standby_pause = 0.0, RETRY_SECONDS[0]

    @property
    def links(self) -> list[Link]:
        """All of them, those that are leaving included."""
        found = [self.engine, self.fresh, self.standby, *(link for link, _ in self._leaving)]
        return [link for link in found if link is not None]

    @property
    def leavers_are_gone(self) -> bool:
        """Whether no engine that leaves may still hold the device."""
        time = self._clock()
        return all(link.gone or time > due + KILLED_SECONDS for link, due in self._leaving)

    def prepare(self) -> None:
        """Have the next engine come up: the one that stands by, or a new one.

        Raises
        ------
        RestyleError, OSError, RuntimeError
            No process or no memory can be had.
        """
        fresh, self.standby = self.standby, None
        self.fresh = fresh or Link(self._start, self._heard, self._clock())

    def promote(self) -> Link:
        """The fresh engine plays; returned."""
        assert self.fresh is not None
        self.engine, self.fresh = self.fresh, None
        return self.engine

    def drop_fresh(self) -> None:
        """The fresh engine is not used."""
        link, self.fresh = self.fresh, None
        if link is not None:
            self.end(link)

    def end(self, link: Link) -> None:
        """End one at once."""
        link.kill()
        self._leaving.append((link, self._clock()))

    def leave(self, link: Link) -> None:
        """Let one that is not needed any more end by itself."""
        if all(link is not other for other, _ in self._leaving):
            link.quit()
            self._leaving.append((link, self._clock() + END_SECONDS))

    def let_go(self) -> None:
        """Kill what does not end; forget what has ended."""
        time = self._clock()
        for link, due in self._leaving:
            if not link.gone and time >= due:
                link.kill()
            if link.gone and link is not self.engine:
                link.board.close()
        self._leaving = [(link, due) for link, due in self._leaving if not link.gone]

    def look(self) -> None:
        """Look at the boards."""
        time = self._clock()
        for link in (self.engine, self.fresh, self.standby):
            if link is not None and not link.gone:
                link.watch.look(time)

    def keep_standby(self, wanted: bool) -> str | None:
        """Have an engine stand by where one is wanted; a sentence where none can."""
        link, time = self.standby, self._clock()
        if link is not None and (link.lost is not None or link.watch.stuck):
            self.standby = None
            self.end(link)
            self._standby_later()
        elif link is not None and link.ready:
            self._standby_pause = RETRY_SECONDS[0]
        if not wanted or self.standby is not None or time < self._standby_due:
            return None
        try:
            self.standby = Link(self._start, self._heard, time)
        except (RestyleError, OSError, RuntimeError) as error:
            self._standby_later()
            return f"no second engine can stand by: {plainly(error)}; trying again"
        return None

    def _standby_later(self) -> None:
        self._standby_due = self._clock() + self._standby_pause
        self._standby_pause = min(2.0 * self._standby_pause, RETRY_SECONDS[1])

    def close(self) -> None:
        """Kill all; the counters of the one that played may still be read."""
        for link in self.links:
            link.kill()
            if link is not self.engine:
                link.board.close()


def plainly(error: Exception) -> RestyleError:
    """An error as a caller is to see it."""
    if isinstance(error, RestyleError):
        return error
    if isinstance(error, OSError):
        return StreamError(f"no process can be started: {error.strerror or error}")
    return StreamError(f"this failed: {error!r}")
