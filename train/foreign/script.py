"""A TorchScript model, run hop by hop as its own player runs it: RAVE and nn~, Neutone, plain ones.

nn~ names methods and their shapes by buffers, ``forward_params = [channels in, ratio in, channels
out, ratio out]``.  A Neutone file holds a queue around the model, ``w2w_base``, which is what is
run here: ``forward(x [channels, n], params [4, n])``.  Facts of the formats are those of
``acids-ircam/nn_tilde``, ``acids-ircam/RAVE`` and ``Neutone/neutone_sdk``.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from realtime.errors import ModelError
from realtime.models.card import HIGHEST_RATE, LOWEST_RATE
from realtime.models.foreign.description import Knob
from realtime.models.nam.limits import plain_text

from .draws import Draws

SHORTEST, LONGEST = 64, 16384  # samples of a hop
MOST_LATENTS = 8  # that become knobs
LARGEST_CODE = 16 << 20  # bytes
_WRITES = re.compile(rb"\b(?:torch|ops\.\w+)\.(?:save|from_file)\b")
_PLAYED = (48000, 44100)  # Hz, in this order, where a model takes several


@contextmanager
def followable() -> Iterator[None]:
    """Have the interpreter call every operator one by one: what it fuses cannot be followed."""
    threads, before = torch.get_num_threads(), torch._C._jit_set_profiling_executor(False)
    one_piece = torch._C._get_mkldnn_enabled()  # its LSTM
    torch._C._set_mkldnn_enabled(False)
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            yield
    finally:
        torch._C._set_mkldnn_enabled(one_piece)
        torch._C._jit_set_profiling_executor(before)
        torch.set_num_threads(threads)


class Script:
    """One TorchScript model, within :func:`followable`; not for audio threads.

    Attributes
    ----------
    module : ScriptModule
        What is run; its tensors are its states.
    make : str
    sample_rate : int [Hz]
        0 where it does not say.
    hop : int [samples]
    knobs : tuple of Knob
    words : dict of str to str
        ``name``, ``author``, ``summary`` where it says so.
    stated_delay : int or None [samples]
    """

    def __init__(self, path: Path) -> None:
        _check_code(path)
        try:
            with warnings.catch_warnings():  # of deprecation: files are still read
                warnings.simplefilter("ignore")
                loaded = torch.jit.load(str(path), map_location="cpu").eval()
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(
                f"torch {torch.__version__} cannot read it ({reason(error)}); get it again, or"
                " export it again with this torch"
            ) from None
        self.words: dict[str, str] = {}
        self.stated_delay: int | None = None
        self.knobs: tuple[Knob, ...] = ()
        self._forward: Callable[[Tensor, Tensor], Tensor]
        inner = getattr(loaded, "w2w_base", loaded)
        if hasattr(inner, "get_native_sample_rates"):
            self._neutone(inner)
        else:
            self._tilde(loaded)

    def _tilde(self, module: Any) -> None:
        """RAVE and nn~: methods with their ratios; or a ``forward`` alone."""
        self.module = module
        params = {
            name: [int(v) for v in getattr(module, f"{name}_params").reshape(-1)]
            for name in ("forward", "encode", "decode")
            if isinstance(getattr(module, f"{name}_params", None), Tensor)
        }
        params = {name: p for name, p in params.items() if len(p) == 4 and min(p) > 0}
        methods = [m for m in ("forward", "encode", "decode") if module._c._has_method(m)]
        latents = 0
        if {"encode", "decode"} <= set(methods) and "encode" in params:
            latents = params["encode"][2]
            self.make = "RAVE" if latents else "nn~"
        elif "forward" in methods:
            self.make = "nn~" if params else "TorchScript"
        else:
            raise ModelError(
                f"it has the methods {', '.join(module._c._method_names()) or 'none'}; expected"
                " 'forward', or 'encode' and 'decode'"
            )
        wide = params.get("forward", params.get("encode", [1]))[0]
        if wide > 2:
            raise ModelError(f"it takes {wide} channels; a sound of one or two is expected")

        def forward(x: Tensor, knobs: Tensor) -> Tensor:
            x = x.expand(1, wide, -1).contiguous() if wide > 1 else x
            if not latents:
                return module.forward(x)
            z = module.encode(x)
            moved = min(latents, MOST_LATENTS)
            offset = torch.nn.functional.pad(knobs, (0, z.shape[1] - moved))
            return module.decode(z + offset.reshape(1, -1, 1))

        self._forward = forward
        self.sample_rate = _rate(module)
        ratio = max((max(p[1], p[3]) for p in params.values()), default=1)
        if latents:
            self.knobs = tuple(
                Knob(f"latent_{i + 1}", f"knob_{i}", -3.0, 3.0, 0.0)
                for i in range(min(latents, MOST_LATENTS))
            )
        self.hop = self._shortest(ratio * -(-SHORTEST // ratio))

    def _neutone(self, module: Any) -> None:
        self.module, self.make = module, "Neutone"
        rates = [int(r) for r in module.get_native_sample_rates()]
        self.sample_rate = next((r for r in _PLAYED if r in rates or not rates), (rates or [0])[0])
        sizes = sorted(int(n) for n in module.get_native_buffer_sizes())
        wide = 1 if module.is_input_mono() else 2
        about = _metadata(module)
        for key, name in (("name", "model_name"), ("summary", "model_short_description")):
            if about.get(name):
                self.words[key] = plain_text(about[name])[:200]
        authors = about.get("model_authors")
        if isinstance(authors, list) and authors:
            self.words["author"] = plain_text(", ".join(map(str, authors)))[:200]
        rows = _knobs(about.get("neutone_parameters"))
        self.knobs = tuple(k for k, _ in rows)
        defaults = torch.zeros(max([4, *(at + 1 for _, at in rows)]))
        for knob, at in rows:
            defaults[at] = knob.default
        places = [at for _, at in rows]

        def forward(x: Tensor, knobs: Tensor) -> Tensor:
            x = x[0].expand(wide, -1).contiguous()
            columns = list(defaults.split(1))
            for at, value in zip(places, knobs.split(1), strict=True):
                columns[at] = value
            params = torch.cat(columns).reshape(-1, 1).repeat(1, x.shape[1])
            return module.forward(x, params)[None]

        self._forward = forward
        if sizes:
            self.hop = sizes[0]
            if not 0 < self.hop <= LONGEST:
                raise ModelError(f"its buffer has {self.hop} samples; 1..{LONGEST} is expected")
            self._told(self.hop)
        else:
            self.hop = self._shortest(SHORTEST, self._told)
        for method in ("calc_model_delay_samples", "calc_min_delay_samples"):
            if self.stated_delay is None and module._c._has_method(method):
                self.stated_delay = int(getattr(module, method)())

    def _told(self, hop: int) -> None:
        """Tell a Neutone model the size of its buffer, and reset it."""
        module = self.module
        if module._c._has_method("set_sample_rate_and_buffer_size"):
            module.set_sample_rate_and_buffer_size(self.sample_rate, hop)
        elif module._c._has_method("set_buffer_size"):
            module.set_buffer_size(hop)
        if module._c._has_method("reset"):
            module.reset()

    def _shortest(self, first: int, told: Callable[[int], None] | None = None) -> int:
        """The shortest hop that comes back as long as it went in."""
        hop, last = first, ""
        while hop <= LONGEST:
            try:
                if told is not None:
                    told(hop)
                y = self.run(torch.zeros(1, 1, hop), self.at_rest(), _zeros)
                if y.shape[2] == hop:
                    return hop
                last = f"{hop} samples come back as {y.shape[2]}"
            except ModelError as error:
                last = str(error)
            hop *= 2
        raise ModelError(f"no block of {first} to {LONGEST} samples comes back as long: {last}")

    def at_rest(self) -> Tensor:
        """Default values of its knobs ``[n]``."""
        return torch.tensor([k.default for k in self.knobs])

    def run(self, x: Tensor, knobs: Tensor, give: Callable[[Any], Tensor]) -> Tensor:
        """One hop ``[1, 1, hop]`` on the state it has; the first channel of what comes.

        Parameters
        ----------
        give : callable
            What it draws, see :class:`.draws.Draws`.

        Raises
        ------
        ModelError
            The script fails.
        """
        mode = Draws(give)
        try:
            with mode:
                y = self._forward(x, knobs)
        except Exception as error:  # the interpreter's errors have no common base
            raise (mode.problem or ModelError(f"it fails: {reason(error)}")) from None
        if not isinstance(y, Tensor) or y.ndim != 3 or y.dtype != torch.float32:
            what = f"{y.dtype} {list(y.shape)}" if isinstance(y, Tensor) else type(y).__name__
            raise ModelError(f"it gives {what}; a sound [1, channels, samples] is expected")
        return y[:1, :1]


def reason(error: BaseException) -> str:
    """The last words of an error of torch, short enough for a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = plain_text((lines or [type(error).__name__])[-1])
    for at, line in enumerate(
        lines
    ):  # the interpreter's own last word, its reason in the next line
        if re.match(r"(?:\w+Error|Exception)\b", line):
            text = plain_text(" ".join(lines[at : at + 2]))
    return text[:200]


def _zeros(draw: Any) -> Tensor:
    return torch.zeros(draw[1])


def _check_code(path: Path) -> None:
    """Refuse code that opens files: nothing that sounds does.

    Raises
    ------
    ModelError
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith(".py"):
                    continue
                if entry.file_size > LARGEST_CODE:
                    raise ModelError(f"it holds more than {LARGEST_CODE >> 20} MiB of code")
                found = _WRITES.search(archive.read(entry))
                if found:
                    raise ModelError(
                        f"its code opens files ({found[0].decode()}); no sound needs it"
                    )
    except (OSError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile):
        raise ModelError("it is a damaged archive; get it again") from None


def _rate(module: Any) -> int:
    """Sample rate that a model of nn~ says [Hz], or 0."""
    for name in ("sr", "sampling_rate", "sample_rate"):
        value = getattr(module, name, None)
        if isinstance(value, Tensor) and value.numel() == 1:
            value = value.item()
        if isinstance(value, int | float) and LOWEST_RATE <= value <= HIGHEST_RATE:
            return round(value)
    return 0


def _metadata(module: Any) -> dict[str, Any]:
    for method in ("to_metadata", "to_core_metadata"):
        if module._c._has_method(method):
            try:
                return dict(getattr(module, method)()._asdict())
            except (RuntimeError, AttributeError):
                continue
    return {}


def _knobs(rows: Any) -> Sequence[tuple[Knob, int]]:
    """Knobs of a Neutone model and their rows among its parameters."""
    found: list[tuple[Knob, int]] = []
    for key, row in (rows or {}).items() if isinstance(rows, dict) else ():
        place = re.fullmatch(r"p(\d{1,2})", str(key))
        if not place or not isinstance(row, dict) or str(row.get("used", "True")) != "True":
            continue
        name = re.sub(r"\W+", "_", str(row.get("name", key)).lower(), flags=re.ASCII).strip("_")
        kind = str(row.get("type", "knob"))
        if kind not in ("knob", "continuous"):
            continue
        try:
            default = min(max(float(row.get("default_value", 0.0)), 0.0), 1.0)
        except ValueError:
            default = 0.0
        taken = {k.name for k, _ in found}
        name = name[:40] if name and name[:40] not in taken else str(key)
        found.append((Knob(name, f"knob_{len(found)}", 0.0, 1.0, default), int(place[1]) - 1))
    return found
