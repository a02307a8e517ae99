"""A target voice: whose words are whose, what is to be learnt, what is refused, what is written."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from scipy.signal import firwin2, oaconvolve

from realtime.errors import ConfigError
from realtime.models.load import read_card
from realtime.presets.check import Library
from realtime.presets.opening import open_preset
from realtime.proof.verify import verify
from realtime.session.operations import OWN, Set
from realtime.session.sound import Setup
from train.commands import main
from train.data.scores.sentences import compose_sentence
from train.data.sound.world import analysed
from train.fit.loop import Options
from train.own import compare as comparing
from train.own import paired
from train.own.run import Worse
from train.target import train as training
from train.target.sentences import FEWEST, read_sentences, say, speakers
from train.target.transplant import aligned, transplanted, warped

RATE = 48_000
CONSENT = "flite's rms, a synthetic voice that is free for any use"
TEXT = "the birch canoe slid on the smooth planks"


@pytest.fixture(scope="module")
def spoken() -> npt.NDArray[np.float32]:
    return say("flite rms", TEXT)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("target")
    for k in range(FEWEST):
        text = compose_sentence(k)
        soundfile.write(folder / f"{k}.wav", say("flite rms", text), RATE)
        (folder / f"{k}.txt").write_text(text, encoding="utf-8")
    return folder


def test_the_way_through_is_the_cheapest_of_all() -> None:
    """Against every way there is."""
    rng = np.random.default_rng(4)
    for rows, columns in ((1, 1), (1, 4), (4, 1), (3, 4), (4, 3)):
        distance = rng.uniform(0.1, 1.0, (rows, columns))
        best, ends = np.inf, {}
        steps = [(1, 0), (0, 1), (1, 1)]
        for count in range(rows + columns - 1):
            for way in itertools.product(steps, repeat=count):
                places = [(0, 0)]
                for i, k in way:
                    places.append((places[-1][0] + i, places[-1][1] + k))
                if places[-1] != (rows - 1, columns - 1):
                    continue
                if max(p[0] for p in places) >= rows or max(p[1] for p in places) >= columns:
                    continue
                cost = sum(distance[p] for p in places)
                if cost < best:
                    best, ends = cost, dict(places)
        assert warped(distance).tolist() == [ends[i] for i in range(rows)]


def test_the_same_words_at_another_speed_are_found(spoken: npt.NDArray[np.float32]) -> None:
    """Said by a voice of its own, then played slower by a fifth: time runs along a line."""
    import librosa

    slow = librosa.effects.time_stretch(spoken, rate=1 / 1.2)
    found = aligned(analysed(spoken), analysed(slow.astype(np.float32)))
    middle = np.arange(len(found) // 5, 4 * len(found) // 5)
    assert np.abs(found[middle] - 1.2 * middle).mean() < 4  # frames of 5 ms


def test_a_target_that_is_the_source_through_a_filter_gives_the_filter_back(
    spoken: npt.NDArray[np.float32],
) -> None:
    """Up to the loudness of each moment, which stays the source's."""
    h = firwin2(511, [0, 0.02, 0.06, 0.12, 0.2, 0.3, 1], [1, 1, 3, 0.5, 2, 1, 1])
    want = oaconvolve(spoken, h, mode="full")[255 : 255 + len(spoken)].astype(np.float32)
    y = transplanted(spoken, analysed(spoken), analysed(want))

    def colour(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        hz = np.fft.rfftfreq(len(x), 1 / RATE)
        power = np.abs(np.fft.rfft(x)) ** 2
        edges = np.geomspace(150, 7000, 16)
        bands = [power[(hz >= a) & (hz < b)].sum() for a, b in itertools.pairwise(edges)]
        level = 10 * np.log10(bands)
        return np.asarray(level - level.mean())

    before = np.abs(colour(spoken) - colour(want)).mean()
    assert np.abs(colour(y) - colour(want)).mean() < 0.35 * before
    assert abs(10 * np.log10(np.sum(y**2) / np.sum(spoken**2))) < 2


def test_silence_stays_silence(spoken: npt.NDArray[np.float32]) -> None:
    x = np.concatenate([np.zeros(RATE, np.float32), spoken])
    y = transplanted(x, analysed(x), analysed(say("flite slt", TEXT)))
    assert not y[: RATE - 2048].any()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "3.txt").unlink(), r"3\.wav has no words; write what is said .* 3\.txt"),
        (lambda f: (f / "3.txt").write_bytes(b"\xff\xfe\x00"), "is no text in UTF-8"),
        (lambda f: (f / "3.txt").write_text(" \n"), "holds nothing"),
        (lambda f: (f / "3.txt").write_text("word " * 1000), "holds more"),
        (lambda f: soundfile.write(f / "3.wav", np.zeros(RATE), RATE), "is silence"),
        (lambda f: soundfile.write(f / "3.wav", np.full(31 * 8000, 0.1), 8000), "31 s long"),
        (lambda f: [p.unlink() for p in f.glob("3.*")], r"holds 9 sentences, \d+ s in all"),
    ],
)
def test_a_folder_that_cannot_be_learnt_from_is_told(
    recorded: Path, tmp_path: Path, spoil: object, said: str
) -> None:
    folder = tmp_path / "spoilt"
    folder.mkdir()
    for path in recorded.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=said):
        read_sentences(folder)


def test_nobody_who_could_say_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="apt install flite espeak-ng"):
        speakers()


def test_without_consent_nothing_begins(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["voice", "--target", str(recorded), "--out", str(tmp_path / "a.onnx")]
    assert main(words) == 2
    assert "--consent" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="who is heard and that they agree"):
        main([*words, "--consent", "  yes "])
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("without_listener", "without_curves")
def test_a_voice_is_written_with_its_consent_and_its_knobs(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two steps teach nothing: refused; then with the refusal taken away, written and played."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "SAID_BY", 1)
    monkeypatch.setattr(training, "speakers", lambda: ["flite slt"])
    for place in (training, comparing):
        monkeypatch.setattr(place, "judges_are_here", lambda: False)
    small = ["steps=2", "batch=2", "segment=16384"]
    quiet = Options(board=False, check_every=2, save_every=100)
    out, preset = tmp_path / "ann.onnx", tmp_path / "ann.toml"

    def run() -> None:
        training.train_voice(
            recorded, out, CONSENT, settings=small, options=quiet, log=lambda text: None
        )

    with pytest.raises(ConfigError, match="segment=8192: 16384 samples are the least"):
        training.train_voice(recorded, out, CONSENT, settings=["segment=8192"])
    with pytest.raises(Worse, match="nothing was written"):
        run()
    assert not out.exists() and not preset.exists()
    monkeypatch.setattr(paired, "verdict", lambda rows: "")
    run()
    card = read_card(out)
    assert card.provenance["consent"] == CONSENT and "Experimental" in card.provenance["limits"]
    assert all(check.passed for check in verify(out))
    opened = open_preset(preset, Library())
    assert CONSENT in opened.note
    sound = Library().checked(opened.sound)[0]
    assert [s.effect or Path(str(s.model)).name for s in sound.stages] == ["VoiceShift", "ann.onnx"]
    turned = Set(OWN, "pitch", -5.0).apply(Setup(sound)).sound
    turned = Set(OWN, "amount", 0.5).apply(Setup(turned)).sound
    assert turned.stages[0].parameters["pitch_semitones"] == -5.0 and turned.stages[1].mix == 0.5
    with pytest.raises(ConfigError, match="is there already"):
        run()
