"""``restyle bench page``: what the panel's page costs the browser that shows it.

The page of a live session on a simulated card, in the system's Chromium without a screen, which
draws in software.  Beside it in the same run a page that holds one bar and moves it as often: what
any page costs here that moves at all.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from realtime.errors import ConfigError

from ..rig.browser import CONNECTED, chromium, live_page, write_clip
from ..rig.tables import Report, Row

SETTLE_MS = 3000.0
BAR = """<div id="bar" style="width: 200px; height: 16px; background: red"></div><script>
let k = 0;
const move = () => { bar.style.transform = `scaleX(${(k++ % 30) / 30})`; };
setInterval(() => requestAnimationFrame(move), 33);
</script>"""
COUNT = """(what) => {
    window.drawn = 0;
    new MutationObserver((all) => { window.drawn += all.length; })
        .observe(document.querySelector(what), { attributes: true, attributeFilter: ["style"] });
}"""
LEVEL = "#meters .gauge.dry .level"
COLUMNS = {
    "page": "page",
    "frames_per_second": "frames/s",
    "renderer_percent": "renderer, % of a core",
    "gpu_percent": "compositor",
    "browser_percent": "whole browser",
    "over_the_bar": "renderer, times the bar's",
}


class Case(NamedTuple):
    """A page and how it is looked at."""

    name: str
    bar: bool = False
    still: bool = False  # the system's wish for no motion
    open: bool = False  # the spectrograms, large


CASES = (
    Case("one bar, nothing else", bar=True),
    Case("restyle"),
    Case("restyle, spectrograms open", open=True),
    Case("restyle, no motion wanted", still=True),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(prog="restyle bench page", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each page (default 10)")
    parser.add_argument("--rounds", type=int, default=3, help="of all pages (default 3)")
    parser.add_argument("--json", metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    for name, low, high in (("seconds", 1, 600), ("rounds", 1, 50)):
        if not low <= getattr(options, name) <= high:
            raise ConfigError(
                f"--{name} must be within {low}..{high}, got {getattr(options, name):g}"
            )
    browser = chromium()
    report = Report("page", " ".join(["restyle bench page", *(arguments or [])]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clip(folder / "in.wav", 60)
        words = ["tube-amp", "--simulate", "in.wav", "--panel", "--panel-port", "0"]
        with live_page(folder, [*words, "--block", "256"]) as url:
            rounds = [
                {case.name: measure(browser, url, case, options.seconds) for case in CASES}
                for _ in range(options.rounds)
            ]
    report.table("page", "Chromium without a screen; medians of rounds", rows(rounds), COLUMNS)
    if options.json is not None:
        report.write(Path(options.json))
    return 0


def rows(rounds: Sequence[dict[str, Row]]) -> list[Row]:
    """Medians over the rounds, each beside the moved bar of its own round."""
    made = []
    for case in CASES:
        seen = [found[case.name] for found in rounds]
        row: Row = {"page": case.name}
        row |= {key: round(float(np.median([s[key] for s in seen])), 1) for key in seen[0]}
        bars = [found[CASES[0].name]["renderer_percent"] for found in rounds]
        times = [s["renderer_percent"] / b for s, b in zip(seen, bars, strict=True)]
        row["over_the_bar"] = round(float(np.median(times)), 2)
        made.append(row)
    return made


def measure(browser: str, url: str, case: Case, seconds: float) -> Row:
    """Frames and processor time while one page is looked at."""
    with opened(browser, url, case) as (session, page):
        before, begin = spent(session), time.monotonic()
        page.evaluate(COUNT, "#bar" if case.bar else LEVEL)
        page.wait_for_timeout(1000.0 * seconds)
        drawn = page.evaluate("window.drawn")
        after, lasted = spent(session), time.monotonic() - begin
    share = {kind: 100.0 * (after[kind] - before.get(kind, 0.0)) / lasted for kind in after}
    return {
        "frames_per_second": drawn / lasted,
        "renderer_percent": share.get("renderer", 0.0),
        "gpu_percent": share.get("GPU", 0.0),
        "browser_percent": sum(share.values()),
    }


@contextmanager
def opened(browser: str, url: str, case: Case) -> Iterator[tuple[Any, Any]]:
    """A browser of its own with that page alone; its processes' times are asked of the session."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = window.new_page(
            viewport={"width": 1280, "height": 800},
            reduced_motion="reduce" if case.still else "no-preference",
        )
        if case.bar:
            page.set_content(BAR)
        else:
            page.goto(url)
            page.wait_for_selector(CONNECTED)
        if case.open:
            page.click("#ribbon")
        page.wait_for_timeout(SETTLE_MS)
        yield window.new_browser_cdp_session(), page
        window.close()


def spent(session: Any) -> dict[str, float]:
    """Processor seconds so far, by kind of process."""
    found: dict[str, float] = {}
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        found[process["type"]] = found.get(process["type"], 0.0) + process["cpuTime"]
    return found


if __name__ == "__main__":
    raise SystemExit(main())
