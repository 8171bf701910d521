"""Fits: the PEtab test suite, the published optimum of Boehm et al. 2014 from random starts, coverage of intervals.

Suite: the largest difference of likelihood, chi-square and simulations of all 20 cases of version 1, in tolerances of
the case. Boehm: of 100 searches (seed 1) how many end within 0.1 of -138.22, and what they cost. Coverage: of 1,000
simulated sets the share whose 95 % profile interval holds the true value.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from senexo.fitting.fit import fit
from senexo.fitting.multistart import search
from senexo.fitting.objective import Objective
from senexo.fitting.petab.read import read_problem
from verify import Check, not_run, stated
from verify._fits import Law, covered

PETAB = Path(__file__).resolve().parents[2] / "shared" / "data" / "petab"
PUBLISHED, ENOUGH, SETS, LOW, HIGH = -138.22, 4, 1000, 0.93, 0.97
LAWS: tuple[Law, ...] = ("normal", "limits", "negative-binomial")


def difference(case: Path) -> float:
    """The largest difference of one case of the suite, in its tolerances."""
    known = yaml.safe_load((case / f"_{case.name}_solution.yaml").read_text(encoding="utf-8"))
    with (case / "_simulations.tsv").open(newline="", encoding="utf-8") as file:
        simulated = np.array([float(row["simulation"]) for row in csv.DictReader(file, delimiter="\t")])
    found = fit(case / f"_{case.name}.yaml", starts=0)
    worst = float(np.max(np.abs(found.measurements["simulation"].to_numpy() - simulated)))
    return max(
        abs(found.llh - known["llh"]) / known["tol_llh"], abs(found.chi2 - known["chi2"]) / known["tol_chi2"],
        worst / known["tol_simulations"],
    )  # fmt: skip


def published() -> Iterator[Check]:
    """What needs the data."""
    cases = sorted((PETAB / "test-suite-v1" / "sbml").glob("00*"))
    worst = max(difference(case) for case in cases)
    yield Check(
        "PEtab test suite 1: largest difference", worst, 1.0, worst <= 1.0, f"{len(cases)} cases, in tolerances"
    )
    name = "Boehm_JProteomeRes2014"
    objective = Objective(read_problem(PETAB / name / f"{name}.yaml"))
    begun = time.process_time()
    found = search(objective, 100, seed=1)
    seconds = time.process_time() - begun
    reached = sum(1 for one in found.found if -one.value >= PUBLISHED - 0.1)
    detail = f"of 100 searches, {objective.n_evaluations:,} evaluations with gradient"
    yield Check("Boehm 2014: searches at the published optimum", reached, ENOUGH, reached >= ENOUGH, detail, ">=")
    yield stated("Boehm 2014: processor time of 100 searches (s)", seconds)


def main() -> Iterator[Check]:
    """Rows of the suite and Boehm, and two for each law of errors."""
    if PETAB.is_dir():
        yield from published()
    else:
        yield not_run("PEtab", f"{PETAB} is not there")
    for law in LAWS:
        share = covered(law, SETS)
        yield Check(
            f"coverage of 95 % intervals, {law}: at least", share, LOW, share >= LOW, f"{SETS:,} sets of 20", ">="
        )
        yield Check(f"coverage of 95 % intervals, {law}: at most", share, HIGH, share <= HIGH)
