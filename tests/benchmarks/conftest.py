from __future__ import annotations

from pathlib import Path

import pytest

from ..networks import gru_model, mask_model


@pytest.fixture(scope="package")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small model of either domain, as files."""
    folder = tmp_path_factory.mktemp("models")
    made = {"wave": gru_model(), "frames": mask_model()}
    for name, data in made.items():
        (folder / f"{name}.onnx").write_bytes(data)
    return {name: folder / f"{name}.onnx" for name in made}
