"""Antimony text into a network, by way of SBML; runs only in the parser's process (see `base.sandbox`)."""

from __future__ import annotations

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


def read_plain(data: bytes) -> list[Any]:
    """The network of an Antimony text as plain data: the task that the parser's process runs."""
    return sbml_read.read_plain(to_sbml(data).encode())


def to_sbml(data: bytes) -> str:
    """The SBML that Antimony makes of its text: the module marked `*`, or the last one, with submodels joined in.

    Raises `UnsupportedFeature` for ``import`` (a model is one file and reads no other) and `InvalidModel`
    with Antimony's own message and line.
    """
    text = _decoded(data)
    refuse_import(text)
    if antimony.loadAntimonyString(text) < 0:
        raise InvalidModel(" ".join(antimony.getLastError().split()))
    return str(antimony.getSBMLString(antimony.getMainModuleName()))


def refuse_import(text: str) -> None:
    """Raise `UnsupportedFeature` for an ``import`` statement, wherever it stands on a line."""
    bare = _QUIET.sub(lambda quiet: re.sub(r"[^\n]", " ", quiet.group()), text)
    found = _IMPORT.search(bare)
    if found:
        line = bare.count("\n", 0, found.start()) + 1
        raise UnsupportedFeature("import", f"line {line}; put everything into one file")


def _decoded(data: bytes) -> str:
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidModel(f"line {line}: not UTF-8 text") from None
    if "\0" in text:
        raise InvalidModel("not a text file")
    return text
