from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from benchmarks.measures import clocks, rates
from benchmarks.rig import sines
from benchmarks.rig.tables import SCHEMA
from realtime.errors import ConfigError


def test_clocks_prints_a_table_and_writes_the_documented_file(tmp_path: Path, capsys) -> None:
    path = tmp_path / "clocks.json"
    argv = ["--ppm", "300,-1000", "--minutes", "1", "--blocks", "64/64,480/64", "--late", "0,50"]
    assert clocks.main([*argv, "--margin", "48", "--json", str(path)]) == 0
    data = json.loads(path.read_text())
    assert (data["schema"], data["kind"]) == (SCHEMA, "clocks")
    rows = data["tables"]["clocks"]
    assert [(r["blocks"], r["ppm"]) for r in rows[:2]] == [("64/64", 300.0), ("64/64", -1000.0)]
    assert len(rows) == 8 and all(r["verdict"] == "ok" for r in rows)
    assert all(r["distortion_db"] < -90.0 for r in rows)
    assert "cents" in capsys.readouterr().out


def test_clocks_says_when_sound_broke() -> None:
    # callbacks later than the margin: sound must lack, and the verdict must say so
    assert clocks.main(["--minutes", "1", "--blocks", "64/64", "--late", "1500"]) == 1


@pytest.mark.parametrize("argv", [["--blocks", "64"], ["--ppm", "many"], ["--blocks", "a/b"]])
def test_clocks_refuses_what_it_cannot_read(argv: list[str]) -> None:
    with pytest.raises(SystemExit):
        clocks.main(argv)
    with pytest.raises(ConfigError, match="--minutes must be at least 1"):
        clocks.main(["--minutes", "0.2"])


def test_a_row_of_rates_holds_the_promise_of_the_filter() -> None:
    row = rates.rows_for(48000, 16000)
    assert row["alias_db"] < -100.0 and row["worst_distortion_db"] < -100.0
    assert -0.05 <= row["passband_db"] <= 0.0
    assert [r["device_hz"] for r in rates.trip_rows()] == [d for d, _ in rates.DEVICES]


def test_the_fit_measures_known_distortion() -> None:
    x = sines.sine(9600, 1000.0, 48000)[0]
    bad = x + 0.5 * 10 ** (-60 / 20) * signal.square(2 * np.pi * 3000 * np.arange(9600) / 48000)
    amplitude, distortion_db = sines.fit(bad, 1000.0, 48000)
    assert amplitude == pytest.approx(0.5, abs=1e-5)
    assert distortion_db == pytest.approx(-57.0, abs=0.1)  # a square's power is twice a sine's
