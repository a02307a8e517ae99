"""Small VST3 plug-ins for the tests, built with DPF (Debian's dpf-source) by one g++ call each."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
DPF = Path("/usr/share/dpf/distrho")
COMPILER = ("g++", "-std=c++17", "-O1", "-w", "-fPIC", "-shared", "-DDISTRHO_PLUGIN_TARGET_VST3")


@dataclass(frozen=True)
class Recipe:
    """What a bundle is made of."""

    name: str
    source: str
    channels: int = 2
    outputs: int = 0  # 0: as many as inputs
    delay: int = 64
    keeps: int = 0
    hang: int = 0
    on_load: int = 0

    @property
    def flags(self) -> list[str]:
        values = {
            "NAME": f'"{self.name}"',
            "CHANNELS": self.channels,
            "OUTPUTS": self.outputs or self.channels,
            "DELAY": self.delay,
            "KEEPS": self.keeps,
            "HANG": self.hang,
            "ON_LOAD": self.on_load,
            "SYNTH": int(self.source == "synth.cpp"),
        }
        return [f"-DTEST_{key}={value}" for key, value in values.items()]


RECIPES = {
    "delay": Recipe("Test Delay", "gain_delay.cpp"),
    "mono": Recipe("Test Mono", "gain_delay.cpp", channels=1, delay=100),
    "widener": Recipe("Test Widener", "gain_delay.cpp", channels=1, outputs=2),
    "splitter": Recipe("Test Splitter", "gain_delay.cpp", outputs=6),
    "sidechain": Recipe("Test Sidechain", "gain_delay.cpp", channels=4, outputs=2, delay=0),
    "keeper": Recipe("Test Keeper", "gain_delay.cpp", delay=200, keeps=1),
    "crasher": Recipe("Test Crasher", "trouble.cpp"),
    "hanger": Recipe("Test Hanger", "trouble.cpp", hang=1),
    "crashes on load": Recipe("Test Crash", "trouble.cpp", on_load=1),
    "hangs on load": Recipe("Test Hang", "trouble.cpp", hang=1, on_load=1),
    "synth": Recipe("Test Synth", "synth.cpp"),
}


def missing() -> str | None:
    """Why no bundle can be built here, or None."""
    if platform.system() != "Linux":
        return "the test plug-ins are built on Linux only"
    if not (DPF / "DistrhoPluginMain.cpp").exists():
        return "dpf-source is not installed (apt install dpf-source)"
    if shutil.which(COMPILER[0]) is None:
        return "g++ is not installed (apt install g++)"
    return None


def build(key: str, cache: Path) -> Path:
    """Return the bundle of a recipe; built where `cache` lacks it for these sources and flags."""
    recipe = RECIPES[key]
    digest = hashlib.sha256(" ".join([*COMPILER, *recipe.flags, platform.machine()]).encode())
    for name in ("DistrhoPluginInfo.h", recipe.source):
        digest.update((HERE / name).read_bytes())
    bundle = cache / digest.hexdigest()[:16] / f"{recipe.name}.vst3"
    if bundle.exists():
        return bundle
    bundle.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        inside = Path(made) / "whole" / bundle.name / "Contents" / f"{platform.machine()}-linux"
        inside.mkdir(parents=True)
        command = [*COMPILER, *recipe.flags, f"-I{HERE}", f"-I{DPF}", str(HERE / recipe.source)]
        command += [str(DPF / "DistrhoPluginMain.cpp"), "-o", str(inside / f"{recipe.name}.so")]
        subprocess.run(command, check=True)
        try:
            os.rename(Path(made) / "whole", bundle.parent)
        except OSError:  # another test process was faster
            if not bundle.exists():
                raise
    return bundle
