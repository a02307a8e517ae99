"""Move a playing session to another device; the old one goes on when the new cannot be opened."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

from ..errors import DeviceError, RestyleError
from ..session.spec import DeviceSpec, Spec
from .engine_link import Link
from .shared_memory import Board
from .supervisor import Keeper


class Mover(Keeper):
    """Adds the change of device to :class:`realtime.host.supervisor.Keeper`."""

    def change_device(self, device: DeviceSpec, *, may_pause: bool = False) -> None:
        """Play the session on another device, opened beside the old one.

        Parameters
        ----------
        device : DeviceSpec
        may_pause : bool
            Where the new device cannot be opened beside the old, as when both are one card that
            only one program may have: stop the old one first, and open it again if that fails.

        Raises
        ------
        RestyleError
            The new device cannot be had; the old one plays.
        """
        with self._lock:
            fresh = self._standby or Link(Board(), self._heard)
            self._standby = None
            try:
                fresh.wait_ready()
                self._take_over(fresh, device)
            except DeviceError:
                if not may_pause:
                    self._drop(fresh)
                    raise
                self._with_a_pause(fresh, device)
            except RestyleError:
                self._drop(fresh)
                raise
            finally:
                if self._standby_wanted and not self._closing and self._standby is None:
                    self._standby = Link(Board(), self._heard)

    def _take_over(self, fresh: Link, device: DeviceSpec) -> None:
        """Open the session on `fresh` and let the old engine go; knobs wait meanwhile."""
        old = self.link
        with self._state:
            spec = replace(self.spec, device=device)
            opened = self._open(fresh, spec)
            self.link, self.spec, self.now = fresh, spec, opened
        self._engine_replaced()
        threading.Thread(target=_let_go, args=(old,), name="restyle-let-go", daemon=True).start()

    def _with_a_pause(self, fresh: Link, device: DeviceSpec) -> None:
        old, before = self.link, self.spec.device
        old.end()  # its device is free now; a watchdog that notices waits for the lock
        try:
            self._take_over(fresh, device)
        except RestyleError:
            try:
                self._take_over(fresh, before)
            except RestyleError as error:
                self._drop(fresh)
                self.replace_engine(old, str(error))  # tries until the old device is back
            raise

    def _drop(self, link: Link) -> None:
        link.kill()
        link.board.close()


def _let_go(link: Link) -> None:
    with suppress(RestyleError, OSError):
        link.end()
    link.board.close()


def with_device(spec: Spec, input: str | None, output: str | None, block: int | None) -> DeviceSpec:
    """The session's device spec with other devices; channel maps were those of the old ones."""
    return replace(
        spec.device,
        kind="portaudio",
        tape=None,
        input=input,
        output=output,
        block_size=block,
        in_map=None,
        out_map=None,
    )
