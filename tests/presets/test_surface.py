from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import RestyleError
from realtime.parameters.surface import shares, turn, with_share
from realtime.presets.files import save_preset
from realtime.presets.format import Preset
from realtime.session.sound import Sound, Stage

from ..controllers.fake import picture, surface


def weights(one) -> dict[str, float]:
    return {p.own_name: p.value for p in one.parameters() if p.kind == "blend"}


def test_all_knobs_are_listed_with_where_they_stand() -> None:
    found = {p.name: p for p in surface().parameters()}
    assert list(found) == [
        "mix",
        "input_gain_db",
        "output_gain_db",
        "bypass",
        "mute",
        "1.bypass",
        "1.stage_mix",
        "1.warm",
        "1.fuzz",
        "1.lo",
        "2.bypass",
        "2.stage_mix",
        "2.room_size",
    ]
    assert found["2.room_size"].value == 0.3
    assert found["input_gain_db"].unit == "dB"
    assert found["1.warm"].kind == "blend"


@pytest.mark.parametrize(
    ("do", "says"),
    [
        (lambda s: s.set("mxi", 0.5), "unknown parameter 'mxi'; did you mean 'mix'?"),
        (lambda s: s.get("2.rom_size"), "did you mean '2.room_size'"),
        (lambda s: s.set("mix", 1.5), r"mix must be within 0\.\.1, got 1.5"),
        (lambda s: s.set("mix", float("nan")), "mix must be a number"),
        (lambda s: s.set("mix", "0.5"), 'mix must be a number, got "0.5"'),
        (lambda s: s.set("input_gain_db", 30), r"within -100\.\.24 dB, got 30"),
        (lambda s: s.set("bypass", 0.5), "must be true or false"),
        (lambda s: s.set("warm", 0.5), "set all weights with blend"),
        (lambda s: s.blend({"wram": 1}), "did you mean 'warm'"),
        (lambda s: s.blend({"warm": -1}), "0 or more"),
        (lambda s: s.blend({"warm": float("inf")}), "0 or more"),
        (lambda s: s.blend({"warm": "1"}), "must be a number"),
        (lambda s: s.blend({"warm": 0, "lo": 0}), "a weight above 0"),
        (lambda s: s.blend({}), "a weight above 0"),
        (lambda s: s.style("blned"), "did you mean 'blend'"),
        (lambda s: s.load_preset("none"), "there is no preset 'none'"),
        (lambda s: turn(s, "warm", 2), "within"),
    ],
)
def test_what_is_refused_is_one_sentence_and_changes_nothing(do, says: str) -> None:
    one = surface()
    before = picture(one)
    with pytest.raises(RestyleError, match=says) as caught:
        do(one)
    assert "\n" not in str(caught.value)
    assert picture(one) == before


def test_a_model_without_weights_says_so() -> None:
    with pytest.raises(RestyleError, match="no styles to blend"):
        surface("plain").blend({"warm": 1})


def test_weights_are_scaled_to_sum_to_one_and_the_others_become_zero() -> None:
    one = surface()
    one.blend({"fuzz": 3, "lo": 1})
    assert weights(one) == {"warm": 0.0, "fuzz": 0.75, "lo": 0.25}


def test_one_weight_leaves_the_others_in_their_proportion() -> None:
    one = surface()
    one.blend({"warm": 1, "fuzz": 2, "lo": 1})
    turn(one, "warm", 0.7)
    assert weights(one) == pytest.approx({"warm": 0.7, "fuzz": 0.2, "lo": 0.1})
    turn(one, "warm", 1.0)
    turn(one, "warm", 0.5)  # the others had nothing left to be in proportion
    assert weights(one) == pytest.approx({"warm": 0.5, "fuzz": 0.25, "lo": 0.25})


@settings(deadline=None)
@given(st.lists(st.floats(0, 1.7e308), min_size=3, max_size=3), st.floats(0, 1))
def test_weights_always_sum_to_one(given_weights: list[float], share: float) -> None:
    one = surface()
    named = dict(zip(("warm", "fuzz", "lo"), given_weights, strict=True))
    if max(given_weights) == 0:
        return
    assert sum(shares(one.parameters(), named).values()) == pytest.approx(1)
    one.blend(named)
    after = with_share(one.parameters(), "fuzz", share)
    assert after["1.fuzz"] == share
    assert sum(after.values()) == pytest.approx(1)
    assert min(after.values()) >= 0


def test_another_style_brings_its_controls_and_leaves_the_rest() -> None:
    one = surface()
    one.set("mix", 0.5)
    one.set("2.room_size", 0.9)
    one.style("synth")
    assert one.get("cutoff") == 1000.0
    assert one.get("mix") == 0.5
    assert one.get("2.room_size") == 0.9
    with pytest.raises(RestyleError, match="unknown parameter 'warm'"):
        one.get("warm")
    one.style(None)
    assert one.status()["style"] is None


def test_a_preset_changes_everything_but_the_bypass() -> None:
    second = Sound((Stage(model="blend", parameters={"fuzz": 1.0}),), mix=0.25)
    save_preset("second", Preset(sound=second))
    one = surface("plain")
    one.bypass(True)
    one.load_preset("second")
    assert one.get("mix") == 0.25
    assert weights(one) == {"warm": 0.0, "fuzz": 1.0, "lo": 0.0}
    status = one.status()
    assert (status["style"], status["preset"], status["bypass"]) == ("blend", "second", True)
