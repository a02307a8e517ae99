"""An engine that is a script: it speaks the pipe's protocol, plays nothing and breaks on demand.

With it and a clock of our own the supervisor is stepped through its states without a process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from realtime.host.child import Message
from realtime.host.engine_link import Link
from realtime.host.machine import State
from realtime.host.notes import Notes
from realtime.host.requests import Request
from realtime.host.shared_memory import HEARTBEAT, WORK, Board
from realtime.host.supervisor import Supervisor
from realtime.session.sound import Device, Setup

NOW = {"device": {"paced": True, "sample_rate": 48000}, "parameters": {}, "counts": []}


class FakeChild:
    """A process that is none; what it is told is in `told`."""

    pid = 0

    def __init__(self, board: Board, heard: Callable[[Message], None]) -> None:
        self.board, self.heard = board, heard
        self.told: list[tuple[int, str, dict[str, Any]]] = []
        self.dead = False

    def send(self, message: Message) -> None:
        self.told.append(message)  # type: ignore[arg-type]
        if message[1] == "quit":
            self.kill()

    def kill(self) -> None:
        if not self.dead:
            self.dead = True
            self.heard(("gone",))

    def asked(self, kind: str) -> list[tuple[int, dict[str, Any]]]:
        return [(n, body) for n, k, body in self.told if k == kind]

    def open(self) -> None:
        """Answer that it plays what it was asked to."""
        number, body = self.asked("open")[-1]
        self.heard(("done", number, (body["setup"], dict(NOW))))

    def done(self, setup: Setup | None = None) -> None:
        """Answer that the last change is made."""
        number, body = self.asked("edit")[-1]
        self.heard(("done", number, (setup or Setup(), dict(NOW))))


class Stage:
    """A supervisor that is stepped by hand, its fake engines, and a clock."""

    def __init__(
        self, setup: Setup | None = None, *, standby: bool = False, **settings: Any
    ) -> None:
        self.time = 1000.0
        self.made: list[FakeChild] = []
        self.fails: Exception | None = None  # of the next process that is started
        self.told: list[str] = []
        self.notes = Notes()
        self.supervisor = Supervisor(
            setup or Setup(device=Device(kind="tape", tape="none")),
            self.notes,
            standby=standby,
            start_child=self._start,
            clock=lambda: self.time,
            **settings,
        )
        self.supervisor.show()

    def _start(self, board: Board, heard: Callable[[Message], None]) -> FakeChild:
        if self.fails is not None:
            raise self.fails
        child = FakeChild(board, heard)
        self.made.append(child)
        return child

    @property
    def state(self) -> State:
        return self.supervisor.facts.state

    @property
    def engine(self) -> FakeChild:
        """The one that plays."""
        link = self.supervisor.crew.engine
        assert link is not None
        return self.child(link)

    @property
    def fresh(self) -> FakeChild:
        """The one that comes up."""
        link = self.supervisor.crew.fresh
        assert link is not None
        return self.child(link)

    def child(self, link: Link) -> FakeChild:
        found = link.process
        assert isinstance(found, FakeChild)
        return found

    def sentences(self) -> list[str]:
        return [str(n["text"]) for n in self.notes.kept]

    def ask(self, kind: str, **body: Any) -> Request:
        """Ask for something; the answer is in the request's future."""
        request = Request(next(self.supervisor.facts.numbers), kind, body)
        self.supervisor.post("request", request)
        self.run()
        return request

    def run(self) -> None:
        """Do all that waits in the queue."""
        while not self.supervisor._queue.empty():
            self.supervisor.step(self.supervisor._queue.get())

    def wait(self, seconds: float, *, sound: bool = True, beats: bool = True) -> None:
        """Let time pass; the engine that plays calls back and beats meanwhile."""
        for _ in range(max(1, round(seconds / 0.05))):
            self.time += 0.05
            link = self.supervisor.crew.engine
            if link is not None and not self.child(link).dead:
                link.board.record[0]["callbacks"] += 37 * sound
                link.board.status[HEARTBEAT] += 5 * beats
            for other in (self.supervisor.crew.fresh, self.supervisor.crew.standby):
                if other is not None:
                    other.board.status[WORK] += 1
            self.supervisor.step(("tick",))
            self.run()

    def come_up(self) -> None:
        """The fresh engine becomes ready and opens what it is asked to."""
        self.fresh.heard(("ready", []))
        self.run()
        self.fresh.open()
        self.run()

    def play(self) -> FakeChild:
        """Start, up to sound."""
        self.started = self.ask("start")
        self.come_up()
        self.wait(0.1)
        assert self.state is State.PLAYING
        assert self.started.future.result(0) is not None
        return self.engine
