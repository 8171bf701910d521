"""The qPCR assay end to end: R's paired t-test on complete tables, known truths on censored ones."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from senexo.assays._qpcr.assay import QpcrResult, qpcr

R = json.loads((Path(__file__).parent / "references" / "references.json").read_text())


def wells(
    log2_fold: dict[str, float], *, base: float = 5.0, n: int = 12, seed: int = 1, sd: float = 0.3, cutoff: float = 37.0
) -> pd.DataFrame:
    """Three wells per sample: Ct = 37 - log2 copies + noise; donors differ in target and in total RNA."""
    rng = np.random.default_rng(seed)
    donor_target, donor_total = base + rng.normal(0.0, 1.0, n), rng.normal(0.0, 0.5, n)
    rows = []
    for arm, fold in log2_fold.items():
        for donor in range(n):
            sample = donor_target[donor] + fold + rng.normal(0.0, 0.2)
            for replicate in (1, 2, 3):
                ct = 37.0 - sample - donor_total[donor] + rng.normal(0.0, sd)
                rows.append((arm, donor, replicate, "miR-34c-5p", ct if ct <= cutoff else math.nan))
                rows.append((arm, donor, replicate, "U6", 22.0 - donor_total[donor] + rng.normal(0.0, sd)))
    return pd.DataFrame(rows, columns=["arm", "donor", "replicate", "target", "ct"])


EMPTY = {"undetected": "empty"}  # the plates of this file leave the Ct of an undetected well empty


def judged(table: pd.DataFrame, **options: object) -> QpcrResult:
    return qpcr(
        table, **{"target": "miR-34c-5p", "reference": "U6", "control": "mock", "cutoff": 37.0, **EMPTY, **options}
    )


def test_complete_pairs_equal_the_paired_t_test_of_r() -> None:
    reference = R["ddct"]
    rows = [
        (arm, donor, name, 20.0 + (ct if name == "miR-34c-5p" else 0.0))
        for arm in ("arm", "control")
        for donor, ct in enumerate(reference[arm])
        for name in ("miR-34c-5p", "U6")
    ]
    table = pd.DataFrame(rows, columns=["arm", "donor", "target", "ct"])
    found = judged(table, control="control", cutoff=40.0).tables["fold_changes"].iloc[0]
    assert found["fold"] == pytest.approx(reference["fold"][0], rel=1e-10)
    assert (found["low"], found["high"]) == pytest.approx(reference["ci"], rel=1e-9)
    assert found["p_value"] == pytest.approx(reference["p"][0], rel=1e-9)


def test_known_folds_are_found_and_named() -> None:
    result = judged(wells({"mock": 0.0, "up": 2.5, "little": 0.3, "same": 0.0}))
    folds = result.tables["fold_changes"].set_index("arm")
    for arm, truth in (("up", 2.5), ("little", 0.3), ("same", 0.0)):
        assert folds.loc[arm, "low"] < 2.0**truth < folds.loc[arm, "high"]
    verdicts = folds["verdict"].to_dict()
    assert verdicts["up"] == "large"
    assert verdicts["same"] == "absent"
    assert "a large rise" in result.sentence
    assert "no change shown; a 1.5-fold one is excluded" in result.sentence


def test_undetected_wells_are_not_forty() -> None:
    """A third undetected: the censored fold is near the truth, while Ct = 40 for undetected wells is far from it."""
    table = wells({"mock": 0.0, "low": -1.0}, base=1.4, n=30)
    assert 0.2 < table.loc[(table["arm"] == "low") & (table["target"] != "U6"), "ct"].isna().mean() < 0.5
    found = judged(table).tables["fold_changes"].iloc[0]
    assert found["n_censored"] > 3
    assert found["ddct_low"] < 1.0 < found["ddct_high"]
    forty = judged(table.fillna({"ct": 40.0}), cutoff=40.0).tables["fold_changes"].iloc[0]
    assert abs(found["ddct"] - 1.0) < 0.2 < abs(forty["ddct"] - 1.0)


def test_below_detection_is_a_verdict_not_a_p_value() -> None:
    result = judged(wells({"mock": 0.0, "null": -12.0}))
    found = result.findings[1]
    assert found.verdict == "below detection: not testable"
    assert found.p_value is None
    assert found.estimate is None
    assert "in mock alone in 12 of 12 donors" in found.sentence
    assert result.findings[0].verdict == "partly below detection"
    row = result.tables["detection"].query("arm == 'null' and target == 'miR-34c-5p'").iloc[0]
    assert row["verdict"] == "below detection"
    assert row["n_undetected"] == row["n_wells"] == 36


def test_nothing_detected_anywhere() -> None:
    table = wells({"mock": 0.0, "arm": 0.0})
    table.loc[table["target"] == "miR-34c-5p", "ct"] = math.nan
    result = judged(table)
    assert [f.verdict for f in result.findings] == ["below detection", "below detection: not testable"]
    assert "detected in 0 of 72 wells" in result.findings[0].sentence


def test_bound_when_control_is_never_seen_but_testing_was_asked_for() -> None:
    result = judged(wells({"mock": -12.0, "up": 0.0}), min_detected=0.0)
    found = result.findings[1]
    assert found.verdict == "large"
    assert found.estimate is None
    assert found.high is None
    assert found.low > 8.0
    assert "more than" in found.sentence


def test_efficiency_and_two_references() -> None:
    """Pfaffl: with efficiency 0.9 a difference of x cycles is x log2(1.9)."""
    table = wells({"mock": 0.0, "up": 2.0})
    second = table[table["target"] == "U6"].assign(target="RNU48", ct=lambda t: t["ct"] + 3.0)
    both = pd.concat([table, second])
    one = judged(table).tables["fold_changes"].iloc[0]
    two = judged(both, reference=["U6", "RNU48"]).tables["fold_changes"].iloc[0]
    assert two["ddct"] == pytest.approx(one["ddct"])
    slow = judged(table, efficiency=0.9).tables["fold_changes"].iloc[0]
    assert slow["ddct"] == pytest.approx(one["ddct"] * math.log2(1.9))
    mixed = judged(table, efficiency={"miR-34c-5p": 1.0, "U6": 1.0}).tables["fold_changes"].iloc[0]
    assert mixed["ddct"] == one["ddct"]


def test_a_failed_reference_drops_the_sample_and_says_so() -> None:
    table = wells({"mock": 0.0, "up": 2.0})
    failed = (table["target"] == "U6") & (table["donor"] == 3) & (table["arm"] == "up")
    table.loc[failed, "ct"] = math.nan
    result = judged(table)
    assert result.tables["fold_changes"]["n_donors"].iloc[0] == 11
    assert any("donor 3" in note for note in result.notes)


def test_partly_detected_samples_lie_between() -> None:
    """Two of three wells seen: the mean is above theirs, and below the cut-off's neighbourhood."""
    table = pd.DataFrame({"arm": ["mock"] * 4, "donor": "a", "replicate": [1, 2, 3, 1],
                          "target": ["miR-34c-5p"] * 3 + ["U6"], "ct": [36.4, 36.8, math.nan, 20.0]})  # fmt: skip
    dct = judged(table).tables["dct"]["dct"].iloc[0]
    assert 36.6 < dct + 20.0 < 37.2


def test_detected_flag_and_cutoff_make_wells_undetected() -> None:
    table = wells({"mock": 0.0, "up": 2.0}).assign(detected=True)
    table.loc[table.index[0], "detected"] = False
    table.loc[table.index[2], "ct"] = 39.0
    detection = judged(table).tables["detection"].set_index(["target", "arm"])
    assert detection.loc[("miR-34c-5p", "mock"), "n_undetected"] == 2


def test_times_are_corrected_together() -> None:
    early, late = wells({"mock": 0.0, "up": 0.2}, seed=2), wells({"mock": 0.0, "up": 2.0}, seed=3)
    table = pd.concat([early.assign(time_h=24.0), late.assign(time_h=72.0)])
    result = judged(table, time_h=[24.0, 72.0])
    folds = result.tables["fold_changes"]
    assert folds["p_holm"].min() == pytest.approx(2 * folds["p_value"].min())
    assert [f.id for f in result.findings[1:]] == [f"fold:miR-34c-5p:up:mock:{h}h" for h in (24, 72)]
    assert len(judged(table).findings) == 2


def test_arms_may_be_named_by_their_family() -> None:
    table = wells({"mock": 0.0, "mimic[1]": 1.0, "mimic[2]": 2.0, "kd": 0.1})
    table["family"] = table["arm"].str.split("[").str[0]
    assert judged(table, arms=["mimic"]).tables["fold_changes"]["arm"].to_list() == ["mimic[1]", "mimic[2]"]


@pytest.mark.parametrize("n", [1, 2])
def test_few_donors_are_told_not_tested(n: int) -> None:
    found = judged(wells({"mock": 0.0, "up": 2.0}, n=n)).findings[1]
    assert found.verdict == "not testable"
    assert found.p_value is None
    assert f"not testable with {n} donor" in found.sentence


def test_no_common_donor_is_told() -> None:
    table = wells({"mock": 0.0, "up": 2.0})
    table["donor"] = table["donor"].astype(str) + table["arm"]
    found = judged(table).findings[1]
    assert found.verdict == "not testable"
    assert "no donor was measured in both arms" in found.sentence


def test_json_text_and_figure() -> None:
    result = judged(wells({"mock": 0.0, "up": 2.0, "down": -4.0}, base=2.0))
    found = json.loads(result.to_json(), parse_constant=lambda word: pytest.fail(word))
    assert {"fold_changes", "detection", "dct", "findings", "settings"} <= set(found)
    assert str(result).startswith("qpcr: 3 findings")
    assert result.figure().axes[0].get_xlabel().startswith("miR-34c-5p (fold of mock")
    assert result.table is result.tables["fold_changes"]
