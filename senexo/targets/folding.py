"""Accessibility and duplex energy with ViennaRNA, where it is installed.

ViennaRNA's licence is not one of the Open Source Initiative, so it is an optional extra (`pip install senexo[rna]`);
without it these columns stay empty and the result says so. Source: Lorenz et al. 2011, doi 10.1186/1748-7188-6-26.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from senexo.targets.rna import Mirna
from senexo.targets.sites import Site

# As the biochemical model folds: 14 nt unpaired, windows of 80 nt, pairs within 40 nt.
UNPAIRED, WINDOW, SPAN = 14, 80, 40
CONTEXT = 35  # nt upstream of the site that the miRNA's 3' half may reach


@lru_cache(maxsize=1)
def vienna() -> Any | None:
    """The module RNA, or None."""
    try:
        import RNA
    except ImportError:
        return None
    return RNA


def missing() -> tuple[str, ...]:
    """The note for results without ViennaRNA; none where it is installed."""
    if vienna() is not None:
        return ()
    return ("ViennaRNA is not installed (pip install 'senexo[rna]'): accessibility and duplex energy are left out",)


def openness(utr: str, sites: Sequence[Site]) -> list[float | None]:
    """Probability that the 14 nt opposite miRNA nucleotides 14 to 1 are all unpaired; None without ViennaRNA."""
    fold = vienna()
    if fold is None or not sites:
        return [None] * len(sites)
    table = fold.pfl_fold_up(utr, UNPAIRED, min(WINDOW, len(utr)), min(SPAN, len(utr)))
    return [
        float(table[site.opposite_1][UNPAIRED]) if UNPAIRED <= site.opposite_1 <= len(utr) else None for site in sites
    ]


def duplex_energy(mirna: Mirna, sequence: str) -> float | None:
    """kcal/mol of the best duplex of the miRNA with a sequence; None without ViennaRNA."""
    fold = vienna()
    return None if fold is None else float(fold.duplexfold(mirna.sequence, sequence).energy)


def duplex_energies(mirna: Mirna, utr: str, sites: Sequence[Site]) -> list[float | None]:
    """kcal/mol of the best duplex of the miRNA with the UTR around each site; None without ViennaRNA."""
    around = [utr[max(0, site.opposite_1 - CONTEXT) : site.opposite_1 + 3] for site in sites]
    return [duplex_energy(mirna, piece) for piece in around]
