"""A player as a file: proved, played in any blocks, silent where there is no music."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch

from realtime.errors import ConfigError
from realtime.models.catalog import read_entry
from realtime.models.load import open_model
from realtime.proof.players import struck
from realtime.proof.verify import verify
from realtime.stages.model import model_path
from train.commands import main
from train.export import gate
from train.export import player as assembly
from train.networks.player import BUSY, CROWD, GAIN, Player
from train.recipes.player import Played
from train.voices.tables import NOTES, About, save

from .simple import HOP, ToneEar, tables


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A player of round numbers, through the gate without the listener's proof (minutes)."""
    folder = tmp_path_factory.mktemp("player")
    save(folder / "round.npz", tables(3), About("round", "numbers", "CC0-1.0", 0.01))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "trained_ear", lambda: (ToneEar().eval(), {}, []))
        patch.setattr(gate, "heard", lambda sealed, card, held: card.proof)
        recipe = Played("round", "Round", "plays round notes", [folder / "round.npz"])
        return assembly.assemble(recipe, folder / "round.onnx", judge=False)


def test_the_file_proves_itself(file: Path) -> None:
    checks = verify(file)
    assert [c.name for c in checks if not c.passed] == []
    assert {"answers a note", "quiet", "streaming = offline", "rewind"} <= {c.name for c in checks}
    entry = read_entry(file)
    assert entry.plays and entry.converts
    assert entry.card is not None and entry.card.kind == "player" and entry.card.latency == 0
    assert entry.card.provenance["data"][-1]["licence"] == "CC0-1.0"


def test_it_plays_the_note_that_it_hears_in_any_blocks(file: Path) -> None:
    with closing(open_model(file)) as model:
        card = model.card
        x = struck(card, 120, 1, (69,)).ravel()[None]
        whole = model_path(model).process_hops(x)
        with closing(open_model(file)) as again:
            path = model_path(again)
            parts = np.array_split(np.arange(120), 7)
            cut = [
                path.process_hops(np.ascontiguousarray(x[:, p[0] * HOP : (p[-1] + 1) * HOP]))
                for p in parts
            ]
    assert np.array_equal(np.concatenate(cut, axis=1), whole)
    y = whole[0, 40 * HOP : 90 * HOP].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y))))
    assert abs(np.argmax(spectrum) * 48000 / len(y) - 440.0) < 48000 / len(y)


def test_a_hail_of_notes_or_a_crowd_begins_none() -> None:
    player = Player(ToneEar(), [tables(1)])
    notes = torch.zeros(1, 4, NOTES)
    notes[0, 0, :3] = 1.0
    notes[0, 1, :3] = 1.0
    believed, lately = player._believed(notes, torch.zeros(1, 1))
    assert believed[0, 0, :3].tolist() == [1.0] * 3 and lately.item() == 3.0
    assert player._believed(notes, torch.full((1, 1), BUSY))[0][0, 0].max() == 0.0
    notes[0, 1, : int(CROWD) + 1] = 1.0
    assert player._believed(notes, torch.zeros(1, 1))[0][0, 0].max() == 0.0


def test_levels_of_the_ear_become_the_voices() -> None:
    """A note of -10 dB is a velocity of 1, of -32.5 dB 0.5; the voice squares its velocities."""
    player = Player(ToneEar(), [tables(1)])
    notes = torch.zeros(1, 4, NOTES)
    notes[0, 0, 10], notes[0, 0, 20] = 1.0, 0.5
    believed, _ = player._believed(notes, torch.zeros(1, 1))
    assert believed[0, 0, 10] == 1.0
    assert abs(40.0 * np.log10(believed[0, 0, 20].item()) + 22.5) < 1e-3
    assert GAIN > 1.0


def test_what_cannot_be_assembled_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="name voices with --voice"):
        main(["player", "harp"])
    with pytest.raises(ConfigError, match=r"NAME\.npz"):
        main(["voice-from", "fluidr3:48", "-o", "strings.wav"])
    with pytest.raises(ConfigError, match="the folder"):
        main(["voice-from", "fluidr3:48", "-o", "nowhere/strings.npz"])
    assert list(tmp_path.iterdir()) == []
