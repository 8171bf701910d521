"""RNA letters: sequences are read strictly and kept in one alphabet (A, C, G, U and N)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from senexo.base.errors import Fault, InvalidInput

COMPLEMENT = str.maketrans("ACGU", "UGCA")
# IUPAC codes that stand for more than one base: a site is never called on a base that is not known.
AMBIGUOUS = "RYSWKMBDHVN"
_PLAIN = str.maketrans("Tt" + AMBIGUOUS + AMBIGUOUS.lower() + "acgu", "UU" + "N" * 2 * len(AMBIGUOUS) + "ACGU")
_FOREIGN = re.compile("[^ACGUN]")
_GAPS = re.compile(r"[-.\s*]")
SHORTEST, LONGEST = 16, 30  # nucleotides of a mature miRNA


def rna(text: str, *, where: str = "sequence") -> str:
    """Letters of DNA or RNA, either case, as A, C, G, U; ambiguous IUPAC letters as N.

    InvalidInput names the first letter that is none, gaps included, and its position (1-based).

    >>> rna("cactgccaRT")
    'CACUGCCANU'
    """
    plain = text.translate(_PLAIN)
    if not plain:
        raise InvalidInput([Fault(where, "no letters", "a sequence of A, C, G, U or T")])
    if foreign := _FOREIGN.search(plain):
        letter, position = foreign.group(), foreign.start() + 1
        gap = _GAPS.match(letter) is not None
        expected = "a sequence without gaps" if gap else "A, C, G, U or T, or an IUPAC code of them"
        raise InvalidInput([Fault(f"{where}, position {position}", repr(letter), expected)])
    return plain


def reverse_complement(sequence: str) -> str:
    """The strand that pairs with it, 5' to 3'; N stays N.

    >>> reverse_complement("GGCAGUG")
    'CACUGCC'
    """
    return sequence.translate(COMPLEMENT)[::-1]


@dataclass(frozen=True, slots=True)
class Mirna:
    """A mature miRNA.

    Attributes
    ----------
    name
        Its name, for example hsa-miR-34c-5p.
    sequence
        5' to 3'; 16 to 30 nt, kept in RNA letters.
    accession
        miRBase's accession, "" where not known.

    Raises
    ------
    InvalidInput
        For a sequence of another length, or with ambiguous letters.
    """

    name: str
    sequence: str
    accession: str = ""

    def __post_init__(self) -> None:
        plain = rna(self.sequence, where=f"miRNA {self.name}")
        if "N" in plain or not SHORTEST <= len(plain) <= LONGEST:
            found = "an ambiguous letter" if "N" in plain else f"{len(plain)} nucleotides"
            expected = f"{SHORTEST} to {LONGEST} nucleotides A, C, G, U: a mature miRNA"
            raise InvalidInput([Fault(f"miRNA {self.name}", found, expected)])
        object.__setattr__(self, "sequence", plain)

    @property
    def seed(self) -> str:
        """Nucleotides 2 to 8."""
        return self.sequence[1:8]


# Seen in miRBase (accessions); the seed of miR-34b-5p is shifted by one against the other two.
MIR34 = (
    Mirna("hsa-miR-34a-5p", "UGGCAGUGUCUUAGCUGGUUGU", "MIMAT0000255"),
    Mirna("hsa-miR-34b-5p", "UAGGCAGUGUCAUUAGCUGAUUG", "MIMAT0000685"),
    Mirna("hsa-miR-34c-5p", "AGGCAGUGUAGUUAGCUGAUUGC", "MIMAT0000686"),
)
