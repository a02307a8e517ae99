"""The compact live meter and the summary after a stream."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...errors import RestyleError
from ...host.host import Host
from ..common import err, out
from ..tag import heard
from .readings import add_rows, needle, sentence

REFRESH_HZ = 8
TUNER_HZ, LINE_SECONDS = 20, 0.25  # of the needle, and between lines where there is none
WIDTH = 24
FLOOR_DB = -60.0
QUIET_SECONDS = 1.5  # of a start before it says how far it is
TELL_SECONDS = 5.0  # and between two such lines where they stay


def bar(db: float) -> Text:
    """A level as a coloured bar."""
    filled = round(WIDTH * max(0.0, min(1.0, 1.0 - db / FLOOR_DB)))
    style = "red" if db > -0.1 else "yellow" if db > -9 else "green"
    return Text("█" * filled, style=style) + Text("░" * (WIDTH - filled), style="bright_black")


def levels(found: Mapping[str, float]) -> Table:
    """What comes in and what goes out, a row each."""
    table = Table.grid(padding=(0, 1))
    for side in ("input", "output"):
        peak, rms = found[f"{side}_peak_db"], found[f"{side}_rms_db"]
        table.add_row(side, bar(peak), f"{peak:6.1f} dB peak", f"{rms:6.1f} dB rms")
    return table


def heard_lately(host: Host) -> Text:
    """What a tagger has heard in the last seconds."""
    latest = host.view.kept.get("tags")
    if not latest:
        return Text("nothing yet", "bright_black")
    return heard(tuple(latest), np.array(list(latest.values()), dtype=np.float32))


@contextmanager
def starting(host: Host) -> Iterator[None]:
    """Tell how far a start is, where it takes longer than a moment, while it is waited for."""
    done = threading.Event()

    def tell() -> None:
        told, due = "", QUIET_SECONDS
        while not done.wait(due):
            due = 0.2 if err.is_terminal else TELL_SECONDS
            text = host.starting
            if text and text != told:
                told = text
                err.print(f"starting: {text}", highlight=False, markup=False)

    thread = threading.Thread(target=tell, name="restyle-starting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(1.0)


def view(host: Host, figures: dict[str, Any], tags: bool = False) -> Table:
    """One refresh of the meter."""
    table = levels(host.meters())
    latency, block = figures["latency"], figures["block_size"] or "varying"
    lost = figures["callbacks_missed"] + figures["xruns"]["ring_underflows"]
    table.add_row(
        figures["lane"],
        Text(f"cpu {figures['cpu_percent']:5.1f} %   block {block}"),
        f"p99 {figures['callback_us']['p99']:.0f} µs",
        Text(f"xruns {lost}", style="red" if lost else "green"),
        f"latency {latency['total_samples']} = {latency['total_ms']:.2f} ms",
    )
    if figures["restarts"]:
        table.add_row("restarts", Text(str(figures["restarts"]), style="red"))
    for one in host.pending:
        table.add_row("pending", Text(f"{one.what}: {one.progress}", style="yellow"))
    add_rows(table, host.meters())
    if tags:
        table.add_row("heard", heard_lately(host))
    return table


def run_with_tuner(host: Host, seconds: float | None) -> None:
    """Wait for the session's end, showing the pitch: a needle, or lines where it changes."""
    end = None if seconds is None else time.monotonic() + seconds
    if err.is_terminal:
        with Live(console=err, transient=True) as shown:
            while host.active and (end is None or time.monotonic() < end):
                host.wait(1.0 / TUNER_HZ)
                with suppress(RestyleError):  # an engine is being replaced
                    shown.update(needle(host.meters()))
        return
    said = ""
    while host.active and (end is None or time.monotonic() < end):
        host.wait(LINE_SECONDS)
        with suppress(RestyleError):
            text = sentence(host.meters())
            if text and text != said:
                out.print(text, highlight=False, markup=False)
            said = text


def run_with_meter(host: Host, seconds: float | None, tags: bool = False) -> None:
    """Wait for the session's end, showing the meter where there is a terminal."""
    end = None if seconds is None else time.monotonic() + seconds
    if not err.is_terminal:
        host.wait(seconds)
        if tags:
            err.print(Text("heard at the end: ").append_text(heard_lately(host)))
        return
    with Live(console=err, transient=True) as shown:
        while host.active and (end is None or time.monotonic() < end):
            host.wait(1.0 / REFRESH_HZ)
            try:
                shown.update(view(host, host.stats(), tags))
            except RestyleError:
                continue  # an engine is being replaced


def summary(figures: dict[str, Any]) -> None:
    """Print lane, latency budget and counters to standard error."""
    if not figures:
        return
    latency = figures["latency"]
    err.print(f"{figures['device']}, {figures['sample_rate']} Hz", highlight=False)
    err.print(f"lane {figures['lane']}: {figures['lane_reason']}", highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("latency")
    table.add_column("samples", justify="right")
    table.add_column("ms", justify="right")
    for part in latency["parts"]:
        table.add_row(f"{part['name']} ({part['kind']})", str(part["samples"]), f"{part['ms']:.3f}")
    table.add_row("declared", str(latency["declared_samples"]), f"{latency['declared_ms']:.3f}")
    table.add_row("total", str(latency["total_samples"]), f"{latency['total_ms']:.3f}")
    err.print(table)
    hop, call = figures["hop_us"], figures["callback_us"]
    err.print(
        f"callbacks {figures['callbacks_seen']} of {figures['callbacks_expected']} expected,"
        f" {figures['callbacks_missed']} missed, {figures['deadline_misses']} over their deadline",
        highlight=False,
    )
    err.print(
        f"callback µs p50 {call['p50']:.1f}  p99 {call['p99']:.1f}  p99.9 {call['p99_9']:.1f};"
        f"  hop µs p50 {hop['p50']:.1f}  p99 {hop['p99']:.1f}  p99.9 {hop['p99_9']:.1f};"
        f"  cpu {figures['cpu_percent']:.1f} %",
        highlight=False,
    )
    counts = {**figures["xruns"], **figures["path"]}
    shown = [f"{k} {v}" for k, v in counts.items() if v and k != "hops"]
    err.print("counters: " + (", ".join(shown) or "all zero"), highlight=False)
    if figures.get("restarts"):
        err.print(
            f"the engine was restarted {figures['restarts']} times, in"
            f" {figures['restart_seconds']:.2f} s; the counts are those of all engines",
            highlight=False,
        )
