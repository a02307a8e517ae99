"""What a file would do beyond sounding, and what the user has said yes to.

A yes holds for a content: of the plug-in that would run, or of the file that asks.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from ..errors import PresetError
from ..native.cache import private_folder


class Ask(msgspec.Struct, frozen=True):
    """One thing that waits for a yes.

    Attributes
    ----------
    what : str
        As the person reads it, after "it would".
    key : str
        What a yes is remembered by.
    """

    what: str
    key: str


class Untrusted(PresetError):
    """A file asks for what only the user may allow.

    Parameters
    ----------
    name : str
        The file's, in messages.
    path : Path
        The file.
    asks : iterable of Ask
    """

    def __init__(self, name: str, path: Path, asks: Iterable[Ask]) -> None:
        self.name, self.path, self.asks = name, path, tuple(asks)
        super().__init__(
            f"{name} would {'; '.join(a.what for a in self.asks)}. If you trust whoever made it,"
            f" add --trust {path}"
        )

    @property
    def token(self) -> str:
        """What says yes to these very things."""
        return hashlib.sha256("\n".join(a.key for a in self.asks).encode()).hexdigest()[:16]


def consents() -> Path:
    """Where they are kept: ``restyle/trusted`` in the user's folder for data."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "restyle" / "trusted"


def _place(ask: Ask) -> Path:
    return consents() / hashlib.sha256(ask.key.encode()).hexdigest()


def given(ask: Ask) -> bool:
    """Whether the user has said yes to it."""
    with suppress(OSError, RuntimeError):
        return _place(ask).is_file() and private_folder(consents())
    return False


def allow(asks: Iterable[Ask]) -> None:
    """Remember a yes.

    Raises
    ------
    PresetError
        It cannot be remembered.
    """
    asks = tuple(asks)
    if asks and not private_folder(consents()):
        raise PresetError(f"{consents()} must be a folder that only you can write to")
    try:
        for ask in asks:
            _place(ask).write_text(ask.what + "\n", encoding="utf-8")
    except (OSError, UnicodeEncodeError) as error:
        raise PresetError(f"cannot remember your yes: {error}") from None
