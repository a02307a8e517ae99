import subprocess
import sys

LIGHT = "import realtime"
ENGINE = "import realtime.engine.path, realtime.session.render, realtime.session.session"
COMMANDS = "import realtime.commands.app, realtime.commands.live.command"


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(statement: str, names: tuple[str, ...]) -> str:
    """Which of `names` an import loads, and how many threads run then."""
    code = f"{statement}\nimport sys, threading\n"
    code += f"print([m for m in {names!r} if m in sys.modules], threading.active_count())"
    return run(code).strip()


def test_importing_the_package_loads_nothing_heavy_and_starts_no_thread() -> None:
    heavy = ("torch", "sounddevice", "onnxruntime", "numba", "pedalboard", "onnx")
    assert loaded(LIGHT, heavy) == "[] 1"


def test_importing_the_engine_loads_neither_torch_nor_sounddevice() -> None:
    assert loaded(ENGINE, ("torch", "sounddevice", "onnx", "pedalboard", "train")) == "[] 1"


def test_importing_the_commands_loads_neither_torch_nor_sounddevice() -> None:
    assert loaded(COMMANDS, ("torch", "sounddevice", "onnx", "train", "benchmarks")) == "[] 1"


def test_what_turns_knobs_and_supervises_never_imports_a_compiler() -> None:
    controls = "import realtime.panel.console, realtime.panel.app, realtime.controllers.osc"
    for statement in (controls, "import realtime.host.host", ENGINE, COMMANDS):
        assert loaded(statement, ("numba", "llvmlite", "scipy")) == "[] 1"


def test_onnxruntime_is_told_not_to_report_before_it_is_loaded() -> None:
    code = "import os\nos.environ.pop('ORT_DISABLE_TELEMETRY', None)\nimport realtime\n"
    assert run(code + "print(os.environ['ORT_DISABLE_TELEMETRY'])").strip() == "1"


def test_kernel_cache_changes_with_the_kernels_and_only_with_them(tmp_path) -> None:
    from realtime.native.cache import fingerprint

    (tmp_path / "kernel.py").write_text("import numba\n")
    (tmp_path / "other.py").write_text("x = 1\n")
    first = fingerprint(tmp_path)
    (tmp_path / "other.py").write_text("x = 2\n")
    assert fingerprint(tmp_path) == first
    (tmp_path / "kernel.py").write_text("import numba  # changed\n")
    assert fingerprint(tmp_path) != first


def test_a_cache_folder_chosen_by_the_user_is_left_alone() -> None:
    code = "import os\nos.environ['NUMBA_CACHE_DIR'] = '/tmp/mine'\nimport realtime\n"
    assert run(code + "print(os.environ['NUMBA_CACHE_DIR'])").strip() == "/tmp/mine"


def test_import_directions_hold() -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_a_command_imports_what_it_needs_and_not_the_others() -> None:
    code = "import realtime.commands.mount as m, sys\nm.command_line('models')\n"
    code += "print([n for n in ('models', 'live', 'capture') if f'realtime.commands.{n}' in "
    assert run(code + "sys.modules])").strip() == "['models']"
