"""The page's files: looked up in a listing of their folder, never by a request's path."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


def page_files() -> dict[str, Path]:
    """The files there are, by their path below the folder, with ``/`` between."""
    found = (p for p in PAGE.rglob("*") if p.is_file() and p.suffix.lower() in KINDS)
    return {p.relative_to(PAGE).as_posix(): p for p in found}


def kind_of(path: Path) -> str:
    """Its media type."""
    return KINDS[path.suffix.lower()]
