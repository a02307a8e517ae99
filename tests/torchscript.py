"""TorchScript models as RAVE and Neutone files hold them: their public layers, written anew.

Both let the sound through nearly unchanged, so what they do to an impulse is known.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional  # noqa: UP035 - TorchScript reads these

import numpy as np
import torch
from torch import Tensor, nn

BANDS, TAPS = 4, 64
PQMF_DELAY = TAPS - BANDS  # both filters, less what a band's sample waits for
LOOK, BUFFER = 32, 64  # of the Neutone model [samples]


class Past(nn.Module):
    """What came before stands in front; for up to 64 batches, as cached_conv has it."""

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.register_buffer("pad", torch.zeros(64, channels, length))

    def forward(self, x: Tensor) -> Tensor:
        if self.length > 0:
            x = torch.cat([self.pad[: x.shape[0]], x], -1)
            self.pad[: x.shape[0]].copy_(x[..., -self.length :])
        return x


class CachedConv(nn.Conv1d):
    def __init__(self, inputs: int, outputs: int, taps: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, taps, stride=stride, bias=False)
        self.cache = Past(inputs, taps - stride)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.conv1d(self.cache(x), self.weight, None, self.stride)


class CachedConvTranspose(nn.ConvTranspose1d):
    """Twice as many samples; what overlaps is added in the next block."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 4, stride=2, bias=False)
        self.register_buffer("cache", torch.zeros(64, outputs, 2))

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.conv_transpose1d(x, self.weight, None, self.stride)
        x[..., :2] += self.cache[: x.shape[0]]
        self.cache[: x.shape[0]].copy_(x[..., -2:])
        return x[..., :-2]


class Pqmf(nn.Module):
    """Cosine-modulated bands, each of a quarter of the rate; synthesis by polyphase."""

    def __init__(self) -> None:
        super().__init__()
        from scipy.signal import firwin

        low = firwin(TAPS, 0.1435, window=("kaiser", 7.5))
        n, k = np.arange(TAPS) - (TAPS - 1) / 2, np.arange(BANDS)[:, None]
        phase = (-1.0) ** k * np.pi / 4
        bank = 2 * low * np.cos((2 * k + 1) * np.pi / (2 * BANDS) * n + phase)
        self.analysis = CachedConv(1, BANDS, TAPS, stride=BANDS)
        self.synthesis = CachedConv(BANDS, BANDS, TAPS // BANDS)
        mirrored = bank[:, ::-1].copy()
        phases = mirrored.reshape(BANDS, -1, BANDS)[:, ::-1].transpose(2, 0, 1)
        with torch.no_grad():
            self.analysis.weight.copy_(torch.from_numpy(bank[:, None, ::-1].copy()))
            self.synthesis.weight.copy_(torch.from_numpy(BANDS * phases.copy()))

    def turned(self, x: Tensor) -> Tensor:
        mask = torch.ones_like(x)
        mask[..., 1::2, ::2] = -1
        return x * mask

    def forward(self, x: Tensor) -> Tensor:
        return self.turned(self.analysis(x))

    @torch.jit.export
    def inverse(self, x: Tensor) -> Tensor:
        y = self.synthesis(self.turned(x)).permute(0, 2, 1)
        return y.reshape(y.shape[0], 1, -1)


class Hiss(nn.Module):
    """Filtered noise by Fourier transforms, switched on by a buffer as RAVE's is."""

    def __init__(self) -> None:
        super().__init__()
        self.bands = BANDS
        self.net = CachedConv(BANDS, BANDS * 5, 4, stride=4)
        self.register_buffer("warmed_up", torch.tensor(1))
        self.register_buffer("target_size", torch.tensor(8).long())

    def forward(self, x: Tensor) -> Tensor:
        amp = (2 * torch.sigmoid(self.net(x) - 5) ** 2.3 + 1e-7).permute(0, 2, 1)
        amp = amp.reshape(amp.shape[0], amp.shape[1], self.bands, -1)
        ir = torch.fft.irfft(torch.view_as_complex(torch.stack([amp, torch.zeros_like(amp)], -1)))
        size = ir.shape[-1]
        ir = torch.roll(ir, size // 2, -1) * torch.hann_window(size)
        ir = torch.roll(nn.functional.pad(ir, [0, int(self.target_size) - size]), -size // 2, -1)
        noise = nn.functional.pad(torch.rand_like(ir) * 2 - 1, [0, ir.shape[-1]])
        heard = torch.fft.rfft(noise) * torch.fft.rfft(nn.functional.pad(ir, [ir.shape[-1], 0]))
        y = torch.fft.irfft(heard)
        y = y[..., y.shape[-1] // 2 :][..., :4]
        y = y.permute(0, 2, 1, 3).reshape(x.shape[0], self.bands, -1)
        if not bool(self.warmed_up):
            y = torch.zeros_like(y)
        return 0.05 * y


class RaveLike(nn.Module):
    """Bands, a variational encoder with a GRU, a decoder with latent noise, and hiss."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.pqmf = Pqmf()
        self.encoder = CachedConv(BANDS, 2 * 2 * BANDS, 4, stride=2)
        self.gru = nn.GRU(8, 8, batch_first=True)
        self.register_buffer("gru_state", torch.zeros(1, 64, 8))
        self.decoder = CachedConvTranspose(12, BANDS)
        self.hiss = Hiss()
        self.sr = 44100
        with torch.no_grad():
            for p in (self.encoder.weight, self.decoder.weight):
                p.mul_(0.02)
            for i in range(8):  # each phase of a band is a latent, and goes back where it was
                self.encoder.weight[i, i // 2, 2 + i % 2] = 1.0
                self.decoder.weight[i, i // 2, i % 2] = 1.0
            self.encoder.weight[8:] = 0.0
        for name, shape in (("forward", (1, 1, 1, 1)), ("encode", (1, 1, 8, 8)),
                            ("decode", (8, 8, 1, 1))):  # fmt: skip
            self.register_buffer(f"{name}_params", torch.tensor(shape))

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        mean, scale = self.encoder(self.pqmf(x)).chunk(2, 1)
        z = torch.randn_like(mean) * (nn.functional.softplus(scale - 7.0) + 1e-4) + mean
        y, state = self.gru(z.permute(0, 2, 1), self.gru_state[:, : z.shape[0]])
        self.gru_state[:, : z.shape[0]] = state
        return z + 0.02 * y.permute(0, 2, 1)

    @torch.jit.export
    def decode(self, z: Tensor) -> Tensor:
        more = torch.randn(z.shape[0], 4, z.shape[-1])
        w = self.decoder(torch.cat([z, 0.02 * more], 1))
        return self.pqmf.inverse(torch.tanh(w) + self.hiss(w))

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


class Words(NamedTuple):
    model_name: str
    model_authors: List[str]  # noqa: UP006
    model_short_description: str
    neutone_parameters: Dict[str, Dict[str, str]]  # noqa: UP006


class Neutone(nn.Module):
    """A base model as neutone_sdk wraps one: parameters by name, a delay, a recurrent layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.look, self.buffer = LOOK, BUFFER
        self.gru = nn.GRU(16, 8, batch_first=True)
        self.out = nn.Linear(8, 16)
        self.hidden = torch.jit.Attribute(None, Optional[Tensor])  # noqa: UP045
        self.register_buffer("before", torch.zeros(1, LOOK))
        self.remapped: Dict[str, Tensor] = {"Drive": torch.zeros(1)}  # noqa: UP006

    def forward(self, x: Tensor, params: Optional[Tensor] = None) -> Tensor:  # noqa: UP045
        assert x.shape[1] % self.buffer == 0, "a buffer of another size"
        if params is None:
            params = torch.full((4, x.shape[1]), 0.25)
        mean = params[:, 0:1]
        torch.mean(params, dim=1, keepdim=True, out=mean)
        self.remapped["Drive"] = mean[1]
        return self.do_forward_pass(x, self.remapped)

    def do_forward_pass(self, x: Tensor, params: Dict[str, Tensor]) -> Tensor:  # noqa: UP006
        full = torch.cat([self.before, x], 1)
        self.before = full[:, -self.look :].clone()
        late = full[:, : x.shape[1]]
        hidden = self.hidden
        if hidden is None:
            hidden = torch.zeros(1, 1, 8)
        y, hidden = self.gru(late.reshape(1, -1, 16), hidden)
        self.hidden = hidden
        gain = 1.0 + 4.0 * params["Drive"]
        return torch.tanh(gain * late) + 0.01 * self.out(y).reshape(1, -1)

    @torch.jit.export
    def is_input_mono(self) -> bool:
        return True

    @torch.jit.export
    def get_native_sample_rates(self) -> List[int]:  # noqa: UP006
        return [44100, 48000]

    @torch.jit.export
    def get_native_buffer_sizes(self) -> List[int]:  # noqa: UP006
        return [128, self.buffer]

    @torch.jit.export
    def calc_model_delay_samples(self) -> int:
        return self.look

    @torch.jit.export
    def reset(self) -> bool:
        self.before.zero_()
        self.hidden = None
        return True

    @torch.jit.export
    def to_metadata(self) -> Words:
        row = {"name": "Drive", "used": "True", "default_value": "0.25", "type": "continuous"}
        unused = {"name": "", "used": "False", "default_value": "0"}
        rows = {"p1": unused, "p2": row}
        return Words("Late Drive", ["A. Author"], "drives late", rows)


class Queue(nn.Module):
    """The queue around a Neutone model, which a file holds."""

    def __init__(self) -> None:
        super().__init__()
        self.w2w_base = Neutone()

    def forward(self, x: Tensor, params: Optional[Tensor] = None) -> Tensor:  # noqa: UP045
        return self.w2w_base.forward(x, params)


def saved(module: nn.Module, path: Path) -> Path:
    """A module as a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(module.eval()).save(str(path))
    return path
