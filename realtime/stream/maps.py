"""Channel maps: which channels of a card the engine's channels hear and play on.

In here channels count from 0 and :data:`SILENT` is none; people count from 1, and 0 is none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..errors import ConfigError

SILENT = -1


def engine_channels(channels: int | None, in_map: Sequence[int] | None) -> int | None:
    """How many channels the engine is to have; None where nothing says so."""
    return channels or (len(in_map) if in_map is not None else None)


def heard_columns(given: Sequence[int] | None, channels: int, source: int) -> npt.NDArray[np.int64]:
    """The card's channel that each engine channel hears.

    Parameters
    ----------
    given : sequence of int or None
        One a channel of the engine; None for its own, or the last there is.
    channels : int
        Of the engine.
    source : int
        Of the card.

    Raises
    ------
    ConfigError
        Another number of them, or a channel that is not there.
    """
    if given is None:
        plain = [min(c, source - 1) for c in range(channels)] or [SILENT]
        return np.array(plain, dtype=np.int64)
    if len(given) != channels:
        raise ConfigError(
            f"the input map names {_counted(len(given))}, and the engine has {channels}; make them"
            " equal"
        )
    _check(given, source, "input")
    return np.array(list(given), dtype=np.int64)


def played_channels(
    given: Sequence[int] | None, channels: int, target: int
) -> npt.NDArray[np.int64]:
    """The engine's channel that each of the card's channels plays.

    Parameters
    ----------
    given : sequence of int or None
        The card's channel on which each engine channel plays; one engine channel plays on all of
        them.  None: each on its own, the last one on all that follow.
    channels : int
        Of the engine.
    target : int
        Of the card.

    Raises
    ------
    ConfigError
        Another number of them, one of them twice, or a channel that is not there.
    """
    if given is None:
        return np.array([min(c, channels - 1) for c in range(target)], dtype=np.int64)
    if channels > 1 and len(given) != channels:
        raise ConfigError(
            f"the output map names {_counted(len(given))}, and the engine has {channels}; make them"
            " equal"
        )
    _check(given, target, "output")
    named = [c for c in given if c != SILENT]
    if len(set(named)) < len(named):
        twice = next(c for c in named if named.count(c) > 1)
        raise ConfigError(f"the output map names channel {twice + 1} twice; once is enough")
    found = np.full(target, SILENT, dtype=np.int64)
    for k, column in enumerate(given):
        if column != SILENT:
            found[column] = min(k, channels - 1)
    return found


def _check(given: Sequence[int], there: int, side: str) -> None:
    wrong = next((c for c in given if not SILENT <= c < there), None)
    if wrong is not None:
        raise ConfigError(
            f"the {side} map names channel {wrong + 1}; the device has {_counted(there)}, numbered"
            " from 1 (0 for none)"
        )


def _counted(number: int) -> str:
    return f"{number} channel" if number == 1 else f"{number} channels"
