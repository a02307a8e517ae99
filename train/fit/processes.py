"""Devices, processes and signals: everything that Lightning Fabric arranges.

``--processes 2`` starts the second process itself.  Under ``torchrun`` and Slurm, which start all
of them, the number is read from the environment:
``torchrun --nproc-per-node 2 -m realtime.cli train fit tube-amp``.  Several machines must share the
folder, since each process reads ``last.pt`` itself.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from types import FrameType, TracebackType
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor, distributed

from realtime.errors import ConfigError, RestyleError

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("32-true", "bf16-mixed")
PATIENCE = timedelta(hours=6)  # others wait while one process renders the data


def surroundings(processes: int) -> tuple[int, int]:
    """Processes per machine and machines, as torchrun or Slurm say, else ``processes, 1``."""
    env = os.environ
    if "TORCHELASTIC_RUN_ID" in env:
        local = int(env["LOCAL_WORLD_SIZE"])
        return local, int(env["WORLD_SIZE"]) // local
    if "SLURM_PROCID" in env and int(env.get("SLURM_NTASKS", 1)) > 1:
        nodes = int(env.get("SLURM_NNODES", 1))
        return int(env["SLURM_NTASKS"]) // nodes, nodes
    return processes, 1


def is_first() -> bool:
    """Is this the process that speaks?  Known before anything is launched."""
    env = os.environ
    return int(env.get("RANK") or env.get("SLURM_PROCID") or env.get("LOCAL_RANK") or 0) == 0


def make_fabric(device: str = "auto", precision: str = "32-true", processes: int = 1) -> Fabric:
    """Choose device, precision and processes.

    Raises
    ------
    ConfigError
        One of them is unknown or not here.
    """
    if device not in DEVICES:
        raise ConfigError(f"no device '{device}'; there are {', '.join(DEVICES)}")
    if precision not in PRECISIONS:
        raise ConfigError(f"no precision '{precision}'; there are {', '.join(PRECISIONS)}")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("torch sees no CUDA device here; say --device cpu")
    local, nodes = surroundings(processes)
    if local < 1:
        raise ConfigError(f"{processes} processes; one is the least")
    if device == "cuda" and local > torch.cuda.device_count():
        raise ConfigError(
            f"{local} processes want as many GPUs; there are {torch.cuda.device_count()}"
        )
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # no banners
    strategy: Any = "auto"
    if local * nodes > 1:
        # Fabric would share out all cores otherwise
        os.environ.setdefault("OMP_NUM_THREADS", str(torch.get_num_threads()))
        backend = "nccl" if device == "cuda" else "gloo"
        strategy = DDPStrategy(process_group_backend=backend, timeout=PATIENCE)
    return Fabric(
        accelerator=device,
        strategy=strategy,
        devices=local,
        num_nodes=nodes,
        precision=precision,  # type: ignore[arg-type]
    )


def agree(fabric: Fabric, stop: bool, minutes: float) -> tuple[bool, float]:
    """One answer for all processes: does anyone want to stop, and the mean time spent."""
    if fabric.world_size == 1:
        return stop, minutes
    said = torch.tensor([float(stop), minutes], dtype=torch.float64)
    total: Any = fabric.all_reduce(said.to(fabric.device), reduce_op="sum")
    return bool(total[0] > 0), float(total[1]) / fabric.world_size


def together(fabric: Fabric, action: Callable[[], object]) -> None:
    """Let the first process do `action`; if it fails, the others end without a word.

    Raises
    ------
    RestyleError
        What `action` raised, in the first process.
    """
    failed = None
    if fabric.is_global_zero:
        try:
            action()
        except RestyleError as error:
            failed = error
    if fabric.world_size > 1 and fabric.broadcast(failed is not None) and failed is None:
        raise SystemExit(0)
    if failed is not None:
        raise failed


class _Gather(torch.autograd.Function):
    """All processes' tensors ``[processes, ...]``; backwards, the sum of what each asks for."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, x)
        return torch.stack(parts)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous()
        distributed.all_reduce(total)
        return total[distributed.get_rank()]


def gather_rows(x: Tensor) -> Tensor:
    """Undo :func:`train.fit.batches.share`, with gradients: rows of all processes in their old
    order.

    If every process then takes the same loss of the result, the gradients that DDP averages are
    those of one process with the whole batch.
    """
    gathered: Tensor = _Gather.apply(x.contiguous())  # type: ignore[no-untyped-call]
    return gathered.transpose(0, 1).reshape(-1, *x.shape[1:])


class Stop:
    """Remember Ctrl-C or SIGTERM until the running step is over; a second one acts at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._remember)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
