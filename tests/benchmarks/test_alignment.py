from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.rig.alignment import make_signal, shift_of, simulated_rows
from realtime.models.card import from_json
from realtime.models.metadata import read_metadata


def test_shift_is_found_and_only_where_it_is() -> None:
    x = make_signal(6000, 48000)[0]
    assert shift_of(np.concatenate([np.zeros(317, np.float32), x]), x) == 317
    assert shift_of(x, x) == 0
    assert shift_of(x[::-1].copy(), x) is None
    assert shift_of(np.zeros_like(x), x) is None
    nudged = x.copy()
    nudged[::40] = np.nextafter(nudged[::40], np.float32(1))
    assert shift_of(nudged, x) is None


def test_lost_blocks_do_not_hide_the_shift() -> None:
    x = make_signal(9600, 48000)[0]
    tape = np.concatenate([np.zeros(128, np.float32), x])
    late = np.concatenate([tape[:4000], np.zeros(128, np.float32), tape[4000:4600], tape[4728:]])
    assert shift_of(late, x) == 128


def test_declared_is_measured_on_the_simulated_device(models: dict[str, Path]) -> None:
    rows = simulated_rows([("pass-through", None), *models.items()], [48, 64], 0.1)
    assert len(rows) == 3 * 2 * 2
    for row in rows:
        assert row["verdict"] == "ok", row
        assert row["impulse"] == row["wet"] == row["declared"]
        assert row["dry"] in (None, row["declared"])
        assert row["buffering"] + row["algorithmic"] == row["declared"]
    cards = {k: from_json(read_metadata(p.read_bytes())["restyle.card"]) for k, p in models.items()}
    assert cards["frames"].latency > 0
    for name, card in cards.items():
        assert {r["algorithmic"] for r in rows if r["model"] == name} == {card.latency}
