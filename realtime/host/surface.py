"""A host as MIDI, OSC, presets and panels see it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..models.catalog import find_model
from ..parameters.surface import Parameter
from ..parameters.values import shares
from ..presets.check import Library, model_names
from ..presets.preset import Preset, Stage
from ..presets.preset_open import open_preset
from ..session.spec import PLACES, Spec, StageSpec
from ..stages.library import check_plugin
from .front import Front
from .knobs import knobs


class HostSurface:
    """The knobs of a running host; any thread may turn them.

    Parameters
    ----------
    host : Front
    preset : str or None
        Name of what was loaded or saved last, for :meth:`status`; by default the one the host
        knows.
    """

    def __init__(self, host: Front, preset: str | None = None) -> None:
        self._host = host
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
        """All parameters as they stand now; others after a change of model or chain."""
        return [k.parameter for k in knobs(self._host.spec, self._host.now)]

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
        """Change the model while the sound runs; None takes it out."""
        path = None if name is None else str(find_model(name).resolve())
        self._host.do({"op": "swap", "model": path})

    def bypass(self, on: bool) -> None:
        """Let the input through as it is, or restyle it again."""
        self._host.set("bypass", float(on))

    def load_preset(self, name_or_path: str) -> None:
        """Change to a preset; it is checked wholly before anything changes."""
        preset = open_preset(name_or_path, Library())
        spec = to_spec(preset, self._host.spec, self._host.new_identity)
        self._host.do({"op": "preset", "spec": spec.to_dict()})
        self.preset = preset.name

    def save(self, name: str, note: str = "") -> Preset:
        """The sound as it is now, as a preset."""
        return to_preset(self._host.spec, name, note, self._host.states())

    def meters(self) -> Mapping[str, float]:
        """Levels by name [dBFS]."""
        return self._host.meters()

    def status(self) -> dict[str, Any]:
        """What plays, as plain data."""
        now, spec = self._host.now, self._host.spec
        return {
            "style": now.get("model"),
            "preset": self.preset,
            "bypass": spec.bypass,
            "lane": now.get("lane"),
            "latency_samples": now.get("latency", {}).get("declared_samples"),
            "restarts": len(self._host.incidents),
        }


class PatientSurface(HostSurface):
    """A surface for a thread that must not wait: styles and presets come when they come.

    Names are looked up at once, and what is wrong with them is raised; the change itself is made
    in a thread of its own, one after the other, and told if it fails.

    Parameters
    ----------
    host : Front
    tell : callable
        Takes a sentence.
    """

    def __init__(self, host: Front, tell: Callable[[str], None]) -> None:
        super().__init__(host)
        self._tell = tell
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="restyle-surface", daemon=True).start()

    def style(self, name: str | None) -> None:
        """Have the model changed."""
        if name is not None:
            find_model(name)
        self._jobs.put(lambda: HostSurface.style(self, name))

    def load_preset(self, name_or_path: str) -> None:
        """Have a preset loaded."""
        open_preset(name_or_path, Library())
        self._jobs.put(lambda: HostSurface.load_preset(self, name_or_path))

    def _run(self) -> None:
        while True:
            try:
                self._jobs.get()()
            except Exception as error:  # told; the next one may go
                with suppress(Exception):
                    self._tell(str(error))


def to_spec(preset: Preset, base: Spec, new_identity: Callable[[], int]) -> Spec:
    """The session `base` with a preset's sound.

    Raises
    ------
    RestyleError
        A model or plug-in that is not there, or that is not safe to load.
    """
    model = None if preset.model is None else str(Path(find_model(preset.model)).resolve())
    chains = {}
    for place in PLACES:
        stages = []
        for stage in preset.chain(place):
            if "plugin" in stage.entry:
                check_plugin(str(stage.entry["plugin"]), stage.entry.get("plugin_name"))
            stages.append(StageSpec(new_identity(), stage.entry, stage.bypass, stage.mix))
        chains[place] = tuple(stages)
    return replace(
        base,
        model=model,
        controls=dict(preset.controls),
        mix=preset.mix,
        input_gain_db=preset.input_gain_db,
        output_gain_db=preset.output_gain_db,
        bypass=False,
        pre=chains["pre"],
        post=chains["post"],
        pre_mix=preset.pre_mix,
        post_mix=preset.post_mix,
    )


def to_preset(spec: Spec, name: str, note: str, states: Mapping[int, str]) -> Preset:
    """A session's sound as a preset; `states` are plug-ins' own, by the stage's identity."""
    names = {str(Path(find_model(n)).resolve()): n for n in model_names()}
    chains = {
        place: tuple(
            Stage(
                {
                    **s.entry,
                    **({"state": states[s.identity]} if s.identity in states else s.values),
                },
                s.bypass,
                s.mix,
            )
            for s in spec.chain(place)
        )
        for place in PLACES
    }
    return Preset(
        name=name,
        note=note,
        model=names.get(spec.model or "", spec.model),
        mix=spec.mix,
        pre_mix=spec.pre_mix,
        post_mix=spec.post_mix,
        input_gain_db=spec.input_gain_db,
        output_gain_db=spec.output_gain_db,
        controls=dict(spec.controls),
        pre=chains["pre"],
        post=chains["post"],
    )
