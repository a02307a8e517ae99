"""restyle tells nothing to anybody: a run opens no connection and asks for no name."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, os, re, sys, threading
asked, seen, over = [], set(), threading.Event()
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"):
        if not isinstance(args[1], (bytes, str)) or event == "socket.getaddrinfo":
            asked.append(f"{event} {args[1:]!r}")
sys.addaudithook(hook)
def watch():  # also what compiled libraries open
    while True:
        for fd in os.listdir("/proc/self/fd"):
            try:
                found = re.fullmatch(r"socket:\\[(\\d+)\\]", os.readlink(f"/proc/self/fd/{fd}"))
            except OSError:
                continue
            for kind in ("tcp", "tcp6", "udp", "udp6", "raw") if found else ():
                for line in open(f"/proc/self/net/{kind}").readlines()[1:]:
                    if line.split()[9] == found[1]:
                        seen.add(f"{kind} {line.split()[1:3]}")
        if over.wait(0.02):
            return
watcher = threading.Thread(target=watch)
watcher.start()
try:
    if sys.argv[1] == "talk":  # what is to be found if it is there
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("127.0.0.1", 9))
    else:
        from realtime.cli import main
        sys.argv = ["restyle", "render", "exported/tape.flac", sys.argv[1], "--model", "clean"]
        main()
except SystemExit:
    pass
over.set()
watcher.join()
print(json.dumps([asked, sorted(seen)]))
"""


def connections(word: str) -> tuple[list[str], list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, word], cwd=ROOT, capture_output=True, text=True, check=True
    )
    asked, seen = json.loads(done.stdout.splitlines()[-1])
    return asked, seen


@pytest.mark.skipif(sys.platform != "linux", reason="sockets are looked for in /proc")
def test_no_connection_is_opened(tmp_path: Path) -> None:
    assert connections(str(tmp_path / "out.wav")) == ([], [])
    assert (tmp_path / "out.wav").exists()
    asked, _ = connections("talk")
    assert asked and "127.0.0.1" in asked[0]
