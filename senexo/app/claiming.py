"""`senexo claims`: the table of all shipped claims, printed or written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".html", ".parquet")


def claims_of(only: str | None, out: Path | None, *, overwrite: bool = False) -> str:
    """The text to print: the claims, or the path of the file that was written."""
    from senexo.report.claims import text
    from senexo.study.shipped_claims import claims

    if out is not None and out.suffix not in ENDINGS:
        raise InvalidInput(
            [Fault("--out", str(out), f"a file that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")]
        )
    if out is not None and out.exists() and not overwrite:
        raise InvalidInput([Fault("--out", f"{out}, which is there already", "a new file, or --overwrite")])
    table = claims(only)
    if out is None:
        return text(table)
    out.parent.mkdir(parents=True, exist_ok=True)
    _write(table, out)
    return str(out)


def _write(table: pd.DataFrame, out: Path) -> None:
    from senexo import __version__
    from senexo.base.atomic import write_file
    from senexo.base.plotting import require_matplotlib
    from senexo.base.table import csv_bytes, parquet_bytes
    from senexo.report.claims import page

    if out.suffix == ".html":
        require_matplotlib()
        write_file(out, page(table, __version__).encode())
    else:
        write_file(out, csv_bytes(table) if out.suffix == ".csv" else parquet_bytes(table))
