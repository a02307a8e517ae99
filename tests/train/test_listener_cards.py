"""The listener's proof in cards: measured, kept, refused by the gate, shown on pages."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from realtime.errors import ConfigError, ModelError
from realtime.models.catalog import read_entry
from realtime.proof.listener.check import KEY, declared
from realtime.proof.listener.prove import Proof, prove_player, unchanged
from train.export import listener
from train.own.rebuild import begin_with
from train.recipes import get_recipe

from .tiny import sealed

BUNDLED = Path(__file__).parents[2] / "exported"


@pytest.fixture(scope="module")
def answers() -> dict[str, Proof]:
    """Proofs of doing nothing and of a hop-rate tone."""

    def whistling(x, controls):
        t = np.arange(x.shape[1]) / 48000
        return x * (1 + 0.5 * np.cos(2 * np.pi * 375 * t)).astype(np.float32)

    return {"tape": unchanged(48000), "clean": prove_player(whistling, 48000)}


@pytest.fixture
def measured(answers: dict[str, Proof], monkeypatch: pytest.MonkeyPatch) -> dict[str, Proof]:
    """Figures without the time it takes to play."""
    monkeypatch.setattr(listener, "prove", lambda file, card: answers[card.name])
    return answers


def test_a_stamp_changes_the_card_and_nothing_else(tmp_path: Path, measured) -> None:
    file = tmp_path / "tape.onnx"
    shutil.copy(BUNDLED / "tape.onnx", file)
    said: list[str] = []
    listener.stamp([file], said.append)
    assert said == ["tape.onnx: all bounds hold"]
    card = read_entry(file).card
    assert card is not None and declared(card) == measured["tape"].figures
    before = onnx.load(str(BUNDLED / "tape.onnx")).graph
    assert onnx.load(str(file)).graph == before
    old = read_entry(BUNDLED / "tape.onnx").card
    assert old is not None and replace(card, proof={}) == replace(old, proof={})
    assert {k: v for k, v in card.proof.items() if k != KEY} == {
        k: v for k, v in old.proof.items() if k != KEY
    }


def test_the_gate_refuses_what_whistles_and_keeps_it_where_nothing_is_asked(measured) -> None:
    card = read_entry(BUNDLED / "clean.onnx").card
    assert card is not None
    with pytest.raises(ConfigError, match="a listener would object to 'clean': worst line"):
        listener.heard(BUNDLED / "clean.onnx", card, held=True)
    assert KEY in listener.heard(BUNDLED / "clean.onnx", card)
    generator = read_entry(BUNDLED / "endless-keys.onnx").card
    assert generator is not None
    assert listener.heard(BUNDLED / "endless-keys.onnx", generator, held=True) == generator.proof


def test_pages_show_figures_beside_the_input_s_and_mark_what_is_over(measured) -> None:
    cards = []
    for name in ("tape", "clean"):
        card = read_entry(BUNDLED / f"{name}.onnx").card
        assert card is not None
        entry = {**card.proof, KEY: measured[name].entry()}
        cards.append(replace(card, proof=entry))
    text = "\n".join(listener.section(cards[1]))
    assert "| worst line, sines | **-12.0 dB** |" in text and "≤ -40.0 dB" in text
    table = "\n".join(listener.overview(cards))
    assert "| tape |" in table and "| clean | **-12.0 dB** |" in table
    assert "| *unchanged* |" in table and ", true patch*" not in table
    proof = cards[1].proof[KEY]
    beside = {"line_partials_true": -34.0, "pitch_run_true": 0.03}
    player = replace(cards[1], proof={KEY: {**proof, "figures": proof["figures"] | beside}})
    text = "\n".join(listener.section(player))
    assert "| | style | true patch | unchanged | bound |" in text
    assert "| - | -102.1 dB | ≤ -31.0 dB |" in text, "sines may have the lines of the true patch"
    assert "| *clean, true patch* | - | -34.0 dB |" in "\n".join(listener.overview([player]))
    assert listener.overview([replace(c, proof={}) for c in cards]) == []


def test_a_network_begins_with_the_weights_of_a_file(tmp_path: Path) -> None:
    file = sealed(get_recipe("strings"), tmp_path)
    network, again = (get_recipe("strings").network() for _ in range(2))
    begin_with(network, file)
    begin_with(again, file)
    same = [
        bool((a == b).all())
        for a, b in zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    ]
    assert all(same)
    with pytest.raises(ModelError, match="of the weights fit"):
        begin_with(network, BUNDLED / "tape.onnx")
