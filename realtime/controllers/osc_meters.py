"""Who gets the meters by OSC, and when next."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ControlError

HIGHEST_HZ = 30.0
LOWEST_HZ = 0.1
MOST = 16
Target = tuple[str, int]


@dataclass
class _Subscriber:
    seconds: float
    due: float


class Subscriptions:
    """Addresses with a rate each, until they are removed.

    Parameters
    ----------
    family : int
        4 or 6, the version of the Internet Protocol that the server speaks.
    """

    def __init__(self, family: int = 4) -> None:
        self._family = family
        self._subscribers: dict[Target, _Subscriber] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._subscribers)

    def add(
        self,
        host: str,
        port: int,
        rate_hz: float = HIGHEST_HZ,
        *,
        near: Sequence[str] | None = None,
    ) -> None:
        """Send meters to an address from now on; another call changes the rate.

        Parameters
        ----------
        near : sequence of str, optional
            The only addresses that will do.

        Raises
        ------
        ControlError
            No numeric address, no port, a rate outside 0.1..30 Hz, or too many subscribers.
        """
        target = self._target(host, port)
        if near is not None and target[0] not in near:
            raise ControlError(
                f"meters go to whoever asks for them, or to this machine, not to {target[0]}"
            )
        if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
            raise ControlError(
                f"the rate of meters must be within {LOWEST_HZ:g}..{HIGHEST_HZ:g} Hz,"
                f" got {rate_hz:g}"
            )
        with self._lock:
            if target not in self._subscribers and len(self._subscribers) >= MOST:
                raise ControlError(f"{MOST} programs have the meters already; unsubscribe one")
            self._subscribers[target] = _Subscriber(1.0 / rate_hz, 0.0)

    def remove(self, host: str, port: int) -> None:
        """Send no more to an address.

        Raises
        ------
        ControlError
            It had no meters.
        """
        target = self._target(host, port)
        with self._lock:
            if self._subscribers.pop(target, None) is None:
                raise ControlError(f"{target[0]} port {target[1]} has not subscribed to meters")

    def _target(self, host: str, port: int) -> Target:
        host = {"localhost": "127.0.0.1" if self._family == 4 else "::1"}.get(host, host)
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise ControlError(
                f"meters go to an address in numbers such as 127.0.0.1, got '{host}'"
            ) from None
        if address.version != self._family or address.is_multicast:
            raise ControlError(
                f"meters go to a single IPv{self._family} address, as the server's, got {host}"
            )
        if not 1 <= port <= 65535:
            raise ControlError(f"a port is a number within 1..65535, got {port}")
        return str(address), port

    def due(self, now: float) -> list[Target]:
        """Who gets the meters at the time `now` [seconds]; each is told once a turn."""
        with self._lock:
            found = []
            for target, one in self._subscribers.items():
                if now >= one.due:
                    found.append(target)
                    # on a grid while in time, from now on when late: no burst to catch up
                    on_grid = one.due + one.seconds
                    one.due = on_grid if on_grid > now else now + one.seconds
            return found

    def wait(self, now: float, longest: float) -> float:
        """Seconds until somebody is due, at most `longest`."""
        with self._lock:
            next_due = min((s.due for s in self._subscribers.values()), default=now + longest)
            return min(max(0.0, next_due - now), longest)
