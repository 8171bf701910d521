"""What became of the plated cells: halves of daughters by hand; a growing clone must not outweigh a resting one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from senexo.lab.outcomes import outcomes

DAYS_7 = 168.0


@dataclass
class Culture:
    duration_h: float = DAYS_7


@dataclass
class Arm:
    family: str = "mimic"
    dose_copies: float | None = 3000.0


@dataclass
class Made:
    """As much of a study as the table reads."""

    culture: Culture = field(default_factory=Culture)
    cells: dict[str, Any] = field(default_factory=lambda: {"LSC": None})
    arms: dict[str, Arm] = field(default_factory=lambda: {"a": Arm()})


def lineage(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """lineage, parent, born_h, cell_type, origin, end, weight of one well."""
    table = pd.DataFrame(rows, columns=["lineage", "parent", "born_h", "cell_type", "origin", "end", "weight"])
    return table.assign(arm="a", donor=1, replicate=1)


def shares(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["outcome"] + table["became"], table["share"], strict=True))


def test_daughters_inherit_halves() -> None:
    """Two plated cells. One rests. The other divides: a daughter dies, the other one's daughters are a blast and a
    dividing LSC. So 1/2 resting, 1/4 dead, 1/8 blast, 1/8 renewing."""
    cells = lineage([
        ("r", "", -5.0, "LSC_G0", "plated", "alive", 1),
        ("p", "x", -5.0, "LSC", "plated", "divided", 1),
        ("d", "p", 10.0, "LSC", "born", "died", 1),
        ("e", "p", 10.0, "LSC", "born", "divided", 1),
        ("f", "e", 150.0, "LSC", "born", "alive", 1),
        ("g", "e", 150.0, "blast", "born", "alive", 1),
    ])  # fmt: skip
    found = outcomes(Made(), {"lineage": cells})
    assert set(found["cell_type"]) == {"LSC"}
    assert shares(found) == {"resting": 0.5, "dead": 0.25, "renewing": 0.125, "differentiatedblast": 0.125}


def test_arms_that_start_from_the_same_cells_stay_apart() -> None:
    """The same plated cell dies in one arm and divides into two blasts in the other."""
    one = lineage([("p", "x", -5.0, "LSC", "plated", "died", 1)])
    rows = [("p", "x", -5.0, "LSC", "plated", "divided", 1)]
    rows += [(name, "p", 9.0, "blast", "born", "alive", 1) for name in ("d", "e")]
    other = lineage(rows).assign(arm="b")
    made = Made(arms={"a": Arm(), "b": Arm()})
    found = outcomes(made, {"lineage": pd.concat([one, other])})
    own = {arm: {k: v for k, v in shares(rows).items() if v} for arm, rows in found.groupby("arm")}
    assert own == {"a": {"dead": 1.0}, "b": {"differentiatedblast": 1.0}}


def test_states_of_the_living() -> None:
    """Became senescent; still for 72 h (arrested); woke from G0 an hour before the end (renewing)."""
    cells = lineage([
        ("s", "", -5.0, "LSC", "plated", "became LSC_senescent", 1),
        ("q", "", -5.0, "LSC", "plated", "alive", 1),
        ("w", "", -5.0, "LSC_G0", "plated", "became LSC", 1),
        ("t", "", -5.0, "LSC", "plated", "became LSC_G0", 1),
    ])  # fmt: skip
    fates = pd.DataFrame({"arm": ["a"], "donor": [1], "lineage": ["w"], "time_h": [DAYS_7 - 1.0]})
    found = shares(outcomes(Made(), {"lineage": cells, "fates": fates}))
    assert found == dict.fromkeys(("senescent", "arrested", "renewing", "resting"), 0.25)


def test_weights_of_population_control_keep_the_sum() -> None:
    """A clone keeps the generation of its origin; a cell that was merged away counts nothing, its partner for both."""
    cells = lineage([
        ("p", "", -5.0, "LSC", "plated", "divided", 1),
        ("a1", "p", 100.0, "LSC", "born", "resampled", 0),
        ("a2", "p", 100.0, "LSC", "born", "alive", 1),
        ("c", "a2", 120.0, "LSC", "clone", "alive", 1),
        ("r", "", -5.0, "LSC_G0", "plated", "alive", 1),
    ])  # fmt: skip
    assert shares(outcomes(Made(), {"lineage": cells})) == {"renewing": 0.5, "resting": 0.5}


def test_a_growing_clone_counts_as_one_plated_cell() -> None:
    """One of two plated cells grows to 1,024 blasts, the other rests: half and half."""
    rows: list[tuple[Any, ...]] = [
        ("r", "", -5.0, "LSC_G0", "plated", "alive", 1),
        ("1", "", -5.0, "LSC", "plated", "divided", 1),
    ]
    rows += [
        (str(k), str(k // 2), 5.0 * np.log2(k), "blast", "born", "divided" if k < 1024 else "alive", 1)
        for k in range(2, 2048)
    ]
    assert shares(outcomes(Made(), {"lineage": lineage(rows)})) == {
        "resting": 0.5,
        "differentiatedblast": pytest.approx(0.5),
    }


def test_independent_cells_by_the_counts() -> None:
    """10 cells: 2 dead, 3 senescent (a fourth escaped), 5 stopped or committed by the arrest table: 2 arrested."""
    none = np.nan
    cells = pd.DataFrame({
        "arm": "a", "donor": 1, "cell": range(1, 11),
        "death_h": [5.0, 6.0, *[none] * 8],
        "commitment_h": [none, 3.0, 50.0, 50.0, 50.0, 50.0, *[none] * 4],
        "escape_h": [*[none] * 5, 60.0, *[none] * 4],
    })  # fmt: skip
    arrest = pd.DataFrame({"arm": "a", "donor": 1, "time_h": [0.0, DAYS_7], "n_positive": [9, 5], "n_total": [10, 8]})
    found = shares(outcomes(Made(), {"cells": cells, "arrest": arrest}))
    assert found == {"dead": 0.2, "senescent": 0.3, "arrested": 0.2, "renewing": pytest.approx(0.3)}


def test_a_run_without_single_cells_has_none() -> None:
    assert outcomes(Made(), {}).empty


def test_a_well_that_ended_before_is_judged_at_its_end() -> None:
    """A cell without a division for 72 h of 100 h is arrested; without one for 60 h of 60 h it is not, yet."""
    early = pd.DataFrame({"arm": ["a"], "donor": [1], "replicate": [1], "time_h": [60.0], "reason": ["stop_when"]})
    cells = lineage([("p", "", 0.0, "LSC", "plated", "alive", 1)])
    assert shares(outcomes(Made(), {"lineage": cells})) == {"arrested": 1.0}
    assert shares(outcomes(Made(), {"lineage": cells, "ended_early": early})) == {"renewing": 1.0}
    assert shares(outcomes(Made(), {"lineage": cells, "ended_early": early.assign(time_h=100.0)})) == {"arrested": 1.0}
    assert shares(outcomes(Made(), {"lineage": cells, "ended_early": early.assign(donor=2)})) == {"arrested": 1.0}
