"""The neural-amp-modeler package's own models, as the reference the captures are held against.

Only the package's model code is used.  Its trainer and its audio readers, which need large
libraries, are replaced by empty modules before it is imported.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the reference library needs torch")
if importlib.util.find_spec("nam") is None:
    pytest.skip("neural-amp-modeler is not installed", allow_module_level=True)

for _name in ("librosa", "wavio", "nam.train"):
    if _name not in sys.modules and (
        _name == "nam.train" or importlib.util.find_spec(_name) is None
    ):
        sys.modules[_name] = types.ModuleType(_name)

import torch  # noqa: E402
from nam.models.conv_net import ConvNet  # noqa: E402
from nam.models.linear import Linear  # noqa: E402
from nam.models.recurrent import LSTM  # noqa: E402
from nam.models.wavenet import WaveNet  # noqa: E402

__all__ = ["LSTM", "ConvNet", "Linear", "WaveNet", "a1", "array", "exported", "forward", "wavenet"]


def exported(model: Any) -> dict[str, Any]:
    """What the library would write into a ``.nam`` file for this model."""
    version = "0.5.4" if not isinstance(model, WaveNet) else "0.7.0"
    return {
        "version": version,
        "architecture": type(model).__name__,
        "config": model._export_config(),
        "weights": np.asarray(model._export_weights(), dtype=np.float64).tolist(),
        "sample_rate": 48000,
        "metadata": {"name": "random", "loudness": -20.0},
    }


def forward(model: Any, x: np.ndarray) -> np.ndarray:
    """The library's own offline result in double precision, after settled silence."""
    model = model.double().eval()
    with torch.no_grad():
        y = model(torch.from_numpy(x.astype(np.float64)), pad_start=True)
    return y.numpy()


def array(channels: int = 4, outputs: int = 1, **more: Any) -> dict[str, Any]:
    """One layer array in the library's training configuration."""
    return {
        "input_size": 1,
        "condition_size": 1,
        "channels": channels,
        "head": {"out_channels": outputs, "kernel_size": 1, "bias": True},
        "kernel_size": 3,
        "dilations": [1, 2, 4],
        "activation": "Tanh",
        **more,
    }


def wavenet(*arrays: dict[str, Any], **more: Any) -> Any:
    """A WaveNet with random weights of a size that keeps signals near full scale."""
    torch.manual_seed(len(arrays) + sum(map(len, more)))
    config = {"layers_configs": list(arrays), "head_scale": 0.3, "sample_rate": 48000, **more}
    return WaveNet.init_from_config(config)


def a1(channels: tuple[int, int] = (16, 8)) -> Any:
    """The first generation's two layer arrays (16/8 standard, 12/6 lite, 8/4 feather, 4/2 nano)."""
    many = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
    wide, narrow = channels
    plain = {"out_channels": narrow, "kernel_size": 1, "bias": False}
    return wavenet(
        array(wide, narrow, dilations=many, head=plain),
        array(narrow, 1, dilations=many, input_size=wide),
    )
