"""The tagger as a judge: it is asked for the style's label, on the part that all three share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ConfigError
from realtime.models.catalog import find_model
from realtime.models.tagger import Tagger
from train.commands import main
from train.judging import heard

from ..signals import noise

RATE = 48000


def test_noise_is_heard_as_noise_and_not_as_strings() -> None:
    x = noise(2 * RATE, level=0.1)[0]
    with Tagger(find_model("tagger"), RATE) as tagger:
        assert heard.share(tagger, x, "noise") > 0.9
        assert heard.share(tagger, x, "strings") < 0.1
        # the state is cleared before each sound: the same twice
        assert heard.share(tagger, x, "noise") == heard.share(tagger, x, "noise")


def test_input_model_and_target_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pair:
        dry, wet, controls = noise(2 * RATE, level=0.1)[0], np.zeros(2 * RATE, np.float32), ()

    class Data:
        test = (Pair(),) * 2

    class Recipe:
        name, warm_up = "tube-amp", 4096

    monkeypatch.setitem(heard.LABELS, "tube-amp", "noise")
    monkeypatch.setattr(heard, "in_player", lambda r, f, p: p.dry[4096:40960])
    found = heard.heard(Recipe(), Data(), Path("x.onnx"))  # type: ignore[arg-type]
    assert found["input"] == found["model"] > 0.9 > 0.2 > found["target"]
    assert "| tube-amp | noise |" in heard.table({"tube-amp": found})


def test_a_style_without_a_label_is_refused() -> None:
    with pytest.raises(ConfigError, match="no label for 'tape'; it judges square-synth"):
        main(["heard", "tape"])
