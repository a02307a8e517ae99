"""The whole proof of players that are known; its bounds, its page, the card that declares it."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from realtime.models.catalog import read_entry
from realtime.models.load import open_model
from realtime.proof.listener.check import KEY, compared
from realtime.proof.listener.figures import BY_NAME, broken, differing
from realtime.proof.listener.page import page
from realtime.proof.listener.picture import colours, levels, png
from realtime.proof.listener.play import play
from realtime.proof.listener.prove import Proof, corners, prove_player, unchanged
from realtime.stages.model import model_path

from .tools import RATE, tone

BUNDLED = Path(__file__).parents[2] / "exported"


def with_lines(x: np.ndarray, controls: dict[str, float]) -> np.ndarray:
    """Whatever sounds is answered by itself, 3 % of it moved by 375 Hz."""
    t = np.arange(x.shape[1]) / RATE
    return x + x * (0.06 * np.cos(2 * np.pi * 375 * t)).astype(np.float32)


def hissing(x: np.ndarray, controls: dict[str, float]) -> np.ndarray:
    """12 dB more of what is faint: a compressor without a threshold."""
    faint = np.sqrt(np.mean(x.astype(np.float64) ** 2, axis=1, keepdims=True)) < 1e-3
    return (x * np.where(faint, 4.0, 1.0)).astype(np.float32)


def test_doing_nothing_keeps_every_bound_and_reads_as_nothing() -> None:
    found = unchanged(RATE).figures
    assert broken(found) == []
    assert found["pitch_bass"] == found["pitch_run"] == 1.0
    for name in ("onset_late", "onset_jitter", "onset_missed", "hiss", "level_run"):
        assert found[name] == pytest.approx(0.0, abs=0.05)
    assert found["offset"] == pytest.approx(-20.0, abs=0.01)


def test_known_faults_are_read_and_break_their_bounds() -> None:
    lined = prove_player(with_lines, RATE, [{"a": 1.0}])
    expected = 20 * np.log10(0.03)
    assert lined.figures["line_sine"] == pytest.approx(expected, abs=0.3)
    assert lined.figures["line_corners"] == pytest.approx(expected, abs=1.5)
    assert lined.figures["line_dc"] == pytest.approx(expected + 3, abs=0.3)  # a DC has no RMS / √2
    names = [s.split(",")[0] for s in broken(lined.figures)]
    assert names == ["worst line"] * 5
    found = prove_player(hissing, RATE).figures
    assert found["hiss"] == found["hiss_raw"] == pytest.approx(12.0, abs=0.1)
    assert any(s.startswith("hiss") for s in broken(found))


def test_a_louder_style_may_make_hiss_louder_by_its_gain_and_no_more() -> None:
    found = prove_player(lambda x, c: 4 * x, RATE).figures
    assert found["hiss_raw"] == pytest.approx(12.0, abs=0.1)
    assert found["hiss"] == pytest.approx(0.0, abs=0.1)
    assert broken(found) == []


def test_a_silent_style_has_no_onset_no_pitch_and_does_not_hold() -> None:
    found = prove_player(lambda x, c: np.zeros_like(x), RATE).figures
    assert found["onset_missed"] == 1.0 and found["pitch_bass"] == 0.0
    assert found["level_run"] < -100


def test_a_card_that_declares_other_figures_is_found_out() -> None:
    proof = unchanged(RATE)
    card = read_entry(BUNDLED / "tape.onnx").card
    assert card is not None
    card = replace(card, proof={})
    assert compared(proof, card).passed and "no figure declared" in compared(proof, card).found
    true = replace(card, proof={KEY: proof.entry()})
    assert compared(proof, true).passed and "as declared" in compared(proof, true).found
    entry = proof.entry()
    entry["figures"]["hiss"] = -9.0
    lied = compared(proof, replace(card, proof={KEY: entry}))
    assert not lied.passed and "declared -9.0 dB" in lied.found


def test_faint_figures_may_differ_and_missing_ones_may_not() -> None:
    assert differing({"line_sine": -120.0}, {"line_sine": -90.0}) == []
    assert differing({}, {"line_sine": -90.0})
    assert BY_NAME["held_4"].holds(-2.9) and not BY_NAME["held_4"].holds(-3.1)


def test_playing_is_the_engine_s_own_sound_on_every_channel() -> None:
    path = BUNDLED / "clean.onnx"
    x = np.stack([tone(220, 9000, 4), tone(330, 9000, 4)]).astype(np.float32)
    y = play(path, x)
    played = model_path(open_model(path))
    try:
        padded = np.pad(x[:1], ((0, 0), (0, 128 * 74 - 9000)))
        expected = played.process_hops(padded)[:, played.latency :]
    finally:
        played.close()
    assert np.abs(y[0, :9000] - expected[0, :9000]).max() < 1e-5
    assert play(path, x[1]).shape == (9000,)


def test_corners_are_those_of_blends() -> None:
    card = read_entry(BUNDLED / "amp-blend.onnx").card
    assert card is not None
    found = corners(card)
    assert len(found) == 4 and all(sum(c.values()) == 1.0 for c in found)
    other = read_entry(BUNDLED / "clean.onnx").card
    assert other is not None and corners(other) == []


def test_a_png_is_what_was_painted() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    data, at, found = png(pixels), 8, b""
    while at < len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            kind + body
        )
        found += body if kind == b"IDAT" else b""
        at += 12 + size
    raw = np.frombuffer(zlib.decompress(found), dtype=np.uint8).reshape(7, 16)
    assert (raw[:, 0] == 0).all() and (raw[:, 1:].reshape(7, 5, 3) == pixels).all()


def test_a_spectrogram_shows_a_tone_at_its_height() -> None:
    level = levels(tone(1000, RATE), RATE, 40, 200)
    row = int(level[:, 20].argmax())
    hz = 30.0 * (20000.0 / 30.0) ** (1 - (row + 0.5) / 200)
    assert hz == pytest.approx(1000, rel=0.04)
    assert level[:, 20].max() == pytest.approx(-20, abs=1)
    assert colours(level, -20.0)[row, 20].sum() > 650


def test_the_page_holds_every_figure_and_picture(proofs: dict[str, Proof]) -> None:
    text = page(proofs)
    for measure in BY_NAME.values():
        assert measure.title.split("'")[0] in text
    assert text.count("data:image/png;base64,") == 2 * 13
    assert "&lt;b&gt;" in text and "<b>" not in text and "class='over'" in text


@pytest.fixture
def proofs() -> dict[str, Proof]:
    return {"<b>lined": prove_player(with_lines, RATE)}
