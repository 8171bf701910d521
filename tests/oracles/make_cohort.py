"""Draws cohort/: a made-up cohort in the form of a clinical table and a table of miRNA reads, as a laboratory has them.

    python tests/oracles/make_cohort.py && Rscript tests/oracles/cohort.R

No patient is behind it. It has what real tables have: patients of one table only, empty cells, ties, follow-up of zero,
depths that differ tenfold, an RNA that is never seen; RNAs numbered from 9000 on do not exist. `cohort.R` computes the
answers.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).with_name("cohort")
SEED, N, N_READ = 20_261_201, 170, 158
RISK = ("favorable", "intermediate", "poor")
# mean share of all reads in parts per million, sd of its logarithm between patients
RNAS = {
    "hsa-mir-34a": (40.0, 0.9), "hsa-mir-34b": (0.35, 0.7), "hsa-mir-34c": (0.5, 0.8), "hsa-mir-10a": (900.0, 1.6),
    "hsa-mir-196b": (300.0, 1.4), "hsa-mir-25": (2500.0, 0.5), "hsa-mir-20b": (60.0, 1.0), "hsa-mir-363": (90.0, 1.1),
    "hsa-mir-532": (350.0, 0.6), "hsa-mir-660": (120.0, 0.6), "hsa-mir-9100": (0.0, 0.0),
    **{f"hsa-mir-{9000 + k}": (0.02 * 1.12**k, 0.6) for k in range(60)},
}  # fmt: skip


def main() -> None:
    rng = np.random.default_rng(SEED)
    FOLDER.mkdir(exist_ok=True)
    age = np.round(np.clip(rng.normal(58, 15, N), 18, 88)).astype(int)
    risk = rng.choice(3, N, p=(0.2, 0.55, 0.25))
    fab = np.where(risk == 0, rng.choice(["M2", "M3", "M4"], N), rng.choice(["M0", "M1", "M2", "M4", "M5"], N))
    shares = {name: mean * np.exp(sd * rng.standard_normal(N)) for name, (mean, sd) in RNAS.items()}
    shares["hsa-mir-34a"] *= np.exp(-0.5 * (risk - 1))
    shares["hsa-mir-196b"] *= np.exp(0.8 * (risk - 1))
    hazard = np.exp(0.03 * (age - 58) + 0.6 * (risk - 1) + 0.25 * np.log(shares["hsa-mir-20b"] / 60.0)) / 700.0
    lived, watched = rng.exponential(1.0 / hazard), rng.uniform(200, 2600, N)
    days = np.ceil(np.minimum(lived, watched) / 5.0).astype(int) * 5  # visits every five days: ties
    died = (lived <= watched).astype(int)
    days[rng.choice(N, 6, replace=False)] = 0
    unknown = rng.choice(N, 5, replace=False)
    ids = [f"P{number:04d}" for number in rng.permutation(9000)[:N] + 1000]
    with (FOLDER / "clinical.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["patient", "age", "sex", "cyto_risk", "FAB", "os_days", "os_event"])
        for k in range(N):
            stage = "" if k % 41 == 3 else fab[k]
            end = ("", "") if k in unknown else (days[k], died[k])
            writer.writerow([ids[k], age[k], rng.choice(["f", "m"]), RISK[risk[k]], stage, *end])
    depth = np.exp(rng.normal(np.log(2.5e6), 0.8, N)).astype(int)
    counts = {name: rng.poisson(share * depth / 1e6) for name, share in shares.items()}
    counts["hsa-mir-9200"] = depth - sum(counts.values())
    if any(min(reads[k] for reads in counts.values() if reads[k]) != 1 for k in range(N)):
        raise SystemExit("a library without an RNA that has one read: no real panel is like that; take another seed")
    chosen = rng.permutation(N)[:N_READ]
    for form in ("counts", "rpm"):
        with (FOLDER / f"{form}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["patient", *counts])
            for k in chosen:
                total = sum(int(reads[k]) for reads in counts.values())
                row = [
                    int(reads[k]) if form == "counts" else f"{reads[k] * 1e6 / total:.12g}" for reads in counts.values()
                ]
                writer.writerow([ids[k], *row])


if __name__ == "__main__":
    main()
