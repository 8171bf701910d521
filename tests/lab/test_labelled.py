"""The labelled result is what xarray's constructor makes of the same arrays, and shares nothing with the next one."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import senexo
from senexo.lab.labelled import _maker_of_variables
from senexo.model.loading import Model
from verify._problems import model

TIMES = np.array([0.0, 1.0, 2.5])
TEXT = "model d()\ncompartment c = 2; species D in c = 5; k = 0.5\nR: D => ; k*D*c\nlevel := D\nend\n"


@pytest.fixture(scope="module")
def decay() -> Model:
    return model(TEXT)


@pytest.mark.parametrize(
    "options",
    [{}, {"quantity": "concentration"}, {"parameters": {"k": [0.1, 0.2, 0.3]}}, {"method": "ssa", "runs": 3}],
    ids=["ode", "concentration", "rows", "ssa"],
)
def test_it_is_what_the_public_constructor_makes(decay: Model, options: dict) -> None:
    made = senexo.simulate(decay, TIMES, **options)
    again = xr.Dataset(
        {name: (value.dims, value.values, value.attrs) for name, value in made.data_vars.items()},
        {name: (value.dims, value.values, value.attrs) for name, value in made.coords.items()},
        made.attrs,
    )
    xr.testing.assert_identical(made, again)
    assert made.sizes == again.sizes
    assert list(made.coords) == list(again.coords)
    assert set(made.xindexes) == set(again.xindexes) == {"run", "time"}
    assert made["D"].sel(time=2.4, method="nearest").values == pytest.approx(made["D"].values[:, 2])
    xr.testing.assert_identical(made.isel(time=[2, 0]), again.isel(time=[2, 0]))
    xr.testing.assert_identical(xr.concat([made, made], "time"), xr.concat([again, again], "time"))


def test_an_xarray_of_other_parts_makes_its_variables_itself(decay: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = senexo.simulate(decay, TIMES)
    _maker_of_variables.cache_clear()
    monkeypatch.setattr(xr.Variable, "__slots__", (*xr.Variable.__slots__, "_more"))
    xr.testing.assert_identical(senexo.simulate(decay, TIMES), expected)
    assert _maker_of_variables().__name__ == "checked"
    _maker_of_variables.cache_clear()


def test_what_is_changed_in_one_result_is_not_in_the_next(decay: Model) -> None:
    first = senexo.simulate(decay, TIMES)
    kept = first.copy(deep=True)
    first["D"].attrs["units"] = "stone"
    first["time"].attrs["units"] = "fortnight"
    first["D"].values[:] = -1.0
    first.attrs["method"] = "dice"
    first.coords["time"] = first["time"] + 100.0
    first["new"] = 1.0
    xr.testing.assert_identical(senexo.simulate(decay, TIMES), kept)


def test_axes_follow_the_times_and_runs_of_each_call(decay: Model) -> None:
    for times, runs in ((TIMES, 1), (TIMES, 2), (TIMES * 2, 2), (TIMES[:2], 2), (TIMES, 1)):
        made = senexo.simulate(decay, times, runs=runs)
        assert made["time"].values.tolist() == times.tolist()
        assert made["run"].values.tolist() == list(range(runs))
