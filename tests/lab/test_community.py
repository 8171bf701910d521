"""Studies of coupled cells from file to folder, on the shipped stochastic circuit with few molecules."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from changed_study import changed

import senexo
from senexo.base.errors import InvalidInput, UnsupportedFeature
from senexo.base.verification import verify
from senexo.study.resolve import resolve
from senexo.workflow import Results, check, replay, run

STUDY = """
title = "few coupled cells"
seed = 3
[model]
circuit = "mir34c-rab27b-cells"
[cells.LSC]
n = 5
[donors]
n = 3
draws = { per_uM = 40, n_SI = 100, n_C6 = 100, n_P21 = 100, rel0 = 50, E = 180, Td = 30, K8 = 300, ks = 0.08 }
[culture]
duration = "24 h"
serum = "20 %"
preequilibration = "6 h"
[arms.mock]
[arms.mimic]
dose = { what = "miR-34c-5p", amount = 3000, at = "0 h" }
[arms.fresh]
medium_change = { at = "12 h" }
[readouts]
times = ["0 h", "12 h", "24 h"]
[replicates]
n = 2
[[assays]]
name = "qpcr"
target = "miR-34c-5p"
reference = "U6"
control = "mock"
[[assays]]
name = "senescence"
compare = ["mimic", "mock"]
[claim]
id = "dilution"
holds_when = "mean(miR-34c-5p, mimic, LSC, 24 h) - mean(miR-34c-5p, mock, LSC, 24 h) > 10"
null = { set = { kl = 0 } }
"""


def study(**changes: Any) -> senexo.Study:
    return changed(tomllib.loads(STUDY), changes)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return run(study(), out=tmp_path_factory.mktemp("coupled") / "one", workers=1)


def test_results_do_not_depend_on_workers(done: Results, tmp_path: Path) -> None:
    assert run(study(), out=tmp_path / "two", workers=2).digest == done.digest


def test_arms_are_twins_until_something_is_done(done: Results) -> None:
    counts = done.table("counts")
    for donor in (1, 2, 3):
        mine = counts[counts.donor == donor].drop(columns="donor")
        mock, fresh = (
            mine[(mine.arm == arm) & (mine.time_h <= 12)].drop(columns="arm").reset_index(drop=True)
            for arm in ("mock", "fresh")
        )
        pd.testing.assert_frame_equal(mock, fresh)
    start = counts[(counts.time_h == 0) & (counts.quantity == "cells")]
    assert start.groupby(["arm", "donor"]).value.sum().eq(5).all()


def test_fresh_medium_is_empty_and_the_books_close(done: Results) -> None:
    """before + released - taken up + made - lost = after: every species of every well, to the molecule."""
    balance = done.table("balance")
    flows = balance.pivot_table(
        index=["arm", "donor", "species", "time_start_h", "time_h"], columns="flow", values="value", aggfunc="sum"
    )
    gained = flows.before + flows.released - flows["taken up"] + flows.made - flows.lost + flows["interventions"]
    assert gained.equals(flows.after)
    assert flows["interventions"].eq(0).all()
    assert flows.released.sum() > 1000
    later = flows.xs("fresh").reset_index()
    assert later[(later.time_start_h == 12) & (later.species == "X")].before.eq(0).all()
    assert later[(later.time_h == 12) & (later.species == "X")].after.gt(0).all()


def test_lineages_fates_and_cells_agree(done: Results) -> None:
    import anndata

    lineage, counts = done.table("lineage"), done.table("counts")
    alive = lineage[lineage.end.str.startswith(("alive", "became"))].groupby(["arm", "donor"]).size()
    last = counts[(counts.time_h == 24) & (counts.quantity == "cells")].groupby(["arm", "donor"]).value.sum()
    assert alive.to_dict() == last.astype(int).to_dict()
    divided = done.table("fates").fate.isin(["self-renewal", "asymmetric division", "differentiation", "division"])
    assert (lineage.end == "divided").sum() == divided.sum() > 0
    assert set(lineage.parent) - {""} <= set(lineage.lineage) | set(lineage[lineage.born_h <= 0].parent)
    cells = anndata.read_h5ad(done.folder / "cells.h5ad")
    assert cells.n_obs == int(last.sum())
    assert set(cells.obs["arm"]) == {"mock", "mimic", "fresh"}


def test_states_open_in_xarray_and_the_folder_is_sound(done: Results) -> None:
    import xarray as xr

    tree = xr.open_datatree(done.folder / "states.zarr", engine="zarr", consolidated=False)
    assert set(tree.groups) == {"/"} | {
        f"/{arm}{well}" for arm in ("mock", "mimic", "fresh") for well in ("", "/donor 1", "/donor 2", "/donor 3")
    }
    assert list(tree["mimic/donor 1"]["read_out"].values) == [0.0, 12.0, 24.0]
    assert verify(done.folder).faults == ()
    assert "few coupled cells" in (done.folder / "report.html").read_text(encoding="utf-8")


def test_a_claim_is_judged_against_its_null(done: Results) -> None:
    """Whoever got 3,000 copies has more; where nothing is loaded the arms are alike."""
    (found,) = [finding for finding in done.findings if finding["assay"] == "claim"]
    assert found["verdict"] == "share of worlds", found
    assert found["estimate"] == 1.0
    margins = done.table("claim")
    assert (margins[margins.world == "null world"].n_true.dropna() == 0).all()


def test_several_types_share_a_medium(tmp_path: Path) -> None:
    raw = tomllib.loads(STUDY)
    raw["cells"]["HSC"] = {"n": 4}
    raw["donors"]["n"], raw["arms"] = 1, {"mock": {}}
    del raw["claim"], raw["assays"]
    results = run(resolve(raw), out=tmp_path / "both", workers=1)
    counts = results.table("counts")
    begin = counts[(counts.time_h == 0) & (counts.quantity == "cells")].set_index("cell_type").value
    assert begin[["LSC", "LSC_G0"]].sum() == 5
    assert begin[["HSC", "HSC_G0"]].sum() == 4
    taken = results.table("balance").query("flow == 'taken up'").groupby("cell_type").value.sum()
    assert taken["LSC"] > 0
    assert np.isfinite(results.table("timecourse").value).all()


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(InvalidInput, match="cell type"):
        study(cells__stem={"n": 4})
    with pytest.raises(InvalidInput, match="each alone"):
        study(model__circuit="mir34c-rab27b", cells__HSC={"n": 4}, cells__LSC={"n": 4}, donors__draws="central",
              claim__null={"cut": ["miR-34c-5p -| *"]}, claim__holds_when="alive(mock, 24 h) > 0.5")  # fmt: skip


def test_one_cell_among_others_is_not_replayed(done: Results) -> None:
    with pytest.raises(UnsupportedFeature, match="replay"):
        replay(done.folder, arm="mock", donor=1, cell=1)


def test_check_tells_the_size(done: Results) -> None:
    text = str(check(study()))
    assert "3 arms x 3 donors x 5 cells" in text
