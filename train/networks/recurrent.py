"""A gated recurrent unit with explicit state, which ONNX knows as one operator."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Recurrent(nn.Module):
    """Gated recurrent unit (Cho et al., EMNLP 2014).

    Shape: ``x [batch, t, channels] -> y [batch, t, channels]``, state ``[batch, channels]``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cell = nn.GRU(channels, channels, batch_first=True)
        self.state_shape = (channels,)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Step through time; the new state is the last output."""
        if torch.compiler.is_exporting():
            y, last = self._as_operator(x, state)
        else:
            y, last = self.cell(x, state.unsqueeze(0).contiguous())
        return y, last.squeeze(0)

    def _as_operator(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """The operator itself: a traced loop over time would have a fixed length."""
        size = self.cell.hidden_size
        order = torch.cat(
            [torch.arange(size, 2 * size), torch.arange(size), torch.arange(2 * size, 3 * size)]
        )  # ONNX: update, reset, new
        weight, again, bias, more = (
            getattr(self.cell, name)[order].unsqueeze(0)
            for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        )
        t, batch = x.shape[1], x.shape[0]
        y, last = torch.onnx.ops.symbolic_multi_out(
            "GRU",
            (
                x.transpose(0, 1),
                weight,
                again,
                torch.cat([bias, more], 1),
                None,
                state.unsqueeze(0),
            ),
            {"hidden_size": size, "linear_before_reset": 1},
            dtypes=(x.dtype, x.dtype),
            shapes=((t, 1, batch, size), (1, batch, size)),
            version=None,
        )
        return y.squeeze(1).transpose(0, 1), last
