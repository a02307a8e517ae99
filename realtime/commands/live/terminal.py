"""``restyle live --terminal``: levels, latency, processor, counters and knobs in a terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ...errors import RestyleError
from ...host.host import Host
from ...host.surface import HostSurface
from ...panel.console import HostConsole
from ..common import err
from .meter import levels
from .readings import add_rows

REFRESH_HZ = 10
KNOBS = 40  # shown


def timing(state: Mapping[str, Any], figures: Mapping[str, Any]) -> Table:
    """Lane, processor, latency by part, counters that are not 0."""
    latency, hop = state["latency"], figures["hop_us"]
    table = Table.grid(padding=(0, 1))
    table.add_row("device", f"{state['device']['input']} / {state['device']['output']}")
    table.add_row("rate, block", f"{state['sample_rate']} Hz, {state['block'] or 'varying'}")
    table.add_row("lane", f"{state['lane']}, cpu {figures['cpu_percent']:.1f} %")
    table.add_row("hop", f"p50 {hop['p50']:.0f} µs, p99 {hop['p99']:.0f} of {hop['budget']:.0f} µs")
    parts = ", ".join(f"{p['name']} {p['samples']}" for p in latency["parts"] if p["samples"])
    table.add_row("latency", f"{latency['declared_samples']} samples = {latency['ms']:.2f} ms")
    table.add_row("", parts or "no part adds any")
    counted = [f"{k} {v}" for k, v in figures["counters"].items() if v]
    table.add_row("counters", ", ".join(counted) or "all zero")
    return table


def knobs(listed: Sequence[Mapping[str, Any]]) -> Table:
    """Every parameter with a bar for where it stands."""
    table = Table.grid(padding=(0, 1))
    for p in listed[:KNOBS]:
        span = p["maximum"] - p["minimum"]
        share = (p["value"] - p["minimum"]) / span if 0 < span < float("inf") else 0.0
        filled = round(16 * min(1.0, max(0.0, share)))
        line = Text("━" * filled, style="cyan") + Text("─" * (16 - filled), style="bright_black")
        table.add_row(p["name"], line, f"{p['value']:g} {p['unit']}")
    if len(listed) > KNOBS:
        table.add_row(f"and {len(listed) - KNOBS} more")
    return table


def view(console: HostConsole) -> Group:
    """One refresh."""
    state, found = console.state(), console.levels()
    shown = levels(found)
    shown.add_row("limiter", f"{found['limiter_db']:.1f} dB")
    add_rows(shown, found)
    playing = state["style"] or "no model"
    name = f"{playing}{' (bypassed)' if state['bypass'] else ''}"
    said = [Text(str(n["text"]), style="yellow") for n in state["incidents"][-3:]]
    return Group(
        Panel(shown, title=name, title_align="left"),
        Panel(timing(state, console.figures()), title="timing", title_align="left"),
        Panel(knobs(state["parameters"]), title="knobs", title_align="left"),
        *(Text(f"pending: {p['what']}: {p['progress']}", style="yellow") for p in state["pending"]),
        *said,
    )


def run_with_terminal(host: Host, seconds: float | None) -> None:
    """Show the view until the sound ends, `seconds` have passed, or Ctrl-C."""
    console = HostConsole(host, HostSurface(host))
    end = None if seconds is None else time.monotonic() + seconds
    with Live(view(console), console=err, transient=True, auto_refresh=False) as shown:
        while host.active and (end is None or time.monotonic() < end):
            host.wait(1.0 / REFRESH_HZ)
            try:
                shown.update(view(console), refresh=True)
            except RestyleError:
                continue  # an engine is being replaced
