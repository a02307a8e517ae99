"""The rack: which voices play, and the changes from one to the next.

Every change is prepared in the caller's thread, taken up by the callback (another voice) or by the
worker (another engine between the chains), and freed here when it has ceased to sound.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..engine.engine import Engine
from ..errors import ConfigError, StreamError
from ..models.steppable import Steppable
from ..stages.chain import Chain
from ..stream.path import BlockPath
from ..stream.record import StreamMemory
from ..stream.transport import Transport
from ..stream.voice import Voice
from ..stream.worker import Worker
from .config import StreamConfig
from .lanes import Playable, make_voice

CHANGE_SECONDS = 5.0  # a change that has not been taken up by then is an error


class Rack:
    """Voices of one stream; the base of :class:`realtime.session.session.Session`.

    Attributes
    ----------
    engine : Engine
        The newest one.
    lane : str
        ``inline`` or ``worker``.
    lane_reason : str
        Why, in one sentence.
    """

    memory: StreamMemory

    def __init__(
        self, config: StreamConfig, device: Transport, channels: int, fixed_latency: int | None
    ) -> None:
        self.config, self.device, self.channels = config, device, channels
        self.fixed_latency, self._identities, self._running = fixed_latency, 0, False
        self._owned: list[Steppable] = []  # models to be closed here
        self._old: list[tuple[Playable, Steppable | None]] = []
        self._now: Playable | None = None

    @property
    def _playing(self) -> Playable:
        assert self._now is not None
        return self._now

    def _build(
        self,
        model: Steppable | None,
        pre: Chain | None,
        post: Chain | None,
        lane: str | None = None,
        controls: Any = None,
    ) -> Playable:
        """Make a voice for `model` and chains, at the gains and mix in force."""
        device, config = self.device, self.config
        engine = self._engine_for(model, controls)
        if lane is not None:
            config = StreamConfig(lane=lane, worker_blocks=config.worker_blocks)
        self._identities += 1
        return make_voice(
            BlockPath(engine, pre, post),
            config,
            device,
            identity=self._identities,
            fixed_latency=self.fixed_latency,
        )

    def _engine_for(self, model: Steppable | None, controls: Any = None) -> Engine:
        c, now = self.config, self._now
        gains = {"mix": c.mix, "input_gain": c.input_gain, "output_gain": c.output_gain}
        if now is not None:
            gains = {k: now.voice.path.engine.get(k) for k in gains}
        device_rate = self.device.sample_rate
        rate = model.card.sample_rate if model is not None else device_rate
        return Engine(
            model,
            channels=self.channels,
            sample_rate=rate,
            controls=controls,
            block_size=self.device.block_size if rate == device_rate else None,
            **gains,
        )

    # -- what plays ---------------------------------------------------------------------------

    @property
    def voice(self) -> Voice:
        """The newest voice."""
        return self._playing.voice

    @property
    def path(self) -> BlockPath:
        """Its engine and chains."""
        return self.voice.path

    @property
    def engine(self) -> Engine:
        """The newest engine."""
        return self.path.newest

    @property
    def lane(self) -> str:
        """``inline`` or ``worker``."""
        return self.voice.mode

    @property
    def lane_reason(self) -> str:
        """Why, in one sentence."""
        return self._playing.reason

    @property
    def worker(self) -> Worker | None:
        """The newest voice's worker."""
        return self._playing.worker

    # -- changes while sound runs ---------------------------------------------------------------

    def own(self, model: Steppable) -> None:
        """Take over a model: it is closed when it has ceased to sound, or the session stops."""
        self._owned.append(model)

    def swap(
        self,
        model: Steppable | None,
        controls: Any = None,
        lane: str | None = None,
        at: int | None = None,
    ) -> None:
        """Crossfade to another model, or to none; the chains stay.

        The session owns `model` from now on and closes it when it has ceased to sound.  `at` is a
        position of the path, where there are chains.

        Raises
        ------
        ConfigError
            A model that does not fit the stream or its chains; what plays goes on.
        """
        if at is None:
            self.settle()
        path = self.path
        if path.native:
            self.replace(model, None, None, controls, lane)
            return
        engine = self._engine_for(model, controls)
        other_rate = engine.sample_rate != path.engine.sample_rate
        if path.block_length % engine.hop_length or other_rate or self.fixed_latency is not None:
            raise ConfigError(
                f"the model's hop of {engine.hop_length} samples at {engine.sample_rate} Hz does"
                f" not fit the chain's blocks of {path.block_length} at {path.engine.sample_rate};"
                " replace model and chains together"
            )
        self._swap_inside(engine, model, at)

    def replace(
        self,
        model: Steppable | None,
        pre: Chain | None,
        post: Chain | None,
        controls: Any = None,
        lane: str | None = None,
        gains: Mapping[str, float] | None = None,
    ) -> None:
        """Crossfade to another model with other chains, all of it anew; see :meth:`swap`.

        `gains` (``mix``, ``input_gain``, ``output_gain``, ``bypass``) come with the new voice; by
        default those in force go on.
        """
        self.settle()
        if not self._running:
            raise ConfigError("nothing plays yet; give the model to the session instead")
        new = self._build(model, pre, post, lane, controls)
        own = dict(gains or {})
        new.voice.record["own_bypass"] = own.pop("bypass", -1.0)
        for name, value in own.items():
            new.voice.engine.set(name, value)
        if gains is not None:
            new.voice.engine.settle()
            new.voice.record["own_gains"] = 1
            engine = new.voice.engine
            new.voice.record["conceal_gain"] = engine.get("input_gain") * engine.get("output_gain")
        new.voice.record["beat"] = self.memory.beat
        for chain in new.voice.path.chains:
            for slot in chain.slots:
                slot.start_quietly()
        if new.worker is not None:
            new.worker.start()
        self._old.append((self._playing, self.path.engine.model))
        self.memory.offer(new.voice)
        if model is not None:
            self.own(model)
        self._now = new

    def _swap_inside(self, engine: Engine, model: Steppable | None, at: int | None) -> None:
        """Swap the engine between the chains, which play on."""
        path, voice = self.path, self.voice
        scratch = BlockPath(engine)
        for _ in range(64):
            scratch.process(np.zeros((self.channels, scratch.block_length), dtype=np.float32))
        scratch.reset()
        self._identities += 1
        identity, old = self._identities, path.engine.model
        engine.lane["identity"] = identity
        engine.lane["budget_ns"] = path.engine.lane["budget_ns"]

        def change() -> None:
            path.bring_in(engine)
            voice.record["identity"], voice.record["lane"] = identity, engine.address

        path.edit(f"swap {identity}", change, at)
        if model is not None:
            self.own(model)
        self._old.append((self._playing, old))

    @property
    def pending(self) -> bool:
        """Whether something that ceases to sound is still to be freed."""
        return bool(self._old)

    @property
    def changing(self) -> bool:
        """Whether a crossfade between voices or engines is under way."""
        return self.memory.changing or self.path.editing

    def settle(self, seconds: float = CHANGE_SECONDS) -> None:
        """Wait until the changes under way have been heard out, and free what has ceased to sound.

        Raises
        ------
        StreamError
            The device does not call any more.
        """
        end = time.monotonic() + seconds
        while self._running and self.changing:
            if time.monotonic() > end or not self.device.active:
                raise StreamError("a change was not taken up: the device does not call")
            time.sleep(0.002)
        self.tidy()

    def tidy(self) -> None:
        """Free what has ceased to sound (control thread)."""
        if self.changing:
            return
        self.memory.collect()
        for playable, model in self._old:
            if playable is not self._playing:
                if playable.worker is not None:
                    playable.worker.stop()
                playable.voice.path.let_go()
            if model in self._owned:
                self._owned.remove(model)
                model.close()
        self._old.clear()
        for chain in self.path.chains:
            chain.gone.clear()
