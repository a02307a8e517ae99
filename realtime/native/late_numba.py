"""Numba's decorators and names, with Numba itself imported only once compiled code is needed.

Numba and LLVM take 0.7 s of processor time and 60 MiB.  Processes that turn knobs, show a page or
print help import the modules of kernels for their records and names and never run one; there a
kernel stays an object that knows how it would be made.  ::

    @njit(nogil=True, cache=True)
    def gain(block, factor): ...            # nothing is imported

    gain(block, 0.5)                        # Numba is imported, gain compiled or found on the disk

Whoever needs a kernel first makes it, in any thread; called inside another kernel it is the same
function to Numba.
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable
from typing import Any

from .cache import share_kernels

_making = threading.RLock()


class Late:
    """An object of Numba's, made when it is first used.

    Parameters
    ----------
    make : callable
        Makes it.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._made = make, None

    @property
    def real(self) -> Any:
        """The object itself."""
        if self._made is None:
            with _making:
                if self._made is None:
                    share_kernels()
                    self._made = self._make()
        return self._made

    @property
    def _numba_type_(self) -> Any:
        """What Numba asks a value of compiled code for."""
        from numba.core.registry import cpu_target

        real = self.real
        cpu_target.typing_context.refresh()
        return cpu_target.typing_context.resolve_value_type(real)

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        return self.real(*arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked by those who look at any object
            raise AttributeError(name)
        return getattr(self.real, name)

    def __reduce__(self) -> Any:
        return self.real.__reduce__()


def njit(*function: Callable[..., Any], **options: Any) -> Any:
    """``numba.njit``, later."""

    def decorate(inner: Callable[..., Any]) -> Late:
        def make() -> Any:
            import numba

            return numba.njit(**options)(inner)

        kernel = Late(make)
        functools.update_wrapper(kernel, inner, updated=())
        return kernel

    return decorate(*function) if function else decorate


def cfunc(*arguments: Any, **options: Any) -> Any:
    """``numba.cfunc``, at once: written inside the function that hands out its address."""
    import numba

    share_kernels()
    return numba.cfunc(*arguments, **options)


def named(name: str, module: str = "numba") -> Late:
    """What `module` calls `name`, later."""
    return Late(lambda: getattr(importlib.import_module(module, __package__), name))


carray: Any = named("carray")
types: Any = Late(lambda: importlib.import_module("numba").types)
