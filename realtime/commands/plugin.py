"""``restyle plugin``: the engine of a plug-in in a DAW, which starts it and keeps it running."""

from __future__ import annotations

import functools
import os
import signal
import tempfile
import time
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from ..devices.plugin_record import PluginRecord
from ..errors import RestyleError
from ..host.host import Host
from ..host.surface import to_preset
from ..panel.controls import ControlsSettings, start_controls
from ..panel.server import PanelSettings
from ..presets.check import Library
from ..presets.format import to_dict
from ..presets.opening import open_preset
from ..presets.toml import to_toml
from ..session.operations import Load
from ..session.sound import Device, Setup, Sound, each, identified
from .common import err
from .live.run import tell

LOOK_SECONDS = 0.05
HANGS_SECONDS = 1.0  # with sound to play, and none played
OFFLINE_SECONDS = 20.0  # the same where nothing is due at any time
PAGE_PORT = 0  # any: each instance has a page of its own


def plugin(
    memory: Annotated[str, typer.Argument(help="The memory that the plug-in made.")],
) -> None:
    """Play for a plug-in in a DAW; the plug-in itself starts this, and it ends with it."""
    record = PluginRecord(memory)
    for name in ("SIGHUP", "SIGINT"):  # the DAW's terminal's
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    Keeper(record).run()


def to_text(sound: Sound, host: Host) -> str:
    """A sound as the text that a DAW keeps: a preset's file."""
    states = host.states() if any(s.plugin for s in sound.walk()) else {}
    return to_toml(to_dict(to_preset(sound, "plug-in", "", states)))


def to_sound(text: str) -> Sound:
    """The sound of such a text; none is the input as it is.

    Raises
    ------
    RestyleError
        The first mistake in it, or what it asks for was never allowed.
    """
    if not text.strip():
        return Sound()
    with tempfile.TemporaryDirectory(prefix="restyle-plugin-") as folder:
        path = Path(folder) / "plug-in.toml"
        path.write_text(text, encoding="utf-8")
        return open_preset(path, Library()).sound


class Keeper:
    """Keeps a host playing for the plug-in behind `record`, until that is gone."""

    def __init__(self, record: PluginRecord) -> None:
        self._record = record
        self._pages, self._page = record["page"], ""
        self._seen = 0  # the serial of the sound that the DAW asked for
        self._kept: Sound | None = None
        self._answered, self._late = 0, 0.0

    def run(self) -> None:
        """Play; returns when the plug-in is gone."""
        record = self._record
        while not record["take"]:  # it says the rate
            if self._is_gone():
                return
            time.sleep(LOOK_SECONDS)
        sound = self._first()
        sound = replace(sound, stages=identified(sound.stages, 1))
        host = Host(Setup(sound, self._device()), tell, standby=False)
        try:
            host.start()
            while host.active and not self._is_gone():
                for chore in (self._follow_rate, self._follow_sound, self._keep, self._show_page):
                    try:
                        chore(host)
                    except RestyleError as error:
                        tell(str(error))
                self._watch(host)
                time.sleep(LOOK_SECONDS)
        finally:
            host.close()

    def _device(self) -> Device:
        record = self._record
        return Device(kind="plugin", tape=record.name, sample_rate=record["sample_rate"])

    def _is_gone(self) -> bool:
        if self._record["closed"]:
            return True
        try:
            os.kill(self._record["owner"], 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False

    def _first(self) -> Sound:
        """What played last where another engine played before this one, else what the DAW kept."""
        record = self._record
        wanted = record.read("wanted") or (0, "")
        kept = record.read("kept")
        text = wanted[1]
        if kept is not None and kept[0] and record["kept_for"] == wanted[0]:
            text = kept[1]
        sound = Sound()
        try:
            sound = to_sound(text)
        except RestyleError as error:
            self._kept = sound  # the project keeps its own until another one is chosen
            tell(f"the sound that the DAW kept cannot be played, and is passed over: {error}")
        self._seen = record["made"] = wanted[0]
        return sound

    def _follow_rate(self, host: Host) -> None:
        device = self._device()
        if device.sample_rate != host.setup.device.sample_rate:
            host.change_device(device)

    def _follow_sound(self, host: Host) -> None:
        """Load what the DAW restores; what cannot be played leaves the sound as it is."""
        wanted = self._record.read("wanted")
        if wanted is None or wanted[0] == self._seen:
            return
        self._seen = wanted[0]
        try:
            sound = to_sound(wanted[1])
            new = each(sound.stages, lambda s: replace(s, identity=host.new_identity()))
            host.do(Load(replace(sound, stages=new)))
            self._kept = None
        except RestyleError as error:
            self._kept = host.setup.sound
            tell(f"the sound that the DAW restored cannot be played: {error}")
        self._record["made"] = self._seen

    def _keep(self, host: Host) -> None:
        """Have the DAW know what plays."""
        sound = host.setup.sound
        if not host.now or sound == self._kept or host.pending:
            return
        self._kept = sound
        self._record.write("kept", to_text(sound, host))
        self._record["kept_for"] = self._seen

    def _show_page(self, host: Host) -> None:
        """Open the page in a browser, each time that it is asked for."""
        asked = self._record["page"]
        if asked == self._pages:
            return
        self._pages = asked
        if not self._page:
            settings = ControlsSettings(panel=PanelSettings(port=PAGE_PORT))
            up = host.start_controls(functools.partial(start_controls, settings)) or {}
            self._page = str(up.get("panel") or "")
        if self._page:
            err.print(f"panel: {self._page}", highlight=False, markup=False, soft_wrap=True)
            webbrowser.open(self._page)

    def _watch(self, host: Host) -> None:
        """End an engine that has sound to play and plays none; another one takes its place."""
        record = self._record
        answered, waits = record["answered"], record["written"] > record["answered"]
        if record["taken"] != record["take"]:
            waits = record["made"] == record["loaded"] and not host.pending
        stands = waits and answered == self._answered and bool(host.now)
        self._answered, self._late = answered, self._late + LOOK_SECONDS if stands else 0.0
        limit = OFFLINE_SECONDS if record["offline"] else HANGS_SECONDS
        if record["taken"] != record["take"]:
            limit = OFFLINE_SECONDS
        if self._late > limit:
            self._late = 0.0
            with suppress(RestyleError, OSError):
                os.kill(host.link.process.pid, signal.SIGKILL)
