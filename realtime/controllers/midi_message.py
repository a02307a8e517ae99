"""From the bytes of MIDI messages to controls: what moved, and where it stands.

A control is a plain controller, one of 14 bits, an NRPN, a note or a program of a bank.  They are
kept apart: a data entry (CC 6 and 38) that follows the choice of an NRPN or RPN is that parameter's
and no controller's, and CC 0 and 32 choose the bank of the programs that follow.

Numbers are those of the MIDI 1.0 detailed specification.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

CC, CC14, NRPN, NOTE, PROGRAM = "cc", "cc14", "nrpn", "note", "program"
SOUND_OFF, RESET, NOTES_OFF = "sound_off", "reset", "notes_off"  # channel mode messages
BANK, DATA, FINE = 0, 6, 32  # controllers; from a coarse number to its fine one
DATA_FINE, INCREMENT, DECREMENT = DATA + FINE, 96, 97
NRPN_FINE, NRPN_COARSE, RPN_FINE, RPN_COARSE = 98, 99, 100, 101
FIRST_MODE = 120  # controllers from here on are channel mode messages
_MODES = {120: SOUND_OFF, 121: RESET, 123: NOTES_OFF}
_LENGTHS = {0x80: 3, 0x90: 3, 0xA0: 3, 0xB0: 3, 0xC0: 2, 0xD0: 2, 0xE0: 3}
_SYSTEM = {0xF1: 2, 0xF2: 3, 0xF3: 2, 0xF6: 1, 0xF8: 1, 0xFA: 1, 0xFB: 1, 0xFC: 1, 0xFE: 1, 0xFF: 1}
_UNSET = 127


class Control(NamedTuple):
    """Something that has moved.

    Attributes
    ----------
    source : str
        One of the words above.
    number : int
        Of the controller, note or program; an NRPN's are 0..16383.
    channel : int
        1..16.
    position : float
        0..1.
    value : int
        As it was sent, 0..127; of 14 bits where the source has them.
    bank : int
        Of a program: CC 0 * 128 + CC 32, as last sent on its channel.
    """

    source: str
    number: int
    channel: int
    position: float
    value: int
    bank: int = 0


class Malformed(Exception):
    """These bytes are no MIDI message."""


def check(data: Sequence[int]) -> int:
    """The status byte of one whole message.

    Raises
    ------
    Malformed
    """
    status = data[0] if len(data) else 0
    if not 0x80 <= status <= 0xFF:
        raise Malformed
    if status == 0xF0:
        good = len(data) > 1 and data[-1] == 0xF7
        rest = data[1:-1]
    else:
        good = len(data) == (_LENGTHS.get(status & 0xF0) or _SYSTEM.get(status, 0))
        rest = data[1:]
    for byte in rest:
        good = good and 0 <= byte < 0x80
    if not good:
        raise Malformed
    return status


class _Channel:
    """What one channel of one port has sent that later messages build on."""

    __slots__ = ("bank", "chosen", "coarse", "fine", "parameter", "values")

    def __init__(self) -> None:
        self.bank = [0, 0]
        self.coarse: dict[int, int] = {}
        self.parameter = [_UNSET, _UNSET]
        self.chosen = ""  # "nrpn", "rpn", or nothing: data entries are plain controllers
        self.values: dict[int, int] = {}  # NRPNs of 14 bits, as they stand
        self.fine: set[int] = set()  # those of which a fine part has come


class Reader:
    """Reads the messages of all ports; one thread uses it."""

    def __init__(self) -> None:
        self._channels: dict[tuple[str, int], _Channel] = {}

    def forget(self) -> None:
        """Banks, coarse parts and chosen parameters are unknown again."""
        self._channels.clear()

    def read(self, data: Sequence[int], port: str) -> list[Control]:
        """The controls that a message moves: none, one, or a plain controller and one of 14 bits.

        Raises
        ------
        Malformed
        """
        status = check(data)
        kind, channel = status & 0xF0, (status & 0x0F) + 1
        if kind == 0xB0:
            return self._controller(data[1], data[2], channel, port)
        if kind in (0x80, 0x90):
            velocity = data[2] if kind == 0x90 else 0
            return [Control(NOTE, data[1], channel, float(velocity > 0), velocity)]
        if kind == 0xC0:
            coarse, fine = self._channel(port, channel).bank
            return [Control(PROGRAM, data[1], channel, 1.0, 127, coarse * 128 + fine)]
        return []  # pitch, pressure, clock, active sensing and the like

    def _channel(self, port: str, channel: int) -> _Channel:
        found = self._channels.get((port, channel))
        if found is None:
            found = self._channels[port, channel] = _Channel()
        return found

    def _controller(self, number: int, value: int, channel: int, port: str) -> list[Control]:
        one = self._channel(port, channel)
        if one.chosen and number in (DATA, DATA_FINE, INCREMENT, DECREMENT):
            return self._entry(one, number, value, channel)
        if number in (BANK, BANK + FINE):
            one.bank[number // FINE] = value
        elif NRPN_FINE <= number <= RPN_COARSE:
            kind = "nrpn" if number < RPN_FINE else "rpn"
            one.parameter[number % 2] = value
            one.chosen = "" if one.parameter == [_UNSET, _UNSET] else kind
        plain = Control(CC, number, channel, value / 127, value)
        if number in _MODES:
            return [plain, Control(_MODES[number], 0, channel, 1.0, value)]
        if number < FINE:
            one.coarse[number] = value
            whole = value * 128
        elif number < 2 * FINE:
            number -= FINE
            whole = one.coarse.get(number, 0) * 128 + value
        else:
            return [plain]
        return [plain, Control(CC14, number, channel, whole / 16383, whole)]

    def _entry(self, one: _Channel, number: int, value: int, channel: int) -> list[Control]:
        """A data entry: of an NRPN, or of an RPN, which turns nothing here."""
        if one.chosen == "rpn":
            return []
        parameter = one.parameter[1] * 128 + one.parameter[0]
        whole = one.values.get(parameter, 0)
        if number == DATA:
            whole = value * 128
        elif number == DATA_FINE:
            one.fine.add(parameter)
            whole = whole // 128 * 128 + value
        else:
            one.fine.add(parameter)
            whole = min(16383, max(0, whole + (1 if number == INCREMENT else -1)))
        one.values[parameter] = whole
        # a device that sends the coarse part alone reaches both ends, too
        position = whole / 16383 if parameter in one.fine else whole // 128 / 127
        return [Control(NRPN, parameter, channel, position, whole)]
