"""Take out of a model file what says something of the machine it was made on.

The exporter writes stack traces into every node: paths of the trainer's folders, lines of source.
Nothing of that is needed to play.
"""

from __future__ import annotations

import re
from typing import Any

# a folder of a person or of a system, and at least one more below it
_PATH = re.compile(
    rb"(?:/(?:home|Users|root|work|tmp|usr|opt|mnt|media|data|private|var|content|workspace)/"
    rb"|[A-Za-z]:\\(?:Users|Documents and Settings)\\)[\w.@ +-]+[\w./\\@+-]*"
)


def stripped(model: bytes) -> bytes:
    """The same graph and metadata entries, without the nodes' metadata and any documentation."""
    import onnx

    proto = onnx.ModelProto.FromString(model)
    proto.ClearField("doc_string")
    _strip(proto.graph)
    for function in proto.functions:
        _strip(function)
    return bytes(proto.SerializeToString())


def _strip(graph: Any) -> None:
    for field in ("node", "input", "output", "value_info", "initializer", "sparse_initializer"):
        for one in getattr(graph, field, ()):
            _clear(one)
    for node in graph.node:
        for attribute in node.attribute:
            attribute.ClearField("doc_string")
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                _strip(inner)
    _clear(graph)


def _clear(part: Any) -> None:
    known = {f.name for f in part.DESCRIPTOR.fields}
    for field in ("doc_string", "metadata_props"):
        if field in known:
            part.ClearField(field)


def paths_in(data: bytes) -> list[str]:
    """What looks like a path of somebody's machine, each once, in order."""
    found = (m.group().decode("utf-8", "replace") for m in _PATH.finditer(data))
    return list(dict.fromkeys(found))
