"""What PipeWire's tools print, and what is read from it."""

from __future__ import annotations

import json
from typing import Any

from realtime.devices.pipewire import _default_source, _nodes, _objects


def node(identity: int, name: str) -> dict[str, Any]:
    kind = "PipeWire:Interface:Node"
    return {"id": identity, "type": kind, "info": {"props": {"node.name": name}}}


def metadata(identity: int, **entries: str) -> dict[str, Any]:
    found = [{"key": k.replace("_", "."), "value": {"name": v}} for k, v in entries.items()]
    return {"id": identity, "type": "PipeWire:Interface:Metadata", "metadata": found}


def test_a_graph_that_changes_while_it_is_dumped_is_read_to_the_end() -> None:
    first = [node(30, "speaker"), node(31, "old"), metadata(40, default_audio_source="speaker")]
    later = [{"id": 31, "info": None}, node(32, "restyle"), metadata(40, other="x")]
    last = [metadata(40, default_audio_source="restyle")]
    dumps = ["\n".join(json.dumps(d, indent=2) for d in several) + "\n"
             for several in ([first], [first, later], [first, later, last])]  # fmt: skip
    assert [sorted(_nodes(_objects(d))) for d in dumps] == [
        ["old", "speaker"], ["restyle", "speaker"], ["restyle", "speaker"],
    ]  # fmt: skip
    assert [_default_source(_objects(d)) for d in dumps] == ["speaker", "speaker", "restyle"]
    assert _objects("") == []
