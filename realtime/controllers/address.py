"""Addresses of this machine to listen on."""

from __future__ import annotations

import ipaddress

from ..errors import ControlError


def ip_version(host: str, port: int, listener: str, port_name: str) -> int:
    """The version of the Internet Protocol, 4 or 6, of an address in numbers or ``localhost``.

    Parameters
    ----------
    host, port : str, int
    listener, port_name : str
        What to call both in a message.

    Raises
    ------
    ControlError
        The address is no number, or there is no such port.
    """
    try:
        version = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host).version
    except ValueError:
        raise ControlError(
            f"{listener} listens on an address in numbers such as 127.0.0.1 or 0.0.0.0,"
            f" got '{host}'"
        ) from None
    if not 0 <= port <= 65535:
        raise ControlError(f"{port_name} must be within 0..65535, got {port}")
    return version
