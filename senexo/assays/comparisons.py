"""Which arms a call compares, and how their donors belong together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import likely

DESIGNS = ("paired", "unpaired")


def pairs_of(
    known: Iterable[str], compare: Sequence[str] | Sequence[Sequence[str]] | None, where: str
) -> list[tuple[str, str]]:
    """(arm, control) of every comparison asked for, each once; InvalidInput lists arms the table does not have."""
    if not compare:
        return []
    asked = [compare] if isinstance(compare[0], str) else list(compare)
    arms = list(dict.fromkeys(known))
    faults = [
        Fault(f"{where}: compare", f"'{name}'", f"an arm of the table: {likely(str(name), arms)}")
        for pair in asked
        for name in (pair if len(pair) == 2 else [f"{len(pair)} names"])
        if name not in arms
    ]
    faults += [
        Fault(f"{where}: compare", f"{pair[0]} with itself", "two different arms")
        for pair in asked
        if len(pair) == 2 and pair[0] == pair[1]
    ]
    if faults:
        raise InvalidInput(faults)
    return list(dict.fromkeys((str(pair[0]), str(pair[1])) for pair in asked))


def check_design(design: str, where: str) -> None:
    """InvalidInput unless it is known how donors of two arms belong together."""
    if design not in DESIGNS:
        raise InvalidInput([Fault(f"{where}: design", f"'{design}'", f"one of {', '.join(DESIGNS)}")])
