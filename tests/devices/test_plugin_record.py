"""The record that a plug-in and its engine share, as its C header and as NumPy have it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from realtime.devices import plugin_record
from realtime.devices.plugin_record import EVENT, RECORD, SOUND
from realtime.session.builder import PASSTHROUGH_HOP

from ..conftest import ROOT

PROGRAM = """
#include <stddef.h>
#include <stdio.h>
#include "record.h"
int main(void) {
%s
    return 0;
}
"""


def test_the_header_and_the_dtype_are_the_same_record(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler here")
    expected: dict[str, int] = {}
    for kind, dtype in (("event", EVENT), ("text", SOUND), ("record", RECORD)):
        expected[f"sizeof(restyle_{kind})"] = dtype.itemsize
        for name, (_, at) in (dtype.fields or {}).items():
            if not name.startswith("unused"):
                expected[f"offsetof(restyle_{kind}, {name})"] = at
    for name in ("MAGIC", "VERSION", "CHANNELS", "CAPACITY", "EVENTS", "PARAMETERS", "TEXT"):
        expected[f"RESTYLE_{name}"] = getattr(plugin_record, name)
    expected["RESTYLE_LATENCY"] = PASSTHROUGH_HOP - 1
    lines = "\n".join(f'    printf("%lld\\n", (long long)({text}));' for text in expected)
    source, program = tmp_path / "record.c", tmp_path / "record"
    source.write_text(PROGRAM % lines)
    subprocess.run([compiler, f"-I{ROOT / 'plugin'}", source, "-o", program], check=True)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert dict(zip(expected, map(int, said.split()), strict=True)) == expected
