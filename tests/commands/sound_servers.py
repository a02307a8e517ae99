"""PipeWire and PulseAudio in sessions of their own, with a microphone and phones made of air."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

RATE = 48_000
PATIENCE = 300.0  # seconds; the most that a busy machine may take
PIPEWIRE = ("dbus-daemon", "pipewire", "wireplumber", "pw-cli", "pw-link", "pw-record", "setpriv")
PULSE = ("pulseaudio", "pactl", "parec", "pacat")

Environment = dict[str, str]


def missing(tools: Sequence[str]) -> str:
    """Those that are not installed, in words; empty where all are."""
    absent = [t for t in tools if shutil.which(t) is None]
    return f"{', '.join(absent)} not installed" if absent else ""


def until(done: Callable[[], object], what: str | Callable[[], str]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not done():
        said = what if isinstance(what, str) else what()
        assert time.monotonic() < end, f"{said}: not within {PATIENCE:g} s"
        time.sleep(0.05)


def ask(environment: Environment, *command: str) -> str:
    """What a tool prints."""
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    ).stdout


@contextmanager
def running(environment: Environment, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program as long as the block lasts; asked to end as Ctrl-C does."""
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def session(folder: Path) -> Environment:
    """An environment in which no server of the machine's own is found."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    home = {"XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state"}
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    found = {k: v for k, v in os.environ.items() if not k.startswith(("PULSE_", "PIPEWIRE_"))}
    return found | {
        "XDG_RUNTIME_DIR": str(runtime),
        "HOME": str(folder),
        "XDG_CACHE_HOME": cache,
        **{k: str(folder / v) for k, v in home.items()},
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def _node(name: str, kind: str) -> tuple[str, ...]:
    values = (
        "factory.name=support.null-audio-sink audio.position=[MONO] object.linger=false"
        f" node.name={name} node.description={name} media.class={kind} priority.session=1000"
    )
    return ("pw-cli", "-m", "create-node", "adapter", f"{{ {values} }}")


@contextmanager
def pipewire(folder: Path) -> Iterator[Environment]:
    """PipeWire with a source *desk*, which ``desk:input_MONO`` feeds, and a sink *phones*."""
    environment = session(folder)
    bus = environment["DBUS_SESSION_BUS_ADDRESS"]
    with ExitStack() as stack:
        for command, there in (
            (("dbus-daemon", "--session", "--nofork", f"--address={bus}"), ("test", "-S", "bus")),
            (("pipewire",), ("pw-cli", "info", "0")),
            (("wireplumber",), ("wpctl", "status")),
            (_node("desk", "Audio/Source/Virtual"), ("pw-link", "-i")),
            (_node("phones", "Audio/Sink"), ("pw-link", "-i")),
        ):
            stack.enter_context(running(environment, *command))
            if there[0] == "test":
                until((folder / "run" / "bus").exists, command[0])
            elif there[0] == "pw-link":
                port = command[-1].split("node.name=")[1].split()[0]
                until(lambda p=port: f"{p}:" in ask(environment, "pw-link", "-i"), port)  # type: ignore[misc]
            else:
                until(lambda t=there: ask(environment, *t).strip(), command[0])  # type: ignore[misc]
        yield environment


@contextmanager
def pulse(folder: Path) -> Iterator[Environment]:
    """PulseAudio with the default source *desk.monitor*, and a default sink *phones*."""
    environment = session(folder)
    sinks = [f"module-null-sink sink_name={n} rate={RATE} format=float32le channels=1"
             for n in ("desk", "phones")]  # fmt: skip
    loaded = [w for m in ("module-native-protocol-unix", *sinks) for w in ("-L", m)]
    own = ("-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", *loaded)
    with running(environment, "pulseaudio", *own):
        until(lambda: "phones" in ask(environment, "pactl", "list", "short", "sinks"), "PulseAudio")
        ask(environment, "pactl", "set-default-source", "desk.monitor")
        ask(environment, "pactl", "set-default-sink", "phones")
        yield environment
