"""Study files of an earlier schema version, brought to the form of this one (docs/why/compatibility.md).

A key or word that only has another name is no migration: `was` and `former` in `senexo.study.form` are enough. A
migration is needed where a file would otherwise mean something else: a key with another unit or place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from senexo.study.schema import SCHEMA_VERSION

Tables = dict[str, Any]
# schema version -> what makes the tables of a file of that version into those of the next
MIGRATIONS: Mapping[int, Callable[[Tables], Tables]] = {}


def migrated(tables: Tables) -> tuple[Tables, list[str]]:
    """The tables of a file in the form of this version, and a notice for each version passed.

    A file that states no version is of this one; the resolved form of a study always states it.
    """
    notices = []
    version = tables.get("schema_version")
    while type(version) is int and version < SCHEMA_VERSION and version in MIGRATIONS:
        tables = {**MIGRATIONS[version](tables), "schema_version": version + 1}
        notices.append(f"schema_version: the file is of version {version} and is read as one of version {version + 1}")
        version += 1
    return tables, notices
