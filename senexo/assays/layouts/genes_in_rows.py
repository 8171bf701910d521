"""Matrices with a row per RNA and a column per sample, turned round; .gct is one (first line `#1.2`)."""

from __future__ import annotations

from senexo.assays.layouts.layout import Frame, Layout, Lines
from senexo.base.cells import EMPTY, as_text, is_number
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import at
from senexo.base.table_file import Grid, framed

_GENE = (
    "gene", "genes", "gene_id", "geneid", "gene id", "gene_name", "gene name", "gene symbol", "symbol", "mirna",
    "mirnas", "mirna_id", "mir", "rna", "feature", "feature_id", "id_ref", "probe", "probe_id", "transcript", "target",
)  # fmt: skip
_ABOUT_GENES = ("description", "length", "chr", "start", "end", "strand", "gene_biotype", "accession")


def _header(lines: Lines) -> int | None:
    head = next((i for i, line in enumerate(lines) if sum(bool(as_text(cell)) for cell in line) > 2), None)
    if head is None or len(lines) < head + 2:
        return None
    short = len(lines[head + 1]) == len(lines[head]) + 1  # R's write.table has no name for the names of rows
    first = "" if short else as_text(lines[head][0]).lower()
    return head if first in _GENE or (first in ("", "id", "name") and _all_numbers(lines, head)) else None


def _all_numbers(lines: Lines, at: int) -> bool:
    """Whether all that is not the first column is numbers: no column of groups."""
    body = [line for line in lines[at + 1 :] if any(map(as_text, line))]
    return all(
        is_number(cell) or cell.lower() in EMPTY for line in body for cell in (as_text(one) for one in line[1:])
    ) and not all(is_number(as_text(line[0])) for line in body)


def _read(grid: Grid, header: int) -> Frame:
    frame, said = framed(grid, header)
    gene = frame.columns[0]
    samples = [name for name in frame.columns[1:] if name.lower() not in _ABOUT_GENES]
    names = frame[gene].map(as_text)
    again = names[names.duplicated() | (names == "")]
    if len(again):
        faults = [
            Fault(at(str(grid.path), row, gene), f"'{name}' again" if name else "an empty cell", "a name for each RNA")
            for row, name in again.items()
        ]
        raise InvalidInput(faults)
    turned = frame[samples].T.set_axis(names, axis=1)
    turned.columns.name = None
    turned.insert(0, "sample", samples)
    note = f"RNAs in rows: {len(names)} RNAs of {len(samples)} samples, named in column sample"
    return turned.reset_index(drop=True), [*said, note]


def _gct_header(lines: Lines) -> int | None:
    if not lines or not lines[0] or not as_text(lines[0][0]).startswith("#1."):
        return None
    return next((i for i, line in enumerate(lines[:5]) if line and as_text(line[0]).lower() in ("name", "id")), None)


GCT = Layout("a .gct matrix", _gct_header, _read)
GENES_IN_ROWS = Layout("a matrix with RNAs in rows", _header, _read, unless_asked=True)
