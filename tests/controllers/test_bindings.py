from __future__ import annotations

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.controllers.bindings import Bindings
from realtime.errors import RestyleError
from realtime.parameters.mapping import MidiMapping
from realtime.presets.files import save_preset
from realtime.presets.format import Preset

from .fake import picture, sound, surface


class Rig:
    """A surface, bindings on it, and what was reported."""

    def __init__(self, *mappings: MidiMapping, model: str | None = "blend") -> None:
        self.said: list[str] = []
        self.surface = surface(model)
        self.bindings = Bindings(self.surface, mappings, self.said.append)

    def cc(self, number: int, *values: int, channel: int = 1, port: str = "box") -> None:
        for value in values:
            message = mido.Message(
                "control_change", channel=channel - 1, control=number, value=value
            )
            self.bindings.feed(message.bytes(), port)

    def note(self, number: int, *velocities: int) -> None:
        for velocity in velocities:
            self.bindings.feed(mido.Message("note_on", note=number, velocity=velocity).bytes())

    def program(self, number: int) -> None:
        self.bindings.feed(mido.Message("program_change", program=number).bytes(), "box")

    def get(self, name: str) -> float:
        return self.surface.get(name)


def to(name: str, source: str = "cc", number: int = 1, **more) -> MidiMapping:
    return MidiMapping(**{source: number}, parameter=name, **more)


def test_a_controller_turns_its_parameter_from_end_to_end() -> None:
    rig = Rig(to("mix"), to("input_gain_db", number=2, low=-12.0, high=12.0))
    rig.cc(1, 0)
    assert rig.get("mix") == 0.0
    rig.cc(1, 127)
    assert rig.get("mix") == 1.0
    rig.cc(2, 127)
    assert rig.get("input_gain_db") == 12.0
    assert rig.bindings.counts["done"] == 3


def test_channel_and_port_choose() -> None:
    rig = Rig(to("mix", channel=2), to("2.room_size", port="nano"))
    rig.cc(1, 0, channel=1)
    assert rig.get("mix") == 1.0
    assert rig.bindings.counts["unmapped"] == 1
    rig.cc(1, 0, channel=2, port="NanoKontrol")
    assert rig.get("mix") == 0.0
    assert rig.get("2.room_size") == 0.0


def test_fourteen_bits_make_one_value() -> None:
    rig = Rig(to("mix", source="cc14", number=7))
    rig.cc(7, 64)
    assert rig.get("mix") == pytest.approx(64 * 128 / 16383)
    rig.cc(39, 5)
    assert rig.get("mix") == pytest.approx((64 * 128 + 5) / 16383)
    rig.cc(7, 127)
    rig.cc(39, 127)
    assert rig.get("mix") == 1.0


def test_a_weight_of_a_blend_takes_its_neighbours_along() -> None:
    rig = Rig(to("fuzz"))
    rig.cc(1, 127)
    assert rig.get("fuzz") == 1.0
    assert rig.get("warm") == 0.0


def test_a_note_toggles_or_holds() -> None:
    rig = Rig(to("bypass", "note", 60, mode="toggle"), to("2.bypass", "note", 61))
    rig.note(60, 100, 0)
    assert rig.get("bypass") == 1.0
    rig.note(60, 100, 0)
    assert rig.get("bypass") == 0.0
    rig.note(61, 100)
    assert rig.get("2.bypass") == 1.0
    rig.note(61, 0)
    assert rig.get("2.bypass") == 0.0


def test_a_pedal_toggles_once_a_press() -> None:
    rig = Rig(to("bypass", number=64, mode="toggle"))
    rig.cc(64, 10, 80, 127, 100, 0)
    assert rig.get("bypass") == 1.0
    rig.cc(64, 127, 0)
    assert rig.get("bypass") == 0.0


def test_programs_choose_presets_and_styles() -> None:
    save_preset("soft", Preset(sound=sound("plain", mix=0.25)))
    rig = Rig(MidiMapping(program=3, preset="soft"), MidiMapping(program=4, style="synth"))
    rig.program(3)
    assert rig.get("mix") == 0.25
    assert rig.surface.status()["preset"] == "soft"
    rig.program(4)
    assert rig.surface.status()["style"] == "synth"
    rig.program(5)
    assert rig.bindings.counts["unmapped"] == 1


def test_what_a_surface_refuses_is_told_once_and_changes_nothing() -> None:
    rig = Rig(
        to("cutoff"),
        to("mix", number=2, low=-1.0),
        MidiMapping(program=1, preset="gone"),
        to("mix", number=3, curve="log"),
    )
    before = picture(rig.surface)
    for _ in range(3):
        rig.cc(1, 1, 2)
        rig.cc(2, 1, 2)
        rig.cc(3, 1, 2)
        rig.program(1)
    assert picture(rig.surface) == before
    assert rig.bindings.counts["refused"] == 21
    assert len(rig.said) == 4
    assert "controller 1 did nothing: unknown parameter 'cutoff'" in rig.said[0]


def test_a_fault_of_the_surface_is_told_and_goes_no_further(monkeypatch) -> None:
    rig = Rig(to("mix"))
    monkeypatch.setattr(rig.surface, "set", lambda *_: 1 // 0)
    rig.cc(1, 1, 2)
    assert len(rig.said) == 1
    assert "ZeroDivisionError" in rig.said[0]


# -- soft take-over --------------------------------------------------------------------------------


def test_with_pickup_nothing_jumps() -> None:
    rig = Rig(to("mix", pickup=True))
    rig.surface.set("mix", 0.5)
    rig.cc(1, 10, 20, 30, 60)
    assert rig.get("mix") == 0.5  # not there yet
    rig.cc(1, 70)
    assert rig.get("mix") == pytest.approx(70 / 127)  # passed it: holds
    rig.cc(1, 127, 0)
    assert rig.get("mix") == 0.0
    rig.surface.set("mix", 0.8)  # something else turns it
    rig.cc(1, 10)
    assert rig.get("mix") == 0.8
    rig.cc(1, 120)
    assert rig.get("mix") == pytest.approx(120 / 127)


def test_the_first_message_picks_up_only_where_it_is_near() -> None:
    rig = Rig(to("mix", pickup=True))
    rig.surface.set("mix", 0.5)
    rig.cc(1, 127)
    assert rig.get("mix") == 0.5
    rig = Rig(to("mix", pickup=True))
    rig.surface.set("mix", 0.5)
    rig.cc(1, 64)
    assert rig.get("mix") == pytest.approx(64 / 127)


# -- learning --------------------------------------------------------------------------------------


def test_the_controller_that_moves_is_bound_and_works_at_once() -> None:
    rig, heard = Rig(), []
    learner = rig.bindings.learn("mix", heard.append)
    rig.cc(9, 5, 5, 5, channel=3)  # repeats itself
    rig.cc(4, 60, channel=2)
    assert learner.wait(0) is None
    rig.cc(4, 61, channel=2)
    expected = to("mix", number=4, channel=2)
    assert learner.wait(0) == expected
    assert heard == [expected]
    assert rig.bindings.mappings == (expected,)
    rig.cc(4, 127, channel=2)
    assert rig.get("mix") == 1.0


def test_nothing_turns_while_learning() -> None:
    rig = Rig(to("mix", number=4))
    rig.bindings.learn("input_gain_db")
    rig.cc(4, 3)
    assert rig.get("mix") == 1.0


def test_a_fine_controller_is_learnt_as_one() -> None:
    for moves in ([(7, 64), (39, 3), (39, 9)], [(39, 3), (7, 64), (7, 65)]):
        rig = Rig()
        learner = rig.bindings.learn("mix")
        for number, value in moves:
            rig.cc(number, value)
        assert learner.wait(0) == to("mix", "cc14", 7, channel=1)


def test_a_note_is_learnt_for_a_switch_alone() -> None:
    rig = Rig()
    learner = rig.bindings.learn("mix")
    rig.note(60, 100)
    assert learner.wait(0) is None
    learner = rig.bindings.learn("bypass")
    rig.note(60, 100)
    assert learner.wait(0) == to("bypass", "note", 60, channel=1, mode="toggle")


def test_a_knob_learnt_again_leaves_its_old_parameter() -> None:
    rig = Rig(to("mix", number=4, channel=1), to("2.room_size", number=5))
    rig.bindings.learn("input_gain_db")
    rig.cc(4, 1, 2)
    assert [m.name for m in rig.bindings.mappings] == ["2.room_size", "input_gain_db"]


def test_learning_stops_and_refuses_what_is_not_there() -> None:
    rig = Rig()
    with pytest.raises(RestyleError, match="did you mean 'mix'"):
        rig.bindings.learn("mxi")
    learner = rig.bindings.learn("warm")
    rig.surface.style("plain")  # the parameter goes while the person reaches for the knob
    rig.cc(1, 1, 2)
    assert learner.wait(0) is None
    assert "unknown parameter '1.warm'" in rig.said[0]
    learner = rig.bindings.learn("mix")
    rig.bindings.stop_learning()
    rig.cc(1, 1, 2)
    assert learner.wait(0) is None


def test_mappings_are_checked_when_added_and_can_be_taken_out() -> None:
    rig = Rig()
    with pytest.raises(RestyleError, match="high must be within"):
        rig.bindings.add(to("mix", high=2.0))
    rig.bindings.add(to("mix"))
    rig.bindings.remove(to("mix"))
    assert rig.bindings.mappings == ()


# -- anything may come -----------------------------------------------------------------------------


def test_malformed_messages_are_counted_and_told_once_a_port() -> None:
    rig = Rig(to("mix"))
    before = picture(rig.surface)
    for data in ([], [0xB0], [0xB0, 1], [1, 2, 3], [0xB0, 1, 200], [0xF4], [0xB0, 1, 2, 3], [999]):
        rig.bindings.feed(data, "box")
    assert rig.bindings.counts["malformed"] == 8
    assert rig.said == [
        "a malformed MIDI message (empty) came from box; it and others like it are ignored"
    ]
    assert picture(rig.surface) == before


def test_messages_of_other_kinds_are_passed_over() -> None:
    rig = Rig(to("mix"))
    for kind in ("clock", "pitchwheel", "aftertouch", "polytouch", "sysex", "reset", "songpos"):
        rig.bindings.feed(mido.Message(kind).bytes())
    assert rig.bindings.counts == {"messages": 7}


@given(st.lists(st.lists(st.integers(0, 255), max_size=4), max_size=30), st.booleans())
def test_no_bytes_raise(messages: list[list[int]], learning: bool) -> None:
    rig = Rig(to("mix"), to("bypass", "note", 60, mode="toggle"), to("fuzz", "cc14", 3))
    if learning:
        rig.bindings.learn("mix")
    for data in messages:
        rig.bindings.feed(data)
    assert rig.bindings.counts["messages"] == len(messages)
    assert 0 <= rig.get("mix") <= 1


# -- foot switches ---------------------------------------------------------------------------------


class Pedals(Rig):
    """A rig whose clock stands still until it is told to go on."""

    def __init__(self, *mappings: MidiMapping, channels: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.now = 100.0
        self.bindings = Bindings(
            self.surface, mappings, self.said.append, channels, clock=lambda: self.now
        )

    def presses(self, number: int, *values: int, gap: float = 1.0) -> list[float]:
        """Where bypass stands after each value."""
        found = []
        for value in values:
            self.now += gap
            self.cc(number, value)
            found.append(self.get("bypass"))
        return found


@pytest.mark.parametrize(
    ("switch", "values", "expected"),
    [
        (None, (127, 127, 127, 127), [1, 0, 1, 0]),  # a stomp that sends 127 on every press
        ("press", (127, 127, 127), [1, 0, 1]),
        ("latching", (127, 0, 127, 0), [1, 0, 1, 0]),
        ("latching", (0, 127, 0), [1, 0, 1]),  # it was on when the program began
        ("momentary", (127, 0, 127, 0), [1, 1, 0, 0]),
        (None, (127, 0, 127, 0), [1, 0, 1, 0]),  # held for a second each: it latches
    ],
)
def test_each_press_of_every_kind_of_switch_toggles(switch, values, expected) -> None:
    rig = Pedals(to("bypass", number=80, mode="toggle", switch=switch))
    assert rig.presses(80, *values) == expected


def test_a_switch_that_lets_go_at_once_is_momentary_and_may_be_held_later() -> None:
    rig = Pedals(to("bypass", number=80, mode="toggle"))
    assert rig.presses(80, 127, 0, gap=0.1) == [1, 1]
    assert rig.presses(80, 127, 0, gap=2.0) == [0, 0]  # held for two seconds
    assert rig.presses(80, 127, 0, gap=0.1) == [1, 1]


def test_a_double_press_does_not_make_a_latching_switch_momentary_for_long() -> None:
    rig = Pedals(to("bypass", number=80, mode="toggle"))
    rig.presses(80, 127, 0, gap=0.1)
    rig.presses(80, 127, 0, 127, gap=1.0)
    before = rig.get("bypass")
    assert rig.presses(80, 0, 127, 0) == [1 - before, before, 1 - before]


@pytest.mark.parametrize(
    ("sent", "switch", "mode"),
    [
        ([(0.0, 127), (0.1, 0)], "momentary", "toggle"),
        ([(0.0, 127), (0.8, 0)], "latching", "toggle"),
        ([(0.0, 0), (0.8, 127)], "latching", "toggle"),
        ([(0.0, 127), (0.8, 127)], "press", "toggle"),
        ([(0.0, 60), (0.1, 61)], None, "set"),  # a knob
    ],
)
def test_switches_are_learnt_as_what_they_are(sent, switch, mode) -> None:
    rig = Pedals()
    learner = rig.bindings.learn("bypass")
    begin = rig.now
    for seconds, value in sent:
        rig.now = begin + seconds
        rig.cc(80, value)
    assert learner.wait(0) == to("bypass", number=80, channel=1, mode=mode, switch=switch)


def test_a_controller_that_repeats_itself_is_no_switch() -> None:
    rig = Pedals()
    learner = rig.bindings.learn("bypass")
    for _ in range(20):
        rig.now += 0.01
        rig.cc(11, 127)
    assert learner.wait(0) is None


def test_buttons_learn_programs_notes_and_switches() -> None:
    rig = Pedals()
    learner = rig.bindings.learn(action="next")
    for number, value in ((0, 1), (32, 2)):  # the bank alone is nothing
        rig.cc(number, value)
    rig.program(7)
    assert learner.wait(0) == MidiMapping(program=7, bank=130, channel=1, action="next")
    learner = rig.bindings.learn(scene="Lead")
    rig.note(60, 90)
    assert learner.wait(0) == MidiMapping(note=60, channel=1, scene="Lead")
    learner = rig.bindings.learn(preset="soft")
    rig.presses(81, 127, 127)
    assert learner.wait(0) == MidiMapping(cc=81, channel=1, preset="soft", switch="press")
    with pytest.raises(RestyleError, match="one of parameter, preset, scene and action"):
        rig.bindings.learn()


def test_actions_are_done_at_each_press() -> None:
    rig = Pedals(MidiMapping(cc=81, action="next"), MidiMapping(note=61, action="tap"))
    rig.presses(81, 127, 0, 127, 0, gap=0.1)
    rig.note(61, 100, 0, 100)
    assert rig.surface.actions == ["next", "next", "tap", "tap"]


# -- banks, NRPNs, 14 bits, channels ---------------------------------------------------------------


def test_a_bank_chooses_other_presets_and_goes_before_any() -> None:
    rig = Rig(MidiMapping(program=3, style="plain"), MidiMapping(program=3, bank=1, style="synth"))
    rig.cc(0, 0)
    rig.cc(32, 1)
    rig.program(3)
    assert rig.surface.status()["style"] == "synth"
    rig.cc(32, 2)
    rig.program(3)
    assert rig.surface.status()["style"] == "plain"
    with pytest.raises(RestyleError, match="bank belongs to a program"):
        to("mix", bank=1)


def test_an_nrpn_is_no_controller_and_the_null_parameter_gives_them_back() -> None:
    rig = Rig(to("mix", number=6), to("input_gain_db", "nrpn", 300), to("2.room_size", number=38))
    rig.cc(99, 300 // 128)
    rig.cc(98, 300 % 128)
    rig.cc(6, 127)
    assert rig.get("input_gain_db") == 24.0  # a device of 7 bits reaches the end
    assert rig.get("mix") == 1.0
    rig.cc(38, 64)
    whole = 127 * 128 + 64
    assert rig.get("input_gain_db") == pytest.approx(-100 + 124 * whole / 16383)
    rig.cc(97, 1)
    assert rig.get("input_gain_db") == pytest.approx(-100 + 124 * (whole - 1) / 16383)
    assert rig.get("2.room_size") == 0.3
    for number in (101, 100):
        rig.cc(number, 0)  # RPN 0, the range of pitch bend
    rig.cc(6, 2)
    assert rig.get("mix") == 1.0
    for number in (101, 100):
        rig.cc(number, 127)
    rig.cc(6, 0)
    assert rig.get("mix") == 0.0


def test_an_nrpn_is_learnt_as_one() -> None:
    rig = Rig()
    learner = rig.bindings.learn("mix")
    for number, value in ((99, 2), (98, 44), (6, 10), (6, 11)):
        rig.cc(number, value)
    assert learner.wait(0) == to("mix", "nrpn", 300, channel=1)


def test_both_parts_of_a_controller_of_14_bits_move_no_plain_one() -> None:
    rig = Rig(
        to("mix", "cc14", 7),
        to("input_gain_db", number=39),
        to("output_gain_db", number=7),
    )
    rig.cc(7, 64)
    rig.cc(39, 100)
    assert rig.get("mix") == pytest.approx((64 * 128 + 100) / 16383)
    assert rig.get("input_gain_db") == rig.get("output_gain_db") == 0.0


def test_other_channels_are_passed_over() -> None:
    rig = Pedals(to("mix"), channels=(2, 3))
    rig.cc(1, 0, channel=1)
    assert rig.get("mix") == 1.0
    learner = rig.bindings.learn("mix")
    rig.cc(5, 0, 1, 2, channel=4)
    assert learner.wait(0) is None
    rig.bindings.stop_learning()
    rig.cc(1, 0, channel=3)
    assert rig.get("mix") == 0.0
    assert rig.bindings.counts["other_channels"] == 4


# -- floods and panic ------------------------------------------------------------------------------


def test_a_batch_ends_at_its_last_values_and_turns_each_knob_once(monkeypatch) -> None:
    rig = Rig(to("mix"), to("bypass", number=2, mode="toggle", switch="press"))
    calls: list[tuple[str, float]] = []
    real = rig.surface.set
    monkeypatch.setattr(
        rig.surface, "set", lambda name, value: (calls.append((name, value)), real(name, value))
    )
    messages = [[0xB0, 1, i % 128] for i in range(1000)] + [[0xB0, 2, 127]] * 7
    rig.bindings.feed_all([*messages, [0xB0, 1, 90]])
    assert calls == [("mix", 90 / 127), ("bypass", 1.0)]
    assert rig.bindings.counts["messages"] == 1008


def test_of_many_programs_the_last_is_loaded(monkeypatch) -> None:
    styles = ("plain", "synth", "blend")
    rig = Rig(*(MidiMapping(program=i, style=s) for i, s in enumerate(styles)))
    loaded: list[str | None] = []
    monkeypatch.setattr(rig.surface, "style", loaded.append)
    rig.bindings.feed_all([[0xC0, i % 3] for i in range(500)])
    assert loaded == [styles[499 % 3]]


def test_all_sound_off_is_one_panic_and_all_notes_off_lets_keys_go() -> None:
    rig = Pedals(to("2.bypass", "note", 61), to("mix", number=120, channel=9))
    for channel in range(16):
        rig.bindings.feed([0xB0 + channel, 120, 0])
    assert rig.surface.actions == ["panic"]
    assert rig.get("mix") == 0.0  # where a controller is mapped, it is that controller
    rig.note(61, 100)
    assert rig.get("2.bypass") == 1.0
    rig.bindings.feed([0xB0, 123, 0])
    assert rig.get("2.bypass") == 0.0
