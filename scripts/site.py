"""Build the documentation as a site: ``python -m scripts.site``, which is ``make site``.

The pages are those of docs/ with what they link to; references are written from the code.  A link
to a file that is no page becomes its words.  Strict: a warning ends the build.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from realtime.controllers import osc_space
from realtime.panel import openapi

ROOT = Path(__file__).parent.parent
SOURCE, SITE = ROOT / "out" / "site-pages", ROOT / "out" / "site"
FOLDERS = {"docs": "", "exported": "exported", "benchmarks": "benchmarks"}
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def placed(path: Path) -> str | None:
    """Where a file of the repository is in the site; None for one that is not in it."""
    name = path.relative_to(ROOT).as_posix()
    if name == "README.md":
        return "index.md"
    if name == "docs/README.md":
        return "contents.md"
    if path.suffix not in (".md", ".png"):
        return None
    folder, _, rest = name.partition("/")
    if not rest:
        return name
    if folder in FOLDERS:
        return f"{FOLDERS[folder]}/{rest}".lstrip("/")
    return None


def relinked(text: str, path: Path) -> str:
    """A page's text with its links as they are in the site.

    Raises
    ------
    SystemExit
        A link leads nowhere.
    """
    here = Path(placed(path) or "").parent

    def replaced(found: re.Match[str]) -> str:
        picture, words, name, anchor = found.groups()
        target = (path.parent / name).resolve()
        if not target.exists():
            sys.exit(f"{path.relative_to(ROOT)}: there is no {name}")
        place = placed(target) if target.is_relative_to(ROOT) else None
        if place is None:
            return words
        return f"{picture}[{words}]({'../' * len(here.parts)}{place}{anchor or ''})"

    return LINK.sub(replaced, text)


def api_page() -> str:
    """The routes of the page's API, from the table that serves them."""
    lines = [
        "# The API",
        "",
        "What the page itself uses; [panel.md](panel.md) says how to call it.",
    ]
    lines += ["`GET /api/openapi.json` has every field.", "", "| | route | what it does | body |"]
    lines += ["|---|---|---|---|"]
    for route, methods in sorted(openapi.describe()["paths"].items()):
        for method, said in methods.items():
            lines.append(f"| {method.upper()} | `{route}` | {said['summary']} | {_body(said)} |")
    return "\n".join(lines) + "\n"


def _body(said: dict[str, Any]) -> str:
    if "requestBody" not in said:
        return ""
    content = said["requestBody"]["content"]
    if "application/json" not in content:
        return "a file, as it is"
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = openapi.describe()["components"]["schemas"][name]
    needed = schema.get("required", [])
    fields = schema.get("properties", {})
    return ", ".join(f"`{f}`" + ("" if f in needed else " (may be left out)") for f in fields)


def osc_page() -> str:
    """OSC addresses, from the words of the module that carries them out."""
    text = osc_space.__doc__ or ""
    table, after = text.split("\n\n", 1)[1].rsplit("==\n", 1)
    rule = next(line for line in table.splitlines() if line.startswith("=="))
    starts = [found.start() for found in re.finditer("=+", rule)]
    rows: list[list[str]] = []
    for line in table.splitlines():
        if line.startswith("=="):
            continue
        cells = [line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
        if cells[0]:
            rows.append(cells)
        else:
            rows[-1] = [f"{x} {y}".strip() for x, y in zip(rows[-1], cells, strict=True)]
    lines = ["# OSC", "", "How to switch it on: [control.md](control.md).", ""]
    lines += ["| address | takes | what it does |", "|---|---|---|"]
    lines += [f"| {' | '.join(c.replace('``', '`') for c in cells)} |" for cells in rows]
    return "\n".join([*lines, "", after.strip(), ""])


def write_pages() -> None:
    """Write all pages to :data:`SOURCE`."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    found = [ROOT / p for p in PAGES]
    found += [p for f in FOLDERS for kind in ("md", "png") for p in (ROOT / f).rglob(f"*.{kind}")]
    for path in found:
        target = SOURCE / (placed(path) or "")
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            text = relinked(path.read_text(encoding="utf-8"), path)
            target.write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(path, target)
    (SOURCE / "api.md").write_text(api_page(), encoding="utf-8")
    (SOURCE / "osc.md").write_text(osc_page(), encoding="utf-8")


def main() -> int:
    """Write the pages, then the site."""
    write_pages()
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", SITE]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode == 0:
        sys.stdout.write(f"wrote {SITE.relative_to(ROOT)}/index.html\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
