"""Doses into mice as copies in stem cells: mass balance, closed forms, and the same effect as copies given by hand."""

from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from senexo.lab import protocol
from senexo.lab.experiment import Unit
from senexo.lab.mouse import oligo
from senexo.lab.mouse.experiment import MouseExperiment
from senexo.lab.mouse.sample import sample
from senexo.lab.registry import experiment_of
from senexo.study.agents import of
from senexo.study.resolve import resolve
from senexo.study.schema import Arm, Study

HOURS = 336.0
CENTRAL = {name: one.value for name, one in of("mimic", "mouse").items()}


def a_study(*doses: dict[str, Any], folder: Path = Path(), **draws: Any) -> Study:
    return resolve(
        {
            "title": "t", "seed": 5, "model": {"circuit": "mir34c-rab27b"}, "cells": {"LSC": {"n": 4}},
            "donors": {"n": 2}, "culture": {"duration": "14 d"}, "readouts": {"grid": "2 h"},
            "arms": {"mock": {}, "mimic": {"dose": list(doses)}},
            "mouse": {
                "strain": "NSG", "cells": 1e5, "mice": 2, "treated_from": "7 d", "end": "6 weeks",
                "draws": {"no_engraftment": 0.0, **draws},
            },
        },
        folder=folder,
    )  # fmt: skip


def made(study: Study) -> MouseExperiment:
    found = experiment_of(study)
    assert isinstance(found, MouseExperiment)
    return found


def added(arm: Arm) -> tuple[np.ndarray, np.ndarray]:
    """Hours and copies of all additions."""
    return np.array([a.time_h for a in arm.schedule]), np.array([a.value for a in arm.schedule])


def per_mg(values: dict[str, float]) -> float:
    shares = values["marrow_share"] * values["uptake"] * values["endosomal_escape"] * values["active_share"]
    return 1e-3 / values["molar_mass"] * 6.02214076e23 * shares / values["marrow_cells"]


def in_central(arm: Arm) -> Arm:
    return oligo.with_copies(arm, {f"mimic_{name}": value for name, value in CENTRAL.items()}, HOURS)


def test_copies_by_any_hour_are_what_left_the_plasma() -> None:
    """A bolus: dose (1 - exp(-k t)) by every edge of two hours, to half a copy; all of it in whole copies."""
    arm = in_central(a_study({"what": "miR-34c-5p", "amount": "300 mg/kg"}).arms["mimic"])
    hours, copies = added(arm)
    k, whole = log(2.0) / CENTRAL["half_life"], per_mg(CENTRAL) * 6.0
    assert whole > 1e4
    assert (copies == np.rint(copies)).all()
    for edge in (2.0, 24.0, 100.0, 336.0):
        assert abs(copies[hours < edge].sum() - whole * (1.0 - np.exp(-k * edge))) <= 0.5 + 1e-6


def test_copies_after_the_peritoneum_are_the_share_that_reaches_plasma() -> None:
    """Of a depot: F dose (1 - (ka exp(-k t) - k exp(-ka t)) / (ka - k)) has left the plasma by t."""
    arm = in_central(a_study({"what": "scrambled", "amount": "300 mg/kg", "route": "ip"}).arms["mimic"])
    hours, copies = added(arm)
    k, ka = log(2.0) / CENTRAL["half_life"], CENTRAL["absorption"]
    whole = per_mg(CENTRAL) * 6.0 * CENTRAL["bioavailability"]
    for edge in (4.0, 24.0, 336.0):
        left = 1.0 - (ka * np.exp(-k * edge) - k * np.exp(-ka * edge)) / (ka - k)
        assert abs(copies[hours < edge].sum() - whole * left) <= 0.5 + 1e-6


def test_a_reset_takes_away_what_is_still_in_plasma(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("TIME,EVID,AMT\n0,1,6\n12,3,\n")
    arm = in_central(a_study({"what": "miR-34c-5p", "events": "d.csv"}, folder=tmp_path).arms["mimic"])
    assert abs(added(arm)[1].sum() - 0.5 * per_mg(CENTRAL) * 6.0) <= 0.5 + 1e-6  # 12 h is the half-life


def test_every_sample_has_its_own_numbers() -> None:
    study = a_study({"what": "miR-34c-5p", "amount": "300 mg/kg"}, mimic_uptake=0.25)
    experiment = made(study)
    assert study.mouse is not None
    totals = []
    for donor in (1, 2):
        own = sample(study.mouse, study.seed, donor)
        values = {name: own.values[f"mimic_{name}"] for name in CENTRAL}
        assert values["uptake"] == 0.25
        copies = added(experiment._with_copies(study.arms["mimic"], own))[1].sum()
        left = 1.0 - 2.0 ** (-HOURS / values["half_life"])
        assert abs(copies - per_mg(values) * 6.0 * left) <= 0.5 + 1e-6
        totals.append(copies)
    assert totals[0] != totals[1]


def test_a_dose_acts_as_its_copies_given_by_hand() -> None:
    """The same hazards, to the last digit, as an arm with these additions written out; and more than none."""
    study = a_study({"what": "miR-34c-5p", "amount": "3000 mg/kg"}, **{f"mimic_{n}": v for n, v in CENTRAL.items()})
    experiment = made(study)
    experiment.compile()
    arm = in_central(study.arms["mimic"])
    hours, copies = added(arm)
    by_hand = a_study(
        *({"what": "miR-34c-5p", "amount": int(n), "at": f"{h} h"} for h, n in zip(hours, copies, strict=True))
    )
    other = experiment.of_study(by_hand)
    unit = Unit(1, 1, "one", 0)
    given, written = (
        one._table(unit, one._arm(unit, sample(one.mouse, one.study.seed, 1)), lambda: False)
        for one in (experiment, other)
    )
    np.testing.assert_array_equal(given.commit, written.commit)
    untreated = experiment._untreated(unit, lambda: False)
    assert given.commit.max() > 2.0 * untreated.commit.max()


def test_a_dose_counts_in_the_digest_of_a_treatment_and_arms_without_keep_theirs() -> None:
    digests = [
        protocol.occurrences(a_study({"what": "miR-34c-5p", "amount": amount}).arms)[1][0]
        for amount in ("1 mg/kg", "2 mg/kg", "1 mg/kg")
    ]
    assert digests[0] == digests[2] != digests[1]
    plain = protocol.occurrences(a_study({"what": "miR-34c-5p", "amount": 3}).arms)
    assert digests[0] not in [digest for digest, _ in plain]


def test_the_arms_of_a_body_dose_are_cautioned() -> None:
    experiment = made(a_study({"what": "miR-34c-5p", "amount": "1 mg/kg"}))
    assert any("Doses per body become copies" in caution for caution in experiment.cautions({}))
    assert not any("per body" in one for one in made(a_study({"what": "miR-34c-5p", "amount": 3})).cautions({}))


@pytest.mark.parametrize("amount", ["30000 mg/kg"])
def test_more_copies_than_argonaute_are_cautioned(amount: str) -> None:
    from senexo.study.doses import cautions

    experiment = made(a_study({"what": "miR-34c-5p", "amount": amount, "every": "24 h", "count": 7}))
    assert any("Argonaute" in one for one in cautions(experiment.study, experiment.circuit))
