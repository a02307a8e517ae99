"""The errors restyle shows a person: one clear sentence each, exit code 2.

Every message names what was expected, what came and how to mend it.  Nothing on the audio path
raises; these are raised while something is being opened, read or checked, or by
:meth:`realtime.session.session.Session.wait` after the fact.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any

LONGEST = 1500  # characters of a message: what it quotes may be of any length


class RestyleError(Exception):
    """Root of all errors with a message meant for the user.

    It is one line whatever names it quotes; of one that is too long the middle is left out.
    """

    def __str__(self) -> str:
        text = super().__str__().replace("\n", "\\n")
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 300]} … {text[-297:]}"


class ConfigError(RestyleError, ValueError):
    """A value given by the user is outside what is possible."""


class CardError(RestyleError):
    """A model card is missing, malformed or does not fit the graph it travels in."""


class ModelError(RestyleError):
    """A model file cannot be read, run or trusted."""


class DeviceError(RestyleError):
    """PortAudio, a device or a stream cannot be had as asked."""


class AudioFileError(RestyleError):
    """An audio file cannot be read or written."""


class ChainError(RestyleError):
    """An effect chain names something unknown or something that cannot stream."""


class PresetError(RestyleError):
    """A preset or session file says something that cannot be."""


class ControlError(RestyleError):
    """MIDI or OSC asks for something that there is not, or cannot be had here."""


class StreamError(RestyleError):
    """The running stream stopped for a reason that is not the user's wish."""


def named(error: RestyleError, path: PurePath) -> RestyleError:
    """The error with the file's name before it, where that is not in it."""
    text = str(error)
    return error if path.name in text else type(error)(f"{path.name}: {text}")


def printable(text: str) -> str:
    r"""`text` as any terminal shows it: what would steer one, or turn it round, as ``\x1b``."""
    return "".join(c if c in "\n\t" or c.isprintable() else _written(c) for c in text)


def _written(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def is_text(name: str) -> bool:
    """Whether a name from the command line or a folder is UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest of `known`, or an empty string."""
    close = difflib.get_close_matches(name[:80], list(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""


def interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Turn Ctrl-C inside `command` into one sentence."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except KeyboardInterrupt:
            raise RestyleError("interrupted") from None

    return run
