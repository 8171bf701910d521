"""The parts of the qPCR assay against R: Tobit groups, Welch, efficiencies, detection, stability of references."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from senexo.assays._qpcr import read as ct
from senexo.assays._qpcr.folds import _fisher, _mcnemar
from senexo.assays._qpcr.standard_curve import efficiency
from senexo.assays.stats.censored import censored_groups

R = json.loads((Path(__file__).parent / "references" / "qpcr.json").read_text())


def test_censored_groups_equal_survreg() -> None:
    reference = R["survreg.groups"]
    first, second = np.array(reference["first"], float), np.array(reference["second"], float)
    sides = np.array(reference["side"], np.int8), np.array(reference["side2"], np.int8)
    found = censored_groups(first, sides[0], second, sides[1], resolution=1e-3)
    assert found.value == pytest.approx(reference["difference"][0], rel=1e-6)
    assert (found.low, found.high) == pytest.approx(reference["ci"], rel=1e-6)
    assert found.p_value == pytest.approx(reference["p"][0], rel=1e-6)


def test_complete_groups_equal_welch() -> None:
    reference = R["welch.ddct"]
    arm, control = np.array(reference["arm"]), np.array(reference["control"], float)
    found = censored_groups(arm, np.zeros(5, np.int8), control, np.zeros(6, np.int8), resolution=1e-3)
    assert 2.0**-found.value == pytest.approx(reference["fold"][0], rel=1e-10)
    assert (2.0**-found.high, 2.0**-found.low) == pytest.approx(reference["ci"], rel=1e-9)
    assert found.p_value == pytest.approx(reference["p"][0], rel=1e-9)


def test_efficiency_equals_lm() -> None:
    reference = R["lm.efficiency"]
    row = efficiency(pd.DataFrame({"target": "U6", "quantity": reference["quantity"], "ct": reference["ct"]})).iloc[0]
    for name in ("slope", "intercept", "r_squared", "efficiency"):
        assert row[name] == pytest.approx(reference[name][0], rel=1e-10)
    assert (row["low"], row["high"]) == pytest.approx(reference["ci"], rel=1e-9)


def test_detection_of_different_donors_equals_fisher() -> None:
    reference = R["fisher.detection"]
    for *counts, p in zip(*(reference[name] for name in ("seen", "n", "seen_other", "n_other", "p")), strict=True):
        assert _fisher(*counts) == pytest.approx(p, rel=1e-9)


def test_detection_in_pairs_equals_mcnemars_exact_test() -> None:
    reference = json.loads((Path(__file__).parent / "references" / "references.json").read_text())["mcnemar.exact"]
    for *only, p in zip(*(reference[name] for name in ("first", "second", "p")), strict=True):
        assert _mcnemar(*only) == pytest.approx(p, rel=1e-9)


def test_stability_equals_genorms_m() -> None:
    reference = R["genorm.m"]
    names = ["u6", "rnu", "mir16"]
    rows = [("mock", 0.0, i, name, value) for name in names for i, value in enumerate(reference[name])]
    samples = pd.DataFrame(rows, columns=["arm", "time_h", "donor", "target", "ct"])
    found = ct.stability(samples, names, dict.fromkeys(names, 1.0))
    assert found["m"].to_list() == pytest.approx(reference["m"], rel=1e-10)
    assert ct.stability(samples, names[:1], {"u6": 1.0}).empty
