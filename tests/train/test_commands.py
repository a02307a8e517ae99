"""``restyle train`` as a person types it."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from realtime.errors import ConfigError, RestyleError
from train import commands
from train.fit import checkpoint
from train.fit.settings import apply, convert
from train.recipes import RECIPES

from .tiny import TINY, Tiny


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.chdir(tmp_path)
    for name, recipe in TINY.items():
        monkeypatch.setitem(RECIPES, name, recipe)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_fit_prints_its_settings_and_saves_them(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", "tiny", "steps=3", "channels=3", "dilations=1,2,5", "--no-board"]
    assert commands.main(words) == 0
    out = capsys.readouterr().out
    assert "channels = 3\ndilations = (1, 2, 5)\nsteps = 3\n" in out
    assert "best checkpoint: .runs/tiny/best.pt" in out
    saved = checkpoint.read(checkpoint.RUNS / "tiny" / "best.pt")
    assert saved["schedule"]["steps"] == 3 and saved["config"]["channels"] == 3
    assert saved["weights"]["layers.2.conv.weight"].shape == (3, 3, 4)


def test_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(RECIPES)
    tiny = next(line for line in lines if line.startswith("tiny "))
    assert "10 steps" in tiny and "effect" in tiny and "small enough for a test" in tiny


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["fit", "tiney"], "no recipe 'tiney'; did you mean 'tiny'"),
        (["fit", "tiny", "step=3"], "no setting 'step'; did you mean 'steps'"),
        (["fit", "tiny", "steps"], "expected key=value, got 'steps'"),
        (["fit", "tiny", "steps=many"], "steps=many: expected a whole number"),
        (["fit", "tiny", "dilations=1,x"], "dilations=1,x: expected a list of whole numbers"),
        (["fit", "tiny", "batch=0"], "batch=0: must be above 0"),
        (["fit", "tiny", "steps=0"], "steps=0: one is the least"),
        (["fit", "tiny", "average=1"], "average=1.0: a decay"),
        (["fit", "tiny", "--device", "tpu"], "no device 'tpu'"),
        (["evaluate", "tiny"], "no checkpoint .runs/tiny/best.pt; run: restyle train fit tiny"),
        (["export", "tiny"], "no checkpoint"),
    ],
)
def test_bad_words_are_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(RestyleError, match=sentence):
        commands.main(words)
    assert not checkpoint.RUNS.exists(), "nothing is left behind"


def test_words_click_does_not_know_end_with_code_2() -> None:
    assert commands.main(["fit"]) == 2
    assert commands.main(["fitt", "tiny"]) == 2
    assert commands.main(["--help"]) == 0


def test_ctrl_c_outside_the_loop_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: Tiny) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Tiny, "data", interrupt)
    with pytest.raises(RestyleError, match="^interrupted$"):
        commands.main(["fit", "tiny"])


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    for name in ("train.fit.run", "train.fit.processes", "train.fit.step"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ConfigError, match=r"'lightning_fabric'.*pip install 'restyle\[train\]'"):
        commands.main(["fit", "tiny"])


def test_the_host_explains_a_missing_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from realtime.commands.app import app

    monkeypatch.setitem(sys.modules, "train.commands", None)
    result = CliRunner().invoke(app, ["train", "fit", "tube-amp"])
    assert isinstance(result.exception, RestyleError)
    assert "pip install 'restyle[train]'" in str(result.exception)


def test_the_host_passes_words_on() -> None:
    from typer.testing import CliRunner

    from realtime.commands.app import app

    result = CliRunner().invoke(app, ["train", "fit", "tiny", "--device", "tpu"])
    assert str(result.exception).startswith("no device 'tpu'")
    assert CliRunner().invoke(app, ["train", "fit", "--help"]).exit_code == 0


def test_torch_is_imported_by_the_command_that_needs_it() -> None:
    script = (
        "import sys, realtime.commands.app\nassert 'train' not in sys.modules\n"
        "import train.commands\nassert 'torch' not in sys.modules"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)


def test_data_goes_to_its_own_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    app, heard = typer.Typer(), []

    @app.command()
    def fetch(name: str, force: bool = False) -> None:
        heard.append((name, force))

    @app.command()
    def other() -> None:
        heard.append("other")

    real = importlib.import_module
    stand_in = type("Module", (), {"app": app})
    monkeypatch.setattr(
        importlib,
        "import_module",
        lambda name: stand_in if name == "train.data.sets.commands" else real(name),
    )
    assert commands.main(["data", "fetch", "piano", "--force"]) == 0
    assert heard == [("piano", True)]
    assert commands.main(["data", "fetch"]) == 2


def test_overrides_are_typed() -> None:
    recipe = Tiny()
    schedule, changed = apply(recipe, ["learning_rate=1e-2", "steps=none", "schedule.batch=7"])
    assert (schedule.learning_rate, schedule.steps, schedule.batch) == (0.01, None, 7)
    assert changed == {"learning_rate": 0.01, "steps": None, "batch": 7}
    apply(recipe, ["config.hold=2"])
    assert recipe.config.hold == 2 and isinstance(recipe.config.hold, int)
    assert recipe.schedule.batch == 2, "the recipe's own schedule stays"
    assert convert("yes", bool, "k") is True and convert("0", bool, "k") is False
    with pytest.raises(ConfigError, match="k cannot be set from the command line"):
        convert("1", dict, "k")
