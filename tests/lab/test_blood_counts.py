"""`senexo.blood_counts`: numbers of the table, draws, tables, faults."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import senexo
from senexo.base.errors import InvalidInput
from senexo.engine.blood.transit import Line, counts
from senexo.study.blood import CELLS, Cells, numbers

WEEK = {"times": [0.0, 168.0, 168.0, 500.0, 1000.0], "exposure": [0.3, 0.3, 0.0, 0.0, 0.0]}


@pytest.mark.parametrize("cells", CELLS)
def test_health_is_stable_at_every_corner_of_the_ranges(cells: Cells) -> None:
    """Eigenvalues of the equations near rest, in shares of the state of rest, have negative real parts."""
    known = numbers(cells)
    ends = [(known[name].low, known[name].high) for name in ("transit", "loss", "feedback")]
    for k, loss, gamma in product(*ends):
        matrix = np.diag([0.0, -k, -k, -k, -loss]) + np.diag([k, k, k, loss], -1)
        matrix[0, 4] = -k * gamma
        assert np.linalg.eigvals(matrix).real.max() < -0.005


def test_central_host_has_the_values_of_the_table() -> None:
    known = {name: one.value for name, one in numbers("platelets").items()}
    line = Line(known["baseline"], known["transit"] / 24, known["loss"] / 24, known["feedback"])
    found = senexo.blood_counts(WEEK["times"], "platelets", exposure=WEEK["exposure"], draws=3, seed=2)
    expected = counts(line, WEEK["times"], exposure=WEEK["exposure"], slope=known["slope"]).circulating
    assert found.counts[0] == pytest.approx(expected[0], rel=1e-7)
    assert found.counts.shape == (4, 5)
    again = senexo.blood_counts(WEEK["times"], "platelets", exposure=WEEK["exposure"], draws=3, seed=2)
    assert (again.counts == found.counts).all()


@pytest.mark.parametrize("cells", CELLS)
def test_a_week_of_cytarabine_ends_in_grade_4_and_recovers(cells: Cells) -> None:
    """As the slope was set; without the drug no grade."""
    times = [0.0, 168.0, *np.arange(168.0, 1500.0, 6.0)]
    found = senexo.blood_counts(times, cells, exposure=[0.3, 0.3, *np.zeros(len(times) - 2)])
    assert found.toxicity.worst[0] == 4
    assert "grade 4 (CTCAE 5.0)" in str(found)
    assert found.counts[0, -1] > 0.5 * found.counts[0, 0]
    assert senexo.blood_counts(times, cells).toxicity.worst[0] == 0
    assert senexo.blood_counts(times, cells, exposure=1.0, slope=0.0).toxicity.worst[0] == 0


def test_tables() -> None:
    alone = senexo.blood_counts(**WEEK)
    assert list(alone.table.columns) == ["time_h", "neutrophils_G_L"]
    many = senexo.blood_counts(**WEEK, draws=20)
    table = many.table
    assert (table["neutrophils_G_L_p5"] <= table["neutrophils_G_L_p95"]).all()
    assert list(many.grades["host"]) == list(range(21))
    assert (many.grades["hours_grade_3"] >= many.grades["hours_grade_4"]).all()
    severe = int((many.grades["worst_grade"][1:] >= 3).sum())
    assert f"Grade 3 or 4 in {severe} of 20 hosts" in str(many)


def test_faults() -> None:
    with pytest.raises(InvalidInput) as error:
        senexo.blood_counts([0.0], "erythrocytes", draws=-1)  # type: ignore[arg-type]
    assert "cells" in str(error.value)
    assert "draws" in str(error.value)
    with pytest.raises(InvalidInput, match="slope"):
        senexo.blood_counts([0.0], slope=-1.0)
    with pytest.raises(InvalidInput, match="exposure"):
        senexo.blood_counts([0.0, 1.0], exposure=[[0.0, 0.0], [0.0, 0.0]])
    with pytest.raises(InvalidInput, match=r"exposure: found \[\[0\.0, 0\.1\], \[0\.0\]\], expected numbers") as error:
        senexo.blood_counts(["0 h"], exposure=[[0.0, 0.1], [0.0]], draws=1)  # type: ignore[list-item]
    assert [fault.where for fault in error.value.faults] == ["times", "exposure"]
