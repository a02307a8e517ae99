"""Sound files that lie, that were cut off, or that are too large for their format."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime import audio_files
from realtime.audio_files import PART, Clip, read_audio, seconds_of, write_audio
from realtime.errors import AudioFileError

from ..signals import noise

RATE = 48000


def flac(path: Path, samples: int = 20_000) -> bytearray:
    """A FLAC file's bytes; the head's numbers lie in bytes 18 to 25."""
    soundfile.write(path, noise(samples)[0], RATE, subtype="PCM_24")
    return bytearray(path.read_bytes())


def with_head(data: bytearray, rate: int = RATE, samples: int = 0) -> bytes:
    """The file with another rate [Hz] and count of samples in its head (RFC 9639, 8.2)."""
    (word,) = struct.unpack(">Q", data[18:26])
    channels_and_bits = word >> 36 & 0xFF
    data[18:26] = struct.pack(">Q", rate << 44 | channels_and_bits << 36 | samples)
    return bytes(data)


def test_a_head_that_claims_more_than_there_is_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "lies.flac"
    path.write_bytes(with_head(flac(path), samples=(1 << 36) - 1)[:-5000])
    with pytest.raises(AudioFileError, match=r"its head says 68719476735 samples, and after"):
        read_audio(path)


@pytest.mark.parametrize("rate", [1, 2_000_000])
def test_a_rate_that_no_sound_has_is_a_sentence(rate: int, tmp_path: Path) -> None:
    path = tmp_path / "lies.wav"
    soundfile.write(path, np.zeros(100, dtype=np.float32), 48000)
    data = bytearray(path.read_bytes())
    at = data.index(b"fmt ") + 12
    data[at : at + 4] = struct.pack("<I", rate)
    path.write_bytes(data)
    with pytest.raises(AudioFileError, match="says that its rate is"):
        read_audio(path)


def test_a_wav_that_claims_32_gb_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "lies.wav"
    soundfile.write(path, np.full(1000, 0.5, dtype=np.float32), RATE, "FLOAT", format="RF64")
    data = bytearray(path.read_bytes())
    at = data.index(b"ds64") + 8
    data[at : at + 24] = struct.pack("<QQQ", 32 << 30, 32 << 30, 8 << 30)
    path.write_bytes(data)
    try:
        assert read_audio(path).samples.shape == (1, 1000)
    except AudioFileError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["long.wav", "long.flac"])
def test_more_than_the_memory_is_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = tmp_path / name, []
    soundfile.write(path, np.zeros(400_000), RATE, "PCM_16")
    monkeypatch.setattr(audio_files, "_memory", lambda: 4 * 50_000)
    monkeypatch.setattr(audio_files, "PART", 30_000)
    whole = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile, "read", lambda *a, **k: (read.append(1), whole(*a, **k))[1]
    )
    with pytest.raises(AudioFileError, match="more sound than a quarter of this machine's memory"):
        read_audio(path)
    # a file as large as its head says is not read at all; where a head may lie, what there is
    assert len(read) == (0 if name == "long.wav" else 2)


def test_a_file_without_a_sample_is_not_sent_to_be_recovered(tmp_path: Path) -> None:
    path = tmp_path / "lies.flac"
    path.write_bytes(with_head(flac(path), samples=(1 << 36) - 1)[:60])
    with pytest.raises(AudioFileError, match="cannot read") as caught:
        read_audio(path)
    assert "restyle recover" not in str(caught.value) and ".;" not in str(caught.value)


def test_of_a_flac_cut_off_while_it_was_recorded_all_plays(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    data = with_head(flac(path, 3 * RATE))
    whole = noise(3 * RATE)[0]
    path.write_bytes(data[: 2 * len(data) // 3])
    got = read_audio(path).samples[0]
    assert len(got) >= 2 * RATE - 2 * 4096
    np.testing.assert_allclose(got, whole[: len(got)], atol=2.0**-23)
    assert seconds_of(path) == pytest.approx(len(got) / RATE, abs=0.001)


def test_how_long_a_file_is_is_counted_where_its_head_claims_hours(tmp_path: Path) -> None:
    path = tmp_path / "hours.flac"
    path.write_bytes(with_head(flac(path, RATE), samples=(1 << 36) - 1))
    assert seconds_of(path) == pytest.approx(1.0, abs=PART / RATE)


def test_a_device_is_not_read_for_ever() -> None:
    with pytest.raises(AudioFileError, match="is not a file"):
        read_audio("/dev/zero")


def test_more_than_a_wav_file_can_have_is_written_as_rf64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = noise(300_000)
    monkeypatch.setattr(audio_files, "LARGEST_RIFF", 4 * 300_000)
    write_audio(tmp_path / "large.wav", Clip(x, RATE))
    assert soundfile.info(tmp_path / "large.wav").format == "RF64"
    np.testing.assert_array_equal(read_audio(tmp_path / "large.wav").samples, x)
    monkeypatch.undo()
    write_audio(tmp_path / "small.wav", Clip(x, RATE))
    assert soundfile.info(tmp_path / "small.wav").format == "WAV"
    np.testing.assert_array_equal(read_audio(tmp_path / "small.wav").samples, x)
