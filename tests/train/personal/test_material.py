from pathlib import Path

import numpy as np
import pytest

from realtime.errors import AudioFileError, ConfigError
from train.data.pairs import Pair
from train.own.material import PARTS, read_pairs, read_sounds, split

from .sounds import bent, folders, tune, write


def test_pairs_are_read_and_their_delay_taken_out(tmp_path: Path) -> None:
    said: list[str] = []
    (pair,) = read_pairs(*folders(tmp_path, late=700), said.append)
    assert pair.name == "riff" and len(pair.dry) == len(pair.wet)
    assert "samples late" in said[0]
    clean, wet = bent(pair.dry)[:9600], pair.wet
    left = [k for k in range(17) if np.allclose(wet[k : k + 9600], clean, atol=1e-6)]
    assert left  # never early, and at most 16 samples late


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d, w: (w / "riff.wav").rename(w / "other.wav"), "has no 'riff' for dry/riff.wav"),
        (lambda d, w: (w / "riff.wav").unlink(), "no audio file in"),
        (lambda d, w: write(w / "riff.wav", np.zeros(48000 * 24)), "is silence"),
        (lambda d, w: write(w / "riff.wav", bent(tune(1, 24.0)), 44100), "48000 Hz dry and 44100"),
        (lambda d, w: write(w / "riff.wav", bent(tune(1, 24.0)), 16000), "32000 Hz is the least"),
        (lambda d, w: write(w / "riff.wav", bent(tune(1, 12.0))), "s dry and 12"),
        (lambda d, w: write(w / "riff.flac.wav", tune(1, 24.0)), "has no 'riff.flac'"),
        (lambda d, w: (w / "riff.wav").write_bytes(b"RIFFnoise"), "riff.wav"),
    ],
)
def test_bad_pairs_are_one_sentence(tmp_path: Path, change, sentence: str) -> None:
    dry, wet = folders(tmp_path)
    change(dry, wet)
    with pytest.raises((ConfigError, AudioFileError), match=sentence) as raised:
        read_pairs(dry, wet, lambda text: None)
    assert "\n" not in str(raised.value)


def test_too_little_sound_and_no_folder_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "short" / "a.wav", tune(1, 3.0))
    with pytest.raises(ConfigError, match="20 s are the least"):
        read_sounds(tmp_path / "short")
    with pytest.raises(ConfigError, match="does not exist"):
        read_sounds(tmp_path / "nowhere")


def test_long_recordings_are_cut_in_time_and_parts_never_overlap() -> None:
    x = np.arange(60 * 48000, dtype=np.float32)
    data = split((Pair("a", x, x), Pair("b", -x, -x)), 2000)
    for name in ("a", "b"):
        ends = []
        for part in PARTS:
            (pair,) = (p for p in getattr(data, part) if p.name == name)
            ends.append((abs(pair.dry[0]), abs(pair.dry[-1])))
        assert ends[0][1] < ends[1][0] < ends[1][1] < ends[2][0]


def test_of_many_recordings_whole_ones_are_held_out() -> None:
    x = np.ones(48000 * 5, dtype=np.float32)
    data = split(tuple(Pair(f"take{k:02}", x, x) for k in range(20)), 2000)
    names = [{p.name for p in getattr(data, part)} for part in PARTS]
    assert [len(n) for n in names] == [16, 2, 2]
    assert not names[0] & names[1] and not names[0] & names[2] and not names[1] & names[2]


def test_a_part_that_is_held_out_and_silent_is_told() -> None:
    x = np.concatenate([tune(1, 20.0), np.zeros(4 * 48000, np.float32)])
    with pytest.raises(ConfigError, match="held out of the recordings is silent"):
        split((Pair("a", x, 0.5 * x),), 100)
