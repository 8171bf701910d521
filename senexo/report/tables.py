"""The tables and plain sentences of the page, as HTML built cell by cell (every cell escaped)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def number(value: object, digits: int = 4) -> str:
    """A number as a reader wants it: four significant digits, thousands marked, nothing for not-a-number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if math.isnan(value):
        return ""
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        rounded = f"{value:,.{digits}g}"
        if "e" in rounded:
            return f"{value:,.0f}"
        return rounded
    return f"{value:.{digits - 1}g}"


def html(head: Sequence[str], rows: Iterable[Sequence[object]], classes: Sequence[str] = ()) -> str:
    """A table; a column whose every cell is a number is set to the right."""
    body = [list(row) for row in rows]
    right = [
        bool(body) and all(isinstance(row[i], int | float) or row[i] is None for row in body) for i in range(len(head))
    ]
    side = [' class="number"' if flag else "" for flag in right]
    lines = ["<table><thead><tr>", *(f"<th{s}>{escape(h)}</th>" for h, s in zip(head, side, strict=True))]
    lines.append("</tr></thead><tbody>")
    for index, row in enumerate(body):
        cells = "".join(f"<td{s}>{escape(number(cell))}</td>" for cell, s in zip(row, side, strict=True))
        lines.append(f'<tr class="{escape(classes[index])}">{cells}</tr>' if classes else f"<tr>{cells}</tr>")
    return "".join([*lines, "</tbody></table>"])


def plain(table: pd.DataFrame) -> str:
    """A table of results as it is; underscores of column names become spaces."""
    rows = table.astype(object).itertuples(index=False, name=None)
    return html([str(column).replace("_", " ") for column in table.columns], rows)


def cells_per_well(run: dict[str, Any]) -> str:
    """Cells at the start of a well: one number or, where arms differ, the fewest to the most."""
    per_well = run.get("cells_per_well", {"": run.get("n_cells")})  # results of version 0.1 say n_cells, of every well
    low, high = min(per_well.values()), max(per_well.values())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def design(run: dict[str, Any], study: dict[str, Any], arms: pd.DataFrame) -> str:
    """The design of the study in one paragraph."""
    culture = study["culture"]
    medium = f" in {culture['serum_percent']:g} % serum" if "serum_percent" in culture else ""  # not in a model file
    return (
        f"{study['donors']['n']} virtual donors, each with its own draw of the uncertain parameters. "
        f"{cells_per_well(run)} cells at the start of a well. {culture['duration_h'] / 24:g} days"
        f"{medium} after {culture['preequilibration_h']:g} h of culture without treatment. "
        f"{len(arms)} arms in {arms['family'].nunique()} families, "
        f"{study['replicates']['n']} technical replicates each. Seed {run['seed']}."
    )


def arms(table: pd.DataFrame) -> str:
    """What each family of arms does; a ladder is one row."""
    rows = []
    for family, members in table.groupby("family", sort=False):
        doses = [f"{dose:,.0f}" for dose in members["dose_copies"].dropna() if dose > 0]
        rows.append((family, ", ".join(doses), members["summary"].iloc[-1]))
    return html(["family", "doses (active copies per cell)", "what is done (highest dose)"], rows)


def ec50(rows: Sequence[dict[str, Any]]) -> str:
    """Half-effective doses with their intervals; the same one once, however many requests it answers."""
    head = ["read-out", "time (h)", "family", "EC50 (copies)", "95 % low", "95 % high", "donors reached", "in words"]
    keys = ("readout", "time_h", "family", "estimate", "low", "high", "reached", "sentence")
    return html(head, dict.fromkeys(tuple(row[key] for key in keys) for row in rows))


def parameters(table: pd.DataFrame) -> str:
    """The circuit's parameters with source and status."""
    keys = ["name", "value", "low", "high", "law", "unit", "status", "source", "note"]
    return html(keys, table[keys].astype(object).itertuples(index=False, name=None), list(table["status"]))


def provenance(run: dict[str, Any]) -> str:
    """Every scalar of run.json, nested ones by their dotted path."""
    return html(["what", "value"], ((name, str(value)) for name, value in _flat(run) if name != "cautions"))


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
