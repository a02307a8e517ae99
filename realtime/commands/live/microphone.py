"""``restyle live --virtual-mic``: the microphone is made before the sound, and removed after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from ...devices.list import NO_INPUT
from ...devices.microphone import NAME, Microphone, open_microphone
from ...errors import ConfigError, RestyleError
from ...host.host import Host
from ...session.sound import Device
from ..common import err

LOOK_SECONDS = 1.0  # between two looks at whether it is still there


@contextmanager
def microphone(
    wanted: bool, name: str | None, output: str | None, block: int | None, virtual: bool
) -> Iterator[Microphone | None]:
    """The microphone that was asked for, as long as the block lasts.

    Parameters
    ----------
    wanted, name, output, block
        Of the options ``--virtual-mic``, ``--mic-name``, ``--output`` and ``--block``.
    virtual : bool
        Whether a simulated card plays.

    Raises
    ------
    ConfigError, DeviceError
        Options that contradict each other; no microphone can be made.
    """
    if not wanted:
        if name is not None:
            raise ConfigError("--mic-name goes with --virtual-mic")
        yield None
        return
    if output is not None:
        raise ConfigError(
            f"--virtual-mic is the output itself; leave --output {output} out, and to hear yourself"
            f" take --monitor '{output}'"
        )
    if virtual:
        raise ConfigError("--virtual-mic plays in real time; leave --simulate out")
    made = open_microphone(name or NAME, block)
    try:
        yield made
    finally:
        made.close()


def through(device: Device, made: Microphone, source: bool) -> Device:
    """The device with the microphone as its output; a `source` takes nothing in.

    Raises
    ------
    ConfigError
        Nothing is named to hear, and the system has no source.
    """
    heard = NO_INPUT if source else device.input or made.input
    if heard is None:
        raise ConfigError(
            f"{made.server} has no microphone to take sound from; plug one in, or name an --input"
        )
    clocks = made.clocks if device.clocks == "auto" and heard != NO_INPUT else device.clocks
    rate = device.sample_rate or made.sample_rate
    return msgspec.structs.replace(
        device, input=heard, output=made.output, clocks=clocks, sample_rate=rate
    )


@contextmanager
def followed(host: Host, made: Microphone | None) -> Iterator[None]:
    """Let the host rest while no program listens; tell where programs find the microphone."""
    if made is None:
        yield
        return
    err.print(f"microphone: {made.name} ({made.server})", highlight=False, markup=False)
    host.keep("microphone", made.name)
    end, ended = made.follow(host.count_listeners), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            if made.lost:
                with suppress(RestyleError):
                    made.restore()
                    host.change_device(host.setup.device, may_pause=True)
                    host.tell("the microphone was gone; it was made again")

    threading.Thread(target=look, name="restyle-microphone", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        end()
