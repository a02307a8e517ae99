"""``python -m tests.fuzz.scripts``: mutated TorchScript files, each imported as a user would.

A file of RAVE's kind and one of Neutone's are changed inside their archive: a tensor's bytes, the
pickled data, the code's lines, numbers and names, members taken out, doubled, renamed or cut off;
or as bytes.  Each is to be taken, which means proved against the script itself, or refused in a
sentence.  An import takes seconds, since torch is loaded in a child for each.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import struct
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from realtime.commands.imports import convert
from realtime.errors import RestyleError
from tests.torchscript import Queue, RaveLike, saved

Members = list[tuple[str, bytes]]
FLOATS = (float("nan"), float("inf"), -float("inf"), 1e38, -1e30, 1e-42, 0.0)
WORDS = ("0", "-1", "1", "2147483648", "9223372036854775807", "1e400", "None", "True", "[]", '"x"')
CALLS = ("torch.save", "ops.aten.system", "torch.mul", "torch.empty", "torch.rand", "torch.zeros")
SECONDS = 120.0  # over which an import counts as one that hangs; a good file takes up to 20


def _one(members: Members, draw: random.Random, like: str) -> int:
    found = [k for k, (name, data) in enumerate(members) if re.search(like, name) and data]
    return draw.choice(found)


def _tensor(members: Members, draw: random.Random) -> None:
    """Numbers of a tensor, or how many it has."""
    k = _one(members, draw, r"/data/\d+$")
    name, data = members[k]
    if draw.random() < 0.3:
        members[k] = name, data[: draw.randrange(len(data))] * draw.choice((1, 1, 3))
        return
    changed = bytearray(data)
    for _ in range(draw.choice((1, 4, 40))):
        at = draw.randrange(max(1, len(changed) // 4)) * 4
        changed[at : at + 4] = struct.pack("<f", draw.choice(FLOATS))[: len(changed) - at]
    members[k] = name, bytes(changed)


def _bytes_of(like: str) -> Callable[[Members, random.Random], None]:
    def change(members: Members, draw: random.Random) -> None:
        k = _one(members, draw, like)
        members[k] = members[k][0], damaged(members[k][1], draw)

    return change


def _code(members: Members, draw: random.Random) -> None:
    """Lines taken out, doubled, put elsewhere; numbers, names and operators changed."""
    k = _one(members, draw, r"\.py$")
    name, data = members[k]
    lines = data.decode().splitlines(keepends=True)
    for _ in range(draw.choice((1, 1, 2, 5))):
        at = draw.randrange(len(lines))
        match draw.choice(("out", "double", "move", "number", "number", "call", "loop", "name")):
            case "out" if len(lines) > 1:
                del lines[at]
            case "double":
                lines[at:at] = [lines[at]] * draw.choice((1, 2, 2000))
            case "move":
                lines.insert(draw.randrange(len(lines)), lines.pop(at))
            case "number":
                lines[at] = re.sub(r"\b\d+\b", lambda _: draw.choice(WORDS), lines[at])
            case "call":
                lines[at] = re.sub(r"\btorch\.\w+", draw.choice(CALLS), lines[at])
            case "loop":
                indent = re.match(r" *", lines[at])
                lines.insert(at, (indent[0] if indent else "") + "while True:\n")
            case "name":
                lines[at] = re.sub(r"\b_\d+\b", lambda _: f"_{draw.randrange(30)}", lines[at])
    members[k] = name, "".join(lines).encode()


def _members(members: Members, draw: random.Random) -> None:
    """A member taken out, doubled, renamed, emptied or with another's data."""
    k = draw.randrange(len(members))
    name, data = members[k]
    match draw.choice(("out", "double", "rename", "empty", "other")):
        case "out":
            del members[k]
        case "double":
            members.append((name, data[::-1]))
        case "rename":
            members[k] = draw.choice(("../../x", "/etc/x", "a" * 300, "code/x.py", "\0")), data
        case "empty":
            members[k] = name, b""
        case "other":
            members[k] = name, draw.choice(members)[1]


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Bytes changed, cut off, doubled, taken out or put in."""
    changed = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(changed) + 1)
        match draw.choice(("byte", "byte", "number", "cut", "out", "double", "in")):
            case "byte":
                changed[at : at + 1] = draw.randbytes(1)
            case "number":
                changed[at : at + 4] = struct.pack("<I", draw.choice((0, 2**31, 2**32 - 1, 4096)))
            case "cut":
                del changed[at:]
            case "out":
                del changed[at : at + draw.randint(1, 64)]
            case "double":
                changed[at:at] = changed[at : at + draw.randint(1, 4096)]
            case "in":
                changed[at:at] = draw.randbytes(draw.randint(1, 16))
    return bytes(changed)


INSIDE: dict[str, Callable[[Members, random.Random], None]] = {
    "tensors": _tensor,
    "code": _code,
    "pickles": _bytes_of(r"(data|constants)\.pkl$"),
    "members": _members,
}
KINDS = (*INSIDE, "archive")


def mutant(data: bytes, kind: str, draw: random.Random) -> bytes:
    """A file with something changed.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    """
    if kind == "archive":
        return damaged(data, draw)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    INSIDE[kind](members, draw)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:  # sums and sizes are right again
        for name, part in members:
            archive.writestr(zipfile.ZipInfo(name), part)
    return out.getvalue()


def tried(path: Path) -> tuple[str, str]:
    """``taken``, ``refused`` or ``failed``, and the sentence."""
    try:
        convert(path)
    except RestyleError as error:
        return "refused", str(error)
    except Exception as error:
        return "failed", repr(error)
    return "taken", ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try them and print what became of them; 1 where one failed or hung."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.scripts", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="files (default 1000)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    longest, wrong = 0.0, 0
    sentences: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="restyle-scripts-") as name:
        folder = Path(name)
        originals = (saved(RaveLike(), folder / "rave.ts"), saved(Queue(), folder / "neutone.nm"))
        for k in range(options.count):
            draw = random.Random(f"{options.seed} {k}")
            original, kind = originals[k % 2], KINDS[k // 2 % len(KINDS)]
            path = folder / f"mutant{original.suffix}"
            path.write_bytes(mutant(original.read_bytes(), kind, draw))
            begin = time.monotonic()
            verdict, sentence = tried(path)
            seconds = time.monotonic() - begin
            longest = max(longest, seconds)
            path.unlink()
            bad = verdict == "failed" or seconds > SECONDS or "\n" in sentence
            wrong += bad
            found[kind][verdict] += 1
            sentences[re.sub(r"[\d']+\w*|mutant\.\w+", "…", sentence)[:70]] += 1
            left = sorted(p.name for p in folder.iterdir() if p not in originals)
            if bad or left:
                print(f"{k} {kind} {original.name}: {verdict} {seconds:.0f} s {sentence} {left}")
    print(f"{options.count} files, {wrong} failed, the longest {longest:.1f} s")
    for kind in KINDS:
        print(f"  {kind}: " + ", ".join(f"{v} {n}" for v, n in sorted(found[kind].items())))
    for sentence, many in sentences.most_common(12):
        print(f"  {many} x {sentence or '(taken)'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
