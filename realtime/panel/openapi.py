"""The API's description (OpenAPI 3.1), made from the table of routes."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from .. import __version__
from ..parameters.parameter import KINDS
from .fields import BINARY
from .routes import ROUTES, Route

_TEXT, _NUMBER, _WHOLE, _FLAG = (
    {"type": kind} for kind in ("string", "number", "integer", "boolean")
)
_TEXT_OR_NULL = {"type": ["string", "null"]}
_WHOLE_OR_NULL = {"type": ["integer", "null"]}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(of: Any) -> dict[str, Any]:
    return {"type": "array", "items": of}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_RANGE = {"name": _TEXT, "unit": _TEXT, "minimum": _NUMBER, "maximum": _NUMBER}
_KIND = {"enum": list(KINDS)}
_NUMBERS = {"type": "object", "additionalProperties": _NUMBER}

SCHEMAS: dict[str, dict[str, Any]] = {
    "Error": _object(error=_TEXT),
    "Nothing": {"type": "object"},
    "Parameter": _object(
        **_RANGE, default=_NUMBER, kind=_KIND, value=_NUMBER, choices=_list(_TEXT),
        step={"type": ["number", "null"]}, curve=_TEXT, live=_FLAG,
    ),
    "Stage": _object(
        id=_WHOLE, place=_TEXT, name=_TEXT, kind={"enum": ["model", "effect", "plugin", "group"]},
        parameters=_list(_TEXT), latency_samples=_WHOLE, bypass=_FLAG, mix=_NUMBER,
        group={"oneOf": [
            {"type": "null"}, _list(_object(gain=_TEXT, stages=_list(_ref("Stage")))),
        ]},
    ),
    "Path": _list(_ref("Stage")),
    "Changed": {"allOf": [_ref("State"), _object(id=_WHOLE)]},
    "LatencyPart": _object(name=_TEXT, kind=_TEXT, samples=_WHOLE, ms=_NUMBER),
    "State": _object(
        style=_TEXT_OR_NULL, preset=_TEXT_OR_NULL, bypass=_FLAG, microphone=_TEXT_OR_NULL,
        monitor={"oneOf": [
            {"type": "null"}, _object(name=_TEXT, latency_ms=_NUMBER, gain_db=_NUMBER),
        ]},
        lane={"enum": ["inline", "worker"]}, sample_rate=_WHOLE, block=_WHOLE_OR_NULL,
        channels=_list(_WHOLE),
        device=_object(
            input=_TEXT, output=_TEXT, simulated=_FLAG,
            inputs={"type": ["array", "null"], "items": _WHOLE},
            outputs={"type": ["array", "null"], "items": _WHOLE},
        ),
        latency=_object(
            declared_samples=_WHOLE, ms=_NUMBER, total_samples=_WHOLE, total_ms=_NUMBER,
            parts=_list(_ref("LatencyPart")),
        ),
        scenes=_list(_TEXT), scene=_TEXT_OR_NULL, tempo_bpm={"type": ["number", "null"]},
        setlist={"oneOf": [{"type": "null"}, _object(
            name=_TEXT, at=_WHOLE_OR_NULL, loaded=_WHOLE,
            entries=_list(_object(title=_TEXT, preset=_TEXT, problem=_TEXT_OR_NULL)),
        )]},
        compare={"oneOf": [{"type": "null"}, _object(on={"enum": ["A", "B"]}, trim_db=_NUMBER)]},
        parameters=_list(_ref("Parameter")),
        path=_ref("Path"),
        recording={"oneOf": [{"type": "null"}, _object(name=_TEXT, seconds=_NUMBER)]},
        incidents=_list(_object(when=_NUMBER, at=_NUMBER, text=_TEXT)),
        host=_TEXT, host_since=_NUMBER,
        undo=_FLAG, redo=_FLAG, modified=_FLAG,
        pending=_list(_object(id=_WHOLE, what=_TEXT, since=_NUMBER, progress=_TEXT)),
        panel={"type": "object"}, version=_TEXT,
    ),
    "Models": _list(_object(
        name=_TEXT, title=_TEXT, summary=_TEXT, kind=_TEXT, domain=_TEXT, sample_rate=_WHOLE,
        latency_samples=_WHOLE, latency_ms=_NUMBER, cpu_percent={"type": ["number", "null"]},
        licence=_TEXT, controls=_list(_ref("Parameter")),
        sample=_TEXT_OR_NULL, bundled=_FLAG, metrics={"type": "object"}, problem=_TEXT_OR_NULL,
    )),
    "Turned": _object(values=_NUMBERS),
    "Bypass": _object(bypass=_FLAG),
    "MonitorGain": _object(gain_db=_NUMBER),
    "Effects": _object(
        effects=_list(
            _object(name=_TEXT, parameters=_list(_ref("Parameter")), useful=_NUMBERS)
        ),
        plugins=_list(_object(name=_TEXT, path=_TEXT, status=_TEXT)),
    ),
    "Preset": _object(
        name=_TEXT, note=_TEXT, stages=_list(_TEXT), problem=_TEXT_OR_NULL, bundled=_FLAG
    ),
    "Presets": _list(_ref("Preset")),
    "Imported": _object(models=_list(_object(
        file=_TEXT, model=_TEXT, title=_TEXT, summary=_TEXT, licence=_TEXT, proof=_TEXT,
    ))),
    "Setlists": _list(_TEXT),
    "Devices": _list(_object(
        index=_WHOLE, name=_TEXT, host_api=_TEXT, inputs=_WHOLE, outputs=_WHOLE,
        default_rate=_WHOLE, default_in=_FLAG, default_out=_FLAG,
    )),
    "Recording": _object(name=_TEXT),
    "Recorded": _object(files=_list(_object(name=_TEXT, seconds=_NUMBER, gaps=_WHOLE))),
    "Recordings": _list(_object(name=_TEXT, seconds=_NUMBER, bytes=_WHOLE)),
    "Midi": _object(
        available=_FLAG, problem=_TEXT_OR_NULL, ports=_list(_TEXT),
        mappings=_list(_object(
            parameter=_TEXT, target=_TEXT, port=_TEXT, channel=_WHOLE_OR_NULL, number=_WHOLE,
            kind=_TEXT, bank=_WHOLE_OR_NULL, mode=_TEXT, switch=_TEXT_OR_NULL,
        )),
        channels=_list(_WHOLE), learning=_TEXT_OR_NULL,
    ),
}  # fmt: skip


def describe() -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    bodies = [r.body for r in ROUTES if r.body is not None]
    template = "#/components/schemas/{name}"
    _, described = msgspec.json.schema_components(bodies, ref_template=template)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "restyle panel",
            "version": __version__,
            "description": "Knobs of the stream that plays. WebSockets: /api/live, /stream.",
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "paths": paths,
        "components": {"schemas": {**SCHEMAS, **described}},
    }


def _operation(route: Route) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": route.about}
    if route.answer == "audio":
        answer["content"] = {"audio/*": {}}
    else:
        answer["content"] = {"application/json": {"schema": _ref(route.answer)}}
    words = re.findall(r"\w+", route.path.removeprefix("/api"))
    found: dict[str, Any] = {
        "operationId": "_".join([route.method.lower(), *words]),
        "summary": route.about,
        "responses": {
            "200": answer,
            "default": {
                "description": "What is wrong, in one sentence",
                "content": {"application/json": {"schema": _ref("Error")}},
            },
        },
    }
    names = re.findall(r"\{(\w+)\}", route.path)
    if names:
        found["parameters"] = [
            {"name": n, "in": "path", "required": True, "schema": _TEXT} for n in names
        ]
    if route.body is not None:
        needed = any(f.required for f in msgspec.structs.fields(route.body))
        content = {"application/json": {"schema": _ref(route.body.__name__)}}
        found["requestBody"] = {"required": needed, "content": content}
    if route.file:
        binary = {"schema": {"type": "string", "format": "binary"}}
        found["requestBody"] = {"required": True, "content": {BINARY: binary}}
    return found
