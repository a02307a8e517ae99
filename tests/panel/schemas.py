"""Whether a value is what a JSON schema of the API's description says; a small reading of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def problems(value: Any, schema: Mapping[str, Any], document: Any, where: str = "") -> list[str]:
    """What does not fit, each with its place."""
    if "$ref" in schema:
        found = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return problems(value, found, document, where)
    if "oneOf" in schema:
        fits = [s for s in schema["oneOf"] if not problems(value, s, document)]
        return [] if len(fits) == 1 else [f"{where}: {value!r} fits {len(fits)} of oneOf"]
    if "allOf" in schema:
        return [p for s in schema["allOf"] for p in problems(value, s, document, where)]
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{where}: {value!r} is none of the enum"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, k) for k in kinds):
        return [f"{where}: {value!r} is not {' or '.join(kinds)}"]
    found = []
    if isinstance(value, dict):
        found += [f"{where}: lacks {k}" for k in schema.get("required", []) if k not in value]
        named = schema.get("properties", {})
        for key, item in value.items():
            inner = named.get(key, schema.get("additionalProperties", {}))
            found += problems(item, inner or {}, document, f"{where}.{key}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += problems(item, schema.get("items", {}), document, f"{where}[{i}]")
    return found


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _TYPES[kind])
