"""The kept report: as its schema says, drawn into pages that stand alone."""

from __future__ import annotations

import copy
import json
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks.pages import readme, summary
from benchmarks.rig import tables
from benchmarks.suite import pages, plots, schema, texts
from realtime.errors import ConfigError

KEPT = readme.RESULTS / "report.json"
VOID = {"meta", "br", "img", "link", "input", "hr"}


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return schema.read_report(KEPT)


@pytest.fixture(scope="module")
def pictures(report: dict[str, Any]) -> dict[str, bytes]:
    return plots.draw(report)


def test_the_schema_is_one_and_the_kept_report_fits(report: dict[str, Any]) -> None:
    wanted = json.loads(schema.FILE.read_text())
    jsonschema.Draft202012Validator.check_schema(wanted)
    assert schema.problem_of(report) is None
    assert set(report["sections"]) <= set(wanted["properties"]["sections"]["properties"])


def test_what_does_not_fit_is_neither_written_nor_read(
    report: dict[str, Any], tmp_path: Path
) -> None:
    wrong, path = copy.deepcopy(report), tmp_path / "report.json"
    wrong["sections"]["cost"]["rows"][0]["hop"] = "many"
    with pytest.raises(schema.ReportError, match="sections/cost/rows/0/hop"):
        schema.write_report(path, wrong)
    assert list(tmp_path.iterdir()) == []
    path.write_text(json.dumps(wrong))
    with pytest.raises(ConfigError, match="'many' is not of type 'integer'"):
        schema.read_report(path)
    path.write_text(json.dumps({**report, "schema": "restyle-report/9"}))
    with pytest.raises(ConfigError, match="schema 'restyle-report/9', expected 'restyle-report/1'"):
        schema.read_report(path)
    path.write_text("{")
    with pytest.raises(ConfigError, match="is no JSON"):
        schema.read_report(path)
    with pytest.raises(ConfigError, match="cannot read"):
        schema.read_report(tmp_path / "gone.json")


class Checker(HTMLParser):
    """Open elements, identifiers, and everything a page asks another file for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name in ("src", "href", "xlink:href") and not str(value).startswith("#"):
                self.asked.append(str(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_beside_it(
    report: dict[str, Any], pictures: dict[str, bytes]
) -> None:
    page = pages.page(report, pictures)
    found = Checker()
    found.feed(page)
    assert found.open == [] and found.asked == []
    assert len(found.ids) == len(set(found.ids))
    assert "url(http" not in page and "<script" not in page and "@import" not in page
    for part in texts.PARTS:
        if part.key in report["sections"]:
            assert part.title in page and f'id="{part.key}"' in page


def test_every_plot_has_axes_with_units_and_every_section_a_sentence(
    report: dict[str, Any], pictures: dict[str, bytes]
) -> None:
    with_rows = {p.key for p in texts.PARTS if texts.rows_of(report, p.key)}
    assert set(pictures) == with_rows - {"round_trip", "stages"}
    for key, picture in pictures.items():
        words = " ".join(ElementTree.fromstring(picture).itertext())
        assert re.search(r"\[(µs|ms|s|%|MiB)\]|per second", words), key
    for part in texts.PARTS:
        assert part.see(report).endswith("."), part.key
    empty = {**report, "sections": {k: {"rows": [], "notes": []} for k in report["sections"]}}
    for part in texts.PARTS:
        if part.key not in ("timer", "latency"):  # always measured
            assert part.see(empty)


def test_markdown_tables_are_whole(report: dict[str, Any]) -> None:
    text = pages.markdown(report, {"cost": "figures/cost.png"})
    assert "![What a hop costs](figures/cost.png)" in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({line.count("|") for line in block.splitlines()}) == 1, block
    assert report["command"] in text and report["machine"]["cpu"] in text


def test_a_busy_machine_is_said(report: dict[str, Any]) -> None:
    quiet, busy = copy.deepcopy(report), copy.deepcopy(report)
    for key in ("others", "others_during"):
        quiet["machine"][key] = {"busy_percent": 1.0, "steal_percent": 0.0}
        busy["machine"][key] = {"busy_percent": 66.0, "steal_percent": 0.0}
    assert "was quiet" in pages.load_sentence(quiet)
    assert "66 % during" in pages.load_sentence(busy) and "NOT quiet" in pages.load_sentence(busy)


def test_pages_are_up_to_date_and_their_markers_are_kept() -> None:
    page = "# a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n"
    once = readme.insert(page, "new", "x")
    assert once == page.replace("old", "new") and readme.insert(once, "new", "x") == once
    with pytest.raises(ValueError, match="markers"):
        readme.insert("none", "new", "x")
    assert readme.main(["--check"]) == 0, "run: python -m benchmarks.pages.readme"


def test_the_short_table_is_short_and_has_the_peers(report: dict[str, Any]) -> None:
    text = summary.section(report, None)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert 8 <= len(rows) - 2 <= 16
    for peer in ("TorchScript", "torch eager", "InferenceSession"):
        assert peer in text


def test_a_report_tells_nothing_of_the_machines_folders() -> None:
    command = "restyle bench nam /home/someone/amp.nam --core build/core --json /tmp/out.json"
    kept = tables.Report("nam", command).data["command"]
    assert kept == "restyle bench nam amp.nam --core build/core --json out.json"
