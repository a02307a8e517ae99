"""The presses of a switch, told from what it sends.

Three kinds are sold: a *momentary* one sends 127 while it is held and 0 when it is let go; a
*latching* one sends 127 at one press and 0 at the next; a *press* one sends 127 at every press and
nothing else.  The first two differ in time alone, so an unknown switch is judged by how long its
127 holds: a foot lets go within :data:`QUICK_SECONDS`.
"""

from __future__ import annotations

MOMENTARY, LATCHING, PRESS = "momentary", "latching", "press"
KINDS = (MOMENTARY, LATCHING, PRESS)
QUICK_SECONDS = 0.35  # a longer 127 may be a latching switch's
SURE = 2  # slow ones in a row, after which one thought momentary is latching


class Switch:
    """One switch.

    Parameters
    ----------
    kind : str or None
        One of :data:`KINDS`; None finds it out.
    """

    def __init__(self, kind: str | None = None) -> None:
        self._kind = kind
        self._before: float | None = None
        self._rose = 0.0
        self._latches: bool | None = None
        self._slow = 0

    def press(self, position: float, time: float) -> bool:
        """Take a message (0..1, seconds); return whether it is a press."""
        before, self._before = self._before, position
        high, was_high = position >= 0.5, before is not None and before >= 0.5
        if self._kind == PRESS:
            return high
        if self._kind == MOMENTARY:
            return high and not was_high
        if self._kind == LATCHING:
            return before is None or high != was_high
        if high and not was_high:
            self._rose = time
            return True
        if high:  # the same again: nobody let it go; another value: a pedal on its way
            return position == before
        return was_high and self._falls(time - self._rose)

    def _falls(self, held: float) -> bool:
        if held < QUICK_SECONDS:
            self._latches, self._slow = False, 0
        else:
            self._slow += 1
            self._latches = self._latches is None or self._latches or self._slow >= SURE
        return bool(self._latches)
