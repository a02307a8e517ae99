from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from realtime.errors import ChainError
from realtime.stages import scan as scanning
from realtime.stages.isolate import probe_apart
from realtime.stages.library import open_plugin
from realtime.stages.records import CRASHED, FAILED, OK, TIMED_OUT, PluginInfo, Record, Records
from realtime.stages.scan import default_folders, find_bundles, scan

Bundle = Callable[[str], Path]
SHORT = 3.0  # s


@pytest.fixture
def loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the delay plug-in was loaded, by its own count."""
    file = tmp_path / "loads"
    monkeypatch.setenv("RESTYLE_TEST_LOADS", str(file))
    return lambda: file.stat().st_size if file.exists() else 0


def test_a_good_plugin_says_what_it_is(bundle: Bundle) -> None:
    record = probe_apart(bundle("delay"))
    assert (record.status, record.reason) == (OK, "")
    assert record.plugins == (
        PluginInfo("Test Delay", "restyle tests", "1.2.3", "Fx|Delay", True, (2,), 64, 5),
    )
    assert probe_apart(bundle("mono")).plugins[0].channels == (1,)
    synth = probe_apart(bundle("synth")).plugins[0]
    assert (synth.is_effect, synth.channels) == (False, ())


def test_crashing_and_hanging_plugins_do_not_end_the_scan(bundle: Bundle, own_cache: Path) -> None:
    keys = ("crashes on load", "delay", "hangs on load", "crasher", "hanger")
    hangs = bundle("hangs on load")
    list(scan([hangs], Records(), SHORT))  # a short limit for this one alone
    found = [r for r, _ in scan([bundle(k) for k in keys], Records())]
    assert [r.status for r in found] == [CRASHED, OK, TIMED_OUT, OK, OK]
    assert found[0].reason == "SIGSEGV while opening it"
    assert found[2].reason.startswith("still ")
    assert found[2].reason.endswith(" after 3 s")


def test_what_holds_no_plugin_is_listed_as_failed(tmp_path: Path, own_cache: Path) -> None:
    empty, text = tmp_path / "empty.vst3", tmp_path / "text.vst3"
    empty.mkdir()
    text.write_text("no plug-in\n")
    for record, _ in scan([empty, text], Records()):
        assert record.status == FAILED
        assert "holds no plug-in" in record.reason


def test_a_known_file_is_not_loaded_again(
    place: Callable[[str], Path], own_cache: Path, loads: Callable[[], int]
) -> None:
    path = place("delay")
    assert [fresh for _, fresh in scan([path], Records())] == [True]
    once = loads()
    assert once > 0
    first, second = Records().get(path), next(scan([path], Records(), retry=True))
    assert (first, False) == second
    assert loads() == once
    assert not [p for p in own_cache.parent.iterdir() if p != own_cache]


def test_a_changed_file_is_loaded_again(
    place: Callable[[str], Path], own_cache: Path, loads: Callable[[], int]
) -> None:
    path = place("delay")
    binary = next(path.rglob("*.so"))
    list(scan([path], Records()))
    for change in (lambda: os.utime(binary, (1, 1)), lambda: (path / "more").write_text("x")):
        before = loads()
        change()
        assert Records().get(path) is None
        assert [fresh for _, fresh in scan([path], Records())] == [True]
        assert loads() > before


def test_another_pedalboard_makes_every_file_unknown(
    bundle: Bundle, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(scan([bundle("delay")], Records()))
    text = own_cache.read_text()
    own_cache.write_text(text.replace('"host": "pedalboard ', '"host": "pedalboard 0.'))
    assert Records().get(bundle("delay")) is None


def test_a_bad_plugin_is_refused_until_it_is_tried_again(
    bundle: Bundle, place: Callable[[str], Path], own_cache: Path
) -> None:
    path = place("crashes on load")
    with pytest.raises(
        ChainError, match=r"Crash\.vst3 crashed .*SIGSEGV.*scan --retry '/"
    ) as caught:
        open_plugin(str(path))
    assert "\n" not in str(caught.value)
    kept = own_cache.read_text()
    assert next(scan([path], Records()))[1] is False
    assert next(scan([path], Records(), retry=True))[1] is True
    assert json.loads(own_cache.read_text()) == json.loads(kept)
    with pytest.raises(ChainError, match="there is no plug-in 'Test'; did you mean 'Test Crash'"):
        open_plugin("Test")
    with pytest.raises(ChainError, match="crashed when it was last loaded"):
        open_plugin("test crash")
    mended = next(bundle("delay").rglob("*.so"))  # the same file name, now a sound plug-in
    shutil.copy(mended, next(path.rglob("*.so")))
    assert open_plugin(str(path)).name == "Test Delay"


def test_a_hanging_plugin_is_refused_after_its_time(bundle: Bundle, own_cache: Path) -> None:
    with pytest.raises(ChainError, match=r"timed out when it was last loaded \(still "):
        open_plugin(str(bundle("hangs on load")), timeout=SHORT)


def test_damaged_records_are_set_aside(bundle: Bundle, own_cache: Path) -> None:
    own_cache.parent.mkdir(parents=True)
    for text in ("{", "[]", '{"format": 1}', '{"format": 1, "host": "x", "plugins": 3}', "\0"):
        own_cache.write_text(text)
        records = Records()
        assert records.all() == []
        if '"host"' not in text:
            assert "set aside as plugins.bad" in str(records.note)
            assert own_cache.with_suffix(".bad").read_text() == text
    good = json.dumps({"format": 1, "host": records._host, "plugins": [{"path": "/x"}]})
    own_cache.write_text(good)
    assert Records().all() == []
    assert next(scan([bundle("delay")], Records()))[0].status == OK
    assert Records().get(bundle("delay")) is not None


def test_records_that_cannot_be_written_are_no_error(
    bundle: Bundle, tmp_path: Path, own_cache: Path
) -> None:
    own_cache.parent.parent.mkdir(parents=True)
    own_cache.parent.write_text("a file where the folder should be")
    records = Records()
    assert next(scan([bundle("delay")], records))[0].status == OK
    assert "cannot" in str(records.note)


def test_two_scans_at_once_keep_each_others_records(
    place: Callable[[str], Path], own_cache: Path
) -> None:
    one, other = Records(), Records()
    first, second = place("delay"), place("mono")
    one.put(Record(str(first), OK))
    other.put(Record(str(second), OK))
    assert len(Records().all()) == 2
    shutil.rmtree(first)
    assert [r.path for r in Records().all()] == [str(second)]


def test_bundles_are_found_at_any_depth_once(tmp_path: Path) -> None:
    deep = tmp_path / "maker" / "A.vst3"
    (deep / "Contents" / "inner.vst3").mkdir(parents=True)
    (tmp_path / "B.VST3").write_text("a single file")
    (tmp_path / "C.txt").write_text("")
    (tmp_path / "maker" / "loop").symlink_to(tmp_path)
    (tmp_path / "again.vst3").symlink_to(deep)
    assert sorted(find_bundles([tmp_path, deep, tmp_path / "gone"])) == [tmp_path / "B.VST3", deep]


@pytest.mark.parametrize(
    ("system", "part"),
    [("linux", ".vst3"), ("darwin", "Library/Audio/Plug-Ins/Components"), ("win32", "VST3")],
)
def test_the_systems_folders(monkeypatch: pytest.MonkeyPatch, system: str, part: str) -> None:
    monkeypatch.setattr(scanning.sys, "platform", system)
    monkeypatch.setenv("COMMONPROGRAMFILES", "/Common")
    monkeypatch.setenv("VST3_PATH", "/mine")
    found = [p.as_posix() for p in default_folders()]
    assert found[0] == "/mine"
    assert any(p.endswith(part) for p in found)
