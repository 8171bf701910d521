"""Names of groups that may be one group."""

from __future__ import annotations

from collections.abc import Iterable

from senexo.assays.patients.outcome import same_word


def alike_note(column: str, names: Iterable[str]) -> list[str]:
    """What to say of names that differ by case, blanks or punctuation only, which are groups of their own.

    >>> alike_note("arm", ["a", "A", "b"])
    ["arm: 'a' and 'A' are groups of their own, though their names differ by case, blanks or punctuation only"]
    """
    first: dict[str, list[str]] = {}
    for name in names:
        first.setdefault(same_word(name), []).append(name)
    return [
        f"{column}: {' and '.join(f'{name!r}' for name in own)} are groups of their own, though their names differ by "
        "case, blanks or punctuation only"
        for own in first.values()
        if len(own) > 1
    ]
