"""``restyle live --demo``: the microphone if there is one, else the bundled clip."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigError, RestyleError
from ...models.catalog import bundled_folder
from ..common import err

DEMO_MODEL, DEMO_CLIP, DEMO_OUT = "tube-amp", "demo.flac", Path("out") / "restyled.wav"


def demo_session(
    model: str | None, input: str | None, simulate: Path | None, simulate_out: Path | None
) -> tuple[str, Path | None, Path | None]:
    """Model, clip and target of ``--demo``: the bundled clip where there is no microphone."""
    if simulate is None and not _has_microphone(input):
        simulate, simulate_out = _demo_clip(), simulate_out or DEMO_OUT
        simulate_out.parent.mkdir(parents=True, exist_ok=True)
        err.print("no sound card: playing the bundled clip through a simulated device")
    return model or DEMO_MODEL, simulate, simulate_out


def _has_microphone(wanted: str | None) -> bool:
    from ...devices.list import find_device

    try:
        find_device(wanted, "input")
        find_device(None, "output")
    except RestyleError:
        return False
    return True


def _demo_clip() -> Path:
    folder = bundled_folder()
    if folder is None or not (folder / DEMO_CLIP).is_file():
        raise ConfigError(f"the bundled clip {DEMO_CLIP} is missing; reinstall restyle")
    return folder / DEMO_CLIP
