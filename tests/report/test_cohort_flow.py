"""The flow of virtual patients: every patient is in one box of each column, and what a box holds comes out again."""

from __future__ import annotations

from itertools import product

import pandas as pd

from senexo.report.cohort_flow import BOXES, numbers


def test_columns_of_boxes_add_up() -> None:
    """All histories that can be, and each once more: early deaths and failures have no remission to lose."""
    rows = [
        {"early_death": early, "remission": remission, "relapse": relapse, "death_in_remission": death}
        for early, remission, relapse, death in product((0, 1), repeat=4)
        if (remission or not (relapse or death)) and not (early and remission) and not (relapse and death)
    ]
    found = numbers(pd.DataFrame(rows * 2))
    assert found == {
        "treated": 10, "early death": 2, "no remission": 2, "remission": 6, "relapse": 2, "death in remission": 2,
        "in remission at the end": 2,
    }  # fmt: skip
    for box in ("treated", "remission"):
        assert sum(found[name] for name, (_, _, source) in BOXES.items() if source == box) == found[box]
