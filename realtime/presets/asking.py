"""What a preset, chain, session or log asks for beyond sounding: code, network, other folders."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from ..errors import RestyleError
from ..session.sound import Stage, walk
from ..stages.library import find_plugin
from ..stages.records import Records
from ..trust.consent import Ask, Untrusted, given
from ..trust.hashes import content_hash
from .files import recordings_folder
from .format import OscSettings, RecordSettings, SessionFile


def plugin_asks(stages: tuple[Stage, ...]) -> Iterator[Ask]:
    """The plug-ins of stages that this machine does not know yet: running them is running code.

    Known is what ``restyle scan`` has seen as it is, or the user has said yes to.
    """
    records, seen = Records(), set()
    for stage in walk(stages):
        if stage.plugin is None:
            continue
        try:
            path, _ = find_plugin(stage.plugin, Path(), records)
            if path in seen or records.get(path) is not None:
                continue
            seen.add(path)
            yield Ask(f"run the plug-in {path}", f"plug-in {content_hash(path)}")
        except (RestyleError, OSError):
            continue  # it is not there, which whoever opens it says


def session_asks(session: SessionFile, path: Path) -> Iterator[Ask]:
    """All that a session file asks for."""
    yield from plugin_asks(session.preset.sound.stages)
    yield from _open_asks(session.osc, path)
    yield from _record_asks(session.record, path)


def _open_asks(osc: OscSettings | None, path: Path) -> Iterator[Ask]:
    if osc is not None and not _is_loopback(osc.host):
        where = f"{osc.host} port {osc.port}"
        yield Ask(
            f"let the network turn its knobs, by OSC on {where}",
            f"osc {where} {content_hash(path)}",
        )


def _record_asks(record: RecordSettings | None, path: Path) -> Iterator[Ask]:
    if record is None:
        return
    folder = Path(record.folder).resolve()
    own = recordings_folder().resolve()
    if folder != own and own not in folder.parents:
        what = "what comes in and what is played" if record.dry else "what is played"
        yield Ask(f"record {what} into {folder}", f"record {folder} {content_hash(path)}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def need_yes(asks: Iterator[Ask], path: Path) -> None:
    """Return if the user has said yes to all that is asked for.

    Raises
    ------
    Untrusted
    """
    left = [a for a in asks if not given(a)]
    if left:
        raise Untrusted(path.name, path, left)
