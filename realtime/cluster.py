"""A Ray cluster: how one is reached, and what became of its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import ConfigError


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """The package ``ray``, connected to a cluster until the end.

    Parameters
    ----------
    address : str
        ``auto`` for the cluster this machine belongs to, ``local`` for one made here, or its
        address.

    Raises
    ------
    ConfigError
        Ray is not installed, or there is no cluster.
    """
    try:
        import ray
    except ImportError:
        raise ConfigError(
            "--ray needs the package ray; install it with: pip install 'restyle[ray]'"
        ) from None
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except Exception as error:
        raise ConfigError(f"no Ray cluster at {address}: {error}") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def next_ended(ray: Any, flying: dict[Any, Any]) -> Iterator[tuple[Any, Any, str]]:
    """Wait for the next task and take it out of `flying`.

    Parameters
    ----------
    flying : dict
        What each reference stands for.

    Yields
    ------
    tuple
        What it stands for, its result, and an empty text; or None and Ray's words where it failed.
    """
    done, _ = ray.wait(list(flying), num_returns=1)
    for reference in done:
        one = flying.pop(reference)
        try:
            yield one, ray.get(reference), ""
        except ray.exceptions.RayError as error:
            yield one, None, str(error).strip().splitlines()[-1]
