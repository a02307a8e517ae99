"""What is told: kept, passed on, and never more than a log can hold."""

from __future__ import annotations

import re
import threading

from realtime.host.notes import BURST, MOST, WAITING, Notes


def test_a_flood_of_sentences_is_counted_and_not_printed() -> None:
    go_on, told = threading.Event(), []

    def tell(text: str) -> None:
        assert go_on.wait(60)  # a terminal that is stopped
        told.append(text)

    notes = Notes(tell)
    for k in range(20_000):
        notes(f"sentence {k}")
        assert notes._queue.qsize() <= WAITING
    assert [n["text"] for n in notes.kept] == [
        f"sentence {k}" for k in range(20_000 - MOST, 20_000)
    ]
    go_on.set()
    notes.close(60)
    counts = [int(found[1]) for t in told if (found := re.match(r"\(and (\d+) more", t))]
    printed = [t for t in told if t.startswith("sentence")]
    assert printed[0] == "sentence 0" and len(printed) <= BURST and len(counts) <= len(printed) + 1
    assert len(printed) + sum(counts) == 20_000
