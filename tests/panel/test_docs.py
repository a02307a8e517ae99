"""The examples of docs/panel.md do what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from realtime.panel.fields import BINARY
from realtime.panel.routes import ROUTES
from realtime.panel.server import OPEN, PanelServer
from realtime.session.sound import Sound, Stage

from ..nam.test_file import tiny
from .conftest import Desk, rendered
from .fake import fake

PAGE = Path(__file__).parents[2] / "docs" / "panel.md"


def test_the_python_example_gets_what_render_writes(plain: Desk) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert found is not None
    space: dict[str, Any] = {}
    exec(found[1].replace(":8765/", f":{plain.port}/"), space)
    made = rendered(space["sound"][None], "tape")
    assert np.array_equal(space["restyled"][None], made)


def test_every_line_of_the_shell_example_is_a_request_of_the_api(tmp_path: Path) -> None:
    with PanelServer(
        fake(Sound((Stage(model="tube-amp"),)), tmp_path), port=0, token=OPEN
    ) as server:
        walk_through(Desk(None, None, server))


def walk_through(desk: Desk) -> None:
    block = re.search(r"```\nP=.*?```", PAGE.read_text(), re.S)
    assert block is not None
    lines = [line for line in block[0].splitlines() if line.startswith("curl")]
    assert len(lines) > 15
    number = 0  # of the stage put in last
    for line in lines:
        method = re.search(r"-X (\w+)", line)
        path = re.search(r"\$P(/\S+)", line)
        assert path is not None
        kind = method[1] if method else "GET"
        hits = [
            r
            for r in ROUTES
            if r.method == kind and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", r.path), path[1])
        ]
        assert hits, line
        body = re.search(r"-d '(.*?)'", line)
        if hits[0].file:
            sent = json.dumps(tiny()).encode()
            assert desk.ask(kind, path[1], sent, {"Content-Type": BINARY}).status == 200, line
        elif kind == "GET":
            assert desk.ask("GET", path[1]).status == 200, line
        elif not re.search("device|midi|recording|preset", path[1]):
            text = re.sub("/1\\b", f"/{number}", path[1])
            answer = desk.ask(kind, text, body[1] if body else None)
            assert answer.status == 200, (line, answer)
            number = answer.data.get("id", number)
