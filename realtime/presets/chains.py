"""Chain files: ``[[stage]]`` tables alone, as in a preset.

Older ones have ``[[pre]]`` and ``[[post]]`` tables, before and after the model.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..errors import ChainError
from ..schema import read
from ..session.sound import Stage, each, walk
from .format import WORDS, shaped_stages
from .paths import absolute
from .toml import parse

_TABLES = ("stage", "pre", "post")


class _Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stage: tuple[Stage, ...] = ()
    pre: tuple[Stage, ...] = ()
    post: tuple[Stage, ...] = ()


def read_chain(path: Path, model: Stage | None = None) -> tuple[Stage, ...]:
    """Return the stages of a chain file, the paths in it in full; nothing is built.

    Parameters
    ----------
    model : Stage or None
        Played with the chain: in the place of its first model, else before its stages; in an older
        file between the two chains.

    Raises
    ------
    ChainError
        Unreadable, or the first mistake in it.
    """
    data = parse(path, ChainError)
    shaped = {
        k: shaped_stages(v, path.name, ChainError) if k in _TABLES else v for k, v in data.items()
    }
    found = read(shaped, _Chain, path.name, error=ChainError, words=WORDS)
    if found.stage and (found.pre or found.post):
        raise ChainError(
            f"{path.name}: [[pre]] and [[post]] are of older chain files; write them as [[stage]]"
        )
    pre, stages, post = (absolute(s, path.parent) for s in (found.pre, found.stage, found.post))
    if model is None:
        return (*pre, *stages, *post)
    first = next((s for s in walk(stages) if s.model is not None), None)
    if first is None:
        return (*pre, model, *stages, *post)
    return each(stages, lambda s: model if s is first else s)
