"""What stages measure, in a terminal: the tuner's needle, the beat, where a loop stands."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from ...parameters.readings import LOOP_STATES, note_name

HALF = 20  # characters on each side of the needle's middle, for 50 cents
IN_TUNE = 2.0  # cents


def needle(readings: Mapping[str, float]) -> Text:
    """The nearest note, and a needle for how far above or below it is."""
    hertz, cents = readings["tuner_hz"], readings["tuner_cents"]
    if not hertz:
        return Text("play a string", style="bright_black")
    place = HALF + round(HALF * max(-50.0, min(50.0, cents)) / 50.0)
    marks = ["─"] * (2 * HALF + 1)
    marks[HALF] = "┼"
    marks[place] = "█"
    style = "bold green" if abs(cents) <= IN_TUNE else "bold yellow"
    return Text.assemble(
        (f"{note_name(readings['tuner_note']):<4}", style),
        ("".join(marks), style),
        f" {cents:+5.1f} cents  {hertz:8.2f} Hz",
    )


def sentence(readings: Mapping[str, float]) -> str:
    """The same as one line of text; empty where nothing is heard."""
    if not readings.get("tuner_hz"):
        return ""
    note = note_name(readings["tuner_note"])
    return f"{note} {readings['tuner_cents']:+.1f} cents, {readings['tuner_hz']:.2f} Hz"


def add_rows(table: Table, readings: Mapping[str, float]) -> None:
    """Add a row for each of those that are there."""
    if "tuner_hz" in readings:
        table.add_row("tuner", needle(readings))
    if readings.get("beat"):
        table.add_row("beat", str(round(readings["beat"])))
    if "loop_state" in readings:
        state = LOOP_STATES[round(readings["loop_state"])]
        place = f", {100 * readings['loop_position']:.0f} %" if readings["loop_position"] else ""
        table.add_row("loop", f"{state}, {readings['loop_seconds']:.2f} s{place}")
