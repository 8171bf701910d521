"""The tables that assays read from a run, from small tables counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from senexo.base.errors import InvalidInput
from senexo.lab.coupled.assayed import CENSORED, followed, founded, moved, tracked

COUNTS = ["arm", "donor", "replicate", "time_h", "cell_type", "quantity", "value", "unit", "followed"]


def counts() -> pd.DataFrame:
    rows = []
    for hour, lsc, msc, x in ((0.0, 3.0, 2.0, 0.0), (24.0, 4.0, 2.0, 50.0), (48.0, 5.0, 0.0, 80.0)):
        rows += [
            ("a", 1, 1, hour, "LSC", "cells", lsc, "cells", 2),
            ("a", 1, 1, hour, "MSC", "cells", msc, "cells", 2),
            ("a", 1, 1, hour, "medium", "X", x, "copies", np.nan),
            ("a", 1, 1, hour, "medium", "vesicles", 10 * x, "copies", np.nan),
        ]
    return pd.DataFrame(rows, columns=COUNTS)


def tables() -> dict[str, pd.DataFrame]:
    """Founders f, g (LSC) and h (MSC): f divides twice over, g commits at 40 h, h dies at 30 h."""
    lineage = [
        ("f", "", -5.0, "LSC", "plated", 10.0, "divided", 1),
        ("g", "", -7.0, "LSC", "plated", np.nan, "became LSC_senescent", 1),
        ("h", "", 0.0, "MSC", "plated", 30.0, "died", 1), ("f1", "f", 10.0, "LSC", "born", 20.0, "divided", 1),
        ("f2", "f", 10.0, "LSC", "born", np.nan, "alive", 1), ("f11", "f1", 20.0, "LSC", "born", np.nan, "alive", 1),
        ("f12", "f1", 20.0, "blast", "born", 44.0, "died", 1),
    ]  # fmt: skip
    names = ["lineage", "parent", "born_h", "cell_type", "origin", "ended_h", "end", "weight"]
    log = [
        ("f", 10.0, "division", 1), ("f1", 20.0, "division", 1), ("h", 30.0, "death", 1), ("g", 40.0, "commitment", 1),
        ("f12", 44.0, "death", 1),
    ]  # fmt: skip
    course = [("LSC", 0.0, 7.0), ("LSC", 24.0, 8.0), ("LSC", 48.0, 9.0), ("MSC", 0.0, 1.0), ("MSC", 24.0, 3.0)]
    about = {"arm": "a", "donor": 1, "replicate": 1}
    return {
        "counts": counts(),
        "lineage": pd.DataFrame(lineage, columns=names).assign(**about),
        "fates": pd.DataFrame(log, columns=["lineage", "time_h", "fate", "weight"]).assign(**about),
        "timecourse": pd.DataFrame(course, columns=["cell_type", "time_h", "value"]).assign(
            **about, quantity="miR", statistic="mean"
        ),
    }


def test_founders_are_followed_to_their_first_fate() -> None:
    found = followed(tables()).set_index("cell")
    assert found["fate"].to_dict() == {"f": "division", "g": "commitment", "h": "death"}
    assert found["time_h"].to_dict() == {"f": 10.0, "g": 40.0, "h": 30.0}
    assert list(followed(tables(), ["MSC"])["cell"]) == ["h"]


def resampled() -> dict[str, pd.DataFrame]:
    """Six founders: b was merged into a, which then represents both and divides; d into c, f into e.

    c (weight 2) is split into c and its clone x at 12 h; c dies at 15 h, x is alive at the end (48 h). e commits at
    20 h, and is only then split: its clone y has had its first fate already. f is alive.
    """
    lineage = [
        ("a", "", -1.0, "LSC", "plated", 10.0, "divided", 2), ("b", "", -2.0, "LSC", "plated", 5.0, "resampled", 0),
        ("c", "", -3.0, "LSC", "plated", 15.0, "died", 1), ("d", "", -4.0, "LSC", "plated", 6.0, "resampled", 0),
        ("e", "", -5.0, "LSC", "plated", np.nan, "became LSC_senescent", 1),
        ("f", "", -6.0, "LSC", "plated", 7.0, "resampled", 0),
        ("a1", "a", 10.0, "LSC", "born", np.nan, "alive", 4), ("a2", "a", 10.0, "LSC", "born", 30.0, "resampled", 0),
        ("x", "c", 12.0, "LSC", "clone", np.nan, "alive", 1),
        ("y", "e", 25.0, "LSC_senescent", "clone", np.nan, "alive", 1),
    ]  # fmt: skip
    names = ["lineage", "parent", "born_h", "cell_type", "origin", "ended_h", "end", "weight"]
    log = [("a", 10.0, "division", 2), ("c", 15.0, "death", 1), ("e", 20.0, "commitment", 2)]
    about = {"arm": "a", "donor": 1, "replicate": 1}
    return {
        "counts": counts(),
        "lineage": pd.DataFrame(lineage, columns=names).assign(**about),
        "fates": pd.DataFrame(log, columns=["lineage", "time_h", "fate", "weight"]).assign(**about),
    }


def test_resampled_founders_count_as_those_they_represent() -> None:
    """Of the six that were plated two divide at 10 h, two commit at 20 h, one dies at 15 h, one has no fate."""
    found = followed(resampled())
    assert sorted(zip(found["fate"], found["time_h"], strict=True)) == [
        ("commitment", 20.0), ("commitment", 20.0), ("death", 15.0), ("division", 10.0), ("division", 10.0),
        (CENSORED, 48.0),
    ]  # fmt: skip
    assert found["cell"].is_unique


@pytest.mark.parametrize(("kinds", "least", "colonies", "plated"), [
    ((), 2, 1, 3), ((), 1, 2, 3), (("LSC",), 2, 1, 2), (("LSC",), 3, 0, 2), (("MSC",), 1, 0, 1),
])  # fmt: skip
def test_colonies_are_founders_with_enough_living_descendants(
    kinds: tuple[str, ...], least: int, colonies: int, plated: int
) -> None:
    row = founded(tables(), kinds, least).iloc[0]
    assert (row["colonies"], row["cells_plated"]) == (colonies, plated)


def test_colonies_of_resampled_cells_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"only a part of the cells was followed \(a\).*most_cells"):
        founded(resampled(), (), 2)


def test_copies_are_summed_over_cells_and_media() -> None:
    found = moved(tables(), ["LSC"], ["MSC"], "miR", ["X"]).set_index("time_h")
    assert found["donor_cells"].to_dict() == {0.0: 21.0, 24.0: 32.0, 48.0: 45.0}
    assert found["recipient_cells"].to_dict() == {0.0: 2.0, 24.0: 6.0, 48.0: 0.0}  # all are dead by then
    assert found["vesicular"].to_dict() == {0.0: 0.0, 24.0: 50.0, 48.0: 80.0}
    alone = moved(tables(), ["LSC"], ["HSC"], "miR", [])
    assert alone["recipient_cells"].isna().all()
    assert moved(tables(), ["HSC"], ["LSC"], "miR", []).empty


def test_particles_are_those_of_the_medium() -> None:
    """Without scatter of reading: 80 + 800 in the medium of 5 cells at a million per mL, 5 cells at the end."""
    row = tracked(tables(), ["X", "vesicles"], 1e6, 0.0, None, 1).iloc[0]
    assert row["particles_per_ml"] * row["dilution"] * row["volume_ml"] == pytest.approx(880.0)
    assert (row["volume_ml"], row["n_cells"], row["n_cells_start"], row["hours"]) == (5e-6, 5.0, 5.0, 48.0)
    assert row["particles_per_ml"] <= 5e7
    many = [tracked(tables(), ["X", "vesicles"], 1e6, 0.2, None, seed).iloc[0] for seed in range(400)]
    read = np.array([r["particles_per_ml"] * r["dilution"] * r["volume_ml"] for r in many])
    assert read.mean() == pytest.approx(880.0, rel=4.5 * 0.2 / 20)  # 4.5 standard errors: false alarm 7e-6
    assert read.std() / read.mean() == pytest.approx(0.2, rel=0.17)  # as wide
