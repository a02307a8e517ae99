"""The controls process: MIDI, OSC, the page and tags, apart from the supervisor and from the sound.

A crash in one of their libraries ends this process alone.  The supervisor starts another with what
this one had it keep: the page's port and token, MIDI mappings, the preset's name.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ..errors import ControlError, RestyleError
from ..host.child import Child, Message
from ..host.front import Front
from ..host.machine import State
from ..host.remote import RemoteLine
from ..host.surface import HostSurface, PatientSurface
from ..parameters.mapping import MidiMapping
from ..presets.format import OscSettings
from ..signals import ignore_endings
from .server import PanelSettings

KEEP_SECONDS, RESTING_SECONDS = 0.1, 1.0  # between two looks at what is to be kept
TAG_LOOKS = 3  # looks between two tellings of tags


@dataclass(frozen=True)
class ControlsSettings:
    """What the process is to hold.

    Attributes
    ----------
    midi : tuple of MidiMapping
        From a session file; ports are opened when there are some, or when the page asks.
    osc : OscSettings or None
    panel : PanelSettings or None
    folder : Path or None
        For recordings.
    tagger : Path or None
        A model that tells what is heard.
    channels : tuple of int
        MIDI channels that are listened to; all if empty.
    notes_out : str or None
        The MIDI output that a player's notes go to, see
        :func:`realtime.controllers.notes_out.find_output`.
    """

    midi: tuple[MidiMapping, ...] = ()
    osc: OscSettings | None = None
    panel: PanelSettings | None = None
    folder: Path | None = None
    tagger: Path | None = None
    channels: tuple[int, ...] = ()
    notes_out: str | None = None

    @property
    def wanted(self) -> bool:
        """Whether there is anything to hold."""
        return bool(self.midi or self.osc or self.panel or self.tagger or self.notes_out)


def start_controls(settings: ControlsSettings, heard: Callable[[Message], None]) -> Child:
    """Start the process."""
    return Child(main, (settings,), "restyle-controls", heard)


def main(settings: ControlsSettings, pipe: Connection) -> None:
    """Run the process until the supervisor asks it to end or is gone.

    Everything is imported before the first view is waited for: it may stand by for long.
    """
    ignore_endings()
    with contextlib.suppress(ImportError):  # said when it is needed
        for name in _needed(settings):
            importlib.import_module(name, __package__)
    try:
        line = RemoteLine(pipe)
    except (EOFError, OSError):  # never needed
        os._exit(0)
    try:
        with contextlib.ExitStack() as stack:
            Controls(settings, line.view.kept, line, stack).serve()
    except ControlError as error:
        line.post("refused", str(error))
        line.closed.wait(1.0)
    finally:
        os._exit(0)  # no library's exit may hang


def _needed(settings: ControlsSettings) -> list[str]:
    """Modules that will be used."""
    found = [".console"]
    found += ["..controllers.osc"] if settings.osc else []
    found += (
        [".app", ".idle", "uvicorn.protocols.websockets.websockets_sansio_impl"]
        if (settings.panel)
        else []
    )
    found += ["rtmidi", "mido"] if settings.midi else []
    found += ["rtmidi", "..controllers.notes_out"] if settings.notes_out else []
    return found


class Controls:
    """Everything the process holds.

    Parameters
    ----------
    settings : ControlsSettings
    kept : mapping
    line : RemoteLine
    stack : ExitStack
        Closes it.

    Raises
    ------
    ControlError
        A port or an address cannot be had.
    """

    def __init__(
        self,
        settings: ControlsSettings,
        kept: Mapping[str, Any],
        line: RemoteLine,
        stack: contextlib.ExitStack,
    ) -> None:
        from .console import HostConsole

        self._line, self._kept = line, dict(kept)
        self._host = host = Front(line)
        mappings = kept.get("mappings", settings.midi)
        channels = kept.get("midi_channels", settings.channels)
        self.console = HostConsole(host, HostSurface(host), mappings, settings.folder, channels)
        self.console.counts.update(kept.get("panel", {}))
        stack.enter_context(self.console.midi)
        if settings.midi and "mappings" not in kept:  # the first time: said, not waited for
            self.console.midi.open()
        if settings.osc is not None:
            from ..controllers.osc import OscServer

            surface = PatientSurface(host, host.tell)
            where_ = settings.osc
            stack.enter_context(OscServer(surface, where_.host, where_.port, host.tell, where_.map))
        if settings.notes_out is not None:
            from ..controllers.notes_out import NotesOut

            stack.enter_context(NotesOut(lambda: host.board.heard, settings.notes_out, host.tell))
        self.tags = None
        if settings.tagger is not None:
            from .tags import LiveTags

            with contextlib.suppress(RestyleError):  # nothing plays just now
                self.tags = stack.enter_context(LiveTags(host, settings.tagger))
        url = None
        if settings.panel is not None:
            url = self._serve_panel(settings.panel, stack)
        line.post("up", {"panel": url, "osc": settings.osc})

    def _serve_panel(self, settings: PanelSettings, stack: contextlib.ExitStack) -> str | None:
        """Serve the page where it was before; its address, None where it cannot be had."""
        from .server import PanelServer

        port, token = self._kept.get("panel_at", (settings.port, settings.token))
        settings = replace(settings, port=port, token=token)
        try:
            server = PanelServer(
                self.console,
                settings.host,
                settings.port,
                settings.token,
                self._host.tell,
                self.console.counts,
                settings.socket_path,
            )
        except ControlError as error:
            self._host.tell(str(error))
            return None
        stack.enter_context(server)
        self._keep("panel_at", (server.address[1], server.token))
        return server.url

    def serve(self) -> None:
        """Have the supervisor keep what is to outlive this process, until it is closed."""
        looks, pause = 0, KEEP_SECONDS
        while not self._line.closed.wait(pause):
            resting = self._line.view.state == State.RESTING
            pause, looks = RESTING_SECONDS if resting else KEEP_SECONDS, looks + 1
            self._keep_all(looks % TAG_LOOKS == 0)
        self._keep_all(True)
        self._line.flush()

    def _keep_all(self, tags: bool) -> None:
        self.console.look()
        midi = self.console.midi
        if midi.bindings.mappings:
            with contextlib.suppress(ControlError):  # it asks the system again now and then
                midi.open()
        self._keep("mappings", midi.bindings.mappings)
        self._keep("midi_channels", tuple(sorted(midi.bindings.channels)))
        self._keep("panel", dict(self.console.counts))
        if tags and self.tags is not None:
            self._keep("tags", self.tags.latest())

    def _keep(self, key: str, value: Any) -> None:
        if self._kept.get(key) != value:
            self._kept[key] = value
            self._line.post("keep", key, value)
