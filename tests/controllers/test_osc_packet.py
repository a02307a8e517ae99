from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import build_msg
from pythonosc.osc_packet import OscPacket

from realtime.controllers.osc_packet import LARGEST, decode, encode, encode_bundles
from realtime.errors import ControlError

ARGUMENTS = st.lists(
    st.integers(-(2**31), 2**31 - 1)
    | st.floats(width=32, allow_nan=False)
    | st.booleans()
    | st.none()
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    max_size=5,
)
ADDRESS = st.text("abc/", max_size=9).map(lambda t: "/" + t)
MESSAGES = st.lists(st.tuples(ADDRESS, ARGUMENTS), min_size=1, max_size=4)


def bundle(*elements: bytes) -> bytes:
    sized = b"".join(struct.pack(">i", len(e)) + e for e in elements)
    return b"#bundle\0" + struct.pack(">Q", 1) + sized


@given(ADDRESS, ARGUMENTS)
def test_messages_of_another_library_are_read(address: str, arguments: list) -> None:
    assert decode(build_msg(address, arguments).dgram) == [(address, arguments)]


@given(MESSAGES)
def test_bundles_of_another_library_are_read(messages: list) -> None:
    builder = OscBundleBuilder(IMMEDIATELY)
    for address, arguments in messages:
        builder.add_content(build_msg(address, arguments))
    assert decode(builder.build().dgram) == messages


@given(MESSAGES)
def test_what_is_sent_another_library_reads(messages: list) -> None:
    read = [
        (m.message.address, m.message.params)
        for d in encode_bundles(messages)
        for m in OscPacket(d).messages
    ]
    assert read == messages
    assert decode(encode(*messages[0])) == messages[:1]


def test_bundles_fit_datagrams() -> None:
    messages = [("/x", ["y" * 100, float(i)]) for i in range(100)]
    datagrams = list(encode_bundles(messages))
    assert max(map(len, datagrams)) <= LARGEST
    assert [m for d in datagrams for m in decode(d)] == messages


GOOD = encode("/restyle/mix", [0.5])


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"x",
        b"/",
        b"/a",
        b"/a\0",
        b"/a\0\0,f\0\0\0\0"[:6],
        b"/\xff\0\0,\0\0\0",
        b"/a\0\0,\xff\0\0",
        b"/a\0\0,s\0\0\xff\xff\0\0",
        b"/a\0\0,q\0\0",
        b"/a\0\0,[\0\0",
        b"/a\0\0,]\0\0",
        b"/a\0\0,s\0\0abc",
        b"/a\0\0,b\0\0\xff\xff\xff\xff",
        b"#bundle\0",
        b"#bundle\0" + bytes(7),
        bundle(GOOD)[:-4],
        bundle(b""),
        bundle(b"abc"),
        b"#bundle\0" + bytes(8) + struct.pack(">i", -4),
        bundle(b"none"),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 2**31 - 1) + GOOD,
        bundle(GOOD, b"none"),
    ],
)
def test_what_is_no_osc_is_one_sentence(datagram: bytes) -> None:
    with pytest.raises(ControlError, match="this is no OSC") as caught:
        decode(datagram)
    assert "\n" not in str(caught.value)


def test_bundles_in_bundles_have_an_end() -> None:
    nested = GOOD
    for _ in range(7):
        nested = bundle(nested)
    assert decode(nested) == [("/restyle/mix", [0.5])]
    for _ in range(1000):
        nested = bundle(nested)
    with pytest.raises(ControlError, match="too deep"):
        decode(nested)


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda b: b"/a\0\0," + b))
@example(b"/a\0\0,t\0\0" + b"\xff" * 8)
@example(b"/a\0\0,m\0\0" + b"\xff" * 4)
def test_any_bytes_are_messages_or_refused(data: bytes) -> None:
    for datagram in (data, b"#bundle\0" + data, bundle(data)):
        try:
            decode(datagram)
        except ControlError as error:
            assert "\n" not in str(error)
