"""Figures of a denoiser on the pages: what outside judges say of noisy speech before and after.

``restyle bench clean --keep`` puts them into a card under ``denoised``: a row for each candidate.
"""

from __future__ import annotations

from typing import Any

KEY, KIND = "denoised", "denoiser"
COLUMNS = {
    "what": "", "speech": "DNSMOS speech", "background": "DNSMOS background",
    "overall": "DNSMOS overall", "pesq": "PESQ", "stoi": "STOI", "words": "words wrong",
    "latency_ms": "latency, ms",
}  # fmt: skip
ABOUT = (
    "Speakers that no training heard, with noises that none heard, at 0, 5, 10 and 20 dB. GTCRN and"
    " DTLN are other people's, at 16 kHz, with the weights of their packages."
)


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Markdown lines."""
    cells = [
        " | ".join("" if row.get(key) is None else str(row[key]) for key in COLUMNS) for row in rows
    ]
    head = [f"| {' | '.join(COLUMNS.values())} |", "|---" * len(COLUMNS) + "|"]
    return [*head, *(f"| {line} |" for line in cells)]


def section(metrics: dict[str, Any], title: str) -> list[str]:
    """Lines of a page, with a heading; none for what is no denoiser."""
    found = metrics.get(KEY)
    if not found:
        return []
    return [title, "", f"{found['mixtures']} mixtures. {ABOUT}", "", *table(found["rows"]), ""]
