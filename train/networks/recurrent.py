"""Gated recurrent units with explicit state, which ONNX knows as one operator."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def _as_operator(cell: nn.GRU, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """The operator itself: a traced loop over time would have a fixed length."""
    size, ways = cell.hidden_size, 2 if cell.bidirectional else 1
    order = torch.cat(
        [torch.arange(size, 2 * size), torch.arange(size), torch.arange(2 * size, 3 * size)]
    )  # ONNX: update, reset, new
    weight, again, bias, more = (
        torch.stack([getattr(cell, f"{name}_l0{way}")[order] for way in ("", "_reverse")[:ways]])
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    t, batch = x.shape[1], x.shape[0]
    y, last = torch.onnx.ops.symbolic_multi_out(
        "GRU",
        (x.transpose(0, 1), weight, again, torch.cat([bias, more], 1), None, state),
        {
            "hidden_size": size,
            "linear_before_reset": 1,
            "direction": "bidirectional" if ways == 2 else "forward",
        },
        dtypes=(x.dtype, x.dtype),
        shapes=((t, ways, batch, size), (ways, batch, size)),
        version=None,
    )
    return y.permute(2, 0, 1, 3).flatten(2), last


class Recurrent(nn.Module):
    """Gated recurrent unit (Cho et al., EMNLP 2014).

    Shape: ``x [batch, t, channels] -> y [batch, t, hidden]``, state ``[batch, hidden]``; `hidden`
    is `channels` where it is not given.
    """

    def __init__(self, channels: int, hidden: int | None = None) -> None:
        super().__init__()
        self.cell = nn.GRU(channels, hidden or channels, batch_first=True)
        self.state_shape = (self.cell.hidden_size,)

    def forward(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Step through time; the new state is the last output."""
        if torch.compiler.is_exporting():
            y, last = _as_operator(self.cell, x, state.unsqueeze(0))
        else:
            y, last = self.cell(x, state.unsqueeze(0).contiguous())
        return y, last.squeeze(0)


class TwoWays(nn.Module):
    """A gated recurrent unit each way, from zeros: ``x [b, n, channels] -> [b, n, 2 * hidden]``."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.cell = nn.GRU(channels, hidden, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        """Along the second axis, there and back; outputs side by side."""
        if torch.compiler.is_exporting():
            zeros = x.new_zeros(2, 1, self.cell.hidden_size).expand(-1, x.shape[0], -1)
            return _as_operator(self.cell, x, zeros)[0]
        return torch.as_tensor(self.cell(x)[0])
