"""Lists of stages with groups inside, changed at one place; all of them are frozen tuples."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ..errors import ChainError
from .sound import Branch, Stage

OWN = 0  # identity of the path itself: gains, mix and bypass of the whole sound
Change = Callable[[tuple[Stage, ...]], tuple[Stage, ...]]


def everywhere(stages: tuple[Stage, ...], change: Change) -> tuple[Stage, ...]:
    """Apply `change` to the lists inside the groups of `stages`."""
    found = []
    for stage in stages:
        if stage.group is not None:
            group = tuple(
                Branch(stages=change(branch.stages), gain_db=branch.gain_db)
                for branch in stage.group
            )
            stage = stage if group == stage.group else msgspec.structs.replace(stage, group=group)
        found.append(stage)
    return tuple(found)


def around(stages: tuple[Stage, ...], identity: int, change: Change) -> tuple[Stage, ...]:
    """Apply `change` to the list that holds the stage of that identity."""
    found = False

    def look(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        nonlocal found
        if any(s.identity == identity for s in stages):
            found = True
            return change(stages)
        return everywhere(stages, look)

    new = look(stages)
    if not found or identity == OWN:
        raise ChainError(f"there is no stage {identity}")
    return new


def edit(
    stages: tuple[Stage, ...], identity: int, into: Callable[[Stage], tuple[Stage, ...]]
) -> tuple[Stage, ...]:
    """Put other stages in the place of one."""

    def change(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        return tuple(n for s in stages for n in (into(s) if s.identity == identity else (s,)))

    return around(stages, identity, change)


def edit_list(
    stages: tuple[Stage, ...], group: int, branch: int, change: Change
) -> tuple[Stage, ...]:
    """Apply `change` to the path's own list, or to that of a group's branch."""
    if group == OWN:
        return change(stages)

    def into(stage: Stage) -> tuple[Stage, ...]:
        if stage.group is None or not 0 <= branch < len(stage.group):
            raise ChainError(f"stage {group} has no branch {branch}")
        changed = msgspec.structs.replace(
            stage.group[branch], stages=change(stage.group[branch].stages)
        )
        new = (*stage.group[:branch], changed, *stage.group[branch + 1 :])
        return (msgspec.structs.replace(stage, group=new),)

    return edit(stages, group, into)
