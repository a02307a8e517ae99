"""Facts about the machine a result was measured on: no host names, user names or paths."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path
from typing import Any

PACKAGES = (
    "restyle", "numpy", "numba", "onnxruntime", "onnxruntime-gpu", "sounddevice", "scipy",
    "rocket-fft", "pedalboard", "torch", "rtmixer", "neural-amp-modeler",
)  # fmt: skip


def _first_line(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, IndexError, UnicodeDecodeError):
        return None


def cpu_name() -> str:
    """Processor as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Installed versions of the packages that matter."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _ticks() -> list[int] | None:
    line = _first_line("/proc/stat")
    return [int(v) for v in line.split()[1:]] if line else None


def busy(seconds: float = 0.5) -> dict[str, float] | None:
    """Share of all cores that is busy while this process only sleeps; None where unknown.

    Returns
    -------
    dict
        ``busy_percent`` and ``steal_percent`` (time the hypervisor gave to others).
    """
    before = _ticks()
    time.sleep(seconds)
    after = _ticks()
    if before is None or after is None:
        return None
    return _shares(before, after)


def _shares(before: list[int], after: list[int], own: float = 0.0) -> dict[str, float]:
    """What was busy and stolen between two looks at the ticks, less `own` ticks."""
    spent = [b - a for a, b in zip(before, after, strict=True)]
    total = max(sum(spent[:8]), 1)
    others = max(0.0, total - spent[3] - spent[4] - own)
    return {
        "busy_percent": round(100 * others / total, 1),
        "steal_percent": round(100 * spent[7] / total, 1),
    }


class Others:
    """What other programs take while this one runs: all that is busy, less its own and its
    children's time once they have ended.
    """

    def __init__(self) -> None:
        self._ticks, self._own = _ticks(), self._spent()

    @staticmethod
    def _spent() -> float:
        return sum(os.times()[:4])

    def share(self) -> dict[str, float] | None:
        """As :func:`busy`, since this was made; None where unknown."""
        now = _ticks()
        if self._ticks is None or now is None:
            return None
        own = (self._spent() - self._own) * os.sysconf("SC_CLK_TCK")
        return _shares(self._ticks, now, own)


def realtime_priority() -> bool:
    """Whether this user may ask for real-time scheduling."""
    try:
        import resource

        return os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_RTPRIO)[1] != 0
    except (ImportError, AttributeError, OSError):
        return False


def virtual() -> str | None:
    """What kind of virtual machine this is, as far as the processor tells; None on bare metal."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return None
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    if " hypervisor" not in flags:
        return None
    return _first_line("/sys/hypervisor/type") or "virtual machine"


def memory_gib() -> float | None:
    """Memory of the whole machine [GiB]; None where unknown."""
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)


def facts() -> dict[str, Any]:
    """Collect everything, as plain data."""
    governor = _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": memory_gib(),
        "virtual": virtual(),
        "governor": governor or "not readable",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": versions(),
        "realtime_priority": realtime_priority(),
        "others": busy(),
    }


def sentence(machine: dict[str, Any]) -> str:
    """One line for under a table."""
    others = machine["others"]
    load = ""
    if others:
        load = (
            f"; other programs kept {others['busy_percent']:.0f} % of all cores busy when it began"
            f" (steal {others['steal_percent']:.0f} %)"
        )
    return (
        f"{machine['cpu']}, {machine['cores']} cores,"
        f"{' ' + machine['virtual'] + ',' if machine.get('virtual') else ''}"
        f" governor {machine['governor']},"
        f" {machine['system']}, {machine['python']},"
        f" real-time priority {'yes' if machine['realtime_priority'] else 'no'}{load}"
    )


def main() -> None:
    """Print the facts."""
    machine = facts()
    print(sentence(machine))
    print(", ".join(f"{k} {v}" for k, v in machine["packages"].items()))


if __name__ == "__main__":
    main()
