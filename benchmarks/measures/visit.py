"""``python -m benchmarks.measures.visit``: a first session on the page, at five sizes of screen.

Some ninety things that a newcomer does, wrong ones too (:mod:`benchmarks.rig.page_actions`), on
the page of a live session with a simulated card.  For each is counted whether what must come of it
came, how long that took, and whether the page had a fault; axe looks at each view and dialog.  A
picture of each moment is left in ``--pictures``, to be looked at.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from realtime.commands.common import check_writable
from realtime.errors import RestyleError

from ..rig.browser import CONNECTED, chromium, live_page, write_clip
from ..rig.page_actions import ACTIONS, Action, go
from ..rig.tables import Report, Row

LIMIT_MS = 30_000.0
COLUMNS = {
    "size": "screen",
    "actions": "actions",
    "wrong": "of them mistakes",
    "right": "right",
    "median_ms": "median ms until right",
    "worst_ms": "worst",
    "axe": "faults by axe",
    "errors": "errors of the page",
    "wide": "wider than the screen",
}


class Size(NamedTuple):
    """A screen."""

    name: str
    width: int
    height: int
    scale: float = 1.0
    scheme: str = "dark"


SIZES = (
    Size("1280 × 800", 1280, 800),
    Size("1920 × 1080, light", 1920, 1080, scheme="light"),
    Size("1280 × 800 at 200 %", 640, 400, 2.0),
    Size("390 × 844", 390, 844, 2.0),
    Size("844 × 390, light", 844, 390, 2.0, "light"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where something was not right."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.visit", description=__doc__)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="leave pictures there")
    parser.add_argument("--size", default="", help="only screens whose names begin so")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    report = Report("visit", "python -m benchmarks.measures.visit")
    rows = [
        visited(report, size, options.pictures)
        for size in SIZES
        if size.name.startswith(options.size)
    ]
    report.table("visit", "A first session on the page", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return int(any(r["verdict"] != "ok" for r in rows))


def visited(report: Report, size: Size, pictures: Path | None) -> Row:
    """One first session, from an empty home on."""
    from playwright.sync_api import sync_playwright

    if pictures is not None:
        pictures = pictures / "".join(c if c.isalnum() else "-" for c in size.name)
        pictures.mkdir(parents=True, exist_ok=True)
    browser = chromium()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        for part in ("models", "presets", "recordings", "data"):
            (folder / part).mkdir()
        (folder / "models" / "torn.onnx").write_bytes(b"\x08\x0a not a model")
        write_clip(folder / "in.wav", 120)
        words = ["tube-amp", "--simulate", "in.wav", "--panel", "--panel-port", "0"]
        homes = {
            f"RESTYLE_{p.upper()}": str(folder / p) for p in ("models", "presets", "recordings")
        }
        homes["XDG_DATA_HOME"] = str(folder / "data")
        with live_page(folder, [*words, "--block", "256"], homes) as url:
            window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            page = window.new_page(
                viewport={"width": size.width, "height": size.height},
                device_scale_factor=size.scale,
                color_scheme=size.scheme,
                reduced_motion="reduce",
            )
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(url)
            page.wait_for_selector(CONNECTED)
            page.wait_for_selector(".card.on", state="attached")
            row = walked(report, page, size, pictures)
            window.close()
    row["errors"] = len(errors)
    for error in errors:
        report.progress(f"{size.name}: {error}")
    good = row["right"] == row["actions"] and not errors and not row["axe"] and not row["wide"]
    return {**row, "verdict": "ok" if good else "not as it should be"}


def walked(report: Report, page: Any, size: Size, pictures: Path | None) -> Row:
    """Do everything; count what came right, and what axe and the width say of each new view."""
    from axe_playwright_python.sync_playwright import Axe

    took, faults, wide, looked = [], 0, 0, set()
    page.set_default_timeout(LIMIT_MS)
    for number, action in enumerate(ACTIONS, 1):
        try:
            took.append(done(page, action))
        except RestyleError as error:
            report.progress(f"{size.name}: {error}")
        if pictures is not None:
            kept = "".join(c if c.isalnum() else "-" for c in action.name)
            page.screenshot(path=pictures / f"{number:02}-{kept}.png")
        view = page.evaluate(
            "[document.body.dataset.view, document.querySelector('#dialog[open] h2')?.textContent]"
        )
        if str(view) not in looked:
            looked.add(str(view))
            page.evaluate("document.getAnimations().forEach((a) => a.finish())")
            for fault in Axe().run(page).response["violations"]:
                where = fault["nodes"][0]["html"][:160]
                report.progress(f"{size.name}: {action.name}: {fault['id']}: {where}")
                faults += 1
        over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if over > 0:
            report.progress(f"{size.name}: {action.name}: {over} pixels too wide")
            wide += 1
    return {
        "size": size.name,
        "actions": len(ACTIONS),
        "wrong": sum(a.wrong for a in ACTIONS),
        "right": len(took),
        "median_ms": round(float(np.median(took))),
        "worst_ms": round(max(took)),
        "axe": faults,
        "wide": wide,
    }


def done(page: Any, action: Action) -> float:
    """Do one thing; milliseconds from its end until what must come of it was there.

    Raises
    ------
    RestyleError
        It did not come, or the thing could not be done.
    """
    from playwright.sync_api import Error

    try:
        go(page, action.view)
        action.do(page)
        begin = time.monotonic()
        if action.right.startswith("= "):
            while not page.evaluate(action.right[2:]):  # the page lets nothing evaluate in it
                if 1000.0 * (time.monotonic() - begin) > LIMIT_MS:
                    raise RestyleError(f"'{action.name}' is not right: not {action.right[2:]}")
                page.wait_for_timeout(20)
        else:
            page.wait_for_selector(action.right, state="attached")
        return 1000.0 * (time.monotonic() - begin)
    except Error as error:
        first = str(error).strip().splitlines()[0]
        raise RestyleError(f"'{action.name}' is not right: {first}") from None


if __name__ == "__main__":
    raise SystemExit(main())
