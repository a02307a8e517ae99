"""``python -m benchmarks.pages.screenshots``: pictures of the panel's page for the documentation.

A live session on the simulated device, with a blend and three effects, in the system's Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from realtime.errors import ConfigError

from ..rig.browser import CONNECTED, chromium, live_page, write_clip

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
CHAIN = """[[stage]]
effect = "NoiseGate"
threshold_db = -60
[[stage]]
model = "amp-blend"
[[stage]]
effect = "Chorus"
mix = 0.3
[[stage]]
effect = "Reverb"
room_size = 0.3
"""
PICTURES = {  # name: width, height, colours, view
    "panel": (1280, 800, "dark", "play"),
    "panel-light": (1280, 800, "light", "play"),
    "panel-phone": (844, 390, "dark", "play"),
    "panel-upright": (390, 844, "dark", "styles"),
    "panel-stage": (844, 390, "dark", "stage"),
}
PLAYED_SECONDS = 14.0  # before the first picture, so that the spectrograms are full


def main(arguments: list[str] | None = None) -> int:
    """Write the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=IMAGES)
    out: Path = parser.parse_args(arguments).out
    try:
        browser = chromium()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_clip(folder / "in.wav", 20)
        (folder / "chain.toml").write_text(CHAIN)
        words = [
            "--set",
            "warm=0.45",
            "--set",
            "crunch=0.25",
            "--set",
            "fuzz=0.2",
            "--set",
            "radio=0.1",
            "--chain",
            "chain.toml",
            "--simulate",
            "in.wav",
            "--panel",
            "--panel-port",
            "0",
            "--block",
            "128",
        ]
        with live_page(folder, words) as url:
            take(browser, url, out)
        try:
            with live_page(
                folder, ["--virtual-mic", "--preset", "radio", "--panel-port", "0"]
            ) as url:
                take_air(browser, url, out)
        except SystemExit:
            sys.stderr.write("no picture of the first line: that needs PipeWire or PulseAudio\n")
    return 0


def take_air(browser: str, url: str, out: Path) -> None:
    """Keep what the page of a virtual microphone says first, and its preset's knobs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = window.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.wait_for_selector("#air[data-kind=live]")
        page.wait_for_timeout(2000)
        page.locator(".strip").screenshot(path=out / "on-air.png")
        print(f"wrote {out / 'on-air.png'}")
        window.close()


def take(browser: str, url: str, out: Path) -> None:
    """Open the page at each size and keep what it shows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, (width, height, colours, view) in PICTURES.items():
            page = window.new_page(
                viewport={"width": width, "height": height}, color_scheme=colours
            )
            page.goto(url)
            page.wait_for_selector(CONNECTED)
            if view != "play":
                page.click(f'[data-to="{view}"]:visible')
            page.wait_for_timeout(1000 * PLAYED_SECONDS)
            page.screenshot(path=out / f"{name}.png")
            print(f"wrote {out / name}.png")
            page.close()
        window.close()


if __name__ == "__main__":
    sys.exit(main())
