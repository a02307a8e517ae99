"""Where the OSC server listens."""

from __future__ import annotations

import pytest

from realtime.controllers.osc import OscServer
from realtime.errors import ControlError

from .fake import surface


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        ("example.com", 9000, "an address in numbers"),
        ("203.0.113.7", 0, "cannot listen on 203.0.113.7"),
        ("127.0.0.1", 70000, "must be within 0..65535"),
    ],
)
def test_an_address_that_is_not_ours_is_one_sentence(host: str, port: int, says: str) -> None:
    with pytest.raises(ControlError, match=says):
        OscServer(surface(), host, port)


def test_a_closed_server_gives_its_port_back() -> None:
    with OscServer(surface(), port=0) as first:
        port = first.address[1]
        assert first.address[0] == "127.0.0.1"
    with OscServer(surface(), port=port):
        pass
    assert not first._thread.is_alive()
