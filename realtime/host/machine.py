"""The states of a host and what leads from one to another, as a table.

After every event the supervisor looks for the first rule of its state whose condition holds, does
what it says and goes where it leads, until none holds.  Conditions are read anew each time from
what is known of the engines: nothing is told only once, so nothing can be missed.  docs/host.md
shows the same table as a diagram.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a host stands.

    ``idle``: made, not asked to play.  ``starting``: the first engine is coming up.  ``playing``.
    ``moving``: it plays, and another engine comes up on another device.  ``replacing``: no sound;
    another engine is coming up.  ``resting``: no engine plays, as nobody listens.  ``ended``: no
    more sound will come.  ``closing``, ``closed``.
    """

    IDLE = "idle"
    STARTING = "starting"
    PLAYING = "playing"
    MOVING = "moving"
    REPLACING = "replacing"
    RESTING = "resting"
    ENDED = "ended"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass(frozen=True)
class Rule:
    """One way from a state.

    Attributes
    ----------
    state : State
    when : str
        Condition: a method of :class:`realtime.host.facts.Facts` without arguments.
    do : str
        What is done: a method of :class:`realtime.host.actions.Actions` without arguments.
    leads : State
        Where it leads.
    fails : State
        Where it leads when doing it raises.
    """

    state: State
    when: str
    do: str
    leads: State
    fails: State


_S = State
RULES = (
    Rule(_S.IDLE, "stop_is_asked", "finish", _S.CLOSING, _S.CLOSING),
    Rule(_S.IDLE, "start_is_asked", "begin", _S.STARTING, _S.ENDED),
    Rule(_S.STARTING, "stop_is_asked", "finish", _S.CLOSING, _S.CLOSING),
    Rule(_S.STARTING, "fresh_plays", "play", _S.PLAYING, _S.REPLACING),
    Rule(_S.STARTING, "fresh_is_lost", "give_up", _S.ENDED, _S.ENDED),
    Rule(_S.STARTING, "fresh_may_wait", "await_device", _S.REPLACING, _S.ENDED),
    Rule(_S.STARTING, "fresh_refuses", "give_up", _S.ENDED, _S.ENDED),
    Rule(_S.STARTING, "fresh_is_ready", "open", _S.STARTING, _S.ENDED),
    Rule(_S.PLAYING, "stop_is_asked", "finish", _S.CLOSING, _S.CLOSING),
    Rule(_S.PLAYING, "device_has_ended", "end", _S.ENDED, _S.ENDED),
    Rule(_S.PLAYING, "sound_is_lost", "replace", _S.REPLACING, _S.REPLACING),
    Rule(_S.PLAYING, "move_is_asked", "move", _S.MOVING, _S.PLAYING),
    Rule(_S.PLAYING, "edit_waits", "edit", _S.PLAYING, _S.PLAYING),
    Rule(_S.PLAYING, "nobody_listens", "rest", _S.RESTING, _S.REPLACING),
    Rule(_S.RESTING, "stop_is_asked", "finish", _S.CLOSING, _S.CLOSING),
    Rule(_S.RESTING, "sound_is_wanted", "wake", _S.REPLACING, _S.REPLACING),
    Rule(_S.MOVING, "stop_is_asked", "finish", _S.CLOSING, _S.CLOSING),
    Rule(_S.MOVING, "sound_is_lost", "replace", _S.REPLACING, _S.REPLACING),
    Rule(_S.MOVING, "fresh_plays", "play", _S.PLAYING, _S.REPLACING),
    Rule(_S.MOVING, "fresh_is_lost", "stay", _S.PLAYING, _S.PLAYING),
    Rule(_S.MOVING, "fresh_needs_a_pause", "pause", _S.REPLACING, _S.REPLACING),
    Rule(_S.MOVING, "fresh_refuses", "stay", _S.PLAYING, _S.PLAYING),
    Rule(_S.MOVING, "fresh_is_ready", "open", _S.MOVING, _S.PLAYING),
    Rule(_S.REPLACING, "stop_is_asked", "finish", _S.CLOSING, _S.CLOSING),
    Rule(_S.REPLACING, "fresh_plays", "play", _S.PLAYING, _S.REPLACING),
    Rule(_S.REPLACING, "fresh_is_lost", "retry", _S.REPLACING, _S.REPLACING),
    Rule(_S.REPLACING, "fresh_refuses", "retry", _S.REPLACING, _S.REPLACING),
    Rule(_S.REPLACING, "fresh_is_due", "prepare", _S.REPLACING, _S.REPLACING),
    Rule(_S.REPLACING, "fresh_is_ready", "open", _S.REPLACING, _S.REPLACING),
    Rule(_S.ENDED, "stop_is_asked", "finish", _S.CLOSING, _S.CLOSING),
    Rule(_S.CLOSING, "all_are_gone", "close", _S.CLOSED, _S.CLOSED),
    Rule(_S.CLOSING, "they_take_too_long", "kill", _S.CLOSING, _S.CLOSING),
)


def diagram() -> list[str]:
    """The table as lines of a Mermaid state diagram."""
    return [f"{r.state} --> {r.leads}: {r.when.replace('_', ' ')}" for r in RULES]
