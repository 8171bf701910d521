"""FASTA files: every fault has one message, and there is no other outcome."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from senexo.base.errors import InvalidInput
from senexo.targets.fasta import find_mirna, read_fasta, read_mirbase

WRONG = {
    "protein": (b">a\nMKLEF\n", "record 1 (a): found the letter 'E', as in a protein"),
    "nothing": (b"", "found no record"),
    "gap": (b">a\nACG-T\n", "position 4: found '-', expected a sequence without gaps"),
    "a name twice": (b">a\nACG\n>b\nA\n>a\nAC\n", "record 3 (a): found a name that came before"),
    "no name": (b">\nACG\n", "record 1: found no name"),
    "letters first": (b"ACGT\n>a\nAC\n", "'ACGT' before any name"),
    "no letters": (b">a\n>b\nACG\n", "record 1 (a): found no letters"),
    "binary": (b"\xff\xfe\x00\x01", "bytes that are no letters"),
    "broken gzip": (b"\x1f\x8b\x08 no gzip", "broken gzip"),
    "cut gzip": (gzip.compress(b">a\n" + b"ACGT" * 100, mtime=0)[:-9], "broken gzip"),
    "digits": (b">a\nACG1\n", "position 4: found '1'"),
    "text": (b">a\nthe cat sat\n", "expected"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_each_fault_is_named(tmp_path: Path, kind: str) -> None:
    content, message = WRONG[kind]
    path = tmp_path / "utr.fa"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as told:
        list(read_fasta(path))
    assert message in str(told.value)
    assert "utr.fa" in str(told.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        list(read_fasta(tmp_path / "none.fa"))


def test_dna_rna_cases_wraps_comments_and_gzip_are_all_read(tmp_path: Path) -> None:
    text = b"; a comment\n>RAB27B human 3'UTR\r\nACgt\r\nuuRN\r\n\r\n>b\nA\n"
    (tmp_path / "plain.fa").write_bytes(text)
    (tmp_path / "packed.fa.gz").write_bytes(gzip.compress(text))
    expected = [("RAB27B", "ACGUUUNN"), ("b", "A")]
    assert list(read_fasta(tmp_path / "plain.fa")) == list(read_fasta(tmp_path / "packed.fa.gz")) == expected


def test_a_line_of_100_mb_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.fa"
    with path.open("wb") as file:
        file.write(b">long\n")
        for _ in range(100):
            file.write(b"ACGT" * 250_000)
    tracemalloc.start()
    with pytest.raises(InvalidInput, match="at most 20,000,000 letters"):
        list(read_fasta(path))
    assert tracemalloc.get_traced_memory()[1] < 64e6
    tracemalloc.stop()


def test_many_records_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "many.fa"
    path.write_bytes(b"".join(b">g%d\n%s\n" % (k, b"ACGT" * 2500) for k in range(2000)))
    tracemalloc.start()
    assert sum(len(sequence) for _, sequence in read_fasta(path)) == 2000 * 10_000
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(alphabet=">ACGTacgtuUN\n \r;-1é", max_size=200).map(str.encode))
def test_any_bytes_give_records_or_a_message(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x.fa"
    path.write_bytes(content)
    try:
        records = list(read_fasta(path))
    except InvalidInput:
        return
    assert all(name and set(sequence) <= set("ACGUN") for name, sequence in records)


def test_names_resolve_from_the_users_miRBase_file(tmp_path: Path) -> None:
    path = tmp_path / "mature.fa"
    path.write_text(">hsa-miR-449a MIMAT0001541 Homo sapiens miR-449a\nUGGCAGUGUAUUGUUAGCUGGU\n")
    assert find_mirna("hsa-miR-449a", path).accession == "MIMAT0001541"
    assert read_mirbase(path, "MIMAT0001541").name == "hsa-miR-449a"
    with pytest.raises(InvalidInput, match="one of hsa-miR-449a"):
        find_mirna("hsa-miR-449", path)


def test_a_sequence_is_a_miRNA_only_at_its_length() -> None:
    assert find_mirna("TGGCAGTGTCTTAGCTGGTTGT").seed == "GGCAGUG"
    with pytest.raises(InvalidInput, match="16 to 30 nucleotides"):
        find_mirna("UGGCAGUG")
    with pytest.raises(InvalidInput, match="a mature sequence"):
        find_mirna("miR-34c")
