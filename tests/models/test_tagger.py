"""A tagger: proof, any cutting the same bits, live and offline equal, and what it may not do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.devices.shared_simulated import Tape
from realtime.errors import CardError
from realtime.models.card import Card, from_json
from realtime.models.catalog import find_model
from realtime.models.load import open_model
from realtime.models.tagger import Tagger
from realtime.panel.tags import LiveTags
from realtime.proof.verify import verify
from realtime.session.sound import Device

from ..commands.conftest import Run, run  # noqa: F401
from ..graphs import fir_model
from ..host.cards import RATE, playing
from ..signals import cut, noise

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clip() -> np.ndarray:
    """The bundled clip ``[1, n]``."""
    return soundfile.read(ROOT / "exported" / "demo.flac", dtype="float32", always_2d=True)[0].T


def test_the_bundled_tagger_proves_itself_and_hears_what_is_there(clip: np.ndarray) -> None:
    path = find_model("tagger")
    assert [c.name for c in verify(path) if not c.passed] == []
    with Tagger(path, RATE) as tagger:
        found = dict(zip(tagger.labels, tagger.feed(clip).mean(axis=0), strict=True))
        tagger.reset()
        hiss = dict(zip(tagger.labels, tagger.feed(noise(3 * RATE)).mean(axis=0), strict=True))
        tagger.reset()
        silence = tagger.feed(np.zeros((1, 3 * RATE), dtype=np.float32))
    assert max(found, key=lambda k: found[k]) == "guitar"  # what plays it
    assert max(hiss, key=lambda k: hiss[k]) == "noise"
    assert silence[-1].max() < 0.2


@pytest.mark.parametrize("rate", [48000, 44100])
def test_any_cutting_gives_the_same_bits(clip: np.ndarray, rate: int) -> None:
    x = np.ascontiguousarray(clip[:, : 2 * RATE])
    with Tagger(find_model("tagger"), rate) as tagger:
        whole = tagger.feed(x)
        for sizes in ([64], [480, 1, 999], [512]):
            tagger.reset()
            parts = np.concatenate([tagger.feed(part) for part in cut(x, sizes)])
            n = min(len(parts), len(whole))
            assert n > 100
            assert np.array_equal(parts[:n], whole[:n])
            assert len(whole) - n <= (0 if rate == 48000 else 8)  # what the resampler holds back


def test_live_tags_are_those_of_the_same_samples_offline(tmp_path: Path, clip: np.ndarray) -> None:
    half = tmp_path / "half.onnx"
    half.write_bytes(fir_model(np.array([0.5, 0.0], dtype=np.float32)))
    path = find_model("tagger")
    with playing(half, np.tile(clip, 3)) as played:
        kept = []
        with LiveTags(played.host, path, seconds=1.0) as tags:
            feed = tags.tagger.feed

            def keep(samples: np.ndarray) -> np.ndarray:
                kept.append(samples.copy())
                return feed(samples)

            tags.tagger.feed = keep  # type: ignore[method-assign]
            played.until(lambda: tags.frames > 200)
            latest = tags.latest()
        heard = np.concatenate(kept, axis=1)
        output = played.tape.output[: played.tape.position, 0]
    # what it heard is a stretch of what was played, without a gap
    first = next(
        k for k in range(len(output)) if np.array_equal(output[k : k + 4096], heard[0, :4096])
    )
    assert np.array_equal(output[first : first + heard.shape[1]], heard[0])
    with Tagger(path, RATE) as tagger:
        frames = tagger.feed(heard)
        last = round(1.0 / tagger.hop_seconds)
        offline = [frames[k - last : k].mean(axis=0) for k in range(last, len(frames) + 1)]
    live = np.array(list(latest.values()), dtype=np.float32)
    assert any(np.array_equal(live, np.asarray(row, dtype=np.float32)) for row in offline)


def test_a_tagger_does_not_play_and_a_style_does_not_tag(run: Run, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(CardError, match="see: restyle tag"):
        open_model(find_model("tagger"), 1)
    with pytest.raises(CardError, match="is no tagger"):
        Tagger(find_model("tape"), RATE)
    soundfile.write("in.wav", noise(RATE)[0], RATE)
    code, _, error = run("tag", "in.wav", "--model", "tape")
    assert code == 2 and "is no tagger" in error
    code, _, error = run("tag", "in.wav", "--every", "0")
    assert code == 2 and "--every must be within" in error
    code, _, error = run("tag", "gone.wav")
    assert code == 2 and "gone.wav" in error
    soundfile.write("short.wav", noise(100)[0], RATE)
    code, _, error = run("tag", "short.wav")
    assert code == 2 and "is shorter than" in error


def test_the_command_tells_what_the_tagger_tells(run: Run, clip: np.ndarray) -> None:  # noqa: F811
    soundfile.write("in.wav", clip[0], RATE, subtype="FLOAT")
    code, text, _ = run("tag", "in.wav", "--json", "--every", "1")
    assert code == 0
    found = json.loads(text)
    with Tagger(find_model("tagger"), RATE) as tagger:
        frames = tagger.feed(clip)
    assert list(found["whole"].values()) == pytest.approx(frames.mean(axis=0).tolist(), abs=1e-4)
    assert found["times"][0]["from"] == 0.0
    assert found["times"][-1]["to"] == pytest.approx(len(frames) * 512 / RATE, abs=1e-3)
    code, text, _ = run("tag", "in.wav")
    assert code == 0 and "in all" in text and "guitar" in text


def test_labels_belong_to_taggers_alone() -> None:
    card = Card(
        "a", "A", "a", "waveform", 48000, 64, 0, "CC0-1.0", kind="tagger", labels=("x", "y")
    )
    assert card.output_shape(2) == (2, 2, 1)
    assert from_json(card.to_json()) == card
    with pytest.raises(CardError, match="names its labels"):
        Card("a", "A", "a", "waveform", 48000, 64, 0, "CC0-1.0", labels=("x",))
    with pytest.raises(CardError, match="names its labels"):
        Card("a", "A", "a", "waveform", 48000, 64, 0, "CC0-1.0", kind="tagger")


def test_live_tags_follow_the_stream_to_a_card_of_another_rate(clip: np.ndarray) -> None:
    other = Tape.make(np.tile(clip, 3), 44_100, 128, paced=True)
    with playing() as played, LiveTags(played.host, find_model("tagger")) as tags:
        played.until(lambda: tags.frames > 20)
        kept: list[np.ndarray] = []
        rows: list[np.ndarray] = []
        feed = tags.tagger.feed

        def keep(samples: np.ndarray) -> np.ndarray:
            found = feed(samples)
            if tags.tagger.sample_rate == 44_100:
                kept.append(samples.copy())
                rows.append(found)
            return found

        tags.tagger.feed = keep  # type: ignore[method-assign]
        played.host.change_device(Device(kind="tape", tape=other.name))
        played.until(lambda: sum(map(len, rows)) > 100)
    other.close()
    with Tagger(find_model("tagger"), 44_100) as tagger:
        offline = tagger.feed(np.concatenate(kept, axis=1))
    assert np.array_equal(np.concatenate(rows), offline)
