"""Studies of tests: a base with some keys changed."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from senexo.study.resolve import resolve
from senexo.study.schema import Study


def changed(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Study:
    """The base with other values: {"donors__n": 1} sets donors.n, and makes tables that are not there."""
    raw = copy.deepcopy(dict(base))
    for path, value in changes.items():
        table: dict[str, Any] = raw
        *above, last = path.split("__")
        for name in above:
            table = table.setdefault(name, {})
        table[last] = value
    return resolve(raw)
