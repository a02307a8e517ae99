"""The OSC address space: what each address does to a surface; see docs/control.md.

==============================  ============  ======================================================
``/restyle/style``              ``s``         change the model; an empty text takes it out
``/restyle/blend``              ``sfsf…``     all weights, scaled to sum to 1
``/restyle/blend/NAME``         ``f``         one weight, the others share the rest
``/restyle/mix``                ``f``         0 dry .. 1 wet
``/restyle/bypass``             ``i`` T F     1 lets the input through
``/restyle/mute``               ``i`` T F     1 silences what is given out
``/restyle/talk``               ``i`` T F     1 is heard, 0 is muted: push-to-talk
``/restyle/toggle``             ``s``         turn a switch over: mute, bypass, 2.bypass
``/restyle/preset``             ``s``         a preset by name
``/restyle/scene``              ``s`` or i    recall a scene, by name or number from 1
``/restyle/scene/keep``         ``s``         keep where the parameters stand under that name
``/restyle/scenes``                           answers how many there are, and their names
``/restyle/setlist``            ``i``         the preset of that number in the setlist, from 1
``/restyle/next`` and others                  an action: ``previous``, ``next_scene``,
                                              ``previous_scene``, ``compare``, ``panic``, ``tap``
``/restyle/param``              ``sf``        any parameter; ``s`` alone answers its value
``/restyle/param/NAME``         ``f``         likewise; without argument answers its value
``/restyle/stage/2/NAME``       ``f``         likewise of a stage: ``2.NAME``; ``3/1/2`` in a group
``/restyle/params``                           answers one message for each parameter
``/restyle/styles``                           answers the names of all models
``/restyle/status``                           answers style, preset, bypass
``/restyle/tuner``                            answers note, cents and Hz; 0 Hz where none is heard
``/restyle/ping``                             answers ``/restyle/pong``
``/restyle/meters/subscribe``   ``s i [f]``   levels to host and port, at a rate in Hz
``/restyle/meters/unsubscribe`` ``s i``       no more
==============================  ============  ======================================================

Other addresses do what the session file maps them to.  Where it maps any, unknown ones that are not
restyle's own are passed over: other programs tell everybody everything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from ..errors import ControlError, nearest
from ..parameters.mapping import ACTIONS, OscMapping
from ..parameters.parameter import BLEND, SWITCH, find_parameter
from ..parameters.readings import TUNER, note_name
from ..parameters.surface import Surface, turn
from .osc_arguments import Arguments, Sender, none, number, one, rate, target, text
from .osc_meters import Subscriptions
from .osc_packet import Message
from .switches import MOMENTARY, Switch
from .takeover import Hand

ROOT = "/restyle/"
# what this side sends: never answered, so that two servers cannot keep each other busy
REPLIES = ("/restyle/error", "/restyle/pong", "/restyle/params/end")


class AddressSpace:
    """Carries out messages on a surface.

    Parameters
    ----------
    surface : Surface
    subscriptions : Subscriptions
    mappings : sequence of OscMapping
        What addresses of other programs do.
    """

    def __init__(
        self,
        surface: Surface,
        subscriptions: Subscriptions,
        mappings: Sequence[OscMapping] = (),
    ) -> None:
        self._surface, self._subscriptions = surface, subscriptions
        self._hand = Hand(surface)
        self._mapped = [(m, Switch(MOMENTARY)) for m in mappings]
        self._handlers: dict[str, Callable[[Arguments, Sender], list[Message]]] = {
            "style": self._style,
            "blend": self._blend,
            "mix": lambda a, _: self._turn("mix", a),
            "bypass": functools.partial(self._switch, "bypass", True),
            "mute": functools.partial(self._switch, "mute", True),
            "talk": functools.partial(self._switch, "mute", False),
            "toggle": self._toggle,
            "preset": self._preset,
            "scene": self._scene,
            "scene/keep": self._keep_scene,
            "scenes": self._scenes,
            "setlist": self._setlist,
            **{action: functools.partial(self._act, action) for action in ACTIONS},
            "param": self._param,
            "params": self._params,
            "styles": self._styles,
            "status": self._status,
            "tuner": self._tuner,
            "ping": self._ping,
            "meters/subscribe": self._subscribe,
            "meters/unsubscribe": self._unsubscribe,
        }

    def do(self, address: str, arguments: Arguments, sender: Sender) -> list[Message]:
        """Carry out one message; return the answers for its sender.

        Raises
        ------
        RestyleError
            Unknown address, wrong arguments, or the surface refuses; nothing has changed then.
        """
        if address in REPLIES:
            return []
        if self._mapped and not address.startswith(ROOT):
            for mapping, switch in self._mapped:
                if mapping.address == address:
                    self._follow(mapping, switch, arguments)
            return []
        name = address.removeprefix(ROOT)
        if address.startswith(ROOT) and name in self._handlers:
            return self._handlers[name](arguments, sender)
        group, _, rest = name.partition("/")
        if address.startswith(ROOT) and rest and group == "param":
            return self._param([rest, *arguments], sender)
        if address.startswith(ROOT) and rest and group == "blend":
            weights = [p for p in self._surface.parameters() if p.kind == BLEND]
            return self._turn(find_parameter(weights, rest).name, arguments)
        if address.startswith(ROOT) and rest and group == "stage":
            return self._param([rest.replace("/", "."), *arguments], sender)
        known = [ROOT + h for h in self._handlers]
        raise ControlError(
            f"unknown address {address}{nearest(address, known)}; there are {', '.join(known)}"
        )

    # -- changes ----------------------------------------------------------------------------------

    def _turn(self, name: str, arguments: Arguments) -> list[Message]:
        turn(self._surface, name, number(name, one(name, "a number", arguments)))
        return []

    def _style(self, arguments: Arguments, _: Sender) -> list[Message]:
        name = text("style", one("style", "a name", arguments))
        known = self._surface.styles() if name else ()
        if name and name not in known:  # a surface may also take files: not from the network
            raise ControlError(
                f"there is no style '{name}'{nearest(name, known)}; there are {', '.join(known)}"
            )
        self._surface.style(name or None)
        return []

    def _preset(self, arguments: Arguments, _: Sender) -> list[Message]:
        name = text("preset", one("preset", "a name", arguments))
        if any(c in name for c in "/\\") or name.endswith(".toml"):  # files: not from the network
            raise ControlError(f"'{name[:80]}' is no name for a preset; take one that is saved")
        self._surface.load_preset(name)
        return []

    def _scene(self, arguments: Arguments, _: Sender) -> list[Message]:
        which = one("scene", "a name or a number", arguments)
        if isinstance(which, bool) or not isinstance(which, int | str):
            raise ControlError(f"scene takes a name (s) or a number from 1 (i), got {which!r}")
        self._surface.recall(which)
        return []

    def _keep_scene(self, arguments: Arguments, _: Sender) -> list[Message]:
        self._surface.keep_scene(text("scene/keep", one("scene/keep", "a name", arguments)))
        return []

    def _setlist(self, arguments: Arguments, _: Sender) -> list[Message]:
        number_ = one("setlist", "a number from 1", arguments)
        if type(number_) is not int:
            raise ControlError(f"setlist takes a number from 1 (i), got {number_!r}")
        self._surface.go(number_)
        return []

    def _act(self, action: str, arguments: Arguments, _: Sender) -> list[Message]:
        pressed = not arguments or one(action, "nothing, or 1 for pressed", arguments)
        if pressed not in (0, 1):
            raise ControlError(f"{action} takes nothing, or 1 for pressed, got {pressed!r}")
        if pressed:
            self._surface.act(action)
        return []

    def _switch(self, name: str, on: bool, arguments: Arguments, _: Sender) -> list[Message]:
        value = one(name, "0 or 1", arguments)
        if value not in (0, 1):
            raise ControlError(f"{name} takes 0, 1, T or F, got {value!r}")
        self._surface.set(name, float(bool(value) is on))
        return []

    def _toggle(self, arguments: Arguments, _: Sender) -> list[Message]:
        name = text("toggle", one("toggle", "the name of a switch", arguments))
        parameter = find_parameter(self._surface.parameters(), name)
        if parameter.kind != SWITCH:
            raise ControlError(f"{parameter.name} is no switch; set it by {ROOT}param")
        self._surface.set(parameter.name, float(parameter.value < 0.5))
        return []

    def _follow(self, mapping: OscMapping, switch: Switch, arguments: Arguments) -> None:
        """Do what another program's message is mapped to."""
        value = one(mapping.address, "a number", arguments)
        position = mapping.position(
            float(value) if isinstance(value, bool) else number(mapping.address, value)
        )
        if mapping.target == "parameter" and mapping.mode == "set":
            self._hand.move(mapping, position)
        elif switch.press(position, 0.0):
            self._hand.press(mapping)

    def _blend(self, arguments: Arguments, _: Sender) -> list[Message]:
        if not arguments or len(arguments) % 2:
            raise ControlError("blend takes names and weights in turn: s f s f …")
        names = [text("blend", n) for n in arguments[::2]]
        weights = [number(n, w) for n, w in zip(names, arguments[1::2], strict=True)]
        if len(set(names)) != len(names):
            raise ControlError("blend names one of its styles twice")
        self._surface.blend(dict(zip(names, weights, strict=True)))
        return []

    def _param(self, arguments: Arguments, _: Sender) -> list[Message]:
        if not 1 <= len(arguments) <= 2:
            raise ControlError("param takes a name and a number, or a name to be told its value")
        name = text("param", arguments[0])
        if len(arguments) == 1:
            return [(ROOT + "param", [name, float(self._surface.get(name))])]
        return self._turn(name, arguments[1:])

    # -- answers ----------------------------------------------------------------------------------

    def _ping(self, arguments: Arguments, _: Sender) -> list[Message]:
        none("ping", arguments)
        return [(ROOT + "pong", [])]

    def _styles(self, arguments: Arguments, _: Sender) -> list[Message]:
        none("styles", arguments)
        return [(ROOT + "styles", list(self._surface.styles()))]

    def _scenes(self, arguments: Arguments, _: Sender) -> list[Message]:
        none("scenes", arguments)
        names = list(self._surface.status().get("scenes", ()))
        return [(ROOT + "scenes", [len(names), *names])]  # never empty, as a question is

    def _params(self, arguments: Arguments, _: Sender) -> list[Message]:
        none("params", arguments)
        found = self._surface.parameters()
        rows: list[Message] = [
            (ROOT + "params", [p.name, p.unit, p.minimum, p.maximum, p.default, p.kind, p.value])
            for p in found
        ]
        return [*rows, (ROOT + "params/end", [len(found)])]

    def _status(self, arguments: Arguments, _: Sender) -> list[Message]:
        none("status", arguments)
        found = self._surface.status()
        texts = [str(found.get(key) or "") for key in ("style", "preset")]
        return [(ROOT + "status", [*texts, int(bool(found.get("bypass")))])]

    def _tuner(self, arguments: Arguments, _: Sender) -> list[Message]:
        none("tuner", arguments)
        found = self._surface.meters()
        if "tuner_hz" not in found:
            raise ControlError('no Tuner stands in the path; put a stage effect = "Tuner" into it')
        hertz, note, cents = (float(found[name]) for name in TUNER)
        return [(ROOT + "tuner", [note_name(note) if hertz else "", cents, hertz])]

    def _subscribe(self, arguments: Arguments, sender: Sender) -> list[Message]:
        near = (sender[0], "127.0.0.1", "::1")  # nobody's flood is sent elsewhere
        self._subscriptions.add(*target(arguments, sender), *rate(arguments), near=near)
        return []

    def _unsubscribe(self, arguments: Arguments, sender: Sender) -> list[Message]:
        self._subscriptions.remove(*target(arguments, sender))
        return []
