"""Two styles joined: the ends are the two files, a mix is their weighted sum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ConfigError
from realtime.models.card import CARD_KEY, from_json
from realtime.models.metadata import read_metadata, write_metadata
from realtime.models.streaming import load_model
from realtime.proof.verify import verify
from train.export.morph import morph
from train.player import play
from train.recipes.instrument import Instrument

from .tiny import plucked, sealed

EXPORTED = Path(__file__).parents[2] / "exported"
X = plucked(0)


class Bowed(Instrument):
    """A style on frames, small enough for a test."""

    name, title, summary = "bowed", "Bowed", "a test"
    narrow, wide, hidden, dilations = 32, 16, 8, (1, 4)


class Sung(Bowed):
    """Another one, with breath from the noise table."""

    name, title, noise = "sung", "Sung", True


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("ends")
    return {r.name: sealed(r, folder, seed) for seed, r in enumerate((Bowed(), Sung()))}


@pytest.fixture(scope="module")
def joined(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("morph") / "new" / "two.onnx"
    return morph(str(files["bowed"]), str(files["sung"]), out)


@pytest.fixture(scope="module")
def ends(files: dict[str, Path]) -> dict[str, np.ndarray]:
    return {name: play(file, X) for name, file in files.items()}


def test_it_proves_itself_and_names_both(joined: Path) -> None:
    assert all(c.passed for c in verify(joined))
    model = load_model(joined)
    card = model.card
    model.close()
    assert [(c.name, c.kind, c.default) for c in card.controls] == [
        ("bowed", "blend", 0.5),
        ("sung", "blend", 0.5),
    ]
    assert card.provenance["joined"] == ["bowed", "sung"] and card.latency == 128
    assert card.dc_blocker == 20.0
    assert card.proof["streaming_error"] <= 1e-5


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_mix_is_the_weighted_sum(
    joined: Path, ends: dict[str, np.ndarray], weight: float
) -> None:
    apart = np.abs(ends["bowed"] - ends["sung"]).max()
    assert apart > 0.02 * np.abs(ends["bowed"]).max()
    y = play(joined, X, {"bowed": 1.0 - weight, "sung": weight})
    wanted = (1.0 - weight) * ends["bowed"] + weight * ends["sung"]
    assert np.abs(y - wanted).max() <= 2e-5 * np.abs(wanted).max()


def test_controls_of_both_are_kept_under_their_names(joined: Path, tmp_path: Path) -> None:
    from train.export.gate import seal, to_onnx
    from train.recipes.effect import Tape

    class Turned(Tape):
        """A waveform style whose one weight is called a knob."""

        name, styles = "turned", ("a", "b")
        channels, kernel, dilations = 6, 4, (1, 4)

    class Plain(Turned):
        name = "plain"

    paths = []
    for recipe in (Turned(), Plain()):
        network = recipe.network().eval()
        file = seal(recipe, network, recipe.card(network, {}, {}), to_onnx(recipe, network))
        entries = read_metadata(file)
        text = entries[CARD_KEY].replace('"blend"', '"continuous"')
        assert from_json(text).controls[0].kind == "continuous"
        path = tmp_path / f"{recipe.name}.onnx"
        path.write_bytes(write_metadata(file, {CARD_KEY: text}))
        paths.append(path)
    out = morph(str(paths[0]), str(paths[1]), tmp_path / "both.onnx")
    model = load_model(out)
    names = [c.name for c in model.card.controls]
    model.close()
    assert names == ["turned", "plain", "turned a", "turned b", "plain a", "plain b"]
    settings = {"turned a": 0.2, "turned b": 0.9, "plain a": 0.6, "plain b": 0.1}
    own = [play(paths[0], X, (0.2, 0.9)), play(paths[1], X, (0.6, 0.1))]
    for weights in ((1.0, 0.0), (0.5, 0.5)):
        y = play(out, X, settings | dict(zip(("turned", "plain"), weights, strict=True)))
        wanted = weights[0] * own[0] + weights[1] * own[1]
        assert np.abs(y - wanted).max() <= 2e-5 * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("tape", "tape", "both are 'tape'"),
        ("clean", "tape", "domain is spectrum and waveform"),
        ("tape", "amp-blend", "blends styles of its own"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    first: str, second: str, said: str, tmp_path: Path
) -> None:
    out = tmp_path / "none.onnx"
    with pytest.raises(ConfigError, match=said):
        morph(str(EXPORTED / f"{first}.onnx"), str(EXPORTED / f"{second}.onnx"), out)
    assert not out.exists()
