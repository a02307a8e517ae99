"""``restyle import FOLDER --presets``: captures and cabinets become presets that play."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from realtime.presets.files import read_preset

from ..signals import Array
from .conftest import RATE, Run, heard

LOUDNESS = -18.0  # that matched captures play at, so that a gain stays itself


def capture(path: Path, gain: float, **metadata: object) -> None:
    """A capture that is a gain; its name is the file's."""
    data = {
        "version": "0.5.0",
        "architecture": "Linear",
        "config": {"receptive_field": 2, "bias": False},
        "weights": [gain, 0.0],
        "sample_rate": RATE,
        "metadata": {"name": path.stem, "loudness": LOUDNESS, **metadata},
    }
    path.write_text(json.dumps(data))


def pack() -> Path:
    folder = Path("JCM pack")
    (folder / "cabs").mkdir(parents=True)
    maker = {"modeled_by": "A. Player", "gear_type": "amp", "input_level_dbu": 12.5}
    capture(folder / "Lead G7.nam", 0.5, **maker)
    capture(folder / "Lead G10.nam", 0.75, **maker)
    capture(folder / "Lead G3.nam", 0.25, **maker)
    capture(folder / "Whole rig.nam", 0.4, gear_type="amp_cab", license="CC0")
    response = 0.1 * np.random.default_rng(4).standard_normal(400) * np.exp(-np.arange(400) / 60)
    soundfile.write(folder / "cabs" / "412.wav", response, RATE, subtype="FLOAT")
    soundfile.write(folder / "demo.wav", np.zeros(6 * RATE), RATE)  # music, no response
    (folder / "cabs" / "broken.wav").write_bytes(b"RIFF\xff\xff\xff\xffWAVE")
    (folder / "LICENSE.txt").write_text("\nCC-BY-4.0\nand more words\n")
    return folder


def played(run: Run, preset: str, *words: str) -> Array:
    code, _, error = run("render", "in.wav", "out.wav", "--force", "--preset", preset, *words)
    assert code == 0, error
    return heard("out.wav")


def test_takes_share_a_preset_with_scenes_and_the_packs_cabinet(run: Run, clip: Array) -> None:
    folder = pack()
    code, said, error = run("import", str(folder), "--presets")
    assert code == 0, error
    assert "presets: JCM pack - Lead, JCM pack - Whole rig" in said
    lead = read_preset(Path("restyle_presets/JCM pack - Lead.toml"))
    models = [s.model for s in lead.sound.stages if s.model]
    assert models == ["Lead-G3", "Lead-G7", "Lead-G10"]  # by number, not by letters
    assert [s.name for s in lead.sound.scenes] == ["G3", "G7", "G10"]
    assert lead.sound.scenes[1].values == {"1.bypass": True, "2.bypass": False, "3.bypass": True}
    assert lead.note == ("from JCM pack; licence: CC-BY-4.0; by A. Player; made for 12.5 dBu")
    for path in (folder / "cabs").iterdir():
        path.unlink()  # presets have a copy of their own
    response, _ = soundfile.read("restyle_models/responses/JCM pack/cabs/412.wav")
    wet = scipy.signal.fftconvolve(0.25 * clip[0], response)[: clip.shape[1]]
    y = played(run, "JCM pack - Lead")[0]
    level = float(y @ wet / (wet @ wet))  # a cabinet is as loud as no cabinet
    assert np.abs(y - level * wet).max() < 1e-5 * np.abs(y).max()
    unheard = ("--set", "4.bypass=1")
    louder = played(run, "JCM pack - Lead", "--set", "1.bypass=1", "--set", "2.bypass=0", *unheard)
    assert np.abs(louder - 0.5 * clip).max() < 1e-6


def test_a_rig_with_a_cabinet_in_it_gets_no_second_one(run: Run, clip: Array) -> None:
    folder = pack()
    assert run("import", str(folder), "--presets")[0] == 0
    assert np.abs(played(run, "JCM pack - Whole rig") - 0.4 * clip).max() < 1e-6
    whole = read_preset(Path("restyle_presets/JCM pack - Whole rig.toml"))
    assert "licence: CC0" in whole.note and whole.sound.stages[1].bypass


def test_names_that_stand_twice_are_told_apart(run: Run) -> None:
    """Two captures of one title, two responses of one name; what is printed stays JSON."""
    folder = Path("twice")
    for place, level in (("a", 0.5), ("b", 0.25)):
        (folder / place).mkdir(parents=True)
        soundfile.write(folder / place / "cab.wav", np.full(8, level), RATE, subtype="FLOAT")
        capture(folder / place / f"{place}.nam", level, name="Amp 5")
    code, said, error = run("import", str(folder), "--presets", "--json")
    assert code == 0, error
    assert [row["model"] for row in json.loads(said)] == ["a", "b"]
    made = sorted(Path("restyle_presets").iterdir())
    assert [p.stem for p in made] == ["twice - a", "twice - b"]
    named = [s.parameters for s in read_preset(made[0]).sound.stages if s.effect]
    levels = [soundfile.read(str(p["impulse_response_filename"]))[0][0] for p in named]
    assert levels == [0.5, 0.25]


def test_presets_that_are_there_stay_as_they_are(run: Run) -> None:
    folder = pack()
    assert run("import", str(folder), "--presets")[0] == 0
    mine = Path("restyle_presets/JCM pack - Lead.toml")
    mine.write_text(mine.read_text().replace("mix = 1.0", "mix = 0.5"))
    before = mine.read_bytes()
    code, said, _ = run("import", str(folder), "--presets")
    assert code == 0 and mine.read_bytes() == before
    assert "there before, unchanged: JCM pack - Lead, JCM pack - Whole rig" in said


def test_a_file_is_no_pack(run: Run) -> None:
    capture(Path("one.nam"), 0.5)
    code, _, error = run("import", "one.nam", "--presets")
    assert code == 2 and "name a folder" in error
