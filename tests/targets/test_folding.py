"""ViennaRNA's accessibilities are those of the published sample; without it everything else still works."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from senexo.targets import folding
from senexo.targets.folding import duplex_energy, openness
from senexo.targets.predict import predict
from senexo.targets.rna import MIR34, Mirna, rna
from senexo.targets.sites import find_sites

SITE = "GAUCGGAUCC" * 10 + "UACACUGCCAGA" + "GAUCGGAUCC" * 10


def test_accessibility_of_every_site_of_the_published_sample(shared_data: Path) -> None:
    sample = shared_data / "targets" / "mcgeary_kslin_sample" / "sample_data"
    with (sample / "inputs" / "mirseqs.txt").open() as file:
        guides = {row["mir"]: Mirna(row["mir"], row["guide_seq"]) for row in csv.DictReader(file, delimiter="\t")}
    with (sample / "inputs" / "transcripts.txt").open() as file:
        texts = {row["transcript"]: rna(row["orf_utr3"]) for row in csv.DictReader(file, delimiter="\t")}
    compared = 0
    for name, mirna in guides.items():
        with (sample / "outputs" / "features" / f"{name}.txt").open() as file:
            known = {
                (row["transcript"], int(row["loc"])): float(row["SA"])
                for row in csv.DictReader(file, delimiter="\t") if row["stype"] != "no site" and row["SA"]
            }  # fmt: skip
        for transcript, utr in texts.items():
            sites = find_sites(utr, mirna, variants=False)
            for site, found in zip(sites, openness(utr, sites), strict=True):
                if (place := (transcript, site.opposite_1 - 7)) in known:
                    assert found == pytest.approx(known[place], rel=1e-4, abs=1e-7)
                    compared += 1
    assert compared >= 70


def test_a_complement_binds_best_and_an_unrelated_sequence_hardly() -> None:
    mirna = MIR34[2]
    whole = mirna.sequence.translate(str.maketrans("ACGU", "UGCA"))[::-1]
    energies = [duplex_energy(mirna, text) for text in (whole, SITE, "A" * 40)]
    assert None not in energies
    assert energies == sorted(energies)  # type: ignore[type-var]
    assert energies[0] < -35  # type: ignore[operator]


def test_without_viennarna_the_columns_are_empty_and_the_rest_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = predict(MIR34[2], [("g", SITE)], expected=())
    monkeypatch.setattr(folding, "vienna", lambda: None)
    without = predict(MIR34[2], [("g", SITE)], expected=())
    assert without.sites[["accessibility", "duplex_energy"]].isna().all(axis=None)
    assert with_it.sites[["accessibility", "duplex_energy"]].notna().all(axis=None)
    assert without.genes.equals(with_it.genes)
    assert "ViennaRNA is not installed" in without.notes[0]
    assert with_it.notes == ()
