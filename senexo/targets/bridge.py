"""From a 3'UTR to two numbers of a circuit: how many sites, and how weak they are beside an 8mer.

A circuit follows one occupancy, that of an 8mer, theta = a/(a + K8). A gene with sites of dissociation constants K_i is
repressed by the sum of a/(a + K_i). The two numbers n, k with n a/(a + k K8) in its place are chosen to give that sum
where an 8mer is occupied to a fifth and to four fifths. For one site, and for equal ones, that is exact everywhere and
n is their number; an 8mer with a site five times as weak is off by 7 % at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from senexo.targets.affinity import Affinity, affinity, constants, kd_draws
from senexo.targets.rna import Mirna
from senexo.targets.sites import CANONICAL, Site, find_sites

DRAWS = 4000
MATCHED = (0.25, 4.0)  # free miRNA in units of the 8mer's KD


@dataclass(frozen=True, slots=True)
class Strength:
    """The sites of a gene as `n` equal sites of `k` times the KD of an 8mer.

    Attributes
    ----------
    n
        Number of equal sites; 0 without a site.
    k
        Their KD over that of an 8mer; 1 without a site.
    low, high
        Range of a log-uniform law of k with the standard deviation that ln k has over the uncertainty of the KDs.
    sites
        The canonical sites that were found.
    """

    n: float
    k: float
    low: float
    high: float
    sites: tuple[Site, ...]


def strength(gene: str, utr: str, mirna: Mirna) -> Strength:
    """Number and affinity of a miRNA's canonical sites in a 3'UTR, relative to a full 8mer of the same miRNA.

    The affinity of the 8mer is a parameter of the circuit; only what other types and flanks add is uncertain here.

    Parameters
    ----------
    gene
        Name of the gene; it keys the draws of the KDs.
    utr
        Its 3'UTR in RNA letters.
    mirna
        The miRNA.

    Examples
    --------
    >>> mirna = Mirna("hsa-miR-34c-5p", "AGGCAGUGUAGUUAGCUGAUUGC")
    >>> found = strength("g", "GGGUCCACUGCCAGAGGG", mirna)
    >>> round(found.n, 3), round(found.k, 3)
    (1.0, 1.0)
    """
    sites = [site for site in find_sites(utr, mirna, variants=False) if site.type in CANONICAL]
    if not sites:
        return Strength(0.0, 1.0, 1.0, 1.0, ())
    found = [_beside_8mer(affinity(utr, site), site.type) for site in sites]
    reference = constants()["kd_8mer"].value
    weakness = np.exp([one.log_kd for one in found]) / reference
    low, high = (float(np.sum(free / (free + weakness))) for free in MATCHED)
    k = (high - low) / (low / MATCHED[0] - high / MATCHED[1])
    n = low * (MATCHED[0] + k) / MATCHED[0]
    kds = kd_draws(found, [site.type for site in sites], [(gene, site.start) for site in sites], DRAWS, 0)
    spread = float(np.exp(np.sqrt(3.0) * np.std(np.log(np.sum(reference / kds, axis=1)))))
    return Strength(round(n, 9), k, k / spread, k * spread, tuple(sites))


def _beside_8mer(one: Affinity, kind: str) -> Affinity:
    """What all 8mers of this miRNA have in common is uncertain in the circuit's own constant, not here once more."""
    return replace(one, sd_mirna=0.0) if kind == "8mer" else one
