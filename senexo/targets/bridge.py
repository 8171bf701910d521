"""From a 3'UTR to two numbers of a circuit: how many sites, and how weak they are beside an 8mer.

A circuit follows one occupancy, that of an 8mer, theta = a/(a + K8). A gene with sites of dissociation constants K_i is
repressed by the sum of a/(a + K_i). Two numbers n, k with n a/(a + k K8) in its place are exact at both ends: all sites
occupied (n = their number) and few (n/k = sum of K8/K_i); in between the error is second order in how unequal they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from senexo.targets.affinity import Affinity, affinity, constants, kd_draws
from senexo.targets.rna import Mirna
from senexo.targets.sites import CANONICAL, Site, find_sites

DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Strength:
    """`n` canonical sites, together as strong as n sites of `k` times the 8mer's KD; low, high: range of a log-uniform
    law with the standard deviation that ln k has over the uncertainty of the KDs. k is 1 where n is 0."""

    n: int
    k: float
    low: float
    high: float
    sites: tuple[Site, ...]


def strength(gene: str, utr: str, mirna: Mirna) -> Strength:
    """Number and affinity of a miRNA's canonical sites in a 3'UTR, against a full 8mer of the same miRNA.

    What this miRNA's 8mer itself binds like is the circuit's own parameter; here only what the other types and the
    flanks add is uncertain.

    >>> mirna = Mirna("hsa-miR-34c-5p", "AGGCAGUGUAGUUAGCUGAUUGC")
    >>> found = strength("g", "GGGUACACUGCCAGAGGG", mirna)
    >>> found.n, round(found.k, 3)
    (1, 1.0)
    """
    sites = [site for site in find_sites(utr, mirna, variants=False) if site.type in CANONICAL]
    if not sites:
        return Strength(0, 1.0, 1.0, 1.0, ())
    found = [_beside_8mer(affinity(utr, site), site.type) for site in sites]
    reference = constants()["kd_8mer"].value
    central = len(sites) / float(np.sum(reference / np.exp([one.log_kd for one in found])))
    kds = kd_draws(found, [site.type for site in sites], [(gene, site.start) for site in sites], DRAWS, 0)
    spread = float(np.std(np.log(len(sites) / np.sum(reference / kds, axis=1)))) * np.sqrt(3.0)
    return Strength(len(sites), central, central * np.exp(-spread), central * np.exp(spread), tuple(sites))


def _beside_8mer(one: Affinity, kind: str) -> Affinity:
    """What all 8mers of this miRNA have in common is uncertain in the circuit's own constant, not here once more."""
    return replace(one, sd_mirna=0.0) if kind == "8mer" else one
