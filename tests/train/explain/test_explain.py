"""The page: what it holds, that it stands alone, and what it says to bad input."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.models.catalog import find_model
from train.explain.influence import BANDS, influences
from train.explain.network import open_network
from train.player import play

from ...commands.conftest import Run, run  # noqa: F401
from ...graphs import fir_model
from ...networks import controlled_model
from ...signals import noise

RATE = 48000


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "mine.wav"
    soundfile.write(path, 0.5 * noise(RATE + 4800)[0], RATE, subtype="FLOAT")
    return path


def test_a_converter_is_shown_with_its_own_output(run: Run, clip: Path, tmp_path: Path) -> None:  # noqa: F811
    code, out, err = run(
        "explain", "tape", str(clip), "--seconds", "1", "--out", "page.html", "--png", "pictures"
    )
    assert code == 0 and "wrote page.html" in out, err
    page = (tmp_path / "page.html").read_text()
    assert not re.search(r"(src|href)=.?https?:", page)
    names = {p.stem for p in (tmp_path / "pictures").glob("*.png")}
    assert names == {"input", "output", "mask", "origin", "memory"}
    assert page.count("data:image/png;base64,") == len(names)
    assert "<td>1940 samples</td><td>1940 samples</td>" in page
    sounds = [
        soundfile.read(io.BytesIO(base64.b64decode(s)), dtype="float32")[0]
        for s in re.findall(r"data:audio/flac;base64,([A-Za-z0-9+/=]+)", page)
    ]
    x = soundfile.read(clip, dtype="float32")[0][:RATE]
    np.testing.assert_allclose(sounds[0], np.clip(x, -0.98, 0.98), atol=2**-14)
    np.testing.assert_allclose(
        sounds[1], np.clip(play(find_model("tape"), x), -0.98, 0.98), atol=2**-14
    )


def test_a_network_that_cannot_be_read_back_is_shown_by_its_sound(
    run: Run,  # noqa: F811
    clip: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "fir.onnx").write_bytes(fir_model(np.array([0.5, 0.25], dtype=np.float32)))
    code, out, _ = run("explain", "fir.onnx", str(clip), "--seconds", "1")
    assert code == 0 and "wrote explain-fir.html" in out
    page = (tmp_path / "explain-fir.html").read_text()
    assert "cannot be read back" in page and "What it does" in page


def test_a_generator_is_shown_by_what_it_plays(run: Run, clip: Path, tmp_path: Path) -> None:  # noqa: F811
    code, _, error = run("explain", "endless-keys", str(clip), "--seconds", "1")
    assert code == 0, error
    page = (tmp_path / "explain-endless-keys.html").read_text()
    assert "What it plays" in page and "density, from end to end" in page
    assert "What it does" not in page


def test_a_gain_is_measured_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "gain.onnx"
    path.write_bytes(controlled_model())
    card, network = open_network(path)
    assert network is None
    x = np.ascontiguousarray(noise(RATE, level=0.3)[0])
    gain = next(i for i in influences(path, card, x) if i.name == "gain")
    assert [value for value, _ in gain.clips] == [0.0, 0.25, 0.5, 0.75, 1.0]
    for value, y in gain.clips:
        np.testing.assert_allclose(y, value * x, atol=1e-6)
    assert gain.bands_db.shape == (BANDS,)
    assert (gain.bands_db > 40).all()  # from silence, which is held above a floor


def test_bad_wishes_are_one_sentence_and_leave_nothing(
    run: Run,  # noqa: F811
    clip: Path,
    tmp_path: Path,
) -> None:
    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(100), RATE)
    before = sorted(tmp_path.iterdir())
    for words, says in (
        (("tape", "gone.wav"), "gone.wav"),
        (("tapes", str(clip)), "tape"),
        (("tape", str(clip), "--seconds", "0"), "--seconds must be within 1..30, got 0"),
        (("tape", str(clip), "--out", "page.pdf"), "a page such as explain.html"),
        (("tape", str(clip), "--out", "gone/page.html"), "does not exist"),
        (("tape", str(short)), "shorter than a second"),
    ):
        code, _, err = run("explain", *words)
        assert code == 2 and says in err and err.count("\n") == 1, (words, err)
    assert sorted(tmp_path.iterdir()) == before
