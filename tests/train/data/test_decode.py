"""Formats, rates and channels against the tone that was encoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.errors import AudioFileError
from train.data.sound.decode import decode

av = pytest.importorskip("av", reason="the package av is not installed")
HZ = 1000.0


def encode(path: Path, codec: str, rate: int, kind: str | None = None) -> None:
    """Write a 1 kHz tone of 1 s with FFmpeg."""
    tone = 0.5 * np.sin(2 * np.pi * HZ * np.arange(rate) / rate)
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        if codec == "opus":
            stream.codec_context.options = {"strict": "experimental"}
        frame = av.AudioFrame.from_ndarray(
            np.int16(32767 * tone)[None], format="s16", layout="mono"
        )
        frame.sample_rate = rate
        chunks = av.AudioResampler(format=stream.format or "s16", layout="mono", rate=rate)
        fifo = av.AudioFifo()
        for part in chunks.resample(frame):
            fifo.write(part)
        size = stream.codec_context.frame_size or 1024
        while (part := fifo.read(size, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def tone_hz(x: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(x * np.hanning(len(x)), 480000))) / 10)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "kind"),
    [
        ("a.opus", "libopus", 48000, "ogg"),
        ("a.m4a", "aac", 44100, None),
        ("a.webm", "libopus", 48000, None),
        ("a.g722", "g722", 16000, None),
    ],
)
def test_what_ffmpeg_reads(tmp_path: Path, name: str, codec: str, rate: int, kind: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    encode(tmp_path / name, codec, rate, kind)
    x = decode(tmp_path / name)
    assert x.dtype == np.float32 and len(x) == pytest.approx(48000, abs=3000)
    assert tone_hz(x[8000:40000]) == pytest.approx(HZ, abs=0.5)
    assert np.abs(x[8000:40000]).max() == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize(("ending", "rate"), [("wav", 8000), ("flac", 96000), ("mp3", 44100)])
def test_what_libsndfile_reads(tmp_path: Path, ending: str, rate: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * HZ * np.arange(rate) / rate)
    soundfile.write(str(tmp_path / f"a.{ending}"), np.stack([tone, tone], axis=1), rate)
    x = decode(tmp_path / f"a.{ending}")
    assert len(x) == pytest.approx(48000, abs=2 * 1152 * 48000 / rate if ending == "mp3" else 1)
    assert tone_hz(x[8000:40000]) == pytest.approx(HZ, abs=0.5)
    assert np.abs(x[8000:40000]).max() == pytest.approx(0.5, rel=0.05)


def test_files_that_are_no_sound_are_one_sentence(tmp_path: Path) -> None:
    for name in ("a.opus", "a.m4a", "a.wav", "a.ogg"):
        for raw in (b"", b"junk" * 100):
            (tmp_path / name).write_bytes(raw)
            with pytest.raises(AudioFileError) as caught:
                decode(tmp_path / name)
            assert "\n" not in str(caught.value) and name in str(caught.value)
    with pytest.raises(AudioFileError, match="does not exist"):
        decode(tmp_path / "none.opus")
