"""The table of packages covers the lock, in its versions; every licence is stated, and none forbids use beside ours."""

from __future__ import annotations

import re

import doc_packages

ROW = re.compile(
    r"^\| ([a-z0-9-]+) \| (\S+) \| \d{4}-\d\d-\d\d \| (?:this one|\S+, \d{4}-\d\d-\d\d) "
    r"\| ([^|]+) \| ([\d.]+) \| ([^|]+) \|$",
    re.MULTILINE,
)


def rows() -> dict[str, tuple[str, ...]]:
    page = doc_packages.PAGE.read_text(encoding="utf-8")
    return {name: rest for name, *rest in ROW.findall(page)}  # type: ignore[misc]


def test_the_table_is_that_of_the_lock() -> None:
    shown = {name: row[0] for name, row in rows().items()}
    assert shown == doc_packages.locked()
    assert len(shown) > 40


def test_the_dates_are_those_of_the_locked_versions() -> None:
    """After a change of the lock: `tests/docs/doc_releases.py`, then `tests/docs/doc_packages.py`."""
    assert {name: row["version"] for name, row in doc_packages.releases().items()} == doc_packages.locked()
    assert all(row["released"] <= row["newest_released"] for row in doc_packages.releases().values())


def test_every_licence_is_stated() -> None:
    for name, (_, terms, _, users) in rows().items():
        assert terms != "not stated", name
        assert users.strip()


def test_what_senexo_names_is_marked_as_its_own() -> None:
    assert {name for name, row in rows().items() if row[3] == "senexo"} == doc_packages.direct()
