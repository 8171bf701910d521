"""What an arm does to its cells, read from the resolved study, in words for figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Action = Mapping[str, Any]
TREATMENTS = ("dose", "wash_out", "change")  # done to the culture; all else is done to the cells


def actions(arm: Mapping[str, Any]) -> Iterator[Action]:
    """Every action of an arm: genotype and schedule, of the well and of its insert."""
    for part in (arm, arm.get("insert", {})):
        yield from part.get("genotype", [])
        yield from part.get("schedule", [])


def words(action: Action) -> str:
    """An action in a few words.

    Examples
    --------
    >>> words({"verb": "knock_down", "of": "RAB27B", "value": 0.1, "operation": "multiply"})
    'RAB27B knocked down by 90 %'
    >>> words({"verb": "change", "of": "medium", "value": 0.0, "operation": "set"})
    'fresh medium'
    """
    of, value = str(action["of"]).replace("_", " "), float(action["value"])
    match action["verb"]:
        case "dose":
            return f"{of}, {value:,.0f} copies"
        case "wash_out":
            return f"{of} washed out"
        case "change":
            changed = {"medium": "fresh medium", "part of medium": f"{1 - value:.0%} fresh medium".replace("%", " %")}
            return changed.get(of, f"{of} {value:g}{' %' if of == 'serum' else ''}")
        case "knock_down" | "inhibit":
            done = "knocked down" if action["verb"] == "knock_down" else "inhibited"
            return f"{of} {done} by {100 * (1 - value):.0f} %"
        case "knock_out":
            return f"{of} knocked out"
        case "mutate":
            return f"{of} site mutated"
        case "express":
            return f"{of} expressed ({value:g})"
        case verb:
            return f"{of} {verb.replace('_', ' ')}"
