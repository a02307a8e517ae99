"""What every section of a report is called, shows and says: the one list that all pages follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.rig.loads import TITLES

Row = dict[str, Any]
Report = dict[str, Any]
Sentence = Callable[[Report], str]


@dataclass(frozen=True)
class Part:
    """One section of the pages.

    Attributes
    ----------
    key : str
        In the report's ``sections``.
    title : str
    about : str
        What was measured, and how.
    see : callable
        One sentence with this run's figures: what to see in plot and table.
    columns : mapping
        Key of the row to heading, with its unit.
    """

    key: str
    title: str
    about: str
    see: Sentence
    columns: Mapping[str, str]


def rows_of(report: Report, key: str) -> list[Row]:
    """Rows of a section; none when it is missing."""
    return list(report["sections"].get(key, {}).get("rows", []))


def _timer(report: Report) -> str:
    late = rows_of(report, "timer")[0]["late_us"]
    return (
        f"Half of all wake-ups come within {late['p50']:.0f} µs, one in a hundred later than"
        f" {late['p99']:.0f} µs, the latest after {late['max']:.0f} µs: what runs here in time"
        " cannot be more punctual than this."
    )


def _cost(report: Report) -> str:
    rows = sorted(rows_of(report, "cost"), key=lambda r: r["cpu_percent"])
    if not rows:
        return "No model was measured."
    low, high = rows[0], rows[-1]
    own = max(100.0 * r["own_us"]["p50"] / r["paced_us"]["p50"] for r in rows)
    return (
        f"Every bar ends far from the line at 100 %: the lightest style takes"
        f" {low['cpu_percent']:.1f} % of one core ({low['model']}), the heaviest"
        f" {high['cpu_percent']:.1f} % ({high['model']}). Nearly all of it is the network; what"
        f" restyle adds besides FFTs is {own:.1f} % of a hop at most (medians)."
    )


def _stages(report: Report) -> str:
    rows = [r for r in rows_of(report, "stages") if r["stage"] != "network"]
    if not rows:
        return "Nothing was measured."
    most = max(rows, key=lambda r: r["paced_us"]["p50"])
    return (
        f"Besides the network no stage takes longer than {most['paced_us']['p50']:.1f} µs"
        f" ({most['stage']} of {most['model']}, median, paced)."
    )


def _peers(report: Report) -> str:
    said = []
    for row in rows_of(report, "peers"):
        if row["against_restyle"] is not None and row["peer"] != "restyle":
            factor = row["against_restyle"]["median"]
            said.append(f"{row['peer']} {factor:.1f} x ({row['model']})")
    if not said:
        return "No peer was there to be measured; see the list of peers."
    return (
        "Against restyle's time for the same network in the same rounds: " + ", ".join(said) + "."
    )


def _exact(report: Report, key: str, how: str) -> str:
    rows = rows_of(report, key)
    wrong = sum(r["verdict"] != "ok" for r in rows)
    if wrong:
        return f"**{wrong} of {len(rows)} rows differ** from what was declared, {how}."
    return f"All {len(rows)} rows come out to the sample where restyle declares them, {how}."


def _latency(report: Report) -> str:
    rows = rows_of(report, "latency")
    block = min(r["block"] for r in rows)
    none = [r["model"] for r in rows if (r["block"], r["declared"]) == (block, 0)]
    most = max(r["ms"] for r in rows if (r["block"], r["lane"]) == (block, "inline"))
    return (
        f"At blocks of {block} samples {', '.join(none)} add no latency at all, the other styles"
        f" {most:.1f} ms; the worker lane, which Python effects need, adds a block, or a"
        " hop where that is longer. "
        + _exact(report, "latency", "measured on the simulated device")
    )


def _round_trip(report: Report) -> str:
    return _exact(report, "round_trip", "through PortAudio and back")


def _glitch(report: Report) -> str:
    rows = [r for r in rows_of(report, "glitch") if r["load"] == TITLES["gil"]]
    found = {r["contender"]: r["missed_percent"] for r in rows}
    if not found:
        return "Nothing was measured."
    said = "; ".join(f"{k} {v:.1f} %" for k, v in found.items())
    return f"While another Python thread of the same program computes, missed: {said}."


def _hot(row: Row) -> float:
    return float(row["hot_percent"]["p50"])


def _nam(report: Report) -> str:
    rows = rows_of(report, "nam")
    if not rows:
        return "Nothing was measured."
    own = {r["capture"]: r for r in rows if r["player"] == "restyle kernel"}
    said = [
        f"{r['player']} needs {_hot(r) / _hot(own[r['capture']]):.1f} x the kernel's time"
        f" ({r['capture']})"
        for r in rows
        if r["player"] != "restyle kernel" and r["capture"] in own
    ]
    return "; ".join(said) + "."


def _render(report: Report) -> str:
    speeds = [r["times_real_time"]["median"] for r in rows_of(report, "render")]
    if not speeds:
        return "Nothing was measured."
    return (
        f"A file is done {min(speeds):.0f} to {max(speeds):.0f} times as fast as it plays, on one"
        " core."
    )


def _startup(report: Report) -> str:
    rows = rows_of(report, "startup")
    if not rows:
        return "Nothing was measured."
    cold = [r["total_s"]["median"] for r in rows if r["start"] == "cold"]
    warm = [r["total_s"]["median"] for r in rows if r["start"] == "warm"]
    later = f"there is sound within {max(warm):.1f} s of the command."
    return (
        f"The very first start compiles for {cold[0]:.0f} s; later {later}"
        if cold
        else (later[0].upper() + later[1:])
    )


def _memory(report: Report) -> str:
    rows = rows_of(report, "memory")
    if not rows:
        return "Nothing was measured."
    grown = max(r["engine_growth_mib"] for r in rows)
    return (
        f"The engine holds at most {max(r['engine_mib'] for r in rows):.0f} MiB and grows by"
        f" {grown:.2f} MiB at most after the first tenth of the run: the lines are flat."
    )


_LATENCY = {
    "model": "model", "block": "block (samples)", "lane": "lane",
    "declared": "declared (samples)", "dry": "dry path", "wet": "wet path", "impulse": "impulse",
    "ms": "ms", "verdict": "",
}  # fmt: skip
PARTS = (
    Part(
        "timer", "Floor of the machine",
        "A bare native thread at the highest priority permitted asks to be woken every millisecond;"
        " it counts by how much it wakes too late.",
        _timer, {"what": "", "late_us": "late by µs: p50 / p99 / p99.9"},
    ),
    Part(
        "cost", "What a hop costs",
        "One hop through the whole lane, clocked between its stages, at the pace of the sound"
        " (caches as cold as they then are) and hot, one right after the other.",
        _cost,
        {
            "model": "model", "hop_ms": "hop lasts ms", "paced_us": "paced µs: p50 / p99 / p99.9",
            "hot_us": "hot µs", "model_us": "network µs", "fft_us": "FFT + inverse µs",
            "own_us": "restyle's own µs", "cpu_percent": "of one core %",
            "against_reference": "x reference",
        },
    ),
    Part(
        "stages", "Where a hop's time goes",
        "The same hops, stage by stage. A model on samples has no FFT; its frame and overlap-add"
        " stages copy.",
        _stages,
        {
            "model": "model", "stage": "stage", "paced_us": "paced µs: p50 / p99 / p99.9",
            "hot_us": "hot µs: p50 / p99 / p99.9",
        },
    ),
    Part(
        "peers", "The same network elsewhere",
        "One hop of the very same network at the pace of the sound, with explicit states and one"
        " thread, each peer in a process of its own at the same priority. pedalboard runs no"
        " networks; its row is gate, distortion, filter and gain.",
        _peers,
        {
            "model": "model", "peer": "run by", "hop_ms": "hop lasts ms",
            "paced_us": "paced µs: p50 / p99 / p99.9", "hot_us": "hot µs",
            "against_restyle": "x restyle",
        },
    ),
    Part(
        "latency", "Latency, declared and measured",
        "What restyle says it adds, and where dry sound, wet sound and an impulse come out on a"
        " simulated device.",
        _latency, _LATENCY,
    ),
    Part(
        "round_trip", "Round trip through PortAudio",
        "The same on JACK's dummy driver, output connected to input: declared latency and one"
        " period of the device.",
        _round_trip,
        {**{k: v for k, v in _LATENCY.items() if k not in ("impulse", "verdict")},
         "device": "device alone", "round_trip": "sum", "verdict": ""},
    ),
    Part(
        "glitch", "Missed callbacks under load",
        "Callbacks that did not happen, counted against elapsed time, while something else runs. A"
        " GIL hog is another thread of the same Python program that computes: a window that is"
        " drawn, a file that is read. The Python callback and rtmixer's worker restyle with NumPy"
        " and InferenceSession.run. rtmixer has two blocks of reserve, restyle's worker lane"
        " one, the others none.",
        _glitch,
        {
            "contender": "audio callback", "load": "beside it", "expected": "due",
            "missed": "missed", "missed_percent": "%", "longest_ms": "longest interval ms",
            "callback_us": "callback µs: p50 / p99 / p99.9",
        },
    ),
    Part(
        "nam", "Neural Amp Modeler captures",
        "Time of a step over the time of its sound, blocks of 64 samples, one thread; random"
        " weights in the shapes people share. The reference library converts two seconds at once,"
        " which favours it.",
        _nam,
        {
            "capture": "capture", "player": "player", "block": "block (samples)",
            "hot_percent": "hot %: p50 / p99 / p99.9", "paced_percent": "paced %",
        },
    ),
    Part(
        "render", "Offline render",
        "Seconds of sound made in one second, through the very code of the live stream.",
        _render, {"model": "model", "times_real_time": "x real time: median (low..high)"},
    ),
    Part(
        "startup", "Start to first sound",
        "From launching the interpreter to the first callback. Cold: nothing is compiled yet; warm:"
        " every later start.",
        _startup,
        {
            "model": "model", "start": "start", "interpreter_s": "interpreter s",
            "import_s": "import s", "model_s": "model s", "session_s": "session s",
            "total_s": "in all s", "cpu_s": "CPU time s",
        },
    ),
    Part(
        "memory", "Memory",
        "Resident memory of both processes while sound plays, without a standby (which is another"
        " engine). Where memory may be locked, whole libraries count, used or not.",
        _memory,
        {
            "model": "model", "engine_mib": "engine MiB", "control_mib": "control MiB",
            "engine_growth_mib": "engine grew MiB", "control_growth_mib": "control grew MiB",
            "seconds": "over s of sound",
        },
    ),
)  # fmt: skip


def cell(value: Any) -> str:
    """One cell: a figure as its quantiles, a value as median and range."""
    from benchmarks.rig.tables import cell as plain
    from benchmarks.rig.tables import number

    if isinstance(value, dict) and "median" in value:
        return f"{number(value['median'])} ({number(value['low'])}..{number(value['high'])})"
    return plain(value)
