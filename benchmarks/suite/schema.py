"""Reading and writing report files, each checked against ``report.schema.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from realtime.audio_files import whole_file
from realtime.errors import ConfigError, RestyleError

SCHEMA = "restyle-report/1"
FILE = Path(__file__).with_name("report.schema.json")
EXTRA = "pip install 'restyle[bench]'"


class ReportError(RestyleError):
    """A report cannot be read, checked or drawn."""


def need(module: str) -> Any:
    """Import what only reports need.

    Raises
    ------
    ReportError
        It is not installed.
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ReportError(f"the report needs the package '{error.name}'; run: {EXTRA}") from None


def problem_of(data: Any) -> str | None:
    """First thing that does not fit the schema, with where it is; None when all fits."""
    jsonschema = need("jsonschema")
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    errors = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(data), key=lambda e: list(e.path)
    )
    if not errors:
        return None
    where = "/".join(str(p) for p in errors[0].path) or "the file"
    return f"{where}: {errors[0].message[:160]}"


def read_report(path: Path) -> dict[str, Any]:
    """Read a result of ``restyle bench --quick`` or ``--full``.

    Raises
    ------
    ConfigError
        Missing, unreadable, of another schema, or not as the schema says.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror}; name a report.json of 'restyle bench --quick'"
        ) from None
    except ValueError as error:
        raise ConfigError(
            f"{path} is no JSON ({error}); name a report.json of 'restyle bench --quick'"
        ) from None
    found = data.get("schema") if isinstance(data, dict) else None
    if found != SCHEMA:
        raise ConfigError(
            f"{path} has schema {found!r}, expected '{SCHEMA}';"
            " make it again with 'restyle bench --quick --out FOLDER'"
        )
    problem = problem_of(data)
    if problem:
        raise ConfigError(f"{path} is not as {SCHEMA} says: {problem}")
    return data


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_report(path: Path, data: dict[str, Any]) -> None:
    """Check a result, then write it.

    Raises
    ------
    ReportError
        It is not as the schema says: nothing is written.
    """
    problem = problem_of(data)
    if problem:
        raise ReportError(f"the result is not as {SCHEMA} says, {problem}; please report it")
    write_text(path, json.dumps(data, indent=1) + "\n")
