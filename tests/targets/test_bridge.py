"""From a sequence to the circuit's two numbers, and on to what a cell does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from senexo.base.errors import InvalidInput
from senexo.base.table import read_table
from senexo.study.read import read_study
from senexo.targets.affinity import affinity
from senexo.targets.bridge import strength
from senexo.targets.rna import MIR34
from senexo.targets.sites import find_sites
from senexo.workflow import run

MIR34C = MIR34[2]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "site-from-sequence.toml"
TWO = "GAUCGGAUCC" * 6 + "UACACUGCCAGA" + "GAUCGGAUCC" * 6 + "GGCACUGCCGGG" + "GAUCGGAUCC" * 3


def test_the_two_numbers_stand_for_the_sum_over_the_sites() -> None:
    """n a/(a + k K8) against the sum of a/(a + K_i) of an 8mer and a 7mer five times as weak."""
    found = strength("g", TWO, MIR34C)
    kds = np.exp([affinity(TWO, site).log_kd for site in find_sites(TWO, MIR34C, variants=False)])
    assert len(kds) == len(found.sites) == 2
    assert kds.max() > 4 * kds.min()
    for share, tolerance in ((0.2, 1e-8), (0.8, 1e-8), (0.1, 0.07), (0.35, 0.07), (0.5, 0.07), (0.9, 0.07)):
        free = 0.0069 * share / (1 - share)
        exact = np.sum(free / (free + kds))
        assert found.n * free / (free + found.k * 0.0069) == pytest.approx(exact, rel=tolerance)
    assert found.low < found.k < found.high


def test_one_site_is_exact_everywhere() -> None:
    one = TWO[:72]
    found, kd = strength("g", one, MIR34C), np.exp(affinity(one, find_sites(one, MIR34C, variants=False)[0]).log_kd)
    for free in np.logspace(-5, 1, 7):
        assert free / (free + found.k * 0.0069) == pytest.approx(free / (free + kd), rel=1e-12)


def test_no_site_is_no_site() -> None:
    assert (strength("g", "GAUCGGAUCC" * 30, MIR34C).n, strength("g", "GAUCGGAUCC" * 30, MIR34C).k) == (0, 1.0)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sequence") / "run"
    sets = ["donors.n=2", "cells.LSC.n=16", "arms.mimic.dose.amount=[3000]", "arms.site-mutant.dose.amount=[3000]",
            "arms.other-mutant.dose.amount=[3000]", "arms.edge-cut.dose.amount=[3000]", "assays=[]"]  # fmt: skip
    run(EXAMPLE, out=folder, set=sets)
    return folder / "tables"


def test_a_mutated_site_does_what_the_cut_edge_does_and_another_base_does_nothing(tables: Path) -> None:
    """Every read-out of every well: mutant = cut edge, elsewhere mutated = wild type, and the two differ."""
    rows = read_table(tables / "timecourse.parquet")
    arms = {
        arm: rows[rows["arm"] == f"{arm}[3000]"].drop(columns="arm").reset_index(drop=True)
        for arm in ("mimic", "site-mutant", "other-mutant", "edge-cut")
    }
    assert len(arms["mimic"]) > 100
    assert arms["site-mutant"].equals(arms["edge-cut"])
    assert arms["other-mutant"].equals(arms["mimic"])
    assert not arms["site-mutant"].equals(arms["mimic"])


def test_the_parameter_table_names_the_sequence(tables: Path) -> None:
    rows = read_table(tables / "parameters.parquet").set_index("name")
    assert rows.loc["nR27", "status"] == rows.loc["kR27", "status"] == "derived"
    assert "synthetic_utr3.fa" in rows.loc["kR27", "source"]
    assert "8mer at 602" in rows.loc["nR27", "source"]


def test_a_weaker_site_is_a_weaker_edge() -> None:
    """An 8mer that loses its A becomes a 7mer-m8: still one site, about three times as weak."""
    study = read_study(EXAMPLE, set=['arms.site-mutant.mutate.RAB27B="609:G"'])
    [action] = study.arms["site-mutant[3000]"].genotype
    assert action.target == "weak_RAB27B"
    assert 2.0 < action.value < 4.5


def test_a_second_site_counts() -> None:
    sets = [f'model.targets.RAB27B={{sequence="{TWO}", source="made up"}}', 'arms.site-mutant.mutate.RAB27B="65:G"',
            'arms.other-mutant.mutate.RAB27B="3:G"']  # fmt: skip
    study = read_study(EXAMPLE, set=sets)
    [sites, weak] = study.arms["site-mutant[3000]"].genotype
    assert sites.target == "site_RAB27B"
    assert 0.5 < sites.value < 1.0
    assert weak.target == "weak_RAB27B"


def test_without_a_sequence_the_assumed_prior_stands() -> None:
    plain, tight = read_study("mir34c-lone"), read_study("mir34c-exvivo", set=['model.reading="tight"'])
    assert plain.donors.draws["nR27"].status == "assumed"
    assert (tight.donors.draws["K8"].value, tight.donors.draws["K8"].status) == (4.7, "unverified")
    assert plain.digest != tight.digest
    assert tight.donors.draws["nR27"] == plain.donors.draws["nR27"]


def test_a_mutation_that_makes_the_first_site_is_refused() -> None:
    sets = ['model.targets.RAB27B={sequence="GGGGGACACUGGCAGAGGGG", source="made up"}',
            'arms.site-mutant.mutate.RAB27B="12:C"', 'arms.other-mutant.mutate.RAB27B="1:A"']  # fmt: skip
    with pytest.raises(InvalidInput, match="a site made where RAB27B has none"):
        read_study(EXAMPLE, set=sets)
