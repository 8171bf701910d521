"""The cautions of a run, sorted: what a reader of the answer must know, and how the numbers were computed."""

from __future__ import annotations

import re
from collections.abc import Sequence

# words of cautions that are about the computation: they stand with the numerical checks
NUMERICS = re.compile(r"window|Langevin|simulated cell by cell|one by one|Continuous amounts|cells are simulated", re.I)


def of_biology(cautions: Sequence[str]) -> list[str]:
    """One fact per line, without those about the computation."""
    return [line for line in _lines(cautions) if not NUMERICS.search(line)]


def of_numerics(cautions: Sequence[str]) -> list[str]:
    """One fact per line, those about the computation."""
    return [line for line in _lines(cautions) if NUMERICS.search(line)]


def _lines(cautions: Sequence[str]) -> list[str]:
    """Every sentence by itself; a full stop within a number or before a small letter ends none."""
    return [line for text in cautions for line in re.split(r"(?<=[.!?]) (?=[A-Z])", text.strip()) if line]
