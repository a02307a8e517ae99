"""Kinds of sounds, texts, presets and session logs that once went wrong."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import soundfile

from realtime.host.session_log import Played, SessionLog
from realtime.models.card import CARD_KEY
from realtime.models.metadata import write_metadata
from realtime.session.sound import Setup, Sound, Stage

from . import hostile
from .members import EITHER, PLAYS, RATE, SENTENCE, Check, Member, Try, sound

STEER = ("\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "[b]bold[/b]", "[link=x]y[/link]", "\u202egnp")


def _own(folder: Path, name: str) -> Path:
    own = folder / name
    own.mkdir(parents=True)
    return own


def _play(own: Path, path: Path, wanted: str, check: Check = lambda text: "") -> Try:
    return Try(("render", str(path), str(own / "out.wav"), "--model", "tape"), wanted, check=check)


# -- sounds ----------


def _flac(path: Path, rate: int, samples: int, channels: int = 1) -> None:
    """Change rate and count in the head of a FLAC file (RFC 9639, 8.2)."""
    data = bytearray(path.read_bytes())
    (word,) = struct.unpack(">Q", data[18:26])
    word = rate << 44 | (channels - 1) << 41 | (word >> 36 & 0x1F) << 36 | samples
    data[18:26] = struct.pack(">Q", word)
    path.write_bytes(data)


def lying_heads(folder: Path) -> Iterator[Member]:
    """Heads that claim more samples, channels or another rate than there is."""
    for k, (rate, samples, channels) in enumerate((
        (RATE, (1 << 36) - 1, 1), (RATE, 1 << 34, 1), (RATE, 10**9, 8), (1, 9600, 1),
        (655_350, 9600, 1), (RATE, 9601, 1), (0, 9600, 1),
    )):  # fmt: skip
        own = _own(folder, f"flac{k}")
        path = own / "lies.flac"
        soundfile.write(path, soundfile.read(sound(own / "in.wav"))[0], RATE, "PCM_24")
        _flac(path, rate, samples, channels)
        wanted = SENTENCE if samples > 10**7 or rate < 8000 else EITHER
        yield Member(f"FLAC: {rate} Hz, {samples} x {channels}", (_play(own, path, wanted),))
    for k, (name, at, value) in enumerate((
        ("rate of 1 Hz", "rate", 1), ("rate of 0", "rate", 0), ("rate of 2^31", "rate", 1 << 31),
        ("65,535 channels", "channels", 65_535), ("no channel", "channels", 0),
        ("data of 4 GiB", "data", 0xFFFFFFF0), ("data of 2 GiB", "data", 1 << 31),
        ("form of 4 GiB", "form", 0xFFFFFFFF), ("kind unknown", "kind", 0x7777),
    )):  # fmt: skip
        own = _own(folder, f"wav{k}")
        path = sound(own / "lies.wav")
        data = bytearray(path.read_bytes())
        fmt, body = data.index(b"fmt ") + 8, data.index(b"data") + 4
        place, form = {
            "rate": (fmt + 4, "<I"), "channels": (fmt + 2, "<H"), "kind": (fmt, "<H"),
            "data": (body, "<I"), "form": (4, "<I"),
        }[at]  # fmt: skip
        struct.pack_into(form, data, place, value)
        path.write_bytes(data)
        yield Member(f"WAV: {name}", (_play(own, path, EITHER),))
    for k, size in enumerate((32 << 30, 1 << 62)):
        own = _own(folder, f"rf64{k}")
        path = own / "lies.wav"
        soundfile.write(path, np.zeros(1000, np.float32), RATE, "FLOAT", format="RF64")
        data = bytearray(path.read_bytes())
        at = data.index(b"ds64") + 8
        struct.pack_into("<QQQ", data, at, size, size, size // 4)
        path.write_bytes(data)
        yield Member(f"RF64 of 2^{size.bit_length() - 1} bytes", (_play(own, path, EITHER),))


def cut_off(folder: Path) -> Iterator[Member]:
    """Recordings that were cut off: all but the last second plays."""
    seconds = 4.0
    for kind, shares in (("flac", (0.3, 0.5, 0.62, 0.9)), ("wav", (0.3, 0.51, 0.77, 0.999))):
        for share in shares:
            own = _own(folder, f"{kind}{share}")
            x = soundfile.read(sound(own / "in.wav", seconds))[0]
            path = own / f"cut.{kind}"
            soundfile.write(path, x, RATE, "PCM_24" if kind == "flac" else "FLOAT")
            if kind == "flac":
                _flac(path, RATE, 0)
            else:
                data = bytearray(path.read_bytes())
                struct.pack_into("<I", data, data.index(b"data") + 4, 0)
                struct.pack_into("<I", data, 4, 0)
                path.write_bytes(data)
            whole = path.read_bytes()
            path.write_bytes(whole[: int(share * len(whole))])
            least = int((seconds * share - 1.0) * RATE)
            recovered = own / f"mended.{kind}"
            tries = [Try(("recover", str(path), "--out", str(recovered)), PLAYS)]
            if kind == "flac":  # a WAV's head says how much there is: it is mended first
                tries = [_play(own, path, PLAYS, _at_least(own / "out.wav", least))]
            else:
                tries.append(_play(own, recovered, PLAYS, _at_least(own / "out.wav", least)))
            yield Member(f"{kind.upper()}, {share:.0%} of it", tuple(tries))


def _at_least(path: Path, samples: int) -> Check:
    def check(text: str) -> str:
        found = soundfile.info(path).frames
        return "" if found >= samples else f"{found} samples of {samples} play"

    return check


# -- texts ----------


def deep_texts(folder: Path) -> Iterator[Member]:
    """Presets, chains and sessions that are nested deeply, or hold numbers of 5,000 digits."""
    nine = "9" * 5000
    bodies = {
        "tables in tables": "a=" + "{a=" * 4000 + "1" + "}" * 4000,
        "lists in lists": "a=" + "[" * 60_000 + "]" * 60_000,
        "lists without end": "a=" + "[" * 60_000,
        "dotted keys": "a." * 50_000 + "b=1",
        "tables by dots": "[" + "a." * 50_000 + "b]",
        "groups in groups": "[[stage]]\ngroup=" + "[{stage=[{group=" * 500 + "[]" + "}]}]" * 500,
        "a mix of 5,000 digits": f"mix = {nine}",
        "a gain of 5,000 digits": f"[[stage]]\neffect = 'Gain'\ngain_db = {nine}",
        "hexadecimal": f"mix = 0x{'f' * 5000}",
        "a float of 5,000 digits": f"mix = 0.{nine}",
        "an exponent of 5,000 digits": f"mix = 1e{nine}",
        "a date of the year 99999": "mix = 99999-01-01",
    }
    for k, (name, body) in enumerate(bodies.items()):
        own = _own(folder, str(k))
        path = own / "shared.toml"
        path.write_text(f"format = {2 if 'stage' in body else 1}\n{body}\n")
        source, target = str(sound(own / "in.wav")), str(own / "out.wav")
        wanted = EITHER if "float" in name else SENTENCE
        tries = (
            Try(("render", source, target, "--chain", str(path)), SENTENCE),
            Try(("preset", "load", str(path)), wanted),
        )
        yield Member(name, tries)


def opens_or_writes(folder: Path) -> Iterator[Member]:
    """Sessions that let the network in or record elsewhere: they wait for a yes."""
    outside = _own(folder, "outside")
    texts = {f"OSC on {host}": f'[osc]\nhost = "{host}"\nport = 19011\n' for host in (
        "0.0.0.0", "::", "192.168.7.7", "studio.example", "",
    )}  # fmt: skip
    record = '[record]\nfolder = "{}"\ndry = true\n'
    texts |= {f"records in {name}": record.format(where) for name, where in (
        ("a folder beside it", "takes"), ("a folder above", "../../x"), ("another", str(outside)),
        ("/dev/shm", "/dev/shm/restyle-cases"),
    )}  # fmt: skip
    for k, (name, text) in enumerate(texts.items()):
        form = k % 2 + 1
        own = _own(folder, str(k))
        stage = 'model = "tape"\n' if form == 1 else '[[stage]]\nmodel = "tape"\n'
        path = own / "shared.toml"
        path.write_text(f"format = {form}\n{stage}{text}")
        source = str(sound(own / "in.wav"))
        words = ("live", "--session", str(path), "--simulate", source, "--fast")
        says = () if "OSC on" in name and name.endswith("on ") else ("--trust",)
        tries = (Try(words, SENTENCE, says),)
        yield Member(f"{name}, format {form}", tries, newer=form == 2)


CODE = """#include <stdio.h>
__attribute__((constructor)) static void run(void) {
    FILE *f = fopen("%s", "w");
    if (f) fclose(f);
}
void *GetPluginFactory(void) { return 0; }
int ModuleEntry(void *p) { return 0; }
int ModuleExit(void) { return 0; }
"""


def brings_code(folder: Path) -> Iterator[Member]:
    """Presets and chains with a shared library beside them, which waits for a yes."""
    if shutil.which("cc") is None:
        return
    stages = {
        "before the model": '[[pre]]\nplugin = "evil.vst3"\n',
        "after the model": '[[post]]\nplugin = "evil.vst3"\n',
        "by its full name": '[[post]]\nplugin = "OWN/evil.vst3"\n',
        "by dots": '[[post]]\nplugin = "../HERE/evil.vst3"\n',
        "a stage": '[[stage]]\nmodel = "tape"\n[[stage]]\nplugin = "evil.vst3"\n',
        "in a group": '[[stage]]\ngroup = [{stage = [{plugin = "evil.vst3"}]}]\n',
        "with a state": '[[stage]]\nplugin = "evil.vst3"\nstate = "AAAA"\n',
    }
    for k, (name, text) in enumerate(stages.items()):
        own = _own(folder, str(k))
        inside = _own(own, "evil.vst3/Contents/x86_64-linux")
        ran, code = folder / f"ran{k}", own / "evil.c"
        code.write_text(CODE % ran)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", inside / "evil.so", code], check=True)
        path = own / "shared.toml"
        head = 'format = 1\nmodel = "tape"\n' if "[[p" in text else "format = 2\n"
        path.write_text(head + text.replace("OWN", str(own)).replace("HERE", own.name))
        source, target = str(sound(own / "in.wav")), str(own / "out.wav")
        check = _did_not_run(ran)
        tries = [
            Try(("preset", "load", str(path)), EITHER, ("plug-in", "--trust"), check),
            Try(("render", source, target, "--preset", str(path)), SENTENCE, ("--trust",), check),
        ]
        chain = own / "chain.toml"
        chain.write_text(path.read_text().removeprefix(head))
        words = ("render", source, target, "--chain", str(chain))
        tries.append(Try(words, SENTENCE, ("--trust",), check))
        yield Member(name, tuple(tries), newer="[[p" not in text)


def _did_not_run(path: Path) -> Check:
    return lambda text: "the code was run" if path.exists() else ""


# -- session logs ----------


def logs_that_reach_out(folder: Path) -> Iterator[Member]:
    """Session logs that name devices, pipes and other files: a sentence, soon."""
    for k, name in enumerate((
        "/dev/zero", "/dev/urandom", "/proc/self/mem", "PIPE", "FOLDER", "/dev/tty",
    )):  # fmt: skip
        own = _own(folder, str(k))
        os.mkfifo(own / "pipe.onnx")
        model = name.replace("PIPE", str(own / "pipe.onnx")).replace("FOLDER", str(own))
        setup = Setup(Sound((Stage(model=model, identity=1),)))
        log = SessionLog(2, setup, "inline", Played(64, 64), (), {model: "x"}, {}, 0, 0, 0, 0)
        old: dict[str, Any] = {"format": 1, "spec": {"model": model}, "lane": "inline",
                               "changes": [], "models": {model: "x"}}  # fmt: skip
        for form, text in (("2", msgspec.json.encode(log)), ("1", json.dumps(old).encode())):
            capture = _own(own, f"capture{form}")
            (capture / "session.json").write_bytes(text)
            np.save(capture / "journal.npy", np.array([[0.0, 1.0, 64.0, 0.0]]))
            for part in ("input.wav", "output.wav"):
                sound(capture / part)
            tries = (Try(("replay", str(capture))),)
            yield Member(f"a model {name}, format {form}", tries, newer=form == "2")
    for part in ("input.wav", "output.wav", "session.json", "journal.npy"):
        own = _own(folder, part)
        log = SessionLog(2, Setup(), "inline", Played(64, 64), (), {}, {}, 0, 0, 0, 0)
        (own / "session.json").write_bytes(msgspec.json.encode(log))
        np.save(own / "journal.npy", np.array([[0.0, 1.0, 64.0, 0.0]]))
        for wav in ("input.wav", "output.wav"):
            sound(own / wav)
        (own / part).unlink()
        (own / part).symlink_to("/dev/zero")
        yield Member(f"{part} is /dev/zero", (Try(("replay", str(own))),), newer=True)


# -- surroundings and words ----------


def odd_surroundings(folder: Path) -> Iterator[Member]:
    """Folders in the environment that are none, and a capture on a full disk."""
    source = str(sound(_own(folder, "sound") / "in.wav"))
    for k, value in enumerate((
        "~nosuchuser/x", "/dev/null", "/nowhere", "/proc/1/fd", "\udcff\udcfe",
    )):  # fmt: skip
        out = str(_own(folder, f"models{k}") / "out.wav")
        render = Try(("render", source, out, "--model", "tape"), EITHER)
        yield Member(f"RESTYLE_MODELS={value!r}", (render,), {"RESTYLE_MODELS": value})
        listed = Try(("preset", "list"), EITHER)
        yield Member(f"RESTYLE_PRESETS={value!r}", (listed,), {"RESTYLE_PRESETS": value})
    full = _own(folder, "full")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "none", full], capture_output=True
    )
    if mounted.returncode == 0:
        try:
            long = str(sound(folder / "sound" / "long.wav", 5.0))
            for words in (("--capture", str(full / "c")), ("--simulate-out", str(full / "o.wav"))):
                live = ("live", "tape", "--simulate", long, "--fast", *words)
                yield Member(f"{words[0]} on a full disk", (Try(live, EITHER),))
            words = ("render", long, str(full / "r.wav"), "--model", "tape")
            yield Member("render on a full disk", (Try(words, SENTENCE),))
        finally:
            subprocess.run(["umount", full], check=False)


def steering_names(folder: Path) -> Iterator[Member]:
    """Words that would steer a terminal, in cards, presets and names of files: shown as text."""
    for k, words in enumerate(STEER):
        own = _own(folder, str(k))
        models, presets = _own(own, "models"), _own(own, "presets")
        card = {**hostile.CARD.to_dict(), "summary": f"S{words}E", "title": f"T{words}E"}
        made = write_metadata(hostile.harmless(), {CARD_KEY: json.dumps(card)})
        (models / "shown.onnx").write_bytes(made)
        (presets / "lead.toml").write_text(
            f'format = 2\nname = "lead"\nnote = {json.dumps(f"N{words}E")}\n'
            '[[stage]]\neffect = "Gain"\n'
        )
        (presets / "bad.toml").write_text(f"format = 2\n{json.dumps(f'K{words}E')} = 1\n")
        check = _harmless(words)
        yield Member(repr(words), (
            Try(("models",), PLAYS, (str(card["name"]),), check),
            Try(("preset", "list"), PLAYS, ("lead",), check),
            Try(("preset", "load", "bad"), SENTENCE, (), check),
        ), {"RESTYLE_MODELS": str(models), "RESTYLE_PRESETS": str(presets)})  # fmt: skip


def _harmless(words: str) -> Check:
    def check(text: str) -> str:
        if words.startswith("["):
            flat = "".join(text.split())
            return "" if words.replace(" ", "") in flat else "its words are eaten"
        return "steers the terminal" if words in text else ""

    return check
