"""At what level the interface's input is full scale: given, kept from before, or asked once."""

from __future__ import annotations

import sys

from ...devices.list import NO_INPUT, find_device, let_go
from ...errors import DeviceError
from ...models.catalog import find_model
from ...models.load import read_shape
from ...presets.interfaces import checked_level, keep_level, known_levels
from ...session.sound import Sound
from ..common import err, out


def input_level(
    given: float | None, wanted: str | None, virtual: bool, sound: Sound
) -> float | None:
    """The level of the input device [dBu]; None where it is not known or makes no difference.

    Parameters
    ----------
    given : float or None
        By an option; kept for the device from then on.
    wanted : str or None
        The input device, as :func:`realtime.devices.list.find_device` takes it.
    virtual : bool
        Whether a file plays instead of one.
    sound : Sound
        Nobody is asked where no capture in it says its own level.

    Raises
    ------
    ConfigError
        A level that no interface has; the file of levels is damaged.
    """
    if given is not None:
        checked_level(given)
    if virtual or wanted == NO_INPUT:
        return given
    try:
        name = find_device(wanted, "input").name
        let_go()
    except DeviceError:  # said when it is opened
        return given
    if given is not None:
        keep_level(name, given)
        return given
    known = known_levels()
    if name in known:
        return known[name]
    if not _states_level(sound) or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    level = _ask(name)
    keep_level(name, level)
    return level


def _states_level(sound: Sound) -> bool:
    """Whether a capture in it says what level it was captured at."""
    models = [s.model for s in sound.walk() if s.model is not None]
    return any(read_shape(find_model(m)).input_dbu is not None for m in models)


def _ask(name: str) -> float | None:
    out.print(
        f"This capture says at what level it was captured. With how many dBu does the input of"
        f" '{name}' just reach full scale, as its gain stands? (its manual says; Enter: not known;"
        " later: --input-level-dbu)",
        highlight=False,
        markup=False,
    )
    while True:
        text = input("dBu: ").strip().lower().removesuffix("dbu").strip()
        if not text:
            return None
        try:
            return checked_level(float(text.replace(",", ".")))
        except Exception as error:
            err.print(str(error), highlight=False, markup=False)
