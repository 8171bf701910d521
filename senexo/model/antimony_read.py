"""Antimony text into a network, by way of SBML; runs only in the parser's process (see `base.sandbox`)."""

from __future__ import annotations

import math
import re
from typing import Any

import antimony

from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.model import sbml_read

# What can hold the word `import` without meaning it: strings and the three kinds of comment.
_QUIET = re.compile(
    r'"""(?s:.*?)(?:"""|\Z)|"[^"\n]*"?|/\*(?s:.*?)(?:\*/|\Z)|//[^\n]*|\#[^\n]*|\'\'\'(?s:.*?)(?:\'\'\'|\Z)'
)
_IMPORT = re.compile(r"\bimport\b")
_NO_ASCII = re.compile(r"[A-Za-z0-9_]*(?P<sign>[^\x00-\x7f])\w*")
_EXPONENT = re.compile(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+")


def read_plain(data: bytes) -> list[Any]:
    """The network of an Antimony text as plain data: the task that the parser's process runs."""
    sbml = to_sbml(data).encode()
    try:
        return sbml_read.read_plain(sbml)
    except InvalidModel as error:
        raise InvalidModel(f"in the SBML that Antimony makes of it, {error}") from None


def to_sbml(data: bytes) -> str:
    """The SBML that Antimony makes of its text: the module marked `*`, or the last one, with submodels joined in.

    Numbers keep 15 digits (Antimony writes no more). Raises `UnsupportedFeature` for ``import`` (a model is
    one file and reads no other) and `InvalidModel` with Antimony's own message and line.
    """
    text = _decoded(data)
    _refuse(text)
    if antimony.loadAntimonyString(text) < 0:
        raise InvalidModel(" ".join(antimony.getLastError().split()))
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def _refuse(text: str) -> None:
    """Raise for an ``import`` statement, and for numbers too large for a float, which Antimony reads as 1."""
    bare = _QUIET.sub(lambda quiet: re.sub(r"[^\n]", " ", quiet.group()), text)
    if strange := _NO_ASCII.search(bare):
        place, sign = strange.start("sign"), strange["sign"]
        raise InvalidModel(
            f"line {_line(bare, place)}: {strange.group():.40}: the sign {sign!r} is not allowed here; ids are made of"
            " A-Z, a-z, 0-9 and _ (other signs may stand in comments and in texts between quotation marks)"
        )
    found = _IMPORT.search(bare)
    if found:
        raise UnsupportedFeature("import", f"line {_line(bare, found.start())}; put everything into one file")
    for number in _EXPONENT.finditer(bare):
        if math.isinf(float(number.group())):
            raise InvalidModel(f"line {_line(bare, number.start())}: {number.group():.40} is too large for a number")


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _decoded(data: bytes) -> str:
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidModel(f"line {line}: not UTF-8 text") from None
    if "\0" in text:
        raise InvalidModel("not a text file")
    return text
