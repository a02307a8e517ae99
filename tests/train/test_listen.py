"""The listening test's page: whole in itself, bounded, fair in level, and right in its counts."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from scipy.stats import binomtest

from realtime.errors import ConfigError, ModelError
from realtime.models.catalog import find_model
from train.data.pairs import Pair, PairSet
from train.fit.checkpoint import BEST, describe, folder_of, write
from train.judging import listen, listen_players
from train.judging.run import clips, matched_eq
from train.player import play
from train.recipes import RECIPES
from train.recipes.base import Recipe
from train.recipes.player import Bundled

from .tiny import Tiny, plucked

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node, which runs the page's code, is missing")


class Heard(Tiny):
    """The tiny style with recordings of an ugly name, one far too short."""

    name = "heard-style"

    def data(self) -> PairSet:
        found = super().data()
        short, x = Pair("short", *np.zeros((2, 100), np.float32)), plucked(9, 61440)
        ugly = Pair('</script><b>"&', x, np.tanh(4 * x).astype(np.float32))
        return PairSet(found.train, found.validation, (short, *found.test, ugly))


@pytest.fixture(autouse=True)
def trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Recipe:
    """A style with a checkpoint, of random weights, and one without."""
    monkeypatch.chdir(tmp_path)
    for recipe in (Heard, Tiny):
        monkeypatch.setitem(RECIPES, recipe.name, recipe)
    torch.manual_seed(3)
    content = {"weights": (recipe := Heard()).network().state_dict(), "step": 1}
    write(folder_of(recipe) / BEST, content | describe(recipe, recipe.schedule))
    return recipe


def part(page: str, name: str) -> str:
    """What stands between the script tags of that id."""
    return re.findall(rf'<script[^>]*id="{name}">(.*?)</script>', page, re.DOTALL)[0]


def opened(page: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """FLAC files by id, and the key."""
    files = {k: base64.b64decode(v) for k, v in json.loads(part(page, "sounds")).items()}
    return files, json.loads(base64.b64decode(part(page, "key")))


def decoded(file: bytes) -> np.ndarray:
    with soundfile.SoundFile(io.BytesIO(file)) as sound:
        assert (sound.format, sound.subtype, sound.samplerate) == ("FLAC", "PCM_16", 48000)
        return sound.read(dtype="float32")


def excerpt(number: int = 0, n: int = 96000, quiet: float = 1.0) -> listen.Excerpt:
    """Noise, which packs badly."""
    x = 0.1 * np.random.default_rng(number).standard_normal((3, n)).astype(np.float32)
    x[1] *= quiet
    return listen.Excerpt("style", "noise", dict(zip(("model", "oracle", "copy"), x, strict=True)))


def test_page_is_whole_in_itself_and_names_nothing(tmp_path: Path) -> None:
    said, out = list[str](), tmp_path / "deep" / "out"
    path = listen.write_page(["tiny", "heard-style", "tiny"], out, said.append)
    assert list(out.iterdir()) == [path]
    page = path.read_text(encoding="utf-8")
    assert said[0] == "never trained, left out: tiny"
    assert "default-src 'none'" in page, "the browser itself forbids the network"
    assert not re.search(r"://|\bsrc=|@import|url\(|fetch\(|XMLHttp|@KEY@|@SOUNDS@", page)
    assert "heard-style" not in page and "</script><b>" not in page and "tune4" not in page
    assert page.count("<script") == page.count("</script>") == 4
    files, key = opened(page)
    assert key["skipped"] == ["tiny"] and list(key["weights"]) == ["heard-style"]
    assert sorted(i for row in key["recordings"] for i in row["sounds"].values()) == sorted(files)
    assert {row["recording"] for row in key["recordings"]} == {"tune4", '</script><b>"&'}


def test_sounds_are_the_candidates_equally_loud(trained: Recipe, tmp_path: Path) -> None:
    page = listen.write_page(["heard-style"], tmp_path / "out", lambda text: None)
    files, key = opened(page.read_text(encoding="utf-8"))
    data = trained.data()
    made = clips(trained, listen.load(trained)[0], data.test[1:], matched_eq(data.train))
    for row in key["recordings"]:
        candidates = next(c.sounds for c in made if c.pair.name == row["recording"])
        levels = []
        for name, i in row["sounds"].items():
            y, x = decoded(files[i]), candidates[name]
            gain = np.dot(x, y) / np.dot(x, x)
            assert np.abs(y - gain * x).max() < 1.01 / 32768 and np.abs(y).max() <= 0.9
            levels.append(listen.loudness(y))
        assert np.ptp(levels) < 0.02 and max(levels) <= listen.LEVEL + 0.01
    assert sum("copy" in row["sounds"] for row in key["recordings"]) == 1, "rivals take turns"


def test_peaks_are_lowered_together_and_silence_stays() -> None:
    click = (0.5 * (np.arange(48000) % 4800 == 0)).astype(np.float32)
    hum = 0.01 * np.sin(np.arange(48000) / 20).astype(np.float32)
    y = listen.matched({"a": click, "b": hum})
    assert max(np.abs(x).max() for x in y.values()) == pytest.approx(listen.PEAK, rel=1e-5)
    assert listen.loudness(y["a"]) == pytest.approx(listen.loudness(y["b"]), abs=0.01)
    y = listen.matched({"a": hum, "b": np.zeros_like(hum)})
    assert np.isfinite(y["a"]).all() and not y["b"].any()


def test_without_the_meter_mean_power_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyloudnorm", None)
    powers = [np.square(x).mean() for x in listen.matched(excerpt(quiet=0.01).sounds).values()]
    np.testing.assert_allclose(powers, 10 ** (listen.LEVEL / 10), rtol=1e-3)


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "LARGEST", 700_000)
    page = listen.fill([excerpt(0), excerpt(1)], {"weights": {}, "skipped": []})
    assert 400_000 < len(page) <= 700_000
    (length,) = {len(decoded(file)) for file in opened(page)[0].values()}
    assert 48000 <= length < 96000, "all were shortened alike"
    with pytest.raises(ConfigError, match="9 recordings are too many for a page; name fewer"):
        listen.fill([excerpt(k) for k in range(9)], {})


def test_few_recordings_from_all_over_the_set_and_their_fullest_part() -> None:
    x = np.zeros(10 * 48000, dtype=np.float32)
    pairs = tuple(Pair(str(k), y := x[: (48000 if k % 2 else None)], y) for k in range(9))
    assert [p.name for p in listen.choose(pairs, 3, 1000)] == ["0", "4", "8"]
    assert [p.name for p in listen.choose(pairs[1:4], 3, 1000)] == ["2", "1", "3"]
    assert listen.choose(pairs, 3, len(x)) == ()
    x[200_000:340_000] = plucked(0, 141_312)[:140_000]
    cut = listen.fullest(x, 96000)
    assert cut.start >= 197_600 and cut.stop <= 342_400 and cut.stop - cut.start == 96000
    assert listen.fullest(x[:5000], 96000) == slice(0, 5000)


def test_faults_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="of tiny yet; run: restyle train fit tiny$"):
        listen.write_page(["tiny"], tmp_path / "out")
    with pytest.raises(ConfigError, match="no recipe 'heard-stile'; did you mean 'heard-style'"):
        listen.write_page(["heard-stile"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigError, match="cannot write into"):
        listen.write_page(["heard-style"], tmp_path / "out", lambda text: None)


@pytest.mark.parametrize("rival", [None, "tape"])
def test_a_player_is_heard_beside_the_true_patch_and_the_input_or_a_rival(
    rival: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    x = np.zeros(3 * 48000, dtype=np.float32)
    x[96000:] = plucked(3, 61440)[:48000]
    sets = {"keys": (Pair("keys0", x, np.tanh(4 * x)),) * 2, "nylon": (Pair("nylon0", x, -x),)}
    monkeypatch.setattr(Bundled, "outside", lambda self: sets)
    monkeypatch.setattr(listen_players, "SECONDS", 1.0)
    against = None if rival is None else find_model(rival)
    page = listen.write_page(["string-player"], tmp_path / "out", lambda text: None, against)
    files, key = opened(page.read_text(encoding="utf-8"))
    assert list(key["weights"]) == ["string-player", *(["rival"] if rival else [])]
    assert key["skipped"] == []
    assert sorted(r["recording"] for r in key["recordings"]) == ["keys0", "keys0", "nylon0"]
    row = next(r for r in key["recordings"] if r["recording"] == "nylon0")
    made = {"oracle": -x[96000:]}
    made["model"] = play(find_model("string-player"), x[48000:])[48000:]
    if against is None:
        made["copy"] = x[96000:]
    else:
        made["rival"] = play(against, x[48000:])[48000:]
    assert set(row["sounds"]) == set(made)
    for name, wanted in made.items():
        y = decoded(files[row["sounds"][name]])
        gain = np.dot(wanted, y) / np.dot(wanted, wanted)
        assert np.abs(y - gain * wanted).max() < 1.01 / 32768
    assert "string-player" not in page.read_text(encoding="utf-8")


def test_a_player_or_rival_that_is_not_there_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match="--rival is for players; name one of string-player"):
        listen.write_page(["heard-style"], out, rival="tape")
    with pytest.raises(ModelError, match=r"there is no model file old\.onnx"):
        listen.write_page(["string-player"], out, rival="old.onnx")
    with pytest.raises(ConfigError, match=r"restyles sound; tagger\.onnx is a tagger"):
        listen.write_page(["string-player"], out, rival="tagger")
    monkeypatch.setattr(listen_players, "find_model", missing)
    with pytest.raises(ConfigError, match="no flute-player yet; run: restyle train player"):
        listen.write_page(["flute-player"], out)
    assert not out.exists()


def missing(name: str) -> Path:
    raise ModelError(f"there is no model '{name}'")


def computed(script: str) -> Any:
    """What the page's own functions answer, as JSON."""
    own = part(listen.TEMPLATE.read_text(encoding="utf-8"), "statistics")
    crypto = 'globalThis.crypto ??= require("crypto").webcrypto;'
    words = [str(NODE), "-e", f"{crypto}{own}\nconsole.log(JSON.stringify({script}))"]
    return json.loads(subprocess.run(words, capture_output=True, check=True, text=True).stdout)


@needs_node
def test_p_values_are_the_exact_binomial() -> None:
    cases = [[k, n] for n in (1, 2, 7, 24, 192) for k in sorted({0, 1, n // 2, n - 1, n})]
    found = computed(f"{json.dumps(cases)}.map(([k, n]) => [atLeast(k, n), asUneven(k, n)])")
    for (k, n), (more, uneven) in zip(cases, found, strict=True):
        assert more == pytest.approx(binomtest(k, n, alternative="greater").pvalue, rel=1e-9)
        assert uneven == pytest.approx(binomtest(k, n).pvalue, rel=1e-9)


@needs_node
def test_questions_are_shuffled_and_counted() -> None:
    sounds = {"model": "m", "oracle": "o", "hand_made": "h"}
    rows = [{"style": f"s{k % 2}", "sounds": sounds} for k in range(40)]
    script = f"const trials = plan({json.dumps(rows)}, 4); for (const t of trials) t.answer = 'A';"
    script += " trials[0].answer = null; return [trials, summary(trials)];"
    trials, found = computed(f"(() => {{ {script} }})()")
    assert [t["kind"] for t in trials] == ["abx"] * 160 + ["closer"] * 40
    abx, closer = ([t["slots"] for t in trials if t["kind"] == kind] for kind in ("abx", "closer"))
    assert all({s["A"], s["B"]} == {"model", "oracle"} for s in abx)
    assert all({s["A"], s["B"]} == {"model", "hand_made"} for s in closer)
    assert all(s["X"] == "oracle" for s in closer)
    for yes in ([s["A"] == "model" for s in abx], [s["A"] == s["X"] for s in abx]):
        assert 40 < sum(yes) < 120, "a fair coin fails this once in 10^9"
    right = sum(s["A"] == s["X"] for s in abx[1:])
    told, row = found["overall"]["abx"], found["overall"]["closer"]["hand_made"]
    assert (told["right"], told["total"]) == (right, 159)
    assert (row["model"], row["total"]) == (sum(s["A"] == "model" for s in closer), 40)
    assert sum(found["styles"][s]["abx"]["total"] for s in ("s0", "s1")) == 159
