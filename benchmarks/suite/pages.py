"""A report as Markdown and as one HTML file that needs nothing beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.rig import machine

from .texts import PARTS, Part, cell, rows_of

Report = dict[str, Any]
QUIET_PERCENT = 10.0  # of all cores, by others
WORDS = (
    "p50 is the median; p99 and p99.9 are what one in a hundred and one in a thousand exceeds. A"
    " *hop* is what a model advances by. *Hot* steps follow each other at once, *paced* ones come"
    " when the sound would, with caches as cold as they then are. *x reference* divides by a fixed"
    " native workload measured in the same rounds: compare that between machines, not the"
    " microseconds."
)


def load_sentence(report: Report) -> str:
    """How busy others kept the machine."""
    before, during = (report["machine"][k] for k in ("others", "others_during"))
    if not before or not during:
        return "What else the machine did is not known."
    quiet = max(before["busy_percent"], during["busy_percent"]) < QUIET_PERCENT
    verdict = (
        "the machine was quiet"
        if quiet
        else "the machine was NOT quiet: single figures and tails sway, ratios within the run count"
    )
    return (
        f"Other programs kept {before['busy_percent']:.0f} % of all cores busy before the run and"
        f" {during['busy_percent']:.0f} % during it: {verdict}."
    )


def headline(report: Report) -> list[str]:
    """What a stranger should know first."""
    first = {p.key: p for p in PARTS}
    keys = ("latency", "cost", "peers", "glitch", "nam", "render", "startup")
    return [first[k].see(report) for k in keys if rows_of(report, k)]


def facts(report: Report) -> list[tuple[str, str]]:
    """The machine, as pairs of words."""
    m = report["machine"]
    memory = f", {m['memory_gib']:g} GiB" if m["memory_gib"] else ""
    return [
        ("machine", f"{m['cpu']}, {m['cores']} cores{memory}, {m['virtual'] or 'bare metal'}"),
        ("system", f"{m['system']}, {m['python']}, governor {m['governor']}"),
        ("real-time priority", "permitted" if m["realtime_priority"] else "not permitted"),
        ("load by others", load_sentence(report)),
        ("packages", ", ".join(f"{k} {v}" for k, v in m["packages"].items())),
        (
            "made by",
            f"{report['command']}, {report['date'][:16].replace('T', ' ')} UTC,"
            f" {report['seconds']:.0f} s",
        ),
    ]


def _notes(report: Report, part: Part) -> list[str]:
    return list(report["sections"][part.key].get("notes", []))


def _table(report: Report, part: Part) -> list[list[str]]:
    rows = [[cell(r.get(k)) for k in part.columns] for r in rows_of(report, part.key)]
    return [list(part.columns.values()), *rows]


def _shown(report: Report) -> list[Part]:
    return [p for p in PARTS if p.key in report["sections"]]


def _peer_rows(report: Report) -> list[list[str]]:
    rows = [["peer", "version", "measured here", "remark"]]
    return rows + [
        [p["name"], p["version"] or "not installed", p["measured"], p["remark"] or ""]
        for p in report["peers"]
    ]


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """A table whose first row is its head."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def markdown(report: Report, pictures: Mapping[str, str] | None = None) -> str:
    """The report as Markdown; `pictures` maps sections to the files of their plots."""
    said = "\n".join(f"- {s}" for s in headline(report))
    parts = ["# What restyle measures on one machine", said, WORDS, "## The machine"]
    parts.append(markdown_table([["what", "here"], *([a, b] for a, b in facts(report))]))
    parts.append("## Peers")
    parts.append(markdown_table(_peer_rows(report)))
    for part in _shown(report):
        parts += [f"## {part.title}", part.about]
        if rows_of(report, part.key):
            parts.append(f"**What to see:** {part.see(report)}")
            if pictures and part.key in pictures:
                parts.append(f"![{part.title}]({pictures[part.key]})")
            parts.append(markdown_table(_table(report, part)))
        parts += _notes(report, part)
    return "\n\n".join(parts) + "\n"


STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:78rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}
h2{font-size:1.2rem;margin-top:2.4rem;border-top:1px solid #ddd;padding-top:1.2rem}
table{border-collapse:collapse;font-size:.82rem;margin:.8rem 0;display:block;overflow-x:auto}
th,td{padding:.2rem .5rem;text-align:right;border-bottom:1px solid #eee;white-space:nowrap}
th{background:#f4f6f7;font-weight:600}td:first-child,th:first-child{text-align:left}
.two td:nth-child(2),.two th:nth-child(2){text-align:left}
.text td,.text th{text-align:left;white-space:normal;vertical-align:top}
.see{background:#eef5f8;border-left:4px solid #1f6f8b;padding:.5rem .8rem;margin:.8rem 0}
.busy{background:#fdf3e4;border-left:4px solid #e0a458;padding:.5rem .8rem}
figure{margin:1rem 0}svg{max-width:100%;height:auto}nav a{margin-right:.9rem}
details summary{cursor:pointer;color:#1f6f8b}
"""


def _inline(text: str) -> str:
    """Escape, then Markdown's emphasis."""
    safe = html.escape(text, quote=False)
    safe = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", safe)
    return re.sub(r"\*(.+?)\*", r"<i>\1</i>", safe)


def _html_table(rows: list[list[str]], kind: str = "") -> str:
    head = "".join(f"<th>{_inline(c)}</th>" for c in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{_inline(c)}</td>" for c in row) + "</tr>" for row in rows[1:]
    )
    return f'<table class="{kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _svg(picture: bytes, title: str, key: str) -> str:
    """A plot to put into a page: no prologue, identifiers of its own, a name for screen readers."""
    text = picture.decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{key}-", text)
    return text.replace("<svg", f'<svg role="img" aria-label="{html.escape(title)}"', 1)


def page(report: Report, pictures: Mapping[str, bytes]) -> str:
    """The report as one HTML file, plots inside."""
    busy = "NOT quiet" in load_sentence(report)
    body = [
        "<h1>What restyle measures on one machine</h1>",
        f"<p>{_inline(machine.sentence({**report['machine'], 'others': None}))}</p>",
        f'<p class="{"busy" if busy else "see"}">{_inline(load_sentence(report))}</p>',
        "<ul>" + "".join(f"<li>{_inline(s)}</li>" for s in headline(report)) + "</ul>",
        f"<p>{_inline(WORDS)}</p>",
        "<nav>" + "".join(f'<a href="#{p.key}">{p.title}</a>' for p in _shown(report)) + "</nav>",
    ]
    for part in _shown(report):
        body += [f'<h2 id="{part.key}">{part.title}</h2>', f"<p>{_inline(part.about)}</p>"]
        if rows_of(report, part.key):
            body.append(f'<p class="see"><b>What to see:</b> {_inline(part.see(report))}</p>')
            if part.key in pictures:
                body.append(f"<figure>{_svg(pictures[part.key], part.title, part.key)}</figure>")
            rows = rows_of(report, part.key)
            texts = isinstance(rows[0][list(part.columns)[1]], str)
            table = _html_table(_table(report, part), "two" if texts else "")
            fold = "open" if len(rows) <= 12 else ""
            body.append(f"<details {fold}><summary>the figures</summary>{table}</details>")
        body += [f"<p>{_inline(n)}</p>" for n in _notes(report, part)]
    body += ['<h2 id="peers-list">Peers</h2>', _html_table(_peer_rows(report), "text")]
    body += ['<h2 id="machine">The machine</h2>']
    body.append(_html_table([["what", "here"], *([a, b] for a, b in facts(report))], "text"))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>restyle: what one machine measures</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )
