"""What ``restyle doctor`` says of sound servers and priorities, and what to do about them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

GOOD, NOTE, BAD = "ok", "note", "FAIL"
Finding = tuple[str, str]
LIMITS = "/etc/security/limits.d/95-restyle.conf"
WANTED_PRIORITY = 20  # what JACK and PipeWire ask for is higher; ours is below theirs
LATE_BLOCK = 256  # samples; a larger quantum is heard as delay


def jack() -> Finding:
    """Whether a JACK server runs, at which rate and period."""
    if sys.platform != "linux":
        return GOOD, "not asked for here"
    if shutil.which("jack_lsp") is None and shutil.which("jackd") is None:
        return NOTE, "not installed; PipeWire or ALSA serve as well"
    if not _says("jack_lsp"):
        return NOTE, (
            "no server runs; start one, such as: jackd -R -d alsa -d hw:0 -r 48000 -p 64 -n 3 —"
            " 'restyle live --wait' waits for it"
        )
    rate, period = (_says(f"jack_{w}").split() for w in ("samplerate", "bufsize"))
    found = " ".join(w for w in (*rate[-1:], "Hz,", *_number(period), "samples") if w)
    return GOOD, f"a server runs at {found}; choose it with --input 'system jack' (and --output)"


def pipewire() -> Finding:
    """Whether PipeWire runs, and the sizes of block it gives."""
    if sys.platform != "linux":
        return GOOD, "not asked for here"
    folder = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    if not Path(folder, os.environ.get("PIPEWIRE_REMOTE", "pipewire-0")).exists():
        return NOTE, "does not run in this session; 'systemctl --user start pipewire' starts it"
    if shutil.which("pw-jack") is None:
        return NOTE, "runs, without pw-jack; on Debian or Ubuntu run: apt install pipewire-jack"
    settings = _says("pw-metadata", "-n", "settings")
    quantum = next((_value(w) for w in settings.splitlines() if "'clock.quantum'" in w), 0)
    forced = next((_value(w) for w in settings.splitlines() if "'clock.force-quantum'" in w), 0)
    block = forced or quantum
    if block > LATE_BLOCK:
        return NOTE, (
            f"runs with blocks of {block} samples; for less delay run:"
            " PIPEWIRE_QUANTUM=64/48000 pw-jack restyle live …"
        )
    return (
        GOOD,
        f"runs{f' with blocks of {block} samples' if block else ''}; pw-jack restyle live …",
    )


def limits() -> Finding:
    """Whether threads may have real-time priority, and memory be locked."""
    if sys.platform != "linux":
        return GOOD, "as the system gives it"
    import resource

    priority = max(resource.getrlimit(resource.RLIMIT_RTPRIO))
    locked = resource.RLIM_INFINITY in resource.getrlimit(resource.RLIMIT_MEMLOCK)
    root = os.geteuid() == 0
    missing = []
    if not root and priority != resource.RLIM_INFINITY and priority < WANTED_PRIORITY:
        missing.append(f"real-time priority up to {priority}")
    if not root and not locked:
        missing.append("memory that cannot be locked")
    if missing:
        return NOTE, (
            f"{' and '.join(missing)}; put '@audio - rtprio 95' and '@audio - memlock unlimited'"
            f" into {LIMITS}, run 'sudo usermod -aG audio $USER', and log in anew"
        )
    return GOOD, "real-time priority and locked memory are permitted"


def governor() -> Finding:
    """Whether the processor is kept at its speed."""
    paths = sorted(Path("/sys/devices/system/cpu").glob("cpu*/cpufreq/scaling_governor"))
    try:
        found = {p.read_text().strip() for p in paths}
    except OSError:
        found = set()
    if not found:
        return GOOD, "its governor is not readable here"
    if found <= {"performance", "schedutil"}:
        return GOOD, f"governor {', '.join(sorted(found))}"
    return NOTE, (
        f"governor {', '.join(sorted(found))}; for the stage run: sudo cpupower frequency-set -g"
        " performance"
    )


def _says(*words: str) -> str:
    """What a program prints; empty where there is none, it fails or does not answer."""
    environment = {**os.environ, "JACK_NO_START_SERVER": "1"}
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=3.0, env=environment, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return ""
    return done.stdout


def _number(words: list[str]) -> list[str]:
    """The last number among words."""
    return [w for w in words if w.isdigit()][-1:]


def _value(line: str) -> int:
    """The value of a line ``… key:'clock.quantum' value:'1024' type:''``."""
    text = line.partition("value:'")[2].partition("'")[0]
    return int(text) if text.isdigit() else 0
