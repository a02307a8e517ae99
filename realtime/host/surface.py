"""A host as MIDI, OSC, presets and panels see it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from ..models.catalog import find_model
from ..parameters.parameter import Parameter
from ..parameters.surface import shares
from ..presets.check import Library, model_names
from ..presets.format import Preset
from ..presets.opening import open_preset
from ..session.names import knobs
from ..session.operations import Load, restyle
from ..session.sound import Sound, Stage, each
from ..stream.worker import lower_priority
from .concert import Concert
from .front import Front
from .permissions import raise_this_thread


class HostSurface:
    """The knobs of a running host; any thread may turn them.

    Parameters
    ----------
    host : Front
    preset : str or None
        Name of what was loaded or saved last, for :meth:`status`; by default the one the host
        knows.

    Attributes
    ----------
    concert : Concert
        Setlist, scenes and the like.
    """

    def __init__(self, host: Front, preset: str | None = None) -> None:
        self._host = host
        self.concert = Concert(host)
        if preset is not None:
            self.preset = preset

    @property
    def preset(self) -> str | None:
        """Name of the preset that was loaded or saved last."""
        found: str | None = self._host.view.kept.get("preset")
        return found

    @preset.setter
    def preset(self, name: str | None) -> None:
        self._host.keep("preset", name)

    def parameters(self) -> Sequence[Parameter]:
        """All parameters as they stand now; others after a change of the stages."""
        view = self._host.view
        return knobs(view.setup.sound, view.known)

    def get(self, name: str) -> float:
        """Value last asked for."""
        return self._host.get(name)

    def set(self, name: str, value: float) -> None:
        """Ask for a value."""
        self._host.set(name, value)

    def blend(self, weights: Mapping[str, float]) -> None:
        """Ask for all weights of a model that blends; those not named become 0."""
        for name, weight in shares(self.parameters(), weights).items():
            self._host.set(name, weight)

    def styles(self) -> Sequence[str]:
        """Names of the models that can be played."""
        return model_names()

    def style(self, name: str | None) -> None:
        """Change the first model while the sound runs; None takes it out."""
        sound = self._host.setup.sound
        stage = None
        if name is not None:
            find_model(name)
            old = next((s for s in sound.walk() if s.model is not None), Stage(model=name))
            stage = msgspec.structs.replace(
                old, model=name, parameters={}, identity=self._host.new_identity()
            )
        operation = restyle(sound, stage)
        if operation is not None:
            self._host.do(operation)

    def bypass(self, on: bool) -> None:
        """Let the input through as it is, or restyle it again."""
        self._host.set("bypass", float(on))

    def load_preset(self, name_or_path: str) -> None:
        """Change to a preset; it is checked wholly before anything changes.

        One of the setlist is loaded already.
        """
        number = self.concert.number_of(name_or_path)
        if number is not None:
            self.concert.go(number)
            return
        preset = open_preset(name_or_path, Library())
        self.concert.end_compare(restore=False)
        self._host.do(Load(self.concert.identified(preset.sound)))
        self.preset = preset.name
        self._host.keep("scene", None)

    def recall(self, scene: str | int) -> None:
        """Put parameters where a scene of the sound has them."""
        self.concert.recall(scene)

    def keep_scene(self, name: str) -> None:
        """Keep where the parameters stand as a scene."""
        self.concert.keep_scene(name)

    def drop_scene(self, name: str) -> None:
        """Take a scene out."""
        self.concert.drop_scene(name)

    def go(self, number: int) -> None:
        """Change to a preset of the setlist."""
        self.concert.go(number)

    def act(self, action: str) -> None:
        """Do one of the actions."""
        self.concert.act(action)

    def save(self, name: str, note: str = "") -> Preset:
        """The sound as it is now, as a preset."""
        return to_preset(self._host.setup.sound, name, note, self._host.states())

    def meters(self) -> Mapping[str, float]:
        """Levels by name [dBFS]."""
        return self._host.meters()

    def status(self) -> dict[str, Any]:
        """What plays, as plain data."""
        view = self._host.view
        now = view.now
        return {
            "style": view.style,
            "preset": self.preset,
            "bypass": view.setup.sound.bypass,
            **self.concert.state(),
            "lane": now.get("lane"),
            "latency_samples": now.get("latency", {}).get("declared_samples"),
            "restarts": len(self._host.incidents),
        }


class PatientSurface(HostSurface):
    """A surface for a thread that must not wait: what is loaded comes when it comes.

    Names are looked up at once, and what is wrong with them is raised; the change itself is made
    in a thread of its own, one after the other, and told if it fails.  Of several presets, styles
    or scenes that wait one behind the other, the last alone is loaded.

    Parameters
    ----------
    host : Front
    tell : callable
        Takes a sentence.
    """

    def __init__(self, host: Front, tell: Callable[[str], None]) -> None:
        super().__init__(host)
        self._tell = tell
        self._jobs: deque[tuple[str, Callable[[], None]]] = deque()
        self._some = threading.Condition()
        self._goal: int | None = None  # of the setlist, until it is reached
        threading.Thread(target=self._run, name="restyle-surface", daemon=True).start()

    def set(self, name: str, value: float) -> None:
        """Ask for a value; one that needs its stage made anew comes when it comes."""
        parameter = self._host.knob(name).parameter
        if parameter.live:
            super().set(name, value)
            return
        parameter.number(value)
        self._put(name, lambda: HostSurface.set(self, name, value))

    def style(self, name: str | None) -> None:
        """Have the model changed."""
        if name is not None:
            find_model(name)
        self._put("style", lambda: HostSurface.style(self, name))

    def load_preset(self, name_or_path: str) -> None:
        """Have a preset loaded."""
        if self.concert.number_of(name_or_path) is None:
            open_preset(name_or_path, Library())
        self._put("preset", lambda: HostSurface.load_preset(self, name_or_path))

    def recall(self, scene: str | int) -> None:
        """Recall a scene, after the preset that is on its way."""
        with self._some:
            waits = bool(self._jobs) or self._busy
        if waits:
            self._put("scene", lambda: HostSurface.recall(self, scene))
        else:
            super().recall(scene)

    def go(self, number: int) -> None:
        """Have a preset of the setlist loaded."""
        self._goal = number
        self._put("preset", lambda: HostSurface.go(self, number))

    def act(self, action: str) -> None:
        """Have something done; taps and scenes at once."""
        if action in ("next", "previous"):
            step = 1 if action == "next" else -1
            many = len((self.concert.setlist or {"entries": ()})["entries"])
            with self._some:
                goal = self._goal if self._jobs or self._busy else None
            if goal is None or not many:
                self.go(self.concert.stepped(step))
            else:  # from where it is going
                self.go((goal - 1 + step) % many + 1)
        elif action in ("compare", "panic"):
            self._put(action, lambda: HostSurface.act(self, action))
        else:
            super().act(action)

    _busy = False

    def _put(self, kind: str, job: Callable[[], None]) -> None:
        with self._some:
            if self._jobs and self._jobs[-1][0] == kind and kind != "compare":
                self._jobs.pop()
            self._jobs.append((kind, job))
            self._some.notify()

    def _run(self) -> None:
        while True:
            with self._some:
                self._busy = False
                self._some.wait_for(lambda: self._jobs)
                kind, job = self._jobs.popleft()
                self._busy = True
            if kind == "compare":  # it computes for a while
                lower_priority()
            else:
                raise_this_thread()
            try:
                job()
            except Exception as error:  # told; the next one may go
                with suppress(Exception):
                    self._tell(str(error))


def to_preset(sound: Sound, name: str, note: str, states: Mapping[int, str]) -> Preset:
    """A sound as a preset; `states` are plug-ins' own, by the stage's identity."""
    names = {str(find_model(n).resolve()): n for n in model_names()}

    def kept(stage: Stage) -> Stage:
        model = stage.model and names.get(str(Path(stage.model).resolve()), stage.model)
        state = states.get(stage.identity)
        if state is None:
            return msgspec.structs.replace(stage, model=model, identity=0)
        return msgspec.structs.replace(stage, state=state, preset=None, parameters={}, identity=0)

    stages = each(sound.stages, kept)
    return Preset(
        name, note, msgspec.structs.replace(sound, stages=stages, bypass=False, mute=False)
    )
