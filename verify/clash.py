"""Ranking AGO2 CLASH pairs (Hejret 2023, as in BioGeMT/miRBench_paper): ours, duplex energy, seed type.

8,193 miRNA-target pairs, half of them bound. Average precision and area under the ROC curve, each with a 95 % interval
by bootstrap over pairs; and the difference to the better of the two simpler scores. Duplex energies of ViennaRNA are
held against RNAhybrid (Debian's rnahybrid; Rehmsmeier et al. 2004, doi 10.1261/rna.5248604) by rank.
"""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from senexo.targets.folding import duplex_energy, vienna
from senexo.targets.predict import best_score
from senexo.targets.rna import LONGEST, SHORTEST, Mirna, rna
from senexo.targets.sites import CANONICAL, find_sites
from verify import Check, not_run

PAIRS = Path(__file__).resolve().parents[2] / "shared" / "data" / "targets" / "AGO2_CLASH_Hejret2023_train.tsv"
BOOTSTRAPS, N_HYBRID = 1000, 300
Values = NDArray[np.float64]


def average_precision(label: Values, score: Values) -> float:
    """Mean over the positives of the precision at their rank; ties count by their last rank."""
    at = rankdata(-score, method="max")
    positive = label > 0
    above = np.searchsorted(np.sort(-score[positive]), -score[positive], side="right")
    return float(np.mean(above / at[positive]))


def area(label: Values, score: Values) -> float:
    ranks, n = rankdata(score), int(label.sum())
    return float((ranks[label > 0].sum() - n * (n + 1) / 2) / (n * (len(label) - n)))


def seed_rank(utr: str, mirna: Mirna) -> float:
    types = [site.type for site in find_sites(utr, mirna, variants=False)]
    return max((float(len(CANONICAL) - CANONICAL.index(kind)) for kind in types), default=0.0)


def read_pairs() -> list[tuple[str, Mirna, int]]:
    with PAIRS.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        (rna(row["gene"]), Mirna(row["noncodingRNA_name"], row["noncodingRNA"]), int(row["label"]))
        for row in rows
        if SHORTEST <= len(row["noncodingRNA"]) <= LONGEST
    ]


def main() -> list[Check]:
    if vienna() is None:
        return [not_run("CLASH ranking", "ViennaRNA is not installed: pip install 'senexo[rna]'")]
    pairs = read_pairs()
    label = np.array([pair[2] for pair in pairs], dtype=float)
    scores = {
        "site score": np.array([best_score(utr, mirna) for utr, mirna, _ in pairs]),
        "RNAduplex energy": np.array([-(duplex_energy(mirna, utr) or 0.0) for utr, mirna, _ in pairs]),
        "seed type": np.array([seed_rank(utr, mirna) for utr, mirna, _ in pairs]),
    }
    rng = np.random.default_rng(1)
    draws = [rng.integers(len(label), size=len(label)) for _ in range(BOOTSTRAPS)]
    checks = []
    for name, measure in (("average precision", average_precision), ("AUC", area)):
        print(f"{name}, {len(label)} pairs, {int(label.sum())} bound")
        again = {key: np.array([measure(label[d], values[d]) for d in draws]) for key, values in scores.items()}
        for key, values in scores.items():
            low, high = np.quantile(again[key], (0.025, 0.975))
            print(f"  {key:<18} {measure(label, values):.3f} ({low:.3f}-{high:.3f})")
        better = max(("RNAduplex energy", "seed type"), key=lambda key: measure(label, scores[key]))
        gain = float(np.quantile(again["site score"] - again[better], 0.025))
        checks.append(
            Check(f"CLASH {name}: gain over {better}", gain, 0.0, gain > 0, "lower 95 % bound, bootstrap", ">")
        )
    return [*checks, _hybrid(pairs)]


def _hybrid(pairs: list[tuple[str, Mirna, int]]) -> Check:
    name = "duplex energies against RNAhybrid, rank correlation"
    if shutil.which("RNAhybrid") is None:
        return not_run(name, "RNAhybrid is not installed: Debian package rnahybrid")
    chosen = [pairs[k] for k in np.random.default_rng(2).choice(len(pairs), N_HYBRID, replace=False)]
    ours = [duplex_energy(mirna, utr) for utr, mirna, _ in chosen]
    theirs = [_rnahybrid(utr, mirna) for utr, mirna, _ in chosen]
    rho = float(spearmanr(ours, theirs).statistic)
    detail = f"{N_HYBRID} pairs; RNAhybrid lower by {np.mean(np.subtract(ours, theirs)):.1f} kcal/mol on average"
    return Check(name, rho, 0.8, rho >= 0.8, detail, ">=")


def _rnahybrid(utr: str, mirna: Mirna) -> float:
    command = ["RNAhybrid", "-s", "3utr_human", "-b", "1", "-c", utr, mirna.sequence]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # target:length:query:length:energy:p-value:...
    return float(re.split(r":", out.splitlines()[0])[4])
