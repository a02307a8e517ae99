"""The documentation as a site: every page is in it, and every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from realtime.panel.routes import ROUTES
from scripts import site


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages, as they are given to the builder."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "SOURCE", folder / "pages")
        site.write_pages()
    return folder / "pages"


def test_every_page_is_written_and_its_links_lead_to_pages(pages: Path) -> None:
    written = list(pages.rglob("*.md"))
    names = {p.relative_to(pages).as_posix() for p in written}
    assert {p.name for p in (site.ROOT / "docs").glob("*.md")} - {"README.md"} <= names
    for page in written:
        for _, _, target, _ in site.LINK.findall(page.read_text(encoding="utf-8")):
            assert (page.parent / target).is_file(), f"{page.name}: {target}"


def test_the_menu_names_each_page_of_the_docs(pages: Path) -> None:
    menu = (site.ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w./-]+\.md\b", menu.partition("\nnav:")[2]))
    written = {p.name for p in pages.glob("*.md")} - {"contents.md"}
    assert written == {n for n in named if "/" not in n}


def test_the_references_hold_all_routes_and_addresses(pages: Path) -> None:
    api, osc = ((pages / n).read_text(encoding="utf-8") for n in ("api.md", "osc.md"))
    assert all(f"| {r.method} | `{r.path}` |" in api for r in ROUTES)
    assert api.count("\n| ") == len(ROUTES) + 1
    assert "| `/restyle/meters/subscribe` | `s i [f]` | levels to host and port" in osc
    assert "``" not in osc


def test_the_site_builds_without_a_warning() -> None:
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("mkdocs is not installed: make site builds with it")
    assert site.main() == 0
