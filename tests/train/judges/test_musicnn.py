"""The tagger rebuilt in torch: its checkpoint's shapes, and what it says of plain sounds."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest

from realtime.errors import ConfigError
from train.judging.judges import musicnn
from train.judging.judges.packages import folder_of, require
from train.judging.judges.tensorflow_file import MAGIC, read_checkpoint

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("musicnn") is None or importlib.util.find_spec("librosa") is None,
    reason="musicnn or librosa is not installed (make judges)",
)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A table block with prefix compression and one restart point."""
    out, last = b"", b""
    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(last)) and key[shared] == last[shared]:
            shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value))
        out += key[shared:] + value
        last = key
    return out + struct.pack("<II", 0, 1)


def write_checkpoint(folder: Path, tensors: dict[str, np.ndarray]) -> None:
    """The smallest checkpoint of the format's description."""
    data, entries = b"", [(b"", b"\x08\x01")]
    for name, value in sorted(tensors.items()):
        dims = b"".join(
            b"\x12" + varint(len(d)) + d for d in (b"\x08" + varint(n) for n in value.shape)
        )
        entry = b"\x08\x01" + b"\x12" + varint(len(dims)) + dims
        entry += (b"\x20" + varint(len(data)) if data else b"") + b"\x28" + varint(value.nbytes)
        entries.append((name.encode(), entry))
        data += value.astype("<f4").tobytes()
    first = block(entries)
    handle = varint(0) + varint(len(first))
    index = block([(b"zzz", handle)])
    start = len(first) + 5
    table = first + bytes(5) + index + bytes(5)
    footer = varint(0) + varint(0) + varint(start) + varint(len(index))
    table += footer.ljust(40, b"\0") + struct.pack("<Q", MAGIC)
    (folder / ".index").write_bytes(table)
    (folder / ".data-00000-of-00001").write_bytes(data)


def test_a_checkpoint_written_by_the_formats_description_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tensors = {
        "layer/bias": rng.standard_normal(300).astype(np.float32),
        "layer/kernel": rng.standard_normal((7, 3, 2)).astype(np.float32),
        "scale": np.float32(rng.standard_normal(1)),
    }
    write_checkpoint(tmp_path, tensors)
    found = read_checkpoint(tmp_path)
    assert set(found) == set(tensors)
    for name, value in tensors.items():
        np.testing.assert_array_equal(found[name], value)


def test_what_is_no_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no checkpoint"):
        read_checkpoint(tmp_path)
    (tmp_path / ".index").write_bytes(bytes(60))
    (tmp_path / ".data-00000-of-00001").write_bytes(b"")
    with pytest.raises(ConfigError, match="not the index"):
        read_checkpoint(tmp_path)


def test_a_missing_judge_says_what_to_run() -> None:
    for find in (require, folder_of):
        with pytest.raises(ConfigError, match="make judges"):
            find("restyle_no_such_package")


@needs_weights
def test_the_mel_scale_is_the_one_it_was_trained_on() -> None:
    t = np.arange(3 * 48000) / 48000
    mel = musicnn.log_mel((0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32), 48000)
    assert mel.shape == (188, 96)
    import librosa

    centres = librosa.mel_frequencies(98, fmax=8000)[1:-1]
    assert abs(centres[mel.mean(axis=0).argmax()] - 1000) < 40


@needs_weights
def test_it_hears_drums_in_bursts_and_silence_as_quiet() -> None:
    rng = np.random.default_rng(0)
    n = 6 * 48000
    beat = np.exp(-(np.arange(n) % 24000) / 1500)
    noise = (0.5 * rng.standard_normal(n) * beat).astype(np.float32)
    t = np.arange(n) / 48000
    held = 0.1 * sum(np.sin(2 * np.pi * f * t) for f in (220, 277, 330)).astype(np.float32)
    tags = {}
    for name, x in (("beat", noise), ("held", held)):
        found, embedding = musicnn.listen(x)
        assert found.shape == (len(embedding), 50) and embedding.shape[1] == 200
        assert np.all((found >= 0) & (found <= 1))
        tags[name] = found.mean(axis=0)
    drums, slow = musicnn.TAGS.index("drums"), musicnn.TAGS.index("slow")
    assert tags["beat"][drums] > 3 * tags["held"][drums]
    assert tags["held"][slow] > tags["beat"][slow]


@needs_weights
def test_windows_do_not_depend_on_their_neighbours() -> None:
    rng = np.random.default_rng(1)
    patches = musicnn.torch.from_numpy(rng.random((3, 187, 96)).astype(np.float32))
    tags, embedding = musicnn.load()(patches)
    alone = musicnn.load()(patches[1:2])
    np.testing.assert_allclose(tags[1], alone[0][0], atol=1e-6)
    np.testing.assert_allclose(embedding[1], alone[1][0], atol=1e-5)
