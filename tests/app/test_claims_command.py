"""`senexo claims`: all claims with every shipped study, as text, table and page; shares and intervals that agree."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import senexo as package
from senexo.base.errors import InvalidInput
from senexo.study.read import read_study, read_worlds, shipped_studies
from senexo.study.shipped_claims import KINDS, SHARES, claims
from senexo.study.worlds import AS_IT_STANDS

Typed = Callable[..., tuple[int, str, str]]


def test_every_claim_of_the_paper_is_listed_once_in_order() -> None:
    found = claims()
    assert list(dict.fromkeys(found["claim"])) == [f"C{number}" for number in range(1, 17)]
    assert set(found["kind"]) <= set(KINDS)
    assert found["sentence"].str.endswith(".").all()
    assert package.claims is claims


def test_every_shipped_study_with_a_claim_has_results_in_its_own_worlds() -> None:
    found = claims()
    tested = {name: read_study(name) for name in shipped_studies()}
    tested = {name: study for name, study in tested.items() if study.claim is not None}
    shown = found[found["study"] != ""]
    assert set(tested) <= set(shown["study"]) <= set(shipped_studies())
    for name, study in tested.items():
        own = shown[shown["study"] == name]
        assert study.claim is not None
        assert set(own["claim"]) == {study.claim.id}, name
        assert {world or AS_IT_STANDS for world in own["world"]} <= set(read_worlds(name))
        assert own["true"].notna().any() or own["note"].str.len().gt(0).all()
        assert (own["draws"].dropna() <= study.donors.n).all()


def test_a_share_lies_in_its_interval_and_is_one_of_whole_draws() -> None:
    found = claims()
    for share in SHARES:
        own = found[found[share].notna()]
        assert len(own) > 10
        assert (own[f"{share}_low"] <= own[share]).all()
        assert (own[share] <= own[f"{share}_high"]).all()
        assert own[[share, f"{share}_low", f"{share}_high"]].to_numpy().min() >= 0.0
        assert own[f"{share}_high"].max() <= 1.0
        # no interval is narrower than Wilson's for all draws of the study; printed to 0.1 %
        p, n, z = own[share], own["draws"], 1.96
        half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
        assert (own[f"{share}_high"] - own[f"{share}_low"] > 2 * half - 0.0022).all()


def test_what_is_no_evidence_says_so_and_what_holds_in_its_null_too() -> None:
    found = claims().set_index("claim")
    assert found.loc["C16", "kind"] == "ranking"
    assert set(found.loc["C12", "kind"]) == {"definition"}
    c8 = claims("C8").set_index("study")
    assert c8.loc["c08-p53", "null"] > 0
    assert "no test of the claim" in c8.loc["c08-p53", "note"]


def test_the_text(senexo: Typed) -> None:
    status, said, _ = senexo("claims", "C5")
    assert status == 0
    assert said.startswith("C5 (simulated): ")
    assert re.search(r"c05 +as it stands +the whole claim +14\.6 \(10\.9 to 19\.2\) +48\.0 \(42\.3 to 53\.9\)", said)
    assert "would settle it: SA-beta-gal" in said
    status, said, _ = senexo("claims")
    assert status == 0
    assert len(re.findall(r"^C\d+ \(", said, re.MULTILINE)) == 16


def test_the_files(senexo: Typed, tmp_path: Path) -> None:
    status, said, _ = senexo("claims", "--out", "all.csv")
    assert (status, said.strip()) == (0, "all.csv")
    pd.testing.assert_series_equal(pd.read_csv(tmp_path / "all.csv")["true"], claims()["true"])
    assert senexo("claims", "--out", "all.html")[0] == 0
    page = (tmp_path / "all.html").read_text(encoding="utf-8")
    assert page.count("<h2 ") == 16
    assert page.count("<svg") == 1
    assert not re.search(r"(?:src|href)=[\"']?http", page)
    assert "ranking: no evidence" in page


def test_what_it_refuses(senexo: Typed, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"claim: found 'C17', expected one of C1, C2"):
        claims("C17")
    assert senexo("claims", "--out", "all.pdf")[0] == 2
    (tmp_path / "there.csv").write_text("x\n")
    status, _, said = senexo("claims", "--out", "there.csv")
    assert (status, "which is there already" in said) == (2, True)
    assert senexo("claims", "--out", "there.csv", "--overwrite")[0] == 0
