"""The page of keys is that of the tables which read a study file, and every table of a file is in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from senexo.study import keys
from senexo.study.form import arms
from senexo.study.form.table import Table
from senexo.study.json_schema import schema

PAGE = Path(__file__).resolve().parents[2] / "docs" / "study-file.md"
SAME_KEYS = {"Insert", "ResolvedInsert", "TimedNumber", "TimedShare", "TimedAmount", "PercentFrom", "AmountFrom"}


def test_the_page_is_as_generated() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert keys.written_anew(text) == text, "run: python -m senexo.study.keys docs/study-file.md"


def test_every_table_of_the_schema_has_its_section() -> None:
    """But those whose keys the text names: inserts, and a quantity with a time."""
    there = {table.__name__ for _, table in keys.SECTIONS}
    assert set(schema()["$defs"]) - there == SAME_KEYS
    assert set(arms.Insert.keys()) <= set(arms.ArmTable.keys())


def tables(of: type[Table] = Table) -> Iterator[type[Table]]:
    for table in of.__subclasses__():
        yield table
        yield from tables(table)


def test_every_key_has_a_meaning_and_every_key_that_may_be_left_out_a_default() -> None:
    for table in tables():
        for name, about in table.keys().items():
            if not table.__module__.startswith("senexo."):
                continue
            assert about.description or name == "value", (table, name)


def test_every_key_of_the_schema_is_described() -> None:
    for name, table in {"top": schema(), **schema()["$defs"]}.items():
        for key, about in table["properties"].items():
            assert about.get("description"), (name, key)
