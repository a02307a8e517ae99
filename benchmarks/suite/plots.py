"""The plots of a report, one for each section, as SVG or PNG.

Restyle is drawn in colour, everything else in grey; axes start at zero; bars are medians, dots
with a line the p99 (or the range of the rounds, where that is said).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from .schema import need
from .texts import rows_of

OWN, LIGHT, THIRD, OTHER, BAD, INK = (
    "#1f6f8b",
    "#8fc1d4",
    "#e0a458",
    "#a9a9a9",
    "#b23a48",
    "#333333",
)
WIDTH = 7.6  # inches
Report = dict[str, Any]


def _bars(axes: Any, labels: Sequence[str], values: Sequence[float], colours: Sequence[str]) -> Any:
    """Horizontal bars, first on top, each with its number at the end."""
    places = range(len(labels))
    bars = axes.barh(places, values, color=list(colours), height=0.62)
    axes.set_yticks(list(places), list(labels))
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    return bars


def _say(axes: Any, values: Sequence[float], texts: Sequence[str], ends: Sequence[float]) -> None:
    """Write each text right of what is drawn on its line."""
    largest = max([*ends, *values, 1e-9])
    axes.set_xlim(0, 1.22 * largest)
    for place, (end, text) in enumerate(zip(ends, texts, strict=True)):
        axes.annotate(
            text, (end, place), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8
        )


def _tails(axes: Any, values: Sequence[float], tails: Sequence[float], label: str) -> None:
    for place, (value, tail) in enumerate(zip(values, tails, strict=True)):
        axes.plot([value, tail], [place, place], color=INK, lw=0.8)
    axes.plot(tails, range(len(tails)), "o", ms=3.5, color=INK, label=label, ls="none")


def _timer(report: Report, figure: Any) -> None:
    axes, late = figure.subplots(), rows_of(report, "timer")[0]["late_us"]
    values = [late[k] for k in ("p50", "p99", "p99_9", "max")]
    labels = ["median", "p99", "p99.9", f"latest of {late['n']}"]
    _bars(axes, labels, values, [OWN] * 4)
    _say(axes, values, [f"{v:.0f} µs" for v in values], values)
    axes.set_xlabel("wakes too late by [µs]")


def _cost(report: Report, figure: Any) -> None:
    axes, rows = figure.subplots(), rows_of(report, "cost")
    share = [1000.0 * r["hop_ms"] / 100.0 for r in rows]  # microseconds of one percent
    parts = (
        ("network", OWN, [r["model_us"]["p50"] for r in rows]),
        ("FFT and inverse", THIRD, [(r["fft_us"] or {"p50": 0.0})["p50"] for r in rows]),
        ("restyle's own work", BAD, [r["own_us"]["p50"] for r in rows]),
    )
    left = [0.0] * len(rows)
    for label, colour, values in parts:
        widths = [v / s for v, s in zip(values, share, strict=True)]
        axes.barh(range(len(rows)), widths, left=left, color=colour, height=0.62, label=label)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    tails = [r["paced_us"]["p99"] / s for r, s in zip(rows, share, strict=True)]
    _tails(axes, left, tails, "p99 of the whole hop")
    axes.set_yticks(range(len(rows)), [f"{r['model']} ({r['hop']})" for r in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, max(100.0, 1.05 * max(tails)))
    axes.axvline(100.0, color=BAD, lw=1.0, ls="--")
    axes.annotate(
        "too slow from here",
        (100.0, 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        color=BAD,
        fontsize=8,
    )
    axes.set_xlabel("share of the hop's own duration [%], paced; in brackets: hop [samples]")
    axes.legend(loc="center right", fontsize=8, frameon=False)


def _peers(report: Report, figure: Any) -> None:
    rows = rows_of(report, "peers")
    models = list(dict.fromkeys(r["model"] for r in rows if r["against_restyle"]))
    for axes, model in zip(figure.subplots(len(models), squeeze=False)[:, 0], models, strict=True):
        here = [r for r in rows if r["model"] == model]
        values = [r["paced_us"]["p50"] for r in here]
        tails = [r["paced_us"]["p99"] for r in here]
        colours = [OWN if r["peer"] == "restyle" else OTHER for r in here]
        _bars(axes, [r["peer"] for r in here], values, colours)
        _tails(axes, values, tails, "p99")
        factors = [r["against_restyle"]["median"] for r in here]
        texts = [f"{v:.0f} µs, {f:.1f} x" for v, f in zip(values, factors, strict=True)]
        _say(axes, values, texts, tails)
        axes.set_title(f"{model}: a hop lasts {1000 * here[0]['hop_ms']:.0f} µs", loc="left")
        axes.legend(loc="lower right", fontsize=8, frameon=False)
    axes.set_xlabel("time of one network step, paced [µs]: bar median, dot p99")


def _latency(report: Report, figure: Any) -> None:
    rows = rows_of(report, "latency")
    block = min(r["block"] for r in rows)
    names = list(dict.fromkeys(r["model"] for r in rows))
    axes = figure.subplots()
    for offset, lane, colour in ((-0.19, "inline", OWN), (0.19, "worker", LIGHT)):
        here = {r["model"]: r for r in rows if (r["block"], r["lane"]) == (block, lane)}
        places = [i + offset for i in range(len(names))]
        milliseconds = [here[n]["ms"] for n in names]
        axes.barh(places, milliseconds, color=colour, height=0.34, label=f"{lane} lane, declared")
        scale = [r["ms"] / r["declared"] if r["declared"] else 0.0 for r in here.values()]
        met = [
            (here[n]["impulse"] * s, place)
            for n, s, place in zip(names, scale, places, strict=True)
            if here[n]["impulse"] is not None
        ]
        label = "measured by impulse" if lane == "worker" else None
        axes.plot([m[0] for m in met], [m[1] for m in met], "x", color=INK, ms=5, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(left=-0.05)
    axes.set_xlabel(f"latency that restyle adds, blocks of {block} samples [ms]")
    figure.legend(loc="outside upper right", ncols=3, fontsize=8, frameon=False)


def _glitch(report: Report, figure: Any) -> None:
    rows = rows_of(report, "glitch")
    loads = list(dict.fromkeys(r["load"] for r in rows))
    for axes, load in zip(
        figure.subplots(len(loads), sharex=True, squeeze=False)[:, 0], loads, strict=True
    ):
        here = [r for r in rows if r["load"] == load]
        values = [r["missed_percent"] for r in here]
        colours = [OWN if r["contender"].startswith("restyle") else OTHER for r in here]
        _bars(axes, [r["contender"] for r in here], values, colours)
        for place, row in enumerate(here):
            axes.annotate(
                f"{row['missed']} of {row['expected']}",
                (row["missed_percent"], place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
        axes.set_title(f"beside: {load}", loc="left")
        axes.set_xlim(0, 118)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("callbacks missed [%]")


def _nam(report: Report, figure: Any) -> None:
    rows, axes = rows_of(report, "nam"), figure.subplots()
    values = [r["hot_percent"]["p50"] for r in rows]
    colours = [OWN if r["player"] == "restyle kernel" else OTHER for r in rows]
    _bars(axes, [f"{r['capture']}: {r['player']}" for r in rows], values, colours)
    _say(axes, values, [f"{v:.1f} %" for v in values], values)
    axes.set_xlabel("share of one core [%], median of hot steps")


def _render(report: Report, figure: Any) -> None:
    rows, axes = rows_of(report, "render"), figure.subplots()
    values = [r["times_real_time"]["median"] for r in rows]
    _bars(axes, [r["model"] for r in rows], values, [OWN] * len(rows))
    for place, row in enumerate(rows):
        ends = [row["times_real_time"][k] for k in ("low", "high")]
        axes.plot(ends, [place, place], color=INK, lw=1.2)
    highs = [r["times_real_time"]["high"] for r in rows]
    _say(axes, values, [f"{v:.0f} x" for v in values], highs)
    axes.set_xlabel("seconds of sound per second: bar median, line range of the rounds")


def _startup(report: Report, figure: Any) -> None:
    rows, axes = rows_of(report, "startup"), figure.subplots()
    parts = (
        ("interpreter_s", "Python itself", OTHER),
        ("import_s", "imports", LIGHT),
        ("model_s", "model", OWN),
        ("session_s", "session (cold: compiling)", THIRD),
        ("callback_s", "first callback", BAD),
    )
    left = [0.0] * len(rows)
    for key, label, colour in parts:
        widths = [r[key]["median"] for r in rows]
        axes.barh(range(len(rows)), widths, left=left, color=colour, height=0.62, label=label)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(rows)), [f"{r['model']}, {r['start']}" for r in rows])
    axes.invert_yaxis()
    _say(axes, left, [f"{v:.1f} s" for v in left], left)
    axes.set_xlabel("from command to first sound [s]")
    figure.legend(loc="outside upper right", ncols=len(parts), fontsize=8, frameon=False)


def _memory(report: Report, figure: Any) -> None:
    axes, rows = figure.subplots(), rows_of(report, "memory")
    colours = (OWN, THIRD, BAD, LIGHT, OTHER, INK)
    for k, row in enumerate(rows):
        samples = row["engine_samples_mib"]
        seconds = [row["seconds"] * (i + 1) / (len(samples) + 1) for i in range(len(samples))]
        axes.plot(seconds, samples, marker="o", ms=3, color=colours[k % 6], label=row["model"])
    axes.set_ylim(0, 1.15 * max(max(row["engine_samples_mib"]) for row in rows))
    axes.set_xlim(left=0)
    axes.set_xlabel("sound played [s]")
    axes.set_ylabel("engine process [MiB]")
    axes.legend(loc="lower right", fontsize=8, frameon=False, ncols=2)


# drawer, and height in inches from the number of rows
PLOTS: dict[str, tuple[Callable[[Report, Any], None], Callable[[int], float]]] = {
    "timer": (_timer, lambda n: 1.9),
    "cost": (_cost, lambda n: 1.0 + 0.36 * n),
    "peers": (_peers, lambda n: 1.2 + 0.42 * n),
    "latency": (_latency, lambda n: 3.8),
    "glitch": (_glitch, lambda n: 1.0 + 0.40 * n),
    "nam": (_nam, lambda n: 1.0 + 0.36 * n),
    "render": (_render, lambda n: 1.0 + 0.30 * n),
    "startup": (_startup, lambda n: 1.3 + 0.36 * n),
    "memory": (_memory, lambda n: 2.8),
}
STYLE = {
    "font.size": 9, "font.family": "DejaVu Sans", "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlesize": 9, "axes.titleweight": "bold",
    "svg.fonttype": "none", "svg.hashsalt": "restyle", "figure.facecolor": "white",
}  # fmt: skip


def draw(report: Report, kind: str = "svg") -> dict[str, bytes]:
    """Draw every section that has rows.

    Parameters
    ----------
    kind : str
        ``svg`` or ``png``.

    Raises
    ------
    ReportError
        matplotlib is not installed.
    """
    matplotlib = need("matplotlib")
    figures = need("matplotlib.figure")
    made = {}
    with matplotlib.rc_context(STYLE):
        for key, (drawer, height) in PLOTS.items():
            rows = rows_of(report, key)
            if not rows:
                continue
            figure = figures.Figure((WIDTH, height(len(rows))), layout="constrained")
            drawer(report, figure)
            held = io.BytesIO()
            undated = {"Date": None} if kind == "svg" else None
            figure.savefig(held, format=kind, dpi=110, metadata=undated)
            made[key] = held.getvalue()
    return made
