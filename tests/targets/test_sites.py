"""Seed sites against a plain scanner, the published sample, and sequences made by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from senexo.targets.fasta import read_mirbase
from senexo.targets.pairing import supplementary
from senexo.targets.rna import MIR34, Mirna, reverse_complement, rna
from senexo.targets.sites import CANONICAL, cooperative, find_sites

MIR34C = MIR34[2]
PAIR = {"A": "U", "C": "G", "G": "C", "U": "A"}


def plain_scan(utr: str, mirna: Mirna) -> set[tuple[str, int]]:
    """(type, 1-based place opposite nucleotide 1) by asking at every place which nucleotides pair: the definition."""
    found = set()
    for opposite in range(len(utr) + 2):  # an offset 6mer needs nothing opposite 1 and 2

        def pairs(k: int, at: int = opposite) -> bool:
            place = at - (k - 1)
            return 0 <= place < len(utr) and PAIR.get(utr[place]) == mirna.sequence[k - 1]

        a1 = opposite < len(utr) and utr[opposite] == "A"
        if all(pairs(k) for k in range(2, 9)):
            kind = "8mer" if a1 else "7mer-m8"
        elif all(pairs(k) for k in range(2, 8)):
            kind = "7mer-A1" if a1 else "6mer"
        elif all(pairs(k) for k in range(2, 7)) and a1:
            kind = "6mer-A1"
        elif all(pairs(k) for k in range(3, 9)):
            kind = "6mer-m8"
        else:
            continue
        found.add((kind, opposite + 1))
    return found


def test_seed_sites_of_100_000_random_utrs_are_those_of_the_plain_scanner() -> None:
    """Half of the sequences are salted with pieces of sites, so that every type comes often."""
    rng = np.random.default_rng(34)
    letters = np.array(list("ACGU"))
    whole, seen = reverse_complement(MIR34C.sequence[:9]) + "A", set()
    for number in range(100_000):
        utr = "".join(letters[rng.integers(4, size=24)])
        if number % 2:
            first = int(rng.integers(0, 5))
            piece = whole[first : first + int(rng.integers(5, 10))]
            at = int(rng.integers(0, 20))
            utr = utr[:at] + piece + utr[at:]
        sites = find_sites(utr, MIR34C, variants=False)
        assert {(site.type, site.opposite_1) for site in sites} == plain_scan(utr, MIR34C), utr
        seen.update(site.type for site in sites)
    assert seen == set(CANONICAL)


@pytest.mark.parametrize(
    ("utr", "kind", "start", "end"),
    [
        ("GGGGCACUGCCAGGGG", "8mer", 5, 12),
        ("GGGGCACUGCCGGGGG", "7mer-m8", 5, 11),
        ("GGGGGACUGCCAGGGG", "7mer-A1", 6, 12),
        ("GGGGGACUGCCGGGGG", "6mer", 6, 11),
        ("GGGGCACUGCGAGGGG", "6mer-m8", 5, 10),
        ("GGGGGGCUGCCAGGGG", "6mer-A1", 7, 12),
        ("CACUGCC", "7mer-m8", 1, 7),  # at the very end: nothing opposite nucleotide 1
    ],
)
def test_each_type_at_its_place(utr: str, kind: str, start: int, end: int) -> None:
    [site] = find_sites(utr, MIR34C, variants=False)
    assert (site.type, site.start, site.end) == (kind, start, end)


def test_an_unknown_base_makes_no_site() -> None:
    assert find_sites("GGGGCACUNCCAGGGG", MIR34C) == []


def test_wobble_and_bulge_are_flagged_and_compensated_by_3_prime_pairing() -> None:
    [wobble] = find_sites("GGGGCACUGUCAGGGG", MIR34C)  # U pairs with the G at nucleotide 3
    assert (wobble.type, wobble.flaw) == ("G:U", "G:U at 3")
    [bulge] = find_sites("GGGGCACGUGCCAGGG", MIR34C)
    assert (bulge.type, bulge.flaw.split()[0]) == ("bulge", "bulge")
    upstream = reverse_complement(MIR34C.sequence[12:18])
    [compensated] = find_sites(upstream + "GGGG" + "CACUGUCA", MIR34C)
    assert compensated.type == "3'-compensatory"
    assert compensated.supplementary >= 4


def test_cooperative_sites_are_8_to_40_apart() -> None:
    def pair(gap: int) -> list[bool]:
        return cooperative(find_sites("CACUGCCA" + "G" * (gap - 8) + "CACUGCCA", MIR34C, variants=False))

    assert pair(8) == pair(40) == [True, True]
    assert pair(41) == [False, False]


def test_the_miR_34_family_is_what_miRBase_says(shared_data: Path) -> None:
    for mirna in MIR34:
        assert read_mirbase(shared_data / "targets" / "mirbase_mature_hsa.fa.gz", mirna.name) == mirna


def test_the_miR_34_family_pinned() -> None:
    assert [(mirna.sequence, mirna.seed) for mirna in MIR34] == [
        ("UGGCAGUGUCUUAGCUGGUUGU", "GGCAGUG"),
        ("UAGGCAGUGUCAUUAGCUGAUUG", "AGGCAGU"),
        ("AGGCAGUGUAGUUAGCUGAUUGC", "GGCAGUG"),
    ]


@pytest.mark.parametrize("strand", ["mir122", "mir133", "mir122_pass", "mir133_pass"])
def test_published_sample_has_the_same_sites_and_3_prime_pairing(shared_data: Path, strand: str) -> None:
    """McGeary's biochemical model on 10 transcripts: every site type; 3' scores equal at 99 % of all places.

    The sample lists at most one of two sites that overlap; so ours may have one more (1 does).
    """
    sample = shared_data / "targets" / "mcgeary_kslin_sample" / "sample_data"
    with (sample / "inputs" / "mirseqs.txt").open() as file:
        rows = {row["mir"]: row for row in csv.DictReader(file, delimiter="\t")}
    guide = rows[strand.removesuffix("_pass")]
    mirna = Mirna(strand, guide["pass_seq" if strand.endswith("_pass") else "guide_seq"])
    with (sample / "inputs" / "transcripts.txt").open() as file:
        texts = {row["transcript"]: rna(row["orf_utr3"]) for row in csv.DictReader(file, delimiter="\t")}
    with (sample / "outputs" / "features" / f"{strand}.txt").open() as file:
        features = list(csv.DictReader(file, delimiter="\t"))
    ours = {
        (name, site.opposite_1 - 7): site
        for name, utr in texts.items()
        for site in find_sites(utr, mirna, variants=False)
    }
    theirs = {(row["transcript"], int(row["loc"])): row["stype"] for row in features if row["stype"] != "no site"}
    assert {key: ours[key].type.lower() for key in theirs} == theirs
    assert len(ours) - len(theirs) <= 1
    scores = [
        ours[place].supplementary if (place := (row["transcript"], int(row["loc"]))) in ours
        else supplementary(texts[row["transcript"]], mirna, int(row["loc"]) + 6, "")
        for row in features
    ]  # fmt: skip
    same = np.isclose(scores, [float(row["Threep"]) for row in features])
    assert np.mean(same) >= 0.99
