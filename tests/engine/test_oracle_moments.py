"""Stochastic models of our own at n = 10,000 against exact means and standard deviations; they ship with the tests.

tests/oracles/make_moments.py made them from closed forms and master equations, without senexo. Scores and bar are
those of `verify.dsmts`: |Z| of means and kurtosis-corrected |Y| of variances within 5.05, rows without spread met
exactly. The 22 processes have some 1,300 scores; were they independent, a right sampler would fail for 6 of 10,000
seeds. The seed is fixed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from verify.dsmts import BAR, Case, columns, scores

FOLDER = Path(__file__).parents[1] / "oracles" / "moments"
PROCESSES: dict[str, Any] = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))["processes"]
CONCENTRATIONS = ("arrivals_by_concentration", "dimers_by_concentration")
SEED, RUNS = 20_261_201, 10_000


def case(name: str) -> Case:
    sbml = (FOLDER / f"{name}.xml").read_bytes()
    table = columns((FOLDER / f"{name}.csv").read_text(encoding="utf-8"))
    species = frozenset(title.removesuffix("-mean") for title in table if title.endswith("-mean"))
    return Case(name, sbml, frozenset() if name in CONCENTRATIONS else species, table)


@pytest.mark.parametrize("name", PROCESSES)
def test_moments(name: str, tmp_path: Path) -> None:
    z, y, missed = scores(case(name), tmp_path, seed=SEED + list(PROCESSES).index(name), runs=RUNS)
    assert missed == 0
    assert z <= BAR
    assert y <= BAR


def test_every_process_has_an_exact_law() -> None:
    assert {path.stem for path in FOLDER.glob("*.xml")} == set(PROCESSES)
    assert len(PROCESSES) >= 22
    assert all(process["closed_form"] or process["master_equation"] for process in PROCESSES.values())


WRONG = {
    "rate": ("arrivals_from_many", r'id="lose" value="0.2"', 'id="lose" value="0.204"'),
    "dose": ("doses", r"<cn> 12.5 </cn>", "<cn> 12.55 </cn>"),
    "pairs": ("dimers", r"<cn[^>]*> 1 </cn>", "<cn> 0 </cn>"),
    "room": ("room", r'<cn type="integer"> 2 </cn>(?=\s*</math>)', "<cn> 2.1 </cn>"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_process_is_seen(name: str, tmp_path: Path) -> None:
    """The scores have power: 2 % of a rate constant, a dose 0.05 late, n^2 for n (n - 1), a compartment too large."""
    process, old, new = WRONG[name]
    right = case(process)
    text, changed = re.subn(old, new, right.sbml.decode())
    assert changed >= 1
    z, y, _ = scores(Case(process, text.encode(), right.amounts, right.table), tmp_path, seed=SEED, runs=RUNS)
    assert max(z, y) > BAR
