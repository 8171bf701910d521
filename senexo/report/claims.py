"""All shipped claims as one table: as text, as a page, and as the rows of docs/claims.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

from senexo.report.drawing import styled
from senexo.report.template import rendered
from senexo.report.worlds import interval, picture

if TYPE_CHECKING:
    import pandas as pd

WIDTH = 120  # characters of the text
HEADS = ("study", "world", "what is claimed", "true in % (95 % CI)", "could be", "where it could", "null")
EVIDENCE = ("simulated", "measured data")


def cells(row: Mapping[Any, Any]) -> list[str]:
    """One result: study, world, part of the claim, and its four shares."""
    shares = [
        interval(row, name) if row[name] == row[name] else ""
        for name in ("true", "possible", "true_where_possible", "null")
    ]
    return [row["study"], row["world"] or "as it stands", row["part"] or "the whole claim", *shares]


def groups(table: pd.DataFrame) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Every claim with its results, in the order of the paper."""
    for _, own in table.groupby("claim", sort=False):
        rows = [{str(key): value for key, value in row.items()} for row in own.to_dict("records")]
        yield rows[0], [row for row in rows if row["study"]]


def text(table: pd.DataFrame) -> str:
    """The claims for a terminal."""
    shown = [cells(row) for _, rows in groups(table) for row in rows if row["true"] == row["true"]]
    widths = [max(len(line[k]) for line in [HEADS, *shown]) for k in range(len(HEADS))]
    said = []
    for claim, rows in groups(table):
        said.append(f"{claim['claim']} ({claim['kind']}): {claim['sentence']}")
        with_shares = [cells(row) for row in rows if row["true"] == row["true"]]
        for line in [HEADS, *with_shares] if with_shares else []:
            padded = (word.ljust(width) for word, width in zip(line, widths, strict=True))
            said.append(f"    {'  '.join(padded)}".rstrip())
        notes = [f"{row['study']}: {row['note']}" for row in rows if row["note"]]
        notes += [f"rests on: {claim['rests_on']}"] if claim["rests_on"] else []
        notes += [f"would settle it: {claim['settled_by']}"] if claim["settled_by"] else []
        said += [fill(note, WIDTH, initial_indent="    ", subsequent_indent="      ") for note in notes]
        said.append("")
    return "\n".join(said).rstrip()


def page(table: pd.DataFrame, version: str) -> str:
    """The claims as one HTML page that opens without a network, with a picture of the shares."""
    from markupsafe import Markup

    drawn = table[table["true"].notna() & (table["part"] == "")].copy()
    drawn["world"] = drawn["study"] + drawn["world"].map(lambda world: f", {world}" if world else "")
    picked = [
        {
            "claim": claim,
            "rows": [{"cells": cells(row), "decides": row["decides"], "note": row["note"]} for row in rows],
        }
        for claim, rows in groups(table)
    ]
    with styled():
        figure = picture(drawn) if len(drawn) else None
        svg = figure.svg() if figure is not None else ""
    return rendered(
        "claims", claims=picked, heads=HEADS, svg=Markup(svg), version=version, evidence=EVIDENCE,
        caption=figure.caption if figure is not None else "",
    )  # fmt: skip
