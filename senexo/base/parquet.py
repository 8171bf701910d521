"""Parquet from an unknown source: its rows, columns and unpacked size are known before it is unpacked.

A column whose values repeat is stored as a dictionary and a run: 479 kB can stand for gigabytes. So columns of text are
read as they are stored, and their size unpacked is added up batch by batch before any is unpacked.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 512 * 2**20  # unpacked
MAX_ROWS = 2_000_000
MAX_CELLS = 20_000_000
MAX_CELL = 131_072  # characters
ROWS_AT_ONCE = 65_536


def read_parquet(data: bytes, *, where: str) -> pd.DataFrame:
    """The table of a Parquet file, rows numbered from 0.

    Raises
    ------
    InvalidInput
        Columns whose cells are lists, tables or bytes (each by name), or more than 2 million rows, 20 million cells or
        512 MiB unpacked.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    about = pq.ParquetFile(io.BytesIO(data))
    schema, meta = about.schema_arrow, about.metadata
    _refuse_size(where, meta.num_rows, meta.num_rows * len(schema), sum(_unpacked(meta)))
    faults = [
        Fault(f"{where}: column {field.name}", f"cells of the type {field.type}", "text, numbers, flags or dates")
        for field in schema
        if not _is_plain(field.type)
    ]
    if faults:
        raise InvalidInput(faults)
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    file = pq.ParquetFile(io.BytesIO(data), read_dictionary=texts)
    batches, rows, size = [], 0, 0
    for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
        _refuse_long(where, batch)
        rows, size = rows + batch.num_rows, size + sum(map(_bytes, batch.columns))
        _refuse_size(where, rows, rows * len(schema), size)
        batches.append(batch)
    found = pa.Table.from_batches(batches, schema=batches[0].schema if batches else file.schema_arrow)
    return found.cast(schema).to_pandas(ignore_metadata=False).reset_index(drop=True)


def _refuse_size(where: str, rows: int, cells: int, size: float) -> None:
    for found, most, what in (
        (rows, MAX_ROWS, f"more than {MAX_ROWS:,} rows"),
        (cells, MAX_CELLS, f"more than {MAX_CELLS:,} cells"),
        (size, MAX_BYTES, f"a table that unpacks to more than {MAX_BYTES // 2**20} MiB"),
    ):
        if found > most:
            raise InvalidInput([Fault(where, what, "a smaller table")])


def _refuse_long(where: str, batch: Any) -> None:
    """InvalidInput for a text longer than a cell may be; texts are dictionaries here."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            longest = pc.max(pc.binary_length(column.dictionary)).as_py() or 0
            if longest > MAX_CELL:
                found = f"a cell of {longest:,} characters"
                raise InvalidInput([Fault(f"{where}: column {name}", found, f"at most {MAX_CELL:,} characters")])


def _unpacked(meta: Any) -> list[int]:
    groups = (meta.row_group(number) for number in range(meta.num_row_groups))
    return [group.total_byte_size for group in groups]


def _bytes(column: Any) -> int:
    """Bytes of a column of a batch once its dictionary, if it has one, is written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
    return int(pc.sum(lengths).as_py() or 0) + 8 * len(column)


def _is_plain(kind: Any) -> bool:
    import pyarrow as pa

    t = pa.types
    if t.is_dictionary(kind):
        return _is_plain(kind.value_type)
    checks = (
        t.is_string, t.is_large_string, t.is_integer, t.is_floating, t.is_boolean, t.is_temporal, t.is_decimal,
        t.is_null,
    )  # fmt: skip
    return any(check(kind) for check in checks)
