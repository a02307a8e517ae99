"""What commands write: nothing that is there unasked, no two things to one file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ..signals import noise
from .conftest import Run

PRECIOUS = "mine"
SOUND = "in.wav"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    soundfile.write(SOUND, noise(48_000)[0], 48_000)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["live", "tape", "--simulate", SOUND, "--fast", "--stats", "there"],
        ["live", "tape", "--simulate", SOUND, "--fast", "--save-session", "there"],
        ["notes", SOUND, "-o", "there.mid"],
        ["explain", "tape", SOUND, "--out", "there.html"],
        ["proof", "tape", "--page", "there"],
        ["train", "morph", "tape", "tube-amp", "--out", "there.onnx"],
    ],
    ids=lambda words: words[-2] + words[0],
)
def test_what_is_there_is_not_replaced_unasked(run: Run, here: Path, words: list[str]) -> None:
    path = Path(words[-1])
    path.write_text(PRECIOUS)
    code, _, error = run(*words)
    assert code == 2 and "--force" in error and path.name in error
    assert path.read_text() == PRECIOUS


@pytest.mark.parametrize("second", ["--record", "--simulate-out"])
def test_no_two_outputs_are_one_file(run: Run, here: Path, second: str) -> None:
    words = ["live", "tape", "--simulate", SOUND, "--fast", "--record-dry", "x.wav"]
    code, _, error = run(*words, second, "./x.wav")
    assert code == 2 and second in error and "name two files" in error
    assert not Path("x.wav").exists()


def test_all_names_of_a_proof_are_looked_up_before_the_first_is_measured(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.commands.proof.prove", lambda *_: pytest.fail("measured"))
    code, _, error = run("proof", "tape", SOUND)
    assert code == 2 and SOUND in error


def test_a_delay_of_nothing_is_not_taken_out_of_a_tone() -> None:
    from train.own.align import lag

    t = np.arange(96_000) / 48_000
    tone = (np.exp(-t) * np.sin(2 * np.pi * 220.0 * t)).astype(np.float32)
    assert lag(tone, tone) == lag(tone, 0.5 * tone) == 0


@pytest.mark.parametrize("ending", ["> /dev/full", "--json > /dev/full"])
def test_a_full_disk_behind_standard_output_is_a_sentence(ending: str) -> None:
    code, error = in_shell(f"models {ending}")
    assert code == 2
    assert error == "restyle: cannot write what there is to say: No space left on device"


@pytest.mark.parametrize("ending", [">&-", "--json >&-", "| head -c 0"])
def test_closed_standard_output_is_no_error_of_ours(ending: str) -> None:
    code, error = in_shell(f"models {ending}")
    assert code == 0 and "Traceback" not in error


@pytest.mark.parametrize("ending", ["2> /dev/full", "2>&-"])
def test_bad_input_is_exit_code_2_where_nothing_can_be_said(ending: str) -> None:
    assert in_shell(f"render /no/such.wav /no/out.wav --preset radio {ending}")[0] == 2


def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    words = f"live tape --simulate {tmp_path / SOUND} --fast"
    soundfile.write(tmp_path / SOUND, noise(4_800)[0], 48_000)
    code, error = in_shell(
        words, f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir ../gone &&"
    )
    assert code == 2 and error.startswith("restyle: the folder") and "\n" not in error


def in_shell(words: str, before: str = "") -> tuple[int, str]:
    done = subprocess.run(
        ["sh", "-c", f"{before} exec {sys.executable} -m realtime.cli {words}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=300,
    )
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--block", "100000000"], "up to 65536"),
        (["--osc", "::1"], "got '::1'"),
    ],
)
def test_numbers_out_of_range_are_told_as_they_were_typed(
    run: Run, here: Path, words: list[str], said: str
) -> None:
    code, _, error = run("live", "tape", "--simulate", SOUND, "--fast", *words)
    assert code == 2 and said in error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[stage]]\neffect = "Gain"\ngain_db = 0\nparameters = { gain_db = -60 }',
            "x.toml: [[stage]] 1: gain_db is given twice",
        ),
        ('[[stage]]\neffect = "Gain"\nengine = "foo"', 'engine = "native"'),
        (
            '[[stage]]\neffect = "Gain"\n[[knob]]\nname = "heat"\nminimum = -1e308\n'
            'maximum = 1e308\ndefault = 0\ntargets = { "1.gain_db" = [0.0, 1.0] }',
            "must lie within",
        ),
    ],
)
def test_presets_that_contradict_themselves_are_refused(
    run: Run, here: Path, text: str, said: str
) -> None:
    Path("x.toml").write_text(f"format = 2\n{text}\n")
    code, out, error = run("preset", "check", "x.toml")
    assert code == 2 and said in " ".join((out + error).split())


def test_a_file_that_begins_with_a_mark_of_its_encoding_is_read(run: Run, here: Path) -> None:
    Path("x.toml").write_text('\ufeffformat = 2\n[[stage]]\neffect = "Gain"\n', encoding="utf-8")
    assert run("preset", "check", "x.toml")[0] == 0


def test_a_name_that_is_no_utf_8_in_a_folder_is_told(run: Run, here: Path) -> None:
    (here / "in").mkdir()
    bad = os.fsencode(here / "in") + b"/bad\xff.wav"
    with open(SOUND, "rb") as sound, open(bad, "wb") as copy:
        copy.write(sound.read())
    code, _, error = run("render", "in", "out", "--preset", "radio")
    assert code == 2 and "no UTF-8" in error


def test_a_name_as_long_as_file_systems_take_is_written(run: Run, here: Path) -> None:
    name = "n" * 251 + ".wav"
    code, _, error = run("render", SOUND, name, "--preset", "radio")
    assert code == 0, error
    assert soundfile.info(name).frames == 48_000
