"""TOML from an unknown source: nesting, keys and digits are counted before the text is parsed.

The parser of the standard library keeps a table of every prefix of a dotted key (80 kB of dots take gigabytes) and
recurses into nested brackets, as everything does that reads its result.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MOST_DEPTH = 32  # of brackets, and of the parts of one dotted key
MOST_KEYS = 20_000
MOST_DIGITS = 400  # of one number

_QUIET = re.compile(
    r'"""(?s:.*?)"""|' + r"'''(?s:.*?)'''|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'|" + r"(?P<comment>#[^\n]*)"
)
_BETWEEN = re.compile(r"[=,{}\[\]\n]")
_NUMBER = re.compile(rf"[0-9A-Fa-f_]{{{MOST_DIGITS + 1}}}")


def refusal(text: str) -> tuple[str, str] | None:
    """What in a TOML text is beyond the limits, and what is expected; None for any other text.

    >>> refusal("x = " + "[" * 40)
    ('brackets nested more than 32 deep (line 1)', 'at most 32 levels')
    """
    bare = _QUIET.sub(lambda quiet: "" if quiet["comment"] else "s" + "\n" * quiet.group().count("\n"), text)
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", bare):
        depth = depth + 1 if bracket.group() in "[{" else max(0, depth - 1)
        if depth > MOST_DEPTH:
            line = bare.count("\n", 0, bracket.start()) + 1
            return f"brackets nested more than {MOST_DEPTH} deep (line {line})", f"at most {MOST_DEPTH} levels"
    keys, line = 0, 1
    for part in _BETWEEN.finditer(bare):
        keys += part.group() == "="
    if keys > MOST_KEYS:
        return f"{keys:,} keys", f"at most {MOST_KEYS:,}"
    for words in bare.split("\n"):
        if any(part.count(".") >= MOST_DEPTH for part in _BETWEEN.split(words)):
            return f"a key of more than {MOST_DEPTH} parts (line {line})", f"at most {MOST_DEPTH} levels"
        if _NUMBER.search(words):
            return f"more than {MOST_DIGITS} digits in a row (line {line})", "a shorter number or name"
        line += 1
    return None


def loads(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises
    ------
    ValueError
        With a message: beyond the limits of this module, or no TOML.
    """
    beyond = refusal(text)
    if beyond is not None:
        raise ValueError(f"{beyond[0]}; expected {beyond[1]}")
    return tomllib.loads(text)
