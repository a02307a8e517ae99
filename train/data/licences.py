"""Licences of recordings: SPDX expressions, checked so that a card never says nonsense."""

from __future__ import annotations

import re

from realtime.errors import ConfigError, nearest

OWN = "own-recording"  # made by the person who adds it, who keeps all rights
KNOWN = frozenset(
    """
    0BSD AFL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause
    BSL-1.0 CC-BY-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-2.0 CC-BY-NC-2.5 CC-BY-NC-3.0
    CC-BY-NC-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-2.5 CC-BY-NC-SA-3.0
    CC-BY-NC-SA-4.0 CC-BY-ND-3.0 CC-BY-ND-4.0 CC-BY-SA-1.0 CC-BY-SA-2.0 CC-BY-SA-2.5 CC-BY-SA-3.0
    CC-BY-SA-4.0 CC-PDDC CC0-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 EPL-2.0
    EUPL-1.2 GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only
    GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC LAL-1.3 LGPL-2.0-only LGPL-2.0-or-later
    LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MIT-Festival MPL-2.0
    ODbL-1.0 ODC-By-1.0 OGL-UK-3.0 OPL-1.0 PDDL-1.0 Unlicense WTFPL Zlib
    """.split()
)
EXCEPTIONS = frozenset(
    ("Font-exception-2.0", "Classpath-exception-2.0", "GPL-3.0-linking-exception")
)
REFERENCE = re.compile(r"LicenseRef-[A-Za-z0-9.-]+")
TOKEN = re.compile(r"\s*([()]|[A-Za-z0-9.+_-]+)")


def check_licence(text: str | None) -> str:
    """Return the licence in SPDX's own spelling.

    An SPDX expression of licences that recordings come under, ``LicenseRef-NAME`` for terms of
    one's own, or ``own-recording``.

    Raises
    ------
    ConfigError
        Missing, unknown (the nearest name is suggested) or malformed.
    """
    text = (text or "").strip()
    if not text:
        raise ConfigError(
            "say under which licence the recordings are, e.g. --licence CC-BY-4.0, or"
            f" --licence {OWN} for your own; the model's card will name it"
        )
    if text.lower() == OWN:
        return OWN
    tokens, at = [], 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise ConfigError(f"licence '{text}': unexpected '{text[at:].strip()[:1]}'")
        tokens.append(found[1])
        at = found.end()
        while at < len(text) and text[at].isspace():
            at += 1
    rest = _either(tokens, text)
    if rest:
        raise ConfigError(f"licence '{text}': expected AND, OR or WITH before '{rest[0]}'")
    return " ".join(_spelt(token) for token in tokens).replace("( ", "(").replace(" )", ")")


def _either(tokens: list[str], text: str) -> list[str]:
    """Read one expression, return what is left: ``term ((AND | OR) term)*``."""
    rest = _term(tokens, text)
    while rest and rest[0].upper() in ("AND", "OR"):
        rest = _term(rest[1:], text)
    return rest


def _term(tokens: list[str], text: str) -> list[str]:
    if not tokens:
        raise ConfigError(f"licence '{text}' ends too early")
    first, rest = tokens[0], tokens[1:]
    if first == "(":
        rest = _either(rest, text)
        if not rest or rest[0] != ")":
            raise ConfigError(f"licence '{text}': a bracket is not closed")
        return rest[1:]
    known = {name.lower() for name in KNOWN}
    if not REFERENCE.fullmatch(first) and first.lower().removesuffix("+") not in known:
        hint = _versions(first) or nearest(first, KNOWN) or _relaxed(first)
        raise ConfigError(
            f"licence '{first}' is not an SPDX name we know{hint}; terms of your own are"
            f" LicenseRef-NAME, your own recordings {OWN}"
        )
    if rest and rest[0].upper() == "WITH":
        if len(rest) < 2 or rest[1] not in EXCEPTIONS:
            raise ConfigError(f"licence '{text}': unknown exception after WITH")
        rest = rest[2:]
    return rest


def _versions(name: str) -> str:
    """The newest versions of a licence that is named without one: GPL, CC-BY, GPL-3.0."""
    version = re.compile(re.escape(name) + r"-?[0-9.]*-?([0-9]-Clause|only|or-later)?", re.I)
    found = sorted(known for known in KNOWN if version.fullmatch(known))
    return f"; say which version, e.g. {' or '.join(found[-2:])}" if found else ""


def _relaxed(name: str) -> str:
    """The nearest name without regard to case and stops."""
    plain = {re.sub(r"[^a-z0-9]", "", known.lower()): known for known in KNOWN}
    close = nearest(re.sub(r"[^a-z0-9]", "", name.lower()), plain)
    found = re.search(r"'(.*)'", close)
    return f"; did you mean '{plain[found[1]]}'?" if found else ""


def _spelt(token: str) -> str:
    if token.upper() in ("AND", "OR", "WITH"):
        return token.upper()
    return {name.lower(): name for name in (*KNOWN, *EXCEPTIONS)}.get(token.lower(), token)
