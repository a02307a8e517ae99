"""Each promise of SECURITY.md names a test that there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_each_promise_is_kept_by_a_test_that_there_is() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    rows = text.partition("## Promises")[2].partition("\n\n`make fuzz`")[0].splitlines()
    promises = [r for r in rows if r.startswith("| ") and not r.startswith("| promise")]
    assert len(promises) > 20
    for row in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row)
        assert named, row
        for file, test in named:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            found = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
            assert not test or test in found, (file, test)


def test_torch_loads_weights_only() -> None:
    for path in (*(ROOT / "train").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "torch.load",
                "pickle.load",
            ):
                kept = {k.arg: ast.unparse(k.value) for k in node.keywords}
                assert kept.get("weights_only") == "True", (path, node.lineno)
