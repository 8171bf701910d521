"""Which miRNA has which senescence genes as targets: the shipped table, or the user's own.

The shipped one holds every human pair that miRTarBase (doi 10.1093/nar/gkab1079) lists as a functional interaction with
a reporter assay, a Western blot or a qRT-PCR, and whose gene is in the circuit; up to five PubMed ids each. Seen in the
database; the papers were not read again. miR-34c-5p -| RAB27B stands on the founding paper alone.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path

from senexo.base.errors import Fault, InvalidInput
from senexo.targets.fasta import text_lines

COLUMNS = ("mirna", "gene")


def senescence_network(
    path: str | Path | None = None, genes: Collection[str] | None = None
) -> Mapping[str, frozenset[str]]:
    """Read a network of miRNAs and their targets.

    Parameters
    ----------
    path
        CSV table with the columns mirna and gene (others are ignored); the shipped table by default.
    genes
        The genes that may occur; all of them by default.

    Returns
    -------
    mapping
        miRNA -> set of its targets.

    Raises
    ------
    InvalidInput
        With the file and the line of every faulty row.

    Examples
    --------
    >>> sorted(senescence_network()["hsa-miR-449b-5p"])
    ['CCNE2', 'CDK6', 'MYC', 'SIRT1']
    """
    if path is None:
        name, lines = "senescence_network.csv", iter(_shipped().splitlines())
    else:
        name, lines = Path(path).name, text_lines(path)
    rows = csv.DictReader(lines)
    if missing := set(COLUMNS) - set(rows.fieldnames or ()):
        found = ", ".join(rows.fieldnames or ()) or "nothing"
        raise InvalidInput([Fault(f"{name}, line 1", found[:80], f"the columns {' and '.join(sorted(missing))}")])
    network: dict[str, set[str]] = {}
    faults = []
    for number, row in enumerate(rows, start=2):
        mirna, gene = (row["mirna"] or "").strip(), (row["gene"] or "").strip()
        if not mirna or not gene or (genes is not None and gene not in genes):
            expected = f"a miRNA and one of the genes {', '.join(sorted(genes or ()))}" if genes else "both filled in"
            faults.append(Fault(f"{name}, line {number}", f"{mirna or 'nothing'}, {gene or 'nothing'}", expected))
        else:
            network.setdefault(mirna, set()).add(gene)
    if faults or not network:
        raise InvalidInput(faults or [Fault(name, "no row", "at least one miRNA with its target")])
    return {mirna: frozenset(targets) for mirna, targets in network.items()}


def _shipped() -> str:
    return files("senexo.targets").joinpath("senescence_network.csv").read_text(encoding="utf-8")
