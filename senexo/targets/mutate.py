"""Point mutations of a 3'UTR, as in a reporter assay with a mutated site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from senexo.base.errors import Fault, InvalidInput
from senexo.targets.rna import rna


@dataclass(frozen=True, slots=True)
class Mutation:
    """Base number `position` (1-based) of the 3'UTR `gene` becomes `base`."""

    gene: str
    position: int
    base: str

    def __str__(self) -> str:
        return f"{self.gene}:{self.position}:{self.base}"


def mutation(text: str) -> Mutation:
    """NAME:POS:BASE, for example RAB27B:3004:G.

    >>> mutation("RAB27B:3004:t")
    Mutation(gene='RAB27B', position=3004, base='U')
    """
    parts = re.fullmatch(r"(.+):(\d{1,9}):([ACGUTacgut])", text.strip())
    if parts is None:
        expected = "NAME:POSITION:BASE, for example RAB27B:3004:G (position from 1)"
        raise InvalidInput([Fault("mutation", repr(text), expected)])
    return Mutation(parts.group(1), int(parts.group(2)), rna(parts.group(3)))


def mutated(sequence: str, mutations: Iterable[Mutation], *, where: str = "3'UTR") -> str:
    """The sequence with its bases exchanged. InvalidInput for a place beyond the end or a base already there."""
    letters = list(sequence)
    for one in mutations:
        if not 1 <= one.position <= len(letters):
            expected = f"a position from 1 to {len(letters):,}"
            raise InvalidInput([Fault(f"mutation {one}", f"position {one.position:,} of {where}", expected)])
        if sequence[one.position - 1] == one.base:
            raise InvalidInput([Fault(f"mutation {one}", f"{one.base}, which is there already", "another base")])
        letters[one.position - 1] = one.base
    return "".join(letters)


def with_mutants(utrs: Iterable[tuple[str, str]], mutations: Sequence[Mutation]) -> Iterator[tuple[str, str, str]]:
    """(name, gene, sequence) of every 3'UTR, and behind a mutated one of its mutant NAME(POS:BASE,...)."""
    missing = {one.gene for one in mutations}
    for gene, sequence in utrs:
        yield gene, gene, sequence
        if own := [one for one in mutations if one.gene == gene]:
            missing.discard(gene)
            label = ",".join(f"{one.position}:{one.base}" for one in own)
            yield f"{gene}({label})", gene, mutated(sequence, own, where=gene)
    if missing:
        raise InvalidInput([Fault("mutation", f"{', '.join(sorted(missing))}, not in the file", "a name of the file")])
