"""The README's short table: what a musician wants to know, beside what others take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..rig import machine
from ..rig.loads import TITLES
from ..suite.pages import load_sentence, markdown_table
from ..suite.texts import rows_of

Report = dict[str, Any]
OWN_KERNEL = "restyle kernel"
NONE = "–"
HEAD = ("what", "restyle", "beside it, same run")
LOAD = TITLES["gil"]
WORDS = {"Python callback": "Python callback (sounddevice)"}


def _latency(report: Report) -> Iterator[tuple[str, str, str]]:
    rows = rows_of(report, "latency")
    block = min(r["block"] for r in rows)
    here = [
        r
        for r in rows
        if (r["block"], r["lane"]) == (block, "inline") and r["model"] != "pass-through"
    ]
    for title, chosen in (
        ("none", [r for r in here if r["declared"] == 0]),
        ("some", [r for r in here if r["declared"] > 0]),
    ):
        if chosen:
            names = ", ".join(r["model"] for r in chosen)
            most = max(r["ms"] for r in chosen)
            said = "none" if title == "none" else f"{most:.1f} ms"
            yield f"latency added by {names} (blocks of {block} samples)", said, NONE
    trips = rows_of(report, "round_trip")
    met = sum(r["verdict"] == "ok" for r in [*rows, *trips])
    yield (
        "measured latency equals the declared one, to the sample",
        f"{met} of {len(rows) + len(trips)} cases, {len(trips)} of them through PortAudio",
        NONE,
    )


def _peers(report: Report) -> Iterator[tuple[str, str, str]]:
    rows = rows_of(report, "peers")
    for name in dict.fromkeys(r["model"] for r in rows if r["against_restyle"] is not None):
        here = {r["peer"]: r for r in rows if r["model"] == name}
        own = here.pop("restyle")["paced_us"]
        others = [f"{peer} {r['paced_us']['p50'] / 1000:.2f} ms" for peer, r in here.items()]
        hop = next(r["hop_ms"] for r in rows if r["model"] == name)
        yield (
            f"network of `{name}`, one hop of {hop:.2f} ms",
            f"{own['p50'] / 1000:.2f} ms (p99 {own['p99'] / 1000:.2f})",
            ", ".join(others) or NONE,
        )


def _cost(report: Report) -> Iterator[tuple[str, str, str]]:
    costs = sorted(r["cpu_percent"] for r in rows_of(report, "cost"))
    own = [r["hot_percent"]["p50"] for r in rows_of(report, "nam") if r["player"] == OWN_KERNEL]
    if costs and own:
        said = f"{costs[0] / own[0]:.1f} to {costs[-1] / own[0]:.1f} times as much"
        yield "processor time, lightest to heaviest style", said, "a `.nam` capture (A1 standard) 1"


def _glitch(report: Report) -> Iterator[tuple[str, str, str]]:
    found = {
        r["contender"]: f"{r['missed_percent']:.0f} %"
        for r in rows_of(report, "glitch")
        if r["load"] == LOAD
    }
    own = [f"{found.pop(k)} ({k[9:]})" for k in list(found) if k.startswith("restyle")]
    others = ", ".join(f"{WORDS.get(k, k)} {v}" for k, v in found.items())
    if own:
        yield "callbacks missed while a Python thread computes", ", ".join(own), others


def _nam(report: Report) -> Iterator[tuple[str, str, str]]:
    rows = rows_of(report, "nam")
    for capture in list(dict.fromkeys(r["capture"] for r in rows))[:1]:
        found = {r["player"]: r["hot_percent"]["p50"] for r in rows if r["capture"] == capture}
        own = found.pop(OWN_KERNEL)
        others = ", ".join(f"{k} {own / v:.2f}" for k, v in found.items())
        yield f"`.nam` capture ({capture}), blocks of 64: our time over theirs", "1", others


def _rest(report: Report) -> Iterator[tuple[str, str, str]]:
    speeds = [r["times_real_time"]["median"] for r in rows_of(report, "render")]
    if speeds:
        said = f"{min(speeds):.0f} to {max(speeds):.0f} times as fast as it plays"
        yield "a file, rendered on one core", said, NONE
    starts = rows_of(report, "startup")
    warm = [r["total_s"]["median"] for r in starts if r["start"] == "warm"]
    cold = [r["total_s"]["median"] for r in starts if r["start"] == "cold"]
    if warm:
        first = f" (the very first time, which compiles: {cold[0]:.0f} s)" if cold else ""
        yield "from the command to sound", f"{max(warm):.1f} s{first}", NONE
    memory = rows_of(report, "memory")
    if memory:
        row = max(memory, key=lambda r: r["engine_mib"])
        grown = max(r["engine_growth_mib"] + r["control_growth_mib"] for r in memory)
        said = f"{row['engine_mib']:.0f} + {row['control_mib']:.0f} MiB, growing by {grown:.1f}"
        yield "memory, engine and control process", said, NONE


def _recovery(recovery: Report) -> Iterator[tuple[str, str, str]]:
    titles = {
        ("engine killed, with a standby", "sound"): "engine killed: sound is back after",
        ("model gives NaN", "the dry sound"): "model gives NaN: the dry sound plays after",
        ("model gives NaN", "the model again"): "model gives NaN: the model plays again after",
    }
    for row in recovery["tables"]["recovery"]:
        title = titles.get((row["what"], row["gone"]))
        if title and row["median_ms"] is not None:
            said = f"{row['median_ms']:.0f} ms (worst of {row['times']}: {row['worst_ms']:.0f})"
            yield title, said, NONE


def section(report: Report, recovery: Report | None) -> str:
    """Everything that goes between the README's markers."""
    rows = [
        *_latency(report),
        *_cost(report),
        *_peers(report),
        *_glitch(report),
        *_nam(report),
        *_rest(report),
        *(_recovery(recovery) if recovery else ()),
    ]
    return "\n\n".join(
        (
            markdown_table([HEAD, *rows]),
            f"Medians of `{report['command']}` on {report['date'][:10]}:"
            f" {machine.sentence({**report['machine'], 'others': None})}. {load_sentence(report)}"
            " Compare within one run; no machine is promised these figures.",
        )
    )


def recovery_section(recovery: Report) -> str:
    """The table of ``docs/host.md``."""
    lines = ["| what breaks | until | times | median ms | worst ms |", "|---|---|---|---|---|"]
    lines += [
        f"| {r['what']} | {r['gone']} | {r['times']} | {r['median_ms']} | {r['worst_ms']} |"
        for r in recovery["tables"]["recovery"]
    ]
    return "\n\n".join(
        (
            "\n".join(lines),
            f"Printed by `{recovery['command']}` on {recovery['date'][:10]}:"
            f" {machine.sentence(recovery['machine'])}. " + " ".join(recovery["notes"]),
        )
    )
