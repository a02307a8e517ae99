"""Keep a session playing: start an engine, hear of its end, put another in its place.

A second engine process stands by, everything imported and compiled, so that sound is back within a
second.  A stage that was running when the engine ended comes back once another engine stands by; if
it ends that one too, it is left out and named.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self

from ..errors import RestyleError
from ..session.spec import PLACES, Spec
from .engine_link import EngineLost, Link
from .shared_memory import STAGE, Board
from .watch import Incident, Watchdog

ANSWER_SECONDS = 15.0  # an operation that takes longer is a hang
END_SECONDS = 3.0  # how long the end waits for a change that is being made
MOST_STRIKES = 2  # ends of the engine with the same stage running
PATIENCE_SECONDS = 30.0  # how long a stage under suspicion waits for a standby
PATIENT_TRIES = 2  # before the default devices are tried, where that is allowed
RETRY_SECONDS = (0.05, 5.0)  # first and longest pause between attempts to open the device


class Keeper:
    """One session, kept playing; the base of :class:`realtime.host.host.Host`.

    Parameters
    ----------
    spec : Spec
    tell : callable, optional
        Takes one sentence about what happened (an engine restarted, a model moved ...), from
        another thread.
    standby : bool
        Whether a second process waits to take over.
    journal : bool
        Whether the engine journals blocks and events from the start, for a capture.
    taps : iterable of str
        ``dry``, ``wet``: what is kept for a recording from the first sample on.

    Attributes
    ----------
    spec : Spec
        The last good session.
    now : dict
        What plays, see :meth:`realtime.session.editor.Desk.describe`.
    incidents : list of Incident
        Ends of engine processes so far.
    """

    def __init__(
        self,
        spec: Spec,
        tell: Callable[[str], None] | None = None,
        *,
        standby: bool = True,
        journal: bool = False,
        taps: Iterable[str] = (),
    ) -> None:
        self.spec, self._tell = spec, tell or (lambda text: None)
        self._standby_wanted, self._journal = standby, journal
        self._tapped = {"dry", "wet"} if journal else set(taps)
        self._lock = threading.RLock()
        self._events, self._state = threading.Lock(), threading.Lock()
        self.incidents: list[Incident] = []
        self._strikes: dict[int, int] = {}
        self.now: dict[str, Any] = {}
        self._closing = False
        self._identities = max((s.identity for s in spec.stages), default=0)
        self.link = Link(Board(), self._heard)
        self._standby: Link | None = None
        self._watchdog = Watchdog(self)

    # -- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the device and play.

        Raises
        ------
        RestyleError
            The session cannot be opened as asked.
        """
        self.link.wait_ready()
        for warning in self.link.warnings:
            self._tell(warning)
        self.now = self._open(self.link, self.spec)
        self._watchdog.start()
        if self._standby_wanted:
            self._standby = Link(Board(), self._heard)

    def _open(self, link: Link, spec: Spec) -> dict[str, Any]:
        operation = {
            "op": "open",
            "spec": spec.to_dict(),
            "journal": self._journal,
            "taps": dict.fromkeys(self._tapped, True),
        }
        opened: dict[str, Any] = link.ask(operation, ANSWER_SECONDS)
        return opened

    def stop(self) -> None:
        """Stop the sound and both processes; the board stays readable until :meth:`close`."""
        self._closing = True
        self._watchdog.stop()
        if not self._lock.acquire(timeout=END_SECONDS):  # somebody waits for an engine that hangs
            self.link.kill()
            self._lock.acquire()
        try:
            for link in (self.link, self._standby):
                if link is not None:
                    link.end()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Stop, and give the shared memory back."""
        self.stop()
        for link in (self.link, self._standby):
            if link is not None:
                link.board.close()
        self._standby = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def board(self) -> Board:
        """The shared memory of the engine that plays."""
        return self.link.board

    @property
    def standby_ready(self) -> bool:
        """Whether another engine waits to take over."""
        return self._standby is not None and self._standby.ready

    # -- news of the engine ---------------------------------------------------------------------

    def _heard(self, link: Link, message: tuple[Any, ...]) -> None:
        """A link's thread brings news."""
        if self._closing or link is not self.link:
            return
        if message[0] == "notice":
            self._notice(message[1])
        elif message[0] == "dead":
            self.replace_engine(link, "it died")
        elif message[0] == "lost" and message[1] == "end":
            link.ended = True
        elif message[0] == "lost":
            self.replace_engine(link, message[2])

    def _notice(self, notice: dict[str, Any]) -> None:
        if "note" in notice:
            self._tell(notice["note"])
        elif "stage" in notice:
            self._tell(f"'{notice['stage']}' failed and is passed over: {notice['failed']}")
        elif "late" in notice:
            done = notice.get("instead") and f"'{notice['instead']}' plays instead"
            done = done or (notice.get("lane") and f"it moved to the {notice['lane']} lane")
            self._tell(f"the model '{notice['late']}' is too slow here; {done or 'it rests'}")
            if notice.get("instead") or notice.get("lane"):
                self._refresh()
        else:
            self._tell(f"the model fails to run: {notice.get('failed')}; the dry sound plays")

    def _refresh(self) -> None:
        """Learn what the engine changed by itself (not from the link's thread: it would wait)."""

        def ask() -> None:
            with self._lock:
                try:
                    self.now = {**self.now, **self.link.ask({"op": "describe"}, ANSWER_SECONDS)}
                except RestyleError:
                    pass

        threading.Thread(target=ask, daemon=True).start()

    @property
    def active(self) -> bool:
        """Whether there is, or will be, sound."""
        return not self._closing and not self.link.ended

    def wait(self, seconds: float | None = None) -> None:
        """Return after `seconds`, or when the device ends by itself."""
        end = None if seconds is None else time.monotonic() + seconds
        while self.active and (end is None or time.monotonic() < end):
            left = 0.05 if end is None else max(0.0, min(0.05, end - time.monotonic()))
            time.sleep(left)

    def _engine_replaced(self) -> None:
        """Called, under the lock, when another engine has begun to play."""

    # -- when an engine ends ----------------------------------------------------------------------

    def replace_engine(self, link: Link, reason: str, suspect: int = 0) -> None:
        """Kill an engine and play the last good session on another (any thread).

        `suspect` is the stage that is known to have ended it; by default the one the mark names.
        """
        with self._lock:
            if self._closing or link is not self.link:
                return
            begin = time.monotonic()
            running = suspect or int(link.board.status[STAGE])
            link.kill()
            struck = self._strike(running)
            pause, suspect = RETRY_SECONDS[0], running if struck is None else 0
            failures = 0
            while not self._closing:
                fresh = self._standby or Link(Board(), self._heard)
                self._standby = None
                try:
                    fresh.wait_ready()
                    self.now = self._open(fresh, self._next_try(suspect, failures))
                    break
                except RestyleError as error:
                    failures += 1
                    if failures == 1:
                        self._tell(f"the sound stopped: {error}; trying again until it is back")
                    reason = f"{reason}; then {error}"
                    suspect = int(fresh.board.status[STAGE])
                    if self._strike(suspect) is not None:
                        suspect = 0
                    fresh.kill()
                    fresh.board.close()
                    time.sleep(pause)
                    pause = min(2.0 * pause, RETRY_SECONDS[1])
            else:
                return
            self.link = fresh
            self._engine_replaced()
            link.board.close()
            incident = Incident(reason, running, struck, time.monotonic() - begin)
            self.incidents.append(incident)
            if self._standby_wanted:
                self._standby = Link(Board(), self._heard)
        self._tell(incident.sentence())
        if any(s.identity == suspect for s in self.spec.stages):
            threading.Thread(target=self._bring_back, args=(suspect,), daemon=True).start()

    def _next_try(self, suspect: int, failures: int) -> Spec:
        """What to open: without the stage under suspicion, and with other devices if allowed."""
        spec = self.spec.without(suspect)
        if spec.device.fall_back and failures >= PATIENT_TRIES:
            device = replace(spec.device, input=None, output=None, sample_rate=None)
            return replace(spec, device=device)
        return spec

    def _bring_back(self, identity: int) -> None:
        """Fade a stage in again that ran when the engine died, once another engine stands by."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not self.standby_ready and time.monotonic() < end and not self._closing:
            time.sleep(0.05)
        with self._lock:
            for place in PLACES:
                stages = self.spec.chain(place)
                here = [i for i, s in enumerate(stages) if s.identity == identity]
                if not here or self._closing:
                    continue
                operation = {
                    "op": "insert",
                    "place": place,
                    "index": here[0],
                    "stage": asdict(stages[here[0]]),
                }
                link = self.link
                try:
                    self.now = {**self.now, **link.ask(operation, ANSWER_SECONDS)}
                except EngineLost as error:
                    self.replace_engine(link, str(error), identity)
                except RestyleError as error:
                    self.spec = self.spec.without(identity)
                    self._tell(f"'{stages[here[0]].name}' does not come back: {error}")

    def _strike(self, identity: int) -> str | None:
        """Count an end against the stage that ran; its name when it is left out from now on."""
        stage = next((s for s in self.spec.stages if s.identity == identity), None)
        if stage is None:
            return None
        self._strikes[identity] = self._strikes.get(identity, 0) + 1
        if self._strikes[identity] < MOST_STRIKES:
            return None
        self.spec = self.spec.without(identity)
        return stage.name
