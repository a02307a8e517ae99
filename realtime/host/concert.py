"""What a host does on stage: setlist, scenes, two sounds compared, tempo, panic.

What is chosen lies with the supervisor (:meth:`realtime.host.front.Front.keep`), so that page,
MIDI, OSC and terminal see the same, and a controls process that ends forgets nothing.  Presets of
the setlist, and the other one of two compared sounds, lie loaded on the session's shelf
(:mod:`realtime.session.shelf`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ..audio_files import Clip, read_audio
from ..dsp.loudness import SILENCE_LUFS, loudness
from ..errors import ConfigError, RestyleError, nearest
from ..models.catalog import bundled_folder
from ..parameters.mapping import ACTIONS
from ..presets.check import Library
from ..presets.files import find_preset
from ..presets.opening import open_preset
from ..presets.setlist import Opened, open_setlist
from ..session.names import walk_knobs
from ..session.operations import OWN, DropScene, KeepScene, Load, Panic, Prepare
from ..session.render import render
from ..session.sound import Scene, Sound, Value, each
from .front import Front
from .tempo import TapTempo, set_tempo

replace = msgspec.structs.replace
CLIP, CLIP_SECONDS = "demo.flac", 6.0  # what two sounds are compared on
_ACTS = ("record", "undo", "clear")  # what a looper is told once, and no scene again
_MOST_KNOWN = 64  # loudnesses that are remembered


def entry(opened: Opened, sound: Sound) -> dict[str, Any]:
    """A preset of a setlist as it is kept; `sound` is its own, with identities."""
    return {
        "sound": sound,
        "title": opened.title,
        "preset": opened.preset.name,
        "path": str(opened.path),
        "stamp": opened.stamp,
        "tail": opened.tail,
    }


class Concert:
    """See the module; any thread may call, calls that change the sound take as long as that does.

    Parameters
    ----------
    host : Front
    """

    def __init__(self, host: Front) -> None:
        self._host, self._taps = host, TapTempo()
        self._known: dict[bytes, float] = {}  # loudness [LUFS] by the sound
        self._lock = threading.Lock()

    def _kept(self, key: str) -> Any:
        return self._host.view.kept.get(key)

    def identified(self, sound: Sound) -> Sound:
        """The sound with identities that no stage of this session has had."""
        new = self._host.new_identity
        return replace(sound, stages=each(sound.stages, lambda s: replace(s, identity=new())))

    # -- the setlist ------------------------------------------------------------------------------

    @property
    def setlist(self) -> Mapping[str, Any] | None:
        """``name``, ``entries`` and ``at``, the place of the one that plays, or None."""
        found: Mapping[str, Any] | None = self._kept("setlist")
        return found

    def use_setlist(self, name_or_path: str | None) -> None:
        """Have a setlist's presets loaded; nothing else plays yet.  None lets go of them.

        Raises
        ------
        PresetError
            There is none, or a preset of it is not good; the old one stays.
        """
        if name_or_path is None:
            self._host.keep("setlist", None)
            self._prepare()
            return
        name, opened = open_setlist(name_or_path, Library())
        entries = [entry(o, self.identified(o.preset.sound)) for o in opened]
        self._host.keep("setlist", {"name": name, "entries": entries, "at": None})
        self._prepare()

    def _prepare(self) -> None:
        """Have loaded what may be changed to."""
        found, compared = self.setlist, self._kept("compare")
        sounds = () if found is None else tuple(e["sound"] for e in found["entries"])
        other = () if compared is None else (compared[_other(compared["on"])],)
        self._host.do(Prepare((*sounds, *other)))

    def go(self, number: int) -> None:
        """Change to a preset of the setlist, by its number from 1.

        Raises
        ------
        ConfigError
            There is no setlist, or none of that number.
        """
        found = self._need_setlist()
        many = len(found["entries"])
        if not 1 <= number <= many:
            raise ConfigError(f"the setlist has presets 1..{many}, got {number}")
        self.end_compare(restore=False)
        chosen = found["entries"][number - 1]
        self._host.do(Load(chosen["sound"], float(chosen["tail"])))
        self._host.keep("setlist", {**found, "at": number - 1})
        self._host.keep("preset", chosen["preset"])
        self._host.keep("scene", None)

    def _need_setlist(self) -> Mapping[str, Any]:
        found = self.setlist
        if found is None:
            raise ConfigError(
                "there is no setlist; begin with --setlist NAME, or choose one in the page"
            )
        return found

    def stepped(self, step: int) -> int:
        """Number of the preset so many further in the setlist; behind the last comes the first."""
        found = self._need_setlist()
        at = found["at"]
        if at is None:
            return 1 if step > 0 else len(found["entries"])
        return int((at + step) % len(found["entries"])) + 1

    def number_of(self, name_or_path: str) -> int | None:
        """A preset's number in the setlist, where it is there and its file is what was loaded."""
        found = self.setlist
        if found is None:
            return None
        try:
            path = find_preset(name_or_path).absolute()
            stamp = path.stat().st_mtime_ns
        except (RestyleError, OSError):
            return None
        for number, one in enumerate(found["entries"], 1):
            if (one["path"], one["stamp"]) == (str(path), stamp):
                return number
        return None

    def refresh(self, path: Path) -> None:
        """A preset's file has been written: load it anew where the setlist has it."""
        found = self.setlist
        if found is None or all(e["path"] != str(path.absolute()) for e in found["entries"]):
            return
        preset = open_preset(path, Library())
        entries = list(found["entries"])
        for i, one in enumerate(entries):
            if one["path"] == str(path.absolute()):
                sound, stamp = self.identified(preset.sound), path.stat().st_mtime_ns
                entries[i] = {**one, "sound": sound, "stamp": stamp}
        self._host.keep("setlist", {**found, "entries": entries})
        self._prepare()

    # -- scenes -----------------------------------------------------------------------------------

    def recall(self, which: str | int) -> None:
        """Put parameters where a scene has them, all at once."""
        scene = self._host.setup.sound.scene(which)
        self._host.recall(scene.name)
        self._host.keep("scene", scene.name)

    def step_scene(self, step: int) -> None:
        """The scene so many further; behind the last comes the first."""
        names = [s.name for s in self._host.setup.sound.scenes]
        if not names:
            self._host.setup.sound.scene(1)  # says so
        now = self._kept("scene")
        at = names.index(now) + step if now in names else (0 if step > 0 else -1)
        self.recall(at % len(names) + 1)

    def keep_scene(self, name: str) -> None:
        """Keep where all parameters stand, under a name; the sound's bypass and mute are no part.

        Raises
        ------
        ConfigError
            The name is empty or too long.
        """
        if not 1 <= len(name.strip()) <= 64:
            raise ConfigError(f"a scene's name has 1 to 64 letters, got '{name[:80]}'")
        view = self._host.view
        values: dict[str, Value] = {
            knob.parameter.name: knob.parameter.value
            for knob in walk_knobs(view.setup.sound, view.known)
            if knob.parameter.live
            and knob.parameter.name not in ("bypass", "mute")
            and not (knob.identity == OWN and view.setup.sound.macro(knob.own))
            and knob.own not in _ACTS
        }
        self._host.do(KeepScene(Scene(name.strip(), values)))
        self._host.keep("scene", name.strip())

    def drop_scene(self, name: str) -> None:
        """Take a scene out."""
        self._host.do(DropScene(name))
        if self._kept("scene") == name:
            self._host.keep("scene", None)

    # -- two sounds compared ----------------------------------------------------------------------

    def compare(self, preset: str | None = None) -> None:
        """Turn to the other of two sounds, at equal loudness.

        The first time, what plays becomes A, and B is a preset, or a copy of A to be changed.
        """
        kept = self._kept("compare")
        if kept is None or preset is not None:
            self.end_compare()
            self._begin_compare(preset)
            if preset is None:
                return
            kept = self._kept("compare")
        here, there = kept["on"], _other(kept["on"])
        kept = {**kept, here: self._untrimmed(kept), "on": there}
        kept["presets"] = {**kept["presets"], here: self._kept("preset")}
        kept = self._measured(kept)
        self._host.do(Load(self._trimmed(kept, there)))
        self._host.keep("compare", kept)
        self._host.keep("preset", kept["presets"][there])
        self._prepare()

    def _begin_compare(self, preset: str | None) -> None:
        now, name = self._host.setup.sound, self._kept("preset")
        if preset is None:
            other, other_name = now, name
        else:
            opened = open_preset(preset, Library())
            other, other_name = opened.sound, opened.name
        kept = {
            "on": "A",
            "A": now,
            "B": self.identified(other),
            "trim_db": {"A": 0.0, "B": 0.0},
            "presets": {"A": name, "B": other_name},
        }
        self._host.keep("compare", self._measured(kept))
        self._prepare()

    def end_compare(self, restore: bool = True) -> None:
        """Stop comparing: what plays stays, at its own loudness where that is to be restored."""
        kept = self._kept("compare")
        if kept is None:
            return
        gain = self._untrimmed(kept).output_gain_db
        self._host.keep("compare", None)
        if restore:
            self._host.set("output_gain_db", gain)
        self._prepare()

    def _trimmed(self, kept: Mapping[str, Any], side: str) -> Sound:
        sound: Sound = kept[side]
        return replace(
            sound, output_gain_db=max(-100.0, sound.output_gain_db + kept["trim_db"][side])
        )

    def _untrimmed(self, kept: Mapping[str, Any]) -> Sound:
        """What plays, without what it was turned down by."""
        sound = self._host.setup.sound
        gain = sound.output_gain_db - kept["trim_db"][kept["on"]]
        return replace(sound, output_gain_db=round(min(24.0, gain), 6))

    def _measured(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """With what each side is to be turned down by; the softer one stays as it is [dB]."""
        levels = {side: self._loudness(kept[side]) for side in "AB"}
        known = all(level > SILENCE_LUFS for level in levels.values())
        softer = min(levels.values())
        trims = {s: round(softer - v, 2) + 0.0 if known else 0.0 for s, v in levels.items()}
        return {**kept, "trim_db": trims}

    def _loudness(self, sound: Sound) -> float:
        """What a sound makes of the clip [LUFS]; plug-ins, which may crash, are left out."""
        with self._lock:
            stages = tuple(s for s in sound.stages if s.plugin is None)
            plain = replace(
                sound,
                stages=each(stages, lambda s: replace(s, identity=0)),
                bypass=False,
                scenes=(),
            )
            key = msgspec.json.encode(plain)
            if key not in self._known:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                try:
                    self._known[key] = _loudness_of(plain)
                except RestyleError:
                    self._known[key] = SILENCE_LUFS
            return self._known[key]

    # -- the rest ---------------------------------------------------------------------------------

    def act(self, action: str) -> None:
        """Do one of :data:`realtime.parameters.mapping.ACTIONS`.

        Raises
        ------
        ConfigError
            There is no such action, or it cannot be done as things stand.
        """
        match action:
            case "next" | "previous":
                self.go(self.stepped(1 if action == "next" else -1))
            case "next_scene" | "previous_scene":
                self.step_scene(1 if action == "next_scene" else -1)
            case "compare":
                self.compare()
            case "panic":
                self._host.do(Panic())
            case "tap":
                self.tap()
            case _:
                raise ConfigError(
                    f"there is no action '{action[:80]}'{nearest(action, ACTIONS)}; there are"
                    f" {', '.join(ACTIONS)}"
                )

    def tap(self) -> float | None:
        """Take a tap of the tempo; the tempo in beats a minute once there are two."""
        tempo = self._taps.tap(time.monotonic())
        if tempo is not None:
            view = self._host.view
            set_tempo(
                [k.parameter for k in walk_knobs(view.setup.sound, view.known)],
                self._host.set,
                tempo,
            )
            self._host.keep("tempo_bpm", round(tempo, 1))
        return tempo

    def state(self) -> dict[str, Any]:
        """Scenes, setlist, comparison and tempo, as plain data."""
        view = self._host.view
        setlist, compared = view.kept.get("setlist"), view.kept.get("compare")
        shelf = view.now.get("shelf", {})
        problems = shelf.get("problems", {})
        return {
            "scenes": [s.name for s in view.setup.sound.scenes],
            "scene": view.kept.get("scene"),
            "setlist": setlist
            and {
                "name": setlist["name"],
                "at": setlist["at"],
                "loaded": min(shelf.get("loaded", 0), len(setlist["entries"])),
                "entries": [
                    {
                        "title": e["title"],
                        "preset": e["preset"],
                        "problem": problems.get(next((s.identity for s in e["sound"].stages), 0)),
                    }
                    for e in setlist["entries"]
                ],
            },
            "compare": compared
            and {"on": compared["on"], "trim_db": compared["trim_db"][compared["on"]]},
            "tempo_bpm": view.kept.get("tempo_bpm"),
        }


def _other(side: str) -> str:
    return "B" if side == "A" else "A"


def _loudness_of(sound: Sound) -> float:
    folder = bundled_folder()
    if folder is None or not (folder / CLIP).is_file():
        return SILENCE_LUFS
    clip = read_audio(folder / CLIP)
    samples = np.ascontiguousarray(clip.samples[:1, : int(CLIP_SECONDS * clip.sample_rate)])
    made = render(sound, Clip(samples, clip.sample_rate))
    return loudness(made.samples, made.sample_rate)
