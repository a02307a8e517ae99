"""Processes of Linux: who descends from whom, and what they use."""

from __future__ import annotations

import os
from pathlib import Path


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, file.read_text().split())
        except OSError:  # it has ended meanwhile
            continue
    return [pid, *(one for child in found for one in family(child))]


def processor_s(pid: int) -> float:
    """Processor time that a process has used [s]; 0 once it is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def proportional_mib(pid: int) -> float:
    """A process's share of the memory in use: what several use counts in parts [MiB]."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(s.split()[1]) for s in text.splitlines() if s.startswith("Pss:")) / 1024.0
