"""The bench's tables of a run, from small tables whose answer is counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from senexo.base.errors import InvalidInput
from senexo.lab.coupled.assayed import CENSORED, followed, founded, moved, tracked

COUNTS = ["arm", "donor", "replicate", "time_h", "cell_type", "quantity", "value", "unit"]


def counts(split: float = 1.0) -> pd.DataFrame:
    rows = []
    for hour, lsc, msc, x, dilution in (
        (0.0, 3.0, 2.0, 0.0, 1.0),
        (24.0, 4.0, 2.0, 50.0, 1.0),
        (48.0, 5.0, 0.0, 80.0, split),
    ):
        rows += [
            ("a", 1, 1, hour, "LSC", "cells", lsc, "cells"),
            ("a", 1, 1, hour, "MSC", "cells", msc, "cells"),
            ("a", 1, 1, hour, "medium", "X", x, "copies"),
            ("a", 1, 1, hour, "medium", "vesicles", 10 * x, "copies"),
            ("a", 1, 1, hour, "", "dilution", dilution, "cells per cell"),
        ]
    return pd.DataFrame(rows, columns=COUNTS)


def tables(split: float = 1.0) -> dict[str, pd.DataFrame]:
    """Founders f, g (LSC) and h (MSC): f divides twice over, g commits at 40 h, h dies at 30 h."""
    lineage = [
        ("f", "", -5.0, "LSC", 10.0, "divided"), ("g", "", -7.0, "LSC", np.nan, "became LSC_senescent"),
        ("h", "", 0.0, "MSC", 30.0, "died"), ("f1", "f", 10.0, "LSC", 20.0, "divided"),
        ("f2", "f", 10.0, "LSC", np.nan, "alive"), ("f11", "f1", 20.0, "LSC", np.nan, "alive"),
        ("f12", "f1", 20.0, "blast", 44.0, "died"),
    ]  # fmt: skip
    names = ["lineage", "parent", "born_h", "cell_type", "ended_h", "end"]
    log = [
        ("f", 10.0, "division"), ("f1", 20.0, "division"), ("h", 30.0, "death"), ("g", 40.0, "commitment"),
        ("f12", 44.0, "death"),
    ]  # fmt: skip
    course = [("LSC", 0.0, 7.0), ("LSC", 24.0, 8.0), ("LSC", 48.0, 9.0), ("MSC", 0.0, 1.0), ("MSC", 24.0, 3.0)]
    about = {"arm": "a", "donor": 1, "replicate": 1}
    return {
        "counts": counts(split),
        "lineage": pd.DataFrame(lineage, columns=names).assign(**about),
        "fates": pd.DataFrame(log, columns=["lineage", "time_h", "fate"]).assign(**about),
        "timecourse": pd.DataFrame(course, columns=["cell_type", "time_h", "value"]).assign(
            **about, quantity="miR", statistic="mean"
        ),
    }


def test_founders_are_followed_to_their_first_fate() -> None:
    found = followed(tables()).set_index("cell")
    assert found["fate"].to_dict() == {"f": "division", "g": "commitment", "h": "death"}
    assert found["time_h"].to_dict() == {"f": 10.0, "g": 40.0, "h": 30.0}
    assert list(followed(tables(), ["MSC"])["cell"]) == ["h"]


def test_a_split_well_is_followed_until_then() -> None:
    found = followed(tables(split=2.0)).set_index("cell")
    assert found["fate"].to_dict() == {"f": "division", "g": CENSORED, "h": CENSORED}
    assert found["time_h"].to_dict() == {"f": 10.0, "g": 24.0, "h": 24.0}


@pytest.mark.parametrize(("kinds", "least", "colonies", "plated"), [
    ((), 2, 1, 3), ((), 1, 2, 3), (("LSC",), 2, 1, 2), (("LSC",), 3, 0, 2), (("MSC",), 1, 0, 1),
])  # fmt: skip
def test_colonies_are_founders_with_enough_living_descendants(
    kinds: tuple[str, ...], least: int, colonies: int, plated: int
) -> None:
    row = founded(tables(), kinds, least).iloc[0]
    assert (row["colonies"], row["cells_plated"]) == (colonies, plated)


def test_colonies_of_a_split_well_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"wells that were split \(a\).*most_cells"):
        founded(tables(split=2.0), (), 2)


def test_copies_are_summed_over_cells_and_media() -> None:
    found = moved(tables(), ["LSC"], ["MSC"], "miR", ["X"]).set_index("time_h")
    assert found["donor_cells"].to_dict() == {0.0: 21.0, 24.0: 32.0, 48.0: 45.0}
    assert found["recipient_cells"].to_dict() == {0.0: 2.0, 24.0: 6.0, 48.0: 0.0}  # all are dead by then
    assert found["vesicular"].to_dict() == {0.0: 0.0, 24.0: 50.0, 48.0: 80.0}
    alone = moved(tables(), ["LSC"], ["HSC"], "miR", [])
    assert alone["recipient_cells"].isna().all()
    assert moved(tables(), ["HSC"], ["LSC"], "miR", []).empty


def test_a_split_counts_for_all_that_was_taken_away() -> None:
    found = moved(tables(split=2.0), ["LSC"], ["MSC"], "miR", ["X"]).set_index("time_h")
    assert found.loc[48.0, "donor_cells"] == 90.0
    assert found.loc[48.0, "vesicular"] == 160.0


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
