"""Sample-by-sample losses, for styles whose output keeps the input's phase."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def esr(y: Tensor, target: Tensor) -> Tensor:
    """Error-to-signal ratio, ``sum (y - t)^2 / sum t^2`` (Wright et al., 2019); no pre-emphasis.

    A ratio of sums over the whole batch: quiet examples weigh little.
    """
    return (y - target).square().sum() / (target.square().sum() + 1e-9)


def pre_emphasis(x: Tensor, coefficient: float = 0.85) -> Tensor:
    """First-order high-pass ``x[n] - c x[n-1]``, which weighs errors as the ear does."""
    return x[..., 1:] - coefficient * x[..., :-1]


def identity(
    convert: Callable[[Tensor], Tensor], styled: Tensor, latency: int = 0, begin: int = 0
) -> Tensor:
    """How much a converter changes what has the style already (Taigman et al., DTN, 2017).

    Parameters
    ----------
    convert : callable
        ``[batch, n] -> [batch, n]``, `latency` samples late.
    styled : Tensor [shape=(batch, n)]
        Sound of the style itself.
    latency, begin : int [samples]
        Delay of the converter; warm-up to leave out.

    Returns
    -------
    Tensor
        Mean absolute difference over that of silence, so 0 is identity and 1 is muting.
    """
    y = convert(styled)[..., latency:]
    kept = styled[..., : y.shape[-1]]
    y, kept = y[..., begin:], kept[..., begin:]
    return (y - kept).abs().mean() / (kept.abs().mean() + 1e-5)
