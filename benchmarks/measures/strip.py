"""``python -m benchmarks.measures.strip``: how soon the page's status strip is right.

A session plays on JACK's dummy server with its page in Chromium.  Its engine is killed, with and
without its standby; the process that serves the page is stopped, and killed; a change is begun that
takes a while.  The page notes each word of the strip with the time at which it stood there; that is
held against when sound ended and came back, by the callbacks that the supervisor counts.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from realtime.commands.common import check_writable
from realtime.errors import ConfigError, RestyleError

from ..rig.browser import CONNECTED, chromium
from ..rig.tables import Report, Row
from .stopped import TOKEN, Session, session

RIGHT_S = 0.5  # what is aimed at
LIMIT_S = 60.0
STOPPED_S = 3.0
NOTE = """
window.words = [];
const note = () => window.words.push(
    [(performance.timeOrigin + performance.now()) / 1000, document.body.dataset.air]);
const watched = { attributes: true, attributeFilter: ["data-air"] };
new MutationObserver(note).observe(document.body, watched);
note();
"""
COLUMNS = {
    "what": "what",
    "times": "times",
    "told_s": "told after s",
    "told_worst_s": "worst",
    "silent_s": "no callbacks for s",
    "back_s": "right again after s",
    "back_worst_s": "worst ",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print it; 1 where the strip was late."""
    parser = argparse.ArgumentParser(prog="benchmarks.measures.strip", description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="of each (default 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    options = parser.parse_args(arguments)
    check_writable(options.json)
    if not 1 <= options.times <= 100:
        raise ConfigError(f"--times must be within 1..100, got {options.times}")
    report = Report("strip", "python -m benchmarks.measures.strip")
    rows = measured(report, options.times)
    report.table("strip", f"The strip is to be right within {RIGHT_S} s", rows, COLUMNS)
    if options.json is not None:
        report.write(options.json)
    return int(any(r["verdict"] != "ok" for r in rows))


def measured(report: Report, times: int) -> list[Row]:
    """A row for each thing that is done to the session."""
    from playwright.sync_api import sync_playwright

    browser = chromium()
    with session() as (playing, _), sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = window.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.goto(f"http://127.0.0.1:{playing.ask()['port']}/?token={TOKEN}")
        page.wait_for_selector(CONNECTED)
        page.wait_for_selector("body[data-air=live]")
        page.evaluate(NOTE)
        made = [
            _row(what, [case(playing, page) for _ in range(times) if _next(report, what, playing)])
            for what, case in CASES.items()
        ]
        window.close()
    return made


def _next(report: Report, what: str, playing: Session) -> bool:
    """Wait until a standby stands by, for a case that begins as the one before."""
    report.progress(what)
    end = time.monotonic() + LIMIT_S
    while not (now := playing.ask()).get("standby") or not now["engine"]:
        if time.monotonic() > end:
            raise RestyleError("strip: no engine stands by")
        time.sleep(0.05)
    time.sleep(1.0)
    return True


def _row(what: str, cases: Sequence[tuple[float, float, float]]) -> Row:
    told, silent, back = (sorted(c[k] for c in cases) for k in range(3))
    late = max(told[-1], back[-1])
    middle = len(cases) // 2
    return {
        "what": what,
        "times": len(cases),
        "told_s": round(told[middle], 2),
        "told_worst_s": round(told[-1], 2),
        "silent_s": round(silent[middle], 2) or "–",
        "back_s": round(back[middle], 2),
        "back_worst_s": round(back[-1], 2),
        "verdict": "ok" if late <= RIGHT_S else "not as it should be",
    }


def _words(page: Any, since: float) -> list[tuple[float, str]]:
    """What the strip has said since a time, with seconds of the clock."""
    return [(at, word) for at, word in page.evaluate("window.words") if at >= since]


def _until(page: Any, since: float, word: str) -> float:
    """Seconds of the clock at which the strip said it for the last time; waits for it."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        found = _words(page, since)
        if found and found[-1][1] == word:
            return found[-1][0]
        page.wait_for_timeout(20)
    raise RestyleError(f"strip: it does not say '{word}' within {LIMIT_S:.0f} s")


def _gone(playing: Session, page: Any, spares: bool) -> tuple[float, float, float]:
    """Kill the engine, perhaps its standby, too; seconds until told, of silence, until right."""
    before = playing.ask()
    begin = time.time()
    for pid in [before["engine"], *(before["spares"] if spares else ())]:
        os.kill(pid, signal.SIGKILL)
    end, last = time.monotonic() + LIMIT_S, -1
    while time.monotonic() < end:
        now = playing.ask()
        if now["engine"] and now["engine"] != before["engine"]:
            if 0 <= last < now["callbacks"]:
                break
            last = now["callbacks"]
        time.sleep(0.005)
    back = time.time()
    page.wait_for_timeout(1000.0 * 2 * RIGHT_S)
    words = _words(page, begin)
    gone = [at for at, word in words if word == "none"]
    told = (gone[0] if gone else back) - begin  # none: sound was back before a word could stand
    return min(told, back - begin), back - begin, max(0.0, _until(page, begin, "live") - back)


def _engine(playing: Session, page: Any) -> tuple[float, float, float]:
    return _gone(playing, page, False)


def _engines(playing: Session, page: Any) -> tuple[float, float, float]:
    return _gone(playing, page, True)


def _stopped(playing: Session, page: Any) -> tuple[float, float, float]:
    pid, begin = playing.ask()["controls"], time.time()
    os.kill(pid, signal.SIGSTOP)
    page.wait_for_timeout(1000.0 * STOPPED_S)
    told = next(at for at, word in _words(page, begin) if word == "off") - begin
    goes = time.time()
    os.kill(pid, signal.SIGCONT)
    return told, 0.0, _until(page, goes, "live") - goes


def _killed(playing: Session, page: Any) -> tuple[float, float, float]:
    """Kill what serves the page; it is right again counted from when another serves."""
    before, begin = playing.ask(), time.time()
    os.kill(before["controls"], signal.SIGKILL)
    while playing.ask()["controls"] in (0, before["controls"]):
        time.sleep(0.005)
    while True:
        answer = page.evaluate("fetch('/api/state').then((r) => r.status, () => 0)")
        if answer == 200:
            break
        page.wait_for_timeout(10)
    goes = time.time()
    back = _until(page, begin, "live")
    told = next(at for at, word in _words(page, begin) if word == "off") - begin
    return told, 0.0, max(0.0, back - goes)


def _change(playing: Session, page: Any) -> tuple[float, float, float]:
    """Choose a style while the supervisor stands still; then its end."""
    pid = playing.process.pid
    style = "clean" if page.locator('.card.on [data-model="tape"]').count() else "tape"
    os.kill(pid, signal.SIGSTOP)
    begin = time.time()
    page.locator(f'[data-model="{style}"]').dispatch_event("click")
    page.wait_for_selector(f'.card.coming [data-model="{style}"]')
    told = time.time() - begin
    page.wait_for_timeout(1000.0 * STOPPED_S)
    os.kill(pid, signal.SIGCONT)
    while page.evaluate("fetch('/api/state').then((r) => r.json()).then((s) => s.style)") != style:
        page.wait_for_timeout(10)
    goes = time.time()
    page.wait_for_selector(f'.card.on:not(.coming) [data-model="{style}"]')
    return told, 0.0, time.time() - goes


CASES: dict[str, Callable[[Session, Any], tuple[float, float, float]]] = {
    "the engine is killed, a standby takes over": _engine,
    "engine and standby are killed": _engines,
    "what serves the page is stopped for 3 s": _stopped,
    "what serves the page is killed": _killed,
    "a change that is held up for 3 s": _change,
}


if __name__ == "__main__":
    raise SystemExit(main())
