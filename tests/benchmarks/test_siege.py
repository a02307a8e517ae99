"""A small share of the siege: hostile files by every way in, while a session plays on JACK."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.measures.siege import WAYS, apart
from benchmarks.rig.jack import unavailable
from benchmarks.rig.wrong import AFTER, STREAM, Offer, Watch, elsewhere, explained, stretches
from realtime.session.operations import Insert, Load
from realtime.session.session import Change
from realtime.session.sound import Setup, Sound, Stage


def test_hostile_offers_by_every_way_change_no_sample_and_restart_nothing() -> None:
    if (missing := unavailable()) is not None:
        pytest.skip(missing)
    found = apart(offers=4, seed=3)
    ways, session = found["ways"], found["played"][0]
    assert {r["what"]: r["offers"] for r in ways} == dict.fromkeys(WAYS, 1)
    assert all(r["verdict"] == "ok" for r in (*ways, session)), found
    assert session["seconds"] > session["left_out"] and session["silent"] == 0


def test_what_played_instead_is_read_from_the_log_of_changes() -> None:
    own = Setup(Sound((Stage(model="tape", identity=1),)))
    gain = Insert(Stage(effect="Gain", identity=2))
    changes = [
        Change(100, None, "inline", Load(Sound())),
        Change(900, None, "inline", Load(own.sound)),
        Change(2000, 7, "inline", gain),
        Change(2500, 9, "inline", gain),
        Change(3000, None, "inline", Load(own.sound)),
    ]
    changes[3] = changes[3]._replace(operation=Load(Sound()))
    assert elsewhere(own, changes) == [(100, 900 + AFTER), (2000, 3000 + AFTER)]
    assert elsewhere(own, changes[:1])[0][0] == 100


def test_wrong_samples_are_told_with_what_went_on() -> None:
    wrong = np.zeros(100_000, dtype=np.bool_)
    wrong[10_000:10_500] = wrong[11_000:11_100] = wrong[60_000:60_010] = True
    assert stretches(wrong) == [(10_000, 11_100), (60_000, 60_010)]
    names = [*STREAM, "missed", "trips"]
    watch: Any = Watch.__new__(Watch)
    watch._names = names
    watch.rows = [[0] * (len(names) + 1) for _ in range(100)]
    for k, row in enumerate(watch.rows):
        row[0], row[-2], row[-1] = 1000 * k, int(k > 12) if k < 40 else 0, 1000 * k + 20
    watch.rows[9:13] = [[9000, *[0] * (len(names) - 2), 1, 12_500]]  # it waited while it read
    silent = np.ones_like(wrong)
    offers = [Offer(9000, 10_100, "a"), Offer(30_000, 31_000, "b")]
    first, second = explained(wrong, silent, offers, watch, 48_000)
    assert (first["why"], first["offers"], first["samples"]) == ("late", "a", 600)
    assert first["counted"] == "trips 1"
    assert (second["why"], second["offers"], second["counted"]) == (
        "not explained", "none", "nothing",
    )  # fmt: skip
    assert second["silent"] == 10
