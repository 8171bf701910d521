"""From sites to repression: the published constants, the two readings, mutants, and what is not known."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from senexo.base.errors import InvalidInput
from senexo.targets.affinity import affinity, constants, exposure, read_kd_table, repression, window
from senexo.targets.mutate import mutated, mutation
from senexo.targets.predict import predict
from senexo.targets.rna import MIR34, Mirna, rna
from senexo.targets.sites import find_sites

MIR34C = MIR34[2]
PLAIN = "GAUCGGAUCC" * 20
ONE_8MER = PLAIN + "UACACUGCCAGA" + PLAIN  # two A or U among the four flanking bases: ln KD is the type's own


@pytest.mark.parametrize(
    ("level", "site", "left"),
    # parameters of the design: rep.transf.*, rep.high.*, rep.mod.8mer, computed there from KD, a and b
    [
        ("transfected", "8mer", 0.531), ("transfected", "7mer_m8", 0.713), ("transfected", "7mer_A1", 0.704),
        ("transfected", "6mer", 0.838), ("endogenous-high", "8mer", 0.850), ("endogenous-high", "7mer_m8", 0.940),
        ("endogenous-high", "7mer_A1", 0.937), ("endogenous", "8mer", 0.975),
    ],
)  # fmt: skip
def test_one_site_leaves_what_the_published_constants_give(level: str, site: str, left: float) -> None:
    kd = np.array([constants()[f"kd_{site}"].value])
    assert float(repression(kd, exposure(level).free)) == pytest.approx(left, abs=0.002)  # type: ignore[arg-type]


def test_the_median_of_a_prediction_is_the_central_one() -> None:
    row = predict(MIR34C, [("g", ONE_8MER)], expected=()).genes.iloc[0]
    central = float(repression(np.array([constants()["kd_8mer"].value]), exposure("transfected").free))
    assert row["left"] == pytest.approx(central, rel=0.06)  # b is drawn uniformly from 1.2 to 2.6: its middle is 1.9
    assert row["left_low"] < central < row["left_high"]
    assert (row["n_8mer"], row["best_site"]) == (1, "8mer")


def test_titration_solves_the_binding_equation() -> None:
    """a + T a/(a + K) = m to the last digits, from one copy to a hundred thousand, in both readings."""
    for reading, half in (("relative", 0.0069 * 180664), ("tight", 4.7)):
        for copies in (1.0, 40.0, 1000.0, 5000.0, 100_000.0):
            dose = exposure("copies", copies, reading)  # type: ignore[arg-type]
            free = dose.free / 0.0069 * half
            assert free + 1000.0 * free / (free + half) == pytest.approx(copies, rel=1e-9)
    assert exposure("copies", 0.0).free == 0.0


def test_the_readings_are_never_mixed() -> None:
    relative, tight = (exposure("copies", 40, reading) for reading in ("relative", "tight"))
    kd = np.array([constants()["kd_8mer"].value])
    # a native cell's 40 copies do little in the first reading; with 1,000 competitors, in the second neither
    assert float(repression(kd, relative.free)) > 0.94
    assert relative.statement != tight.statement
    with pytest.raises(InvalidInput, match="tight"):
        exposure("transfected", reading="tight")


def test_more_free_miRNA_represses_more_and_never_beyond_one_plus_b() -> None:
    kds = np.array([0.0069, 0.02])
    left = [float(repression(kds, free)) for free in np.logspace(-6, 3, 30)]
    assert left == sorted(left, reverse=True)
    assert left[-1] > 1 / (1 + 2 * constants()["b"].value)


def test_a_mutated_site_is_gone_and_another_base_changes_nothing() -> None:
    at = ONE_8MER.index("CACUGCCA") + 1
    inside = [mutation(f"RAB27B:{at + 3}:A")]
    outside = [mutation(f"RAB27B:{at - 60}:{'A' if ONE_8MER[at - 61] != 'A' else 'C'}")]
    for changed, same in ((inside, False), (outside, True)):
        genes = predict(MIR34C, [("RAB27B", ONE_8MER)], mutations=changed, expected=()).genes
        wild, mutant = genes[genes["gene"] == "RAB27B"].iloc[0], genes[genes["gene"] != "RAB27B"].iloc[0]
        assert bool(wild["left"] == mutant["left"]) is same
        assert mutant["n_8mer"] == (1 if same else 0)
        assert math.isnan(mutant["specificity"])  # a mutant competes with no gene


def test_what_is_absent_is_unknown() -> None:
    found = predict(MIR34C, [("RAB27B", ONE_8MER), ("RAB27A", PLAIN)])
    verdicts = dict(zip(found.genes["gene"], found.genes["verdict"], strict=True))
    assert verdicts["RAB27B"] == "repressed"
    assert verdicts["RAB27A"] == "none"
    assert verdicts["SMPD3"] == "unknown"
    assert any("SMPD3: unknown" in sentence for sentence in found.sentences)
    told = json.loads(found.to_json())
    assert next(row for row in told["genes"] if row["gene"] == "SMPD3")["left"] is None


def test_the_panel_ranks_and_shares_the_repression() -> None:
    utrs = [("a", ONE_8MER), ("b", PLAIN + "UACACUGCCGGA" + PLAIN), ("c", PLAIN)]
    genes = predict(MIR34C, utrs, expected=()).genes
    assert list(genes["gene"]) == ["a", "b", "c"]
    assert genes["specificity"].sum() == pytest.approx(1.0, abs=0.05)
    assert genes["p_most_repressed"].sum() == pytest.approx(1.0)
    order = predict(MIR34C, utrs[::-1], expected=()).genes
    assert order.equals(genes)  # the file's order changes nothing


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, again, other = (predict(MIR34C, [("a", ONE_8MER)], seed=seed).to_json() for seed in (1, 1, 2))
    assert first == again != other


def test_a_12mer_table_is_used_where_it_has_the_site(tmp_path: Path) -> None:
    [site] = find_sites(ONE_8MER, MIR34C)
    path = tmp_path / "kds.txt"
    path.write_text(f"12mer\tlog_kd\n{window(ONE_8MER, site).replace('U', 'T')}\t-6.5\n")
    table = read_kd_table(path)
    assert affinity(ONE_8MER, site, table).log_kd == -6.5
    assert (
        affinity(PLAIN[:30] + "GGCACUGCCAGG", find_sites(PLAIN[:30] + "GGCACUGCCAGG", MIR34C)[0], table).source
        == "type"
    )
    path.write_text("12mer\tlog_kd\nACGT\t-1\n")
    with pytest.raises(InvalidInput, match="line 2"):
        read_kd_table(path)
    path.write_text("word,kd\nACGT,1\n")
    with pytest.raises(InvalidInput, match="columns 12mer and log_kd"):
        read_kd_table(path)


@pytest.mark.parametrize("text", ["RAB27B", "RAB27B:x:A", "RAB27B:4:N", "RAB27B:0:A", ""])
def test_wrong_mutations_are_told(text: str) -> None:
    with pytest.raises(InvalidInput):
        mutated("ACGU", [mutation(text)])


def test_mutations_beyond_the_end_or_of_a_base_already_there() -> None:
    with pytest.raises(InvalidInput, match="from 1 to 4"):
        mutated("ACGU", [mutation("g:5:A")])
    with pytest.raises(InvalidInput, match="already"):
        mutated("ACGU", [mutation("g:1:A")])
    with pytest.raises(InvalidInput, match="not in the file"):
        predict(MIR34C, [("a", "ACGU")], mutations=[mutation("b:1:C")])


def test_ln_kd_of_the_published_sample(shared_data: Path) -> None:
    """A consistency check only, for the shipped KDs come from it: residual sd and rank correlation of both guides."""
    sample = shared_data / "targets" / "mcgeary_kslin_sample" / "sample_data"
    with (sample / "inputs" / "mirseqs.txt").open() as file:
        guides = {row["mir"]: Mirna(row["mir"], row["guide_seq"]) for row in csv.DictReader(file, delimiter="\t")}
    with (sample / "inputs" / "transcripts.txt").open() as file:
        texts = {row["transcript"]: rna(row["orf_utr3"]) for row in csv.DictReader(file, delimiter="\t")}
    ours, theirs = [], []
    for name, mirna in guides.items():
        with (sample / "outputs" / "features" / f"{name}.txt").open() as file:
            kds = {(r["transcript"], int(r["loc"])): float(r["log_kd"]) for r in csv.DictReader(file, delimiter="\t")}
        for transcript, utr in texts.items():
            for site in find_sites(utr, mirna, variants=False):
                if (place := (transcript, site.opposite_1 - 7)) in kds:
                    ours.append(affinity(utr, site).log_kd)
                    theirs.append(kds[place])
    known = constants()
    expected = math.hypot(known["sd_mirna"].value, known["sd_context"].value)
    assert np.std(np.subtract(ours, theirs)) < 1.1 * expected
    assert stats.spearmanr(ours, theirs).statistic > 0.8


def test_predicted_repression_of_the_published_sample(shared_data: Path) -> None:
    """Ranks of the ten transcripts as the model itself predicts them (ORF sites count less there): consistency only."""
    sample = shared_data / "targets" / "mcgeary_kslin_sample" / "sample_data"
    with (sample / "inputs" / "mirseqs.txt").open() as file:
        guides = {row["mir"]: Mirna(row["mir"], row["guide_seq"]) for row in csv.DictReader(file, delimiter="\t")}
    with (sample / "inputs" / "transcripts.txt").open() as file:
        utrs = [(row["transcript"], rna(row["utr3"])) for row in csv.DictReader(file, delimiter="\t")]
    for name, mirna in guides.items():
        with (sample / "outputs" / "predictions" / f"{name}.txt").open() as file:
            theirs = {row["transcript"]: float(row["pred"]) for row in csv.DictReader(file, delimiter="\t")}
        genes = predict(mirna, utrs, expected=()).genes.set_index("gene")["log2_fold_change"]
        assert stats.spearmanr([genes[key] for key in theirs], list(theirs.values())).statistic > 0.8


def test_a_transcriptome_takes_little_memory() -> None:
    """At most 12 kB per 3'UTR of 300 nt, its sequence and sites included: no draws are kept (2 x 16 kB before)."""
    import tracemalloc

    letters = np.random.default_rng(1).choice(list("ACGU"), size=(300, 300))
    utrs = ((f"g{number}", "".join(row)) for number, row in enumerate(letters))
    tracemalloc.start()
    try:
        found = predict(MIR34[0], utrs, expected=())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.genes) == 300
    assert peak < 300 * 12_000
