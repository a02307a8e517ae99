"""A microphone that other programs can choose: a node of the sound server that restyle plays to.

PipeWire is asked first, then PulseAudio (or what answers in its name).  Neither's defaults are
touched, and both nodes go with this process, however it ends.  Elsewhere a virtual cable has to be
installed; docs/streaming.md says how.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from ..errors import ConfigError, DeviceError

NAME = "restyle"
BLOCK = 128  # samples at 48 kHz that the sound server is asked for where none are named
ANSWER_SECONDS = 10.0  # what a tool of the sound server's gets to answer
APPEAR_SECONDS = 5.0  # and a node to be there
_NAMES = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


class Microphone(Protocol):
    """A microphone there is; control thread.

    Attributes
    ----------
    name : str
        What other programs list.
    server : str
        Whose it is.
    input, output : str or None
        The devices the engine opens, see :func:`realtime.devices.list.find_device`; the input is
        the system's default source, None where there is none.
    clocks : str
        Of the two, as :class:`realtime.session.sound.Device` has them.
    sample_rate : int or None [Hz]
        At which it runs, where the devices do not say so.
    """

    name: str
    server: str
    input: str | None
    output: str
    clocks: str
    sample_rate: int | None

    @property
    def lost(self) -> bool:
        """Whether it is there no more, though nobody has closed it."""

    def restore(self) -> None:
        """Make it again once it is lost; what played into it has to be connected anew.

        Raises
        ------
        DeviceError
        """

    def close(self) -> None:
        """Remove it."""

    def follow(self, tell: Callable[[int], None]) -> Callable[[], None]:
        """Have how many programs hear it told to `tell`, now and at every change, from a thread.

        Returns what ends that.
        """


def open_microphone(name: str = NAME, block: int | None = None) -> Microphone:
    """Make one; `block` [samples] is asked for, other programs may ask for less.

    Raises
    ------
    ConfigError
        A name that a sound server may not take.
    DeviceError
        No sound server that makes microphones, or there is one of that name.
    """
    if _NAMES.fullmatch(name) is None:
        raise ConfigError(
            "a microphone's name has 1 to 40 letters, digits, spaces, dots, dashes and underscores,"
            f" and begins with a letter or digit; got '{name[:80]}'"
        )
    if sys.platform != "linux":
        cable = "BlackHole" if sys.platform == "darwin" else "VB-Cable"
        raise DeviceError(
            f"--virtual-mic needs PipeWire or PulseAudio; here install {cable} and name it with"
            " --output, see docs/streaming.md"
        )
    from .pipewire import PipeWireMicrophone, jack_library
    from .pulse import PulseMicrophone, plugin_is_there

    pipewire, pulse = answers(["pw-cli", "info", "0"]), answers(["pactl", "info"])
    library = jack_library()
    if pipewire and library is not None:
        return PipeWireMicrophone(name, library, block or BLOCK)
    if pulse and plugin_is_there():
        return PulseMicrophone(name)
    if pipewire:
        raise DeviceError(
            "PipeWire runs, but its JACK library is missing; install it: apt install pipewire-jack"
        )
    if pulse:
        raise DeviceError(
            "PulseAudio runs, but ALSA has no way to it; install it: apt install libasound2-plugins"
        )
    raise DeviceError(
        "--virtual-mic needs PipeWire or PulseAudio, and neither answers; start one (in a terminal"
        " of your desktop, not as root), and see: restyle doctor"
    )


def ask(command: Sequence[str]) -> str:
    """What a tool prints.

    Raises
    ------
    DeviceError
        It is not there, does not answer, or refuses.
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise DeviceError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise DeviceError(f"{command[0]} does not answer; does the sound server hang?") from None
    if done.returncode != 0:
        raise DeviceError(f"{' '.join(command[:2])} failed: {done.stderr.strip()[:200]}")
    return done.stdout


def answers(command: Sequence[str]) -> bool:
    """Whether a tool is there and has something to say."""
    if shutil.which(command[0]) is None:
        return False
    try:
        return bool(ask(command).strip())
    except DeviceError:
        return False


def each_line(command: Sequence[str], hear: Callable[[str], None]) -> Callable[[], None]:
    """Give every line that a tool prints to `hear`, from a thread; returns what ends the tool.

    The tool ends with this process.
    """
    child = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is for restyle alone
    )

    def run() -> None:
        assert child.stdout is not None
        for line in child.stdout:
            hear(line)

    thread = threading.Thread(target=run, name="restyle-listeners", daemon=True)
    thread.start()

    def end() -> None:
        child.kill()
        child.wait()
        thread.join(1.0)

    return end
