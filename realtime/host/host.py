"""The host: a session in an engine process of its own, changed by name and by operation.

::

    with Host(spec) as host:
        host.set("mix", 0.5)
        host.do({"op": "swap", "model": path})
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import RestyleError
from ..native.ring import Ring
from ..parameters.values import check_value, find_parameter
from ..session.spec import StageSpec, after
from ..stages.library import check_plugin
from .engine_link import EngineLost
from .knobs import knobs, turned
from .mover import Mover
from .recorder import Recorder
from .shared_memory import LATENCY, METERS, RATE, Board
from .supervisor import ANSWER_SECONDS


class Host(Mover):
    """Plays a session and keeps it playing; see :class:`realtime.host.supervisor.Keeper`."""

    _recorder: Recorder | None = None
    _watched = _listened = False
    _turned: list[tuple[str, float]] | None = None  # knobs, while a change is being made

    # -- changes --------------------------------------------------------------------------------

    def do(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Make a change; when it fails the session is as it was.

        Raises
        ------
        RestyleError
            Refused; or the engine died on it, in which case the last good session plays on.
        """
        with self._lock:
            link, self._turned = self.link, []
            try:
                answer = link.ask(operation, ANSWER_SECONDS)
            except EngineLost as error:
                self._turned = None
                self.replace_engine(link, str(error))
                raise
            except BaseException:
                self._turned = None
                raise
            with self._state:
                self.now = {**self.now, **answer}
                self.spec = after(self.spec, operation)
                late, self._turned = self._turned or [], None
            for name, value in late:  # turned meanwhile, so after the change
                with suppress(RestyleError):
                    self.set(name, value)
            return self.now

    def insert(self, place: str, entry: dict[str, Any], index: int | None = None) -> int:
        """Fade a stage into a chain; `entry` is its table in a chain or preset file.

        Returns its identity.
        """
        entry = dict(entry)
        bypass, mix = bool(entry.pop("bypass", False)), float(entry.pop("stage_mix", 1.0))
        if "plugin" in entry:  # one that crashes or hangs when loaded does so apart from the sound
            check_plugin(str(entry["plugin"]), entry.get("plugin_name"))
        with self._lock:
            stage = StageSpec(self.new_identity(), entry, bypass, mix)
            many = len(self.spec.chain(place)) if index is None else index
            self.do({"op": "insert", "place": place, "index": many, "stage": asdict(stage)})
            return stage.identity

    # -- parameters -----------------------------------------------------------------------------

    def set(self, name: str, value: float, at: int | None = None) -> None:
        """Turn a knob, see :mod:`realtime.parameters.surface` for the names.

        Parameters
        ----------
        at : int [samples], optional
            Position of the stream from which it holds; not for ``pre_mix`` and ``post_mix``.

        Raises
        ------
        ConfigError
            Unknown name or a value outside the range.
        """
        with self._state:
            listed = {k.parameter.name: k for k in knobs(self.spec, self.now)}
            knob = listed[find_parameter([k.parameter for k in listed.values()], name).name]
            value = check_value(knob.parameter, value)
            if self._turned is not None:
                self._turned.append((name, value))
            if knob.slot is not None:
                self.spec = turned(self.spec, name, value)
                self._push(-1 if at is None else at, knob.whom, knob.slot, knob.sent(value))
                return
        self.do({"op": "mix", "place": name.partition("_")[0], "value": value})

    def get(self, name: str) -> float:
        """Value last asked for.

        Raises
        ------
        ConfigError
            Unknown name.
        """
        return find_parameter((k.parameter for k in knobs(self.spec, self.now)), name).value

    def new_identity(self) -> int:
        """An identity no stage of this session has had."""
        with self._state:
            self._identities += 1
            return self._identities

    def states(self) -> dict[int, str]:
        """States of the plug-ins that play, by the identity of their stage."""
        with self._lock:
            found: dict[int, str] = self.link.ask({"op": "states"}, ANSWER_SECONDS)
        return found

    def _push(self, at: int, whom: int, slot: int, value: float) -> None:
        end = time.monotonic() + 1.0
        with self._events:
            while not self.board.events.push(at, whom, slot, value):
                if time.monotonic() > end:
                    return  # a device that does not call; the spec holds the value
                time.sleep(0.001)

    # -- what happens -----------------------------------------------------------------------------

    def stats(self) -> dict[str, Any]:
        """Everything measured by the engine that plays."""
        with self._lock:
            found: dict[str, Any] = self.link.ask({"op": "stats"}, ANSWER_SECONDS)
        return {**found, "restarts": len(self.incidents)}

    def meters(self) -> dict[str, float]:
        """Levels in dBFS, from shared memory."""
        return dict(zip(METERS, (float(v) for v in self.board.meters), strict=True))

    @property
    def taps(self) -> dict[str, Ring]:
        """The rings of a recording, dry and wet."""
        return {name: Ring.attach(self.board.part(name)) for name in ("dry", "wet")}

    def changes(self) -> list[Any]:
        """The changes heard out so far, see :class:`realtime.session.editor.Change`."""
        with self._lock:
            found: list[Any] = self.link.ask({"op": "log"}, ANSWER_SECONDS)
        return found

    def record(self, files: Mapping[str, Path]) -> Recorder:
        """Record ``dry``, ``wet`` or both, aligned; stop it before :meth:`close`.

        From now on, or from the first sample on where the host was made with these ``taps``.

        Raises
        ------
        AudioFileError
            A file cannot be written.
        """
        if set(files) != self._tapped:
            self._tap(files)
        self._tapped = set(files)
        latency = int(self.board.status[LATENCY])
        try:
            self._recorder = Recorder(
                {name: ring for name, ring in self.taps.items() if name in files},
                files,
                int(self.board.status[RATE]),
                skip={"wet": latency} if "dry" in files else None,
                lost=self._lost_by(self.board),
                tell=self._tell,
            )
        except RestyleError:
            self._untap()
            raise
        return self._recorder

    def stop_recording(self) -> Recorder | None:
        """End the recording there is, write what waits, and return it."""
        with self._lock:
            recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.stop()
            self._untap()
        return recorder

    def _untap(self) -> None:
        self._tapped = {"dry", "wet"} if self._journal else set()
        with suppress(RestyleError):  # an engine that has ended taps nothing
            self._tap(())

    @property
    def journaled(self) -> bool:
        """Whether a capture keeps all of the sound."""
        return self._journal

    @property
    def recorder(self) -> Recorder | None:
        """The recording under way."""
        return self._recorder

    def watch(self, on: bool) -> None:
        """Have what is heard and played copied to the rings of a display, or no more."""
        with self._lock:
            self._watched = on
            self.link.ask({"op": "watch", "on": on}, ANSWER_SECONDS)

    def listen(self, on: bool) -> int:
        """Have what is played copied to the ring of a tagger, or no more.

        Returns
        -------
        int
            The stream's position, or a little before it.
        """
        with self._lock:
            self._listened = on
            position: int = self.link.ask({"op": "listen", "on": on}, ANSWER_SECONDS)
        return position

    def _tap(self, names: Iterable[str]) -> None:
        with self._lock:
            operation = {"op": "tap", **{n: n in names or self._journal for n in ("dry", "wet")}}
            self.link.ask(operation, ANSWER_SECONDS)

    @staticmethod
    def _lost_by(board: Board) -> Callable[[], int]:
        return lambda: int(board.record[0]["tap_lost"]) if len(board.record) else 0

    def _engine_replaced(self) -> None:
        recorder = self._recorder
        if self._watched:
            with suppress(RestyleError):
                self.link.ask({"op": "watch", "on": True}, ANSWER_SECONDS)
        if self._listened:
            with suppress(RestyleError):
                self.listen(True)
        if recorder is not None:
            rings = {n: r for n, r in self.taps.items() if n in recorder.written}
            recorder.switch(rings, self._lost_by(self.board))
