"""Evaluation of a tiny style: candidates aligned, figures right, report and pages written."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from realtime.errors import ConfigError
from realtime.models.streaming import load_model
from train.data.pairs import Pair, PairSet
from train.export import gate as export
from train.fit.checkpoint import BEST, describe, folder_of, write
from train.judging import clips as files
from train.judging import model_pages as pages
from train.judging import run as evaluate
from train.judging import verdicts
from train.judging.aims import figures, misses
from train.judging.baselines import matched_eq
from train.judging.candidates import CANDIDATES, clips, in_player, in_torch, shifted
from train.judging.distances import JUDGES, distances, result
from train.judging.judges.memo import FOLDER, remembered
from train.judging.results import kept, table
from train.judging.tables import by_kind, sets_of
from train.networks.waveform_tcn import WaveformTCN
from train.networks.weights import fingerprint
from train.player import play

from .tiny import Tiny, TinySpectrum, plucked

pytestmark = pytest.mark.usefixtures("without_listener")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def traced() -> tuple[WaveformTCN, bytes]:
    """A tiny network of random weights and its graph."""
    torch.manual_seed(1)
    network = Tiny().network().eval()
    return network, export.to_onnx(Tiny(), network)  # type: ignore[return-value]


def exported(recipe: Tiny, network: Any, path: Path) -> Path:
    card = recipe.card(network, {}, {})
    path.write_bytes(export.seal(recipe, network, card, export.to_onnx(recipe, network)))
    return path


def trained(recipe: Tiny) -> WaveformTCN:
    """A checkpoint of random weights."""
    torch.manual_seed(3)
    network = recipe.network()
    content = {"weights": network.state_dict(), "step": 1}
    write(folder_of(recipe) / BEST, content | describe(recipe, recipe.schedule))
    return network.eval()


@pytest.mark.parametrize("make", [Tiny, TinySpectrum])
def test_the_player_and_torch_say_the_same(make: type[Tiny], tmp_path: Path) -> None:
    recipe = make()
    torch.manual_seed(1)
    network = recipe.network().eval()
    path, pair = exported(recipe, network, tmp_path / "tiny.onnx"), recipe.data().test[0]
    a, b = in_torch(recipe, network, pair), in_player(recipe, path, pair)
    n = min(len(a), len(b))
    assert n > 20000 and len(a) - n < 2048
    np.testing.assert_allclose(b[:n], a[:n], atol=2e-5 * np.abs(a).max())


def test_controls_by_name_and_by_order_are_the_same(tmp_path: Path) -> None:
    from train.recipes.effect import AmpBlend

    recipe = AmpBlend()
    torch.manual_seed(2)
    path = exported(recipe, recipe.network(), tmp_path / "blend.onnx")  # type: ignore[arg-type]
    x = plucked(0, 6144)
    named = play(path, x, {"warm": 0.0, "fuzz": 1.0})
    np.testing.assert_array_equal(named, play(path, x, (0.0, 0.0, 1.0, 0.0)))
    assert np.abs(named - play(path, x)).max() > 1e-4 and len(named) == len(x)


def test_candidates_are_aligned_and_of_one_length() -> None:
    recipe, data = Tiny(), Tiny().data()
    made = clips(recipe, recipe.network(), data.test, matched_eq(data.train))
    (clip,) = made
    assert tuple(clip.sounds) == CANDIDATES
    assert {len(x) for x in clip.sounds.values()} == {len(clip.pair.dry)}
    np.testing.assert_array_equal(clip.sounds["oracle"], clip.pair.wet)
    np.testing.assert_array_equal(clip.sounds["copy"], data.test[0].dry[64 : 64 + 24512])
    rows = distances(made)
    assert max(map(abs, rows["oracle"].values())) < 1e-6
    assert rows["own_eq"]["stft_distance"] < rows["copy"]["stft_distance"]
    power = [10 * np.log10(np.mean(np.square(x))) for x in (clip.pair.dry, clip.pair.wet)]
    assert rows["copy"]["level_db"] == pytest.approx(power[0] - power[1], abs=1e-3)


def test_notes_move_with_the_part_and_what_sounds_on_stays() -> None:
    notes = ((0.0, 1.0, 60), (0.9, 1.01, 61), (1.5, 1.8, 62), (1.99, 9.0, 63), (4.0, 5.0, 64))
    found = shifted(notes, 0.5, 2.0)
    assert [p for *_, p in found] == [60, 61, 62, 63]
    assert found[0] == (0.0, 0.5, 60) and found[3] == pytest.approx((1.49, 2.0, 63))
    assert shifted(((0.0, 0.52, 60),), 0.5, 2.0) == ()


def rows(**model: float) -> dict[str, dict[str, float]]:
    """An instrument's rows: copy 60, oracle 10."""
    base = {"copy": 60.0, "matched_eq": 55.0, "own_eq": 50.0, "hand_made": 45.0, "oracle": 10.0}
    found = {
        k: {"frechet": v, "stft_distance": v / 20, "level_db": 0.0, "pitch_f1": 0.8, "esr": 1.0}
        for k, v in {**base, "model": 20.0}.items()
    }
    found["model"] |= model
    return found


def metrics(**model: float) -> dict[str, Any]:
    return {"kind": "instrument", "sets": {"test": {"recordings": 3, "rows": rows(**model)}}}


def test_figures_are_shares_of_the_gap() -> None:
    found = figures(rows(pitch_f1=0.6))
    assert found == pytest.approx(
        {"gap": 0.8, "gap_matched_eq": 0.1, "gap_baseline": 0.3, "stft_gap": 0.8, "pitch": 0.75}
    )


def test_misses_are_said() -> None:
    assert misses(metrics()) == [] and misses({}) == []
    (said,) = misses(metrics(pitch_f1=0.6))
    assert said == "test: pitch F1 0.75 of the target's (aim 0.85)"
    said = "; ".join(misses(metrics(frechet=50.0, stft_distance=2.8, level_db=-4.0)))
    for part in ("20% of the gap (aim 60%)", "a baseline closes 30%", "no nearer", "level -4.0 dB"):
        assert part in said
    voice = metrics(word_errors=0.5, voiced=0.3, mos_speech=1.0)
    voice["kind"] = "voice"
    oracle = {"word_errors": 0.3, "voiced": 0.0, "mos_speech": 1.5}
    voice["sets"]["test"]["rows"]["oracle"] |= oracle
    assert len(misses(voice)) == 3


def test_a_style_without_pairs_has_an_aim_of_its_own_and_must_beat_its_ablation() -> None:
    assert misses({**metrics(frechet=44.0), "unpaired": True}) == []
    assert "(aim 60%)" in "; ".join(misses(metrics(frechet=44.0)))
    assert "(aim 30%)" in "; ".join(misses({**metrics(frechet=50.0), "unpaired": True}))
    alone = {"frechet": 15.0, "stft_distance": 1.0, "level_db": 0.0}
    found = {**metrics(), "unpaired": True}
    assert misses(found) == []
    part = found["sets"]["test"]["rows"]
    part["copy"]["onset_f1"], part["model"]["onset_f1"] = 0.8, 0.4
    assert misses(found) == ["test: onset F1 0.50 of the input's (aim 0.75)"]
    part["model"]["onset_f1"], part["no_adversary"] = 0.7, alone
    assert misses(found) == ["test: without its adversary it closes 90% of the gap"]


def test_tables_have_a_row_for_each_style_and_set() -> None:
    effect = {**metrics(), "kind": "effect"}
    older = {"copy": {"esr": 1.5}, "model": {"esr": 0.1}, "level_db": -1.0, "test_recordings": 4}
    text = "\n".join(by_kind({"a": metrics(), "b": effect, "c": older}))
    assert "| a | test | 3 | 80 % | 10 % | 30 % |" in text
    assert "### Instruments" in text and "### Effects" in text and "### Voices" not in text
    assert "Not judged yet: c." in text and "were last changed: a, b." in text
    assert "last changed" not in "\n".join(by_kind({"a": metrics() | {"judges": JUDGES}}))
    assert sets_of(older)["test"]["recordings"] == 4
    assert table(sets_of(older)["test"]["rows"]).splitlines()[-1] == "| model | 0.1 | -1 |"
    assert [line.split(" | ")[0] for line in table(rows()).splitlines()[2:4]] == [
        "| copy",
        "| matched eq",
    ]


@pytest.mark.parametrize("kind", ["instrument", "effect", "blend", "voice"])
def test_a_missing_judge_is_told_before_the_work(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    recipe = Tiny()
    recipe.kind = kind  # type: ignore[misc]
    with pytest.raises(ConfigError, match="make judges"):
        verdicts.for_recipe(recipe, PairSet((), (), ()))


def loud(made: list[Any], candidate: str) -> dict[str, float]:
    """A judge that needs no package."""
    return {"loudness_lu": float(np.mean([np.abs(c.sounds[candidate]).max() for c in made]))}


def test_a_run_leaves_json_markdown_and_pictures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Outside(Tiny):
        def outside(self) -> dict[str, tuple[Pair, ...]]:
            return {"elsewhere": Tiny().data().test}

    monkeypatch.setattr(verdicts, "for_recipe", lambda recipe, data: [loud])
    recipe = Outside()
    network = trained(recipe)
    with pytest.raises(ConfigError, match="not judged yet"):
        kept(recipe, fingerprint(network))
    folder = evaluate.run(recipe, tmp_path / "report", lambda text: None)
    names = {"result.json", "result.md", "test.png", "elsewhere.png"}
    assert {p.name for p in folder.iterdir()} == names
    assert (folder / "test.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads((folder / "result.json").read_text())
    again = kept(recipe, fingerprint(network))
    assert found == again, "the export finds it wherever the report went"
    assert found["weights"] == fingerprint(network) and set(found["sets"]) == {"test", "elsewhere"}
    assert set(found["sets"]["test"]["rows"]) == set(CANDIDATES)
    text = (folder / "result.md").read_text()
    assert text.count("| oracle |") == 2 and "Misses: " in text and "](test.png)" in text

    with torch.no_grad():
        next(network.parameters()).add_(1.0)
    with pytest.raises(ConfigError, match="not judged yet"):
        kept(recipe, fingerprint(network))


def test_a_bundled_file_is_judged_without_a_checkpoint_and_its_card_takes_the_figures(
    traced: tuple[WaveformTCN, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(verdicts, "for_recipe", lambda recipe, data: [loud])
    recipe = Tiny()
    network, graph = traced
    file = exported(recipe, network, tmp_path / "tiny.onnx")
    before = load_model(file)
    folder = evaluate.run(recipe, None, lambda text: None, file)
    found, after = json.loads((folder / "result.json").read_text()), load_model(file)
    assert after.card.metrics == found and found["sets"]["test"]["rows"]["model"]["esr"] > 0.0
    assert replace(after.card, metrics={}) == before.card
    x = 0.1 * np.random.default_rng(0).standard_normal((1, 1, 16 * 40)).astype(np.float32)
    assert all(
        np.array_equal(before.step(part), after.step(part)) for part in np.split(x, 40, axis=2)
    )
    with torch.no_grad():
        rows = distances(
            clips(recipe, network, recipe.data().test, matched_eq(recipe.data().train), file)
        )
    assert found["sets"]["test"]["rows"]["model"]["esr"] == pytest.approx(
        rows["model"]["esr"], rel=1e-3
    )


def test_pages_are_made_from_cards(
    traced: tuple[WaveformTCN, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recipe = Tiny()
    network, graph = traced
    data = recipe.data()
    made = clips(recipe, network, data.test, matched_eq(data.train))
    found = result(recipe, {"test": distances(made)}, {"test": 1})
    about = {"data": [{"source": "sines", "licence": "CC0-1.0"}], "limits": "It is tiny."}
    about |= {"recipe": "tiny.py", "seed": 4, "steps": 0, "cpu_minutes": 0.0}
    about |= {"revision": "none", "tools": "none"}
    monkeypatch.setattr(pages, "EXPORTED", tmp_path)
    card = recipe.card(network, found, about)
    export.export(recipe, network, card, tmp_path / "tiny.onnx", graph=graph)
    pages.write_pages()
    page, overview = ((tmp_path / n).read_text() for n in ("tiny.md", "README.md"))
    assert "Limits: It is tiny." in page and "- sines: CC0-1.0" in page
    assert "## Test set `test`: 1 recordings" in page and "| own eq |" in page
    assert "| [tiny](tiny.md) | a test | waveform | 0 |" in overview
    assert "| tiny | test | 1 |" in overview and "### Effects" in overview
    assert "Misses: tiny, test:" in overview, "an untrained network is no nearer"


def test_what_a_judge_said_is_kept_to_the_bit() -> None:
    calls = []

    def make() -> tuple[np.ndarray, ...]:
        calls.append(1)
        return np.arange(3, dtype=np.float32), np.eye(2, dtype=np.float32)

    x = np.ones(5, dtype=np.float32)
    for _ in range(2):
        a, b = remembered("judge 1", x, make)
        np.testing.assert_array_equal(a, [0, 1, 2])
        np.testing.assert_array_equal(b, np.eye(2))
    assert len(calls) == 1
    remembered("judge 2", x, make)
    remembered("judge 1", x + np.float32(1e-7), make)
    assert len(calls) == 3
    for path in FOLDER.iterdir():
        path.write_bytes(path.read_bytes()[:40])
    remembered("judge 1", x, make)
    assert len(calls) == 4, "a torn file is made again"


@pytest.mark.skipif(
    importlib.util.find_spec("musicnn") is None or importlib.util.find_spec("librosa") is None,
    reason="musicnn or librosa is not installed (make judges)",
)
def test_timbre_tells_the_target_from_the_input() -> None:
    data = PairSet(*(tuple(_noise(k + s) for k in range(2)) for s in (0, 10, 20)))
    recipe = Tiny()
    judge = verdicts.Timbre(data, {"input": [p.dry for p in data.train]}, ("synth",))
    made = clips(recipe, recipe.network(), data.test, matched_eq(data.train))
    copy, oracle = (judge(made, k) for k in ("copy", "oracle"))
    assert copy["frechet"] > 2 * oracle["frechet"] and copy["mmd"] > oracle["mmd"]
    assert copy["probe"] < 0.5 < oracle["probe"] and oracle["mfcc"] == 0.0
    assert set(oracle) == {"frechet", "mmd", "mfcc", "probe", "tag_flip"}


def _noise(seed: int) -> Pair:
    """Plucked sines, and noise in bursts as what they should become."""
    x = plucked(seed, 8 * 49152)
    noise = np.random.default_rng(seed).standard_normal(len(x)).astype(np.float32)
    return Pair(f"noise{seed}", x, 0.3 * noise * np.abs(x))


def test_clips_are_before_and_after_and_bounded(
    traced: tuple[WaveformTCN, bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = export.trial(Tiny(), traced[0], tmp_path, traced[1])
    noise = 0.5 * np.random.default_rng(0).standard_normal(4 * 48000).astype(np.float32)
    monkeypatch.setattr(files, "_clip_input", lambda kind: noise)
    target = files.write_clip(path)
    assert 200_000 < target.stat().st_size <= files.CLIP_BYTES
    y, rate = soundfile.read(str(target), dtype="float32")
    half = len(y) // 2
    assert rate == 48000 and 0.5 < half / 48000 < files.CLIP_SECONDS
    played = play(path, noise[:half])
    np.testing.assert_allclose(y[:10000], np.clip(noise[:10000], -0.98, 0.98), atol=1e-4)
    np.testing.assert_allclose(
        y[half : half + 10000], np.clip(played[:10000], -0.98, 0.98), atol=1e-4
    )
