"""Pairing of a miRNA's 3' half with the UTR upstream of a seed match.

Source: Grimson et al. 2007, doi 10.1016/j.molcel.2007.06.017 (the score of TargetScan).
"""

from __future__ import annotations

from senexo.targets.rna import COMPLEMENT, Mirna

LARGEST_OFFSET = 15  # nucleotides that either side may loop out
CENTRE = range(13, 17)  # miRNA nucleotides whose pairs count 1, the others 1/2


def supplementary(utr: str, mirna: Mirna, opposite_1: int, kind: str) -> float:
    """Score of the best uninterrupted run of Watson-Crick pairs between the miRNA's 3' half and the UTR.

    A pair with miRNA nucleotide 13-16 counts 1, any other 1/2; each nucleotide by which one side loops out more than
    the other beyond two costs 1/2. Runs of two pairs or more count. opposite_1: 0-based place in the UTR opposite
    nucleotide 1. Returns 0 or more.
    """
    first = 8 if kind in ("8mer", "7mer-m8", "6mer-m8", "") else 7  # 0-based first nucleotide behind the seed match
    tail = mirna.sequence[first:].translate(COMPLEMENT)
    upstream = utr[max(0, opposite_1 - first - len(tail) - LARGEST_OFFSET + 1) : opposite_1 - first + 1][::-1]
    best = 0.0
    for offset in range(-LARGEST_OFFSET, LARGEST_OFFSET + 1):
        penalty = max(0.0, (abs(offset) - 2) / 2.0)
        run, length = 0.0, 0
        for k in range(max(0, -offset), len(tail)):
            if k + offset >= len(upstream):
                break
            if tail[k] == upstream[k + offset]:
                run += 1.0 if first + k + 1 in CENTRE else 0.5
                length += 1
                if length >= 2:
                    best = max(best, run - penalty)
            else:
                run, length = 0.0, 0
    return best
