"""Sites of a miRNA in a 3'UTR: types, positions, 3' pairing.

Names and positions follow TargetScan: a site of type 8mer pairs with miRNA nucleotides 2-8 and has A opposite
nucleotide 1; 7mer-m8 lacks the A, 7mer-A1 lacks nucleotide 8, 6mer both; 6mer-A1 pairs with 2-6 and has the A; the
offset 6mer (6mer-m8) pairs with 3-8. Sources: Bartel 2009, doi 10.1016/j.cell.2009.01.002; Grimson et al. 2007,
doi 10.1016/j.molcel.2007.06.017; bulge at the pivot: Chi, Hannon, Darnell 2012, doi 10.1038/nsmb.2230.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from senexo.targets.pairing import supplementary
from senexo.targets.rna import Mirna, reverse_complement

CANONICAL = ("8mer", "7mer-m8", "7mer-A1", "6mer", "6mer-m8", "6mer-A1")  # best first; 6mer-m8 is the offset 6mer
VARIANTS = ("3'-compensatory", "G:U", "bulge")
LEAST_COMPENSATION = 4.0  # 3' pairing score from which an imperfect seed counts as compensated
COOPERATIVE = (8, 40)  # nucleotides between the starts of two seed matches


@dataclass(frozen=True, slots=True)
class Site:
    """A site of a miRNA in a 3'UTR.

    Attributes
    ----------
    type
        One of `CANONICAL` or `VARIANTS`.
    start, end
        First and last nucleotide of the seed match in the UTR, counted from 1 at the 5' end.
    opposite_1
        Position of the nucleotide opposite the first of the miRNA, counted from 1.
    supplementary
        Score of the 3' pairing (`senexo.targets.pairing.supplementary`).
    flaw
        What is imperfect in the seed of a variant ("G:U at 4", "bulge after 5"); "" for canonical sites.
    """

    type: str
    start: int
    end: int
    opposite_1: int
    supplementary: float
    flaw: str = ""


def find_sites(utr: str, mirna: Mirna, *, variants: bool = True) -> list[Site]:
    """All sites of a miRNA in a 3'UTR, by position.

    Parameters
    ----------
    utr
        The sequence in RNA letters, as `senexo.targets.rna.rna` returns them. Ambiguous letters (N) pair with nothing.
    mirna
        The miRNA.
    variants
        Whether to look for imperfect seeds too (one G:U pair or one bulge in an otherwise complete seed 2-8); they are
        3'-compensatory when their 3' pairing scores 4 or more.

    Returns
    -------
    list of Site
        Each position has one type, the best that fits.

    Examples
    --------
    >>> [site] = find_sites("GGGG" + "CACUGCCA" + "GGGG", Mirna("hsa-miR-34c-5p", "AGGCAGUGUAGUUAGCUGAUUGC"))
    >>> site.type, site.start, site.end
    ('8mer', 5, 12)
    """
    sites = [*_canonical(utr, mirna)]
    if variants:
        taken = {site.opposite_1 for site in sites}
        sites += [site for site in _variants(utr, mirna) if not taken & {site.opposite_1, site.opposite_1 - 1}]
    return sorted(sites, key=lambda site: (site.opposite_1, site.start))


def _canonical(utr: str, mirna: Mirna) -> Iterator[Site]:
    core, seven, eight = _core(mirna), mirna.sequence[6], mirna.sequence[7]
    pair7, pair8, offset = reverse_complement(seven), reverse_complement(eight), _offset(mirna)
    at = utr.find(core)
    while at >= 0:
        opposite = at + 5  # 0-based, opposite miRNA nucleotide 1
        a1 = opposite < len(utr) and utr[opposite] == "A"
        m7 = at >= 1 and utr[at - 1] == pair7
        m8 = m7 and at >= 2 and utr[at - 2] == pair8
        kind = _type(m7=m7, m8=m8, a1=a1)
        if kind:
            start = at - (2 if m8 else 1 if m7 else 0)
            yield _site(utr, mirna, kind, start, opposite + (1 if a1 else 0), opposite)
        at = utr.find(core, at + 1)
    at = utr.find(offset)
    while at >= 0:
        if not utr.startswith(core[-1], at + 6):  # nucleotide 2 pairs too: a 7mer-m8 or better, found above
            yield _site(utr, mirna, "6mer-m8", at, at + 6, at + 7)
        at = utr.find(offset, at + 1)


def _type(*, m7: bool, m8: bool, a1: bool) -> str:
    if m8:
        return "8mer" if a1 else "7mer-m8"
    if m7:
        return "7mer-A1" if a1 else "6mer"
    return "6mer-A1" if a1 else ""


def _variants(utr: str, mirna: Mirna) -> Iterator[Site]:
    flaws = _flawed(mirna)
    for found in re.finditer(f"(?=({'|'.join(flaws)}))", utr):
        match = found.group(1)
        start, opposite = found.start(), found.start() + len(match)
        site = _site(utr, mirna, "", start, opposite, opposite)
        kind = flaws[match].split()[0] if site.supplementary < LEAST_COMPENSATION else VARIANTS[0]
        yield Site(kind, site.start, site.end, site.opposite_1, site.supplementary, flaws[match])


@lru_cache(maxsize=256)
def _flawed(mirna: Mirna) -> dict[str, str]:
    """Targets of seed 2-8 with one G:U pair or one bulged target nucleotide -> what is wrong with them."""
    perfect, flaws = reverse_complement(mirna.seed), dict[str, str]()
    for k, base in enumerate(mirna.seed):
        if base in "GU":
            place = len(perfect) - 1 - k
            wobble = "U" if base == "G" else "G"
            flaws.setdefault(perfect[:place] + wobble + perfect[place + 1 :], f"G:U at {k + 2}")
    for k in range(3, 7):  # the target nucleotide bulges between miRNA nucleotides k and k + 1
        place = 8 - k
        for base in "ACGU":
            if base not in (perfect[place - 1], perfect[place]):
                flaws.setdefault(perfect[:place] + base + perfect[place:], f"bulge after {k}")
    return flaws


def _site(utr: str, mirna: Mirna, kind: str, start: int, end: int, opposite: int) -> Site:
    return Site(kind, start + 1, end, opposite + 1, supplementary(utr, mirna, opposite, kind))


def _core(mirna: Mirna) -> str:
    """What pairs with nucleotides 2 to 6."""
    return reverse_complement(mirna.sequence[1:6])


def _offset(mirna: Mirna) -> str:
    """What pairs with nucleotides 3 to 8."""
    return reverse_complement(mirna.sequence[2:8])


def cooperative(sites: list[Site]) -> list[bool]:
    """Whether a site has a canonical neighbour 8 to 40 nt away (start to start), where two act together.

    Sources: Grimson et al. 2007; Saetrom et al. 2007, doi 10.1093/nar/gkm133.
    """
    low, high = COOPERATIVE
    starts = [site.start for site in sites if site.type in CANONICAL]
    return [
        site.type in CANONICAL and any(low <= abs(site.start - other) <= high for other in starts) for site in sites
    ]
