"""One recording in many codings has one key; takes that are like each other keep their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import soxr

from train.data.sets import alike
from train.data.sets.folder import add

RATE = 44100
Floats = npt.NDArray[np.float64]


def played(seed: int, seconds: float = 4.0) -> Floats:
    """Notes of one scale, each seed its own tune and timing, with some noise ``[n, 2]``."""
    rng, t = np.random.default_rng(seed), np.arange(round(seconds * RATE)) / RATE
    x = 0.003 * rng.standard_normal(len(t))
    begin = rng.uniform(0.0, 0.2)
    while begin < seconds - 0.2:
        hertz = 110.0 * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
        since = np.maximum(0.0, t - begin)
        for k in range(1, 6):
            tone = np.sin(2 * np.pi * k * hertz * since + rng.uniform(0, 6.28))
            x += 0.1 / k * tone * np.exp(-4.0 * since) * (t >= begin)
        begin += rng.uniform(0.25, 0.5)
    return np.stack([x, 0.7 * x + 0.002 * rng.standard_normal(len(t))], axis=1)


def by_ffmpeg(path: Path, x: Floats, codec: str, rate: int) -> None:
    av = pytest.importorskip("av", reason="PyAV, which writes it, is not installed")
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate, layout="stereo")
        y = soxr.resample(x, RATE, rate).T.astype(np.float32)
        for k in range(0, y.shape[1], 960):
            part = np.ascontiguousarray(y[:, k : k + 960])
            frame = av.AudioFrame.from_ndarray(part, "fltp", "stereo")
            frame.sample_rate = rate
            resampled = av.AudioResampler(stream.format, "stereo", rate).resample(frame)
            for made in resampled:
                made.pts = None
                out.mux(stream.encode(made))
        out.mux(stream.encode(None))


def in_many_codings(folder: Path, x: Floats) -> None:
    """One recording under names that have nothing in common."""
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / "master.wav", x, RATE, "PCM_24")
    soundfile.write(folder / "old archive.wav", x, RATE, "PCM_U8")
    soundfile.write(folder / "studio.wav", soxr.resample(x, RATE, 96000), 96000, "FLOAT")
    soundfile.write(folder / "quiet.flac", 0.25 * x.mean(axis=1), RATE)
    soundfile.write(folder / "phone.wav", soxr.resample(x, RATE, 8000), 8000)
    soundfile.write(folder / "sent.mp3", x, RATE)
    soundfile.write(folder / "wiki.ogg", x, RATE)
    surround = np.zeros((len(x), 6))
    surround[:, :2] = x
    surround[:, 2] = 0.5 * x.mean(axis=1)
    soundfile.write(folder / "surround.wav", surround, RATE)
    late = np.concatenate([np.zeros((round(0.1 * RATE), 2)), x])
    soundfile.write(folder / "led in.flac", late, RATE)


def test_one_recording_is_one_whatever_its_coding(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    for seed in range(5):
        in_many_codings(folder / f"{seed}", played(seed))
    manifest = add(folder, "MIT", "mine", root=tmp_path / "sets")
    assert len(manifest.items) == 45 and manifest.skipped == ()
    keys = {n: {i.key for i in manifest.items if i.tags["file"][0] == str(n)} for n in range(5)}
    assert [len(found) for found in keys.values()] == [1] * 5
    assert len(set.union(*keys.values())) == 5
    splits = {n: {i.split for i in manifest.items if i.tags["file"][0] == str(n)} for n in keys}
    assert all(len(found) == 1 for found in splits.values())


@pytest.mark.parametrize(("name", "codec"), [("a.m4a", "aac"), ("b.opus", "libopus")])
def test_what_only_ffmpeg_reads_is_found_too(name: str, codec: str, tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    for seed in range(3):
        soundfile.write(folder / f"take{seed}.wav", played(seed), RATE)
    by_ffmpeg(folder / name, played(1), codec, 48000)
    items = {i.tags["file"]: i for i in add(folder, "MIT", "mine", root=tmp_path / "sets").items}
    assert items[name].key == items["take1.wav"].key
    assert len({i.key for i in items.values()}) == 3


def test_what_is_only_like_it_is_another_recording(tmp_path: Path) -> None:
    folder, rng = tmp_path / "takes", np.random.default_rng(1)
    folder.mkdir()
    for k in range(4):
        soundfile.write(folder / f"hiss{k}.wav", 0.1 * rng.standard_normal(2 * RATE), RATE)
        t = np.arange(2 * RATE) / RATE
        soundfile.write(folder / f"tone{k}.wav", 0.3 * np.sin(2 * np.pi * (220 + k) * t), RATE)
    x = played(9)
    for k in range(3):  # the same tune, played again: other timing, other noise
        soundfile.write(folder / f"again{k}.wav", x * (1 + 0.2 * k) + played(20 + k), RATE)
    manifest = add(folder, "MIT", "mine", root=tmp_path / "sets")
    names = {i.tags["file"] for i in manifest.items}
    keys = {i.key for i in manifest.items if not i.tags["file"].startswith("again")}
    assert len(names) == 11 and len(keys) == 8


def test_likeness_is_the_correlation_at_the_best_delay() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal(8000).astype(np.float32)
    late = np.concatenate([np.zeros(300, np.float32), x])
    assert alike.likeness(x, late) == pytest.approx(1.0, abs=1e-4)
    assert alike.likeness(x, -late) == pytest.approx(1.0, abs=1e-4)  # the other way round
    mixed = (x + rng.standard_normal(8000)).astype(np.float32)
    assert alike.likeness(x, mixed) == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert alike.likeness(x, np.roll(x, 4000)) < 0.1  # later than codecs delay
    assert alike.likeness(x, np.zeros(8000, np.float32)) == 0.0
