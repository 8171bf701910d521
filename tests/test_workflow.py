"""A run from study to result folder on a small made-up circuit: one digest, invariance to names, crash safety."""

from __future__ import annotations

import json
import os
import signal
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from senexo import workflow
from senexo.base.errors import InvalidInput, SimulationError, StoreError, UnsupportedFeature
from senexo.base.store import Store
from senexo.base.verification import verify
from senexo.lab.lone.experiment import IndependentCells
from senexo.study.read import read_study

TINY = Path(__file__).parent / "circuits" / "tiny.toml"
TABLES = ("arms", "parameters", "donors", "timecourse", "cells", "senescence", "arrest", "qpcr")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> workflow.Results:
    """An undisturbed run by one worker."""
    return workflow.run(TINY, out=tmp_path_factory.mktemp("whole") / "out", workers=1)


@pytest.fixture(autouse=True)
def plain_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of one word for all runs but the first: drawing has its own tests, and takes longer than the cells."""

    def render(folder: Path) -> Path:
        (folder / "report.html").write_text("drawn")
        return folder / "report.html"

    monkeypatch.setattr("senexo.report.page.render", render)


def raw() -> dict[str, Any]:
    content = tomllib.loads(TINY.read_text(encoding="utf-8"))
    content["model"]["circuit"] = str(TINY.parent / "tiny")
    return content


def written(content: dict[str, Any], path: Path) -> Path:
    import tomli_w

    path.write_text(tomli_w.dumps(content), encoding="utf-8")
    return path


def test_the_folder_holds_what_the_docs_promise(whole: workflow.Results) -> None:
    for name in TABLES:
        parquet, text = whole.table(name), pd.read_csv(whole.folder / "tables" / f"{name}.csv")
        assert list(parquet.columns) == list(text.columns)
        assert len(parquet) == len(text) > 0
    about = json.loads((whole.folder / "run.json").read_text())
    assert about["digest"] == whole.digest == verify(whole.folder).digest
    assert (about["n_arms"], about["n_donors"], about["n_cells"]) == (7, 3, 7 * 3 * 12)
    assert set(about["cells_per_well"].values()) == {12}
    assert verify(whole.folder).finished
    assert verify(whole.folder).faults == ()
    assert "A made-up switch" in (whole.folder / "report.html").read_text(encoding="utf-8")
    assert read_study(whole.folder / "study.resolved.toml") == read_study(TINY)
    assert whole.findings
    assert str(whole.folder) in repr(whole)
    with pytest.raises(StoreError, match="it has arms"):
        whole.table("nothing")


def test_cells_follow_their_closed_form(whole: workflow.Results) -> None:
    """x' = f d x0 - d x, solved by hand for every way of treating: none, dose, wash-out, knock-down, knock-out."""
    donors = whole.table("donors").pivot(index="donor", columns="parameter", values="value")
    with xr.open_zarr(whole.folder / "trajectories.zarr", consolidated=False) as data:
        x = data["value"].sel(quantity="x").load()
    t = x["time"].to_numpy()
    for donor, row in donors.iterrows():
        x0, left = row.x0, np.exp(-row.d * t)
        dosed_late = x0 + np.where(t > 12, 3000 * np.exp(-row.d * (t - 12)), 0)
        expected = {
            "mock": np.full(t.size, x0),
            "dose[1000]": x0 + np.where(t > 0, 1000 * left, 0),  # the sample at 0 h is taken before the dose
            "washed": np.where(t > 36, x0 * (1 - np.exp(-row.d * (t - 36))), dosed_late),
            "kd": x0 * (0.1 + 0.9 * left),
            "null": x0 * np.exp(-row.d * 50) * left,  # a genotype acts before the 50 h of settling
        }
        for arm, curve in expected.items():
            found = x.sel(arm=arm, donor=donor).to_numpy()
            living = ~np.isnan(found)
            np.testing.assert_allclose(found[living], np.broadcast_to(curve, found.shape)[living], rtol=2e-5)


def test_counts_and_shares_add_up(whole: workflow.Results) -> None:
    cells, counts, arrest = whole.table("cells"), whole.table("senescence"), whole.table("arrest")
    assert len(cells) == 7 * 3 * 12
    assert (counts["n_total"] == 200).all()
    alive = cells["death_h"].isna().groupby([cells["arm"], cells["donor"]]).sum()
    last = arrest[arrest["time_h"] == 120].set_index(["arm", "donor"])["n_total"]
    pd.testing.assert_series_equal(alive.sort_index(), last.sort_index(), check_names=False, check_dtype=False)
    positive = arrest[arrest["time_h"] == 120].set_index(["arm", "donor"])["n_positive"]
    committed = cells["commitment_h"].notna() & cells["escape_h"].isna() & cells["death_h"].isna()
    once = committed | ((cells["arrest_h"] >= 72) & cells["death_h"].isna())  # those that woke again are no longer
    least, most = (
        (flag.groupby([cells["arm"], cells["donor"]]).sum()).reindex(positive.index) for flag in (committed, once)
    )
    assert ((least <= positive) & (positive <= most)).all()
    assert positive.sum() > 0
    clocks = cells.pivot(index=["donor", "cell"], columns="arm", values="death_h").dropna()
    assert len(clocks) > 3
    np.testing.assert_allclose(clocks.max(axis=1), clocks.min(axis=1), rtol=1e-6)  # one hazard, the same cells


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_and_order_do_not_change_the_digest(tmp_path: Path, whole: workflow.Results, workers: int) -> None:
    assert workflow.run(TINY, out=tmp_path / "out", workers=workers).digest == whole.digest


def test_names_and_orders_change_labels_only(tmp_path: Path, whole: workflow.Results) -> None:
    """Renamed and reordered arms, reordered parameters and assays: every number is the same, under its new label."""
    content = raw()
    new = {
        "kd": "zeta",
        "washed": "alpha",
        "dose": "mock",
        "null": "kd",
        "mock": "dose",
    }  # two arms even change their names
    content["arms"] = {new[name]: content["arms"][name] for name in new}
    content["assays"] = [
        {**content["assays"][0], "compare": ["mock", "dose"]},
        {**content["assays"][1], "control": "dose"},
    ]
    content = dict(reversed(content.items()))
    other = workflow.run(written(content, tmp_path / "s.toml"), out=tmp_path / "out", workers=2)
    old = {**{v: k for k, v in new.items()}, **{f"mock[{d}]": f"dose[{d}]" for d in (100, 1000, 3000)}}
    for name in ("cells", "senescence", "arrest", "qpcr", "timecourse"):
        mine, theirs = whole.table(name), other.table(name)
        theirs["arm"] = theirs["arm"].map(old)
        keys = [c for c in mine.columns if c not in ("value", "ct", "family", "n_positive", "n_total", "copies_true")]
        frames = [frame.drop(columns="family", errors="ignore").sort_values(keys[:9], ignore_index=True)
                  for frame in (mine, theirs)]  # fmt: skip
        pd.testing.assert_frame_equal(*frames)
    pd.testing.assert_frame_equal(whole.table("donors"), other.table("donors"))


def test_a_larger_run_holds_the_smaller_one(tmp_path: Path, whole: workflow.Results) -> None:
    """One more donor, one more arm and more cells leave every number that was there."""
    content = raw()
    content["arms"] = {"first": {"knock_out": ["x"]}, **content["arms"]}
    content["donors"]["n"], content["cells"]["cell"]["n"] = 4, 15
    larger = workflow.run(written(content, tmp_path / "s.toml"), out=tmp_path / "out", workers=2).table("cells")
    key = ["arm", "donor", "cell"]
    merged = whole.table("cells").merge(larger, on=key, suffixes=("", "_larger"))
    assert len(merged) == 7 * 3 * 12
    for name in ("commitment_h", "escape_h", "death_h", "arrest_h"):
        np.testing.assert_array_equal(merged[name], merged[f"{name}_larger"])


def test_replayed_cells_have_the_same_bits(whole: workflow.Results) -> None:
    for arm, donor, cell in (("mock", 1, 1), ("dose[3000]", 3, 12), ("washed", 2, 7), ("kd", 3, 5)):
        again = workflow.replay(whole.folder, arm=arm, donor=donor, cell=cell)
        assert again.same_bits
        assert "same bits" in repr(again)
    with pytest.raises(InvalidInput) as refusal:
        workflow.replay(whole.folder, arm="mok", donor=4, cell=13)
    assert len(refusal.value.faults) == 3


def test_a_study_that_differs_is_not_resumed(whole: workflow.Results) -> None:
    with pytest.raises(StoreError, match="seed: there 7, here 8"):
        workflow.run(TINY, out=whole.folder, seed=8, resume=True)
    with pytest.raises(StoreError, match=r"arms\.kd\.schedule\[0\]\.value: there 0\.(1|09)\d*, here 0\.5"):
        workflow.run(TINY, out=whole.folder, set=["arms.kd.knock_down={ x = '50 %' }"], resume=True)
    with pytest.raises(StoreError, match="--resume"):
        workflow.run(TINY, out=whole.folder)
    assert verify(whole.folder).faults == ()


def test_another_version_does_not_resume(whole: workflow.Results, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        other.setattr("senexo.lab.provenance.__version__", "99.9")
        with pytest.raises(StoreError, match=r"senexo version: there \d\S*, here 99\.9"):
            workflow.run(TINY, out=whole.folder, resume=True)
    assert verify(whole.folder).faults == ()
    assert verify(whole.folder).finished


def test_a_folder_of_another_user_is_one_message(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = "nothing was refused"
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            Store(closed / "out", {"seed": "1"}, resume=False)
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        finally:
            os.write(write, said.encode())
            os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as stream:
        assert stream.read().startswith(f"StoreError: cannot write {closed}/out: Permission denied")
    os.waitpid(child, 0)
    assert list(closed.iterdir()) == []


def test_a_clock_that_was_set_back_changes_nothing(
    tmp_path: Path, whole: workflow.Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was kept lies ten years ahead, and the clock stands at 1970, when the run goes on."""

    def stop(what: str, done: int, total: int) -> None:
        if what == "simulating cells" and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workflow.run(TINY, out=tmp_path / "out", workers=1, progress=stop)
    for path in tmp_path.rglob("*"):
        os.utime(path, (time.time() + 3.2e8,) * 2)
    monkeypatch.setattr(time, "time", lambda: 1.0)
    assert workflow.run(TINY, out=tmp_path / "out", resume=True).digest == whole.digest
    assert verify(tmp_path / "out").faults == ()


def dying(function: Callable[..., Any], left: int, *, after: bool = False) -> Callable[..., Any]:
    """The function, ended by SIGKILL when it is called for the `left`-th time."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        result = function(*arguments, **options) if after or left else None
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return wrapped


KILLS = {
    "running": lambda left: setattr(IndependentCells, "simulate_unit", dying(IndependentCells.simulate_unit, left)),
    "writing": lambda left: setattr(os, "fsync", dying(os.fsync, left)),
    "between file and ledger": lambda left: setattr(Path, "replace", dying(Path.replace, left, after=True)),
    "ledger": lambda left: setattr(Store, "_record", dying(Store._record, left, after=True)),
}


@pytest.mark.parametrize("phase", KILLS)
def test_a_killed_run_resumes_to_the_same_digest(tmp_path: Path, whole: workflow.Results, phase: str) -> None:
    """Five SIGKILLs, one after the other, in one run; what was kept is not done again."""
    folder, kept = tmp_path / "out", 0
    for left in (1, 3, 2, 6, 4):
        child = os.fork()  # the compiled kernel comes along
        if child == 0:
            try:
                KILLS[phase](left)
                workflow.run(TINY, out=folder, workers=1, resume=True)
            finally:
                os._exit(1)  # an error must not go on in this copy of the tests
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        now = len(list((folder / "chunks").glob("arm*.npz"))) if folder.exists() else 0
        assert now >= kept
        kept = now
    results = workflow.run(TINY, out=folder, workers=2, resume=True)
    assert results.digest == whole.digest
    assert verify(folder).faults == ()
    for name in TABLES:
        assert (folder / "tables" / f"{name}.csv").read_bytes() == (
            whole.folder / "tables" / f"{name}.csv"
        ).read_bytes()


@pytest.mark.parametrize("path", ["tables/cells.parquet", "tables/qpcr.csv", "trajectories.zarr/value/0.0.0.0.0",
                                  "trajectories.zarr/time/0", "run.json", "findings.json", "report.html",
                                  "study.resolved.toml", "chunks/arm002-donor0002.npz"])  # fmt: skip
def test_a_flipped_bit_is_found_in_every_kind_of_file(whole: workflow.Results, path: str) -> None:
    place = whole.folder / path
    sound = place.read_bytes()
    try:
        for position in np.linspace(0, len(sound) - 1, 7).astype(int):
            broken = bytearray(sound)
            broken[position] ^= 1 << int(position) % 8
            place.write_bytes(broken)
            assert {fault.partition(":")[0] for fault in verify(whole.folder).faults} == {path}
    finally:
        place.write_bytes(sound)
    assert verify(whole.folder).faults == ()


def test_ctrl_c_is_answered_at_once_and_keeps_what_is_there(tmp_path: Path, whole: workflow.Results) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if what == "simulating cells" and done == 5:
            signal.raise_signal(signal.SIGINT)

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        workflow.run(TINY, out=tmp_path / "out", workers=2, progress=stop)
    assert time.monotonic() - begun < 30
    verdict = verify(tmp_path / "out")
    assert verdict.faults == ()
    assert not verdict.finished
    assert verdict.files >= 5
    assert workflow.run(TINY, out=tmp_path / "out", resume=True).digest == whole.digest


def test_a_run_that_does_not_fit_is_refused_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="GiB"):
        workflow.run(TINY, out=tmp_path / "out", set=["donors.n=10000", "cells.cell.n=100000"])
    assert not (tmp_path / "out").exists()


def test_default_folders_never_collide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert workflow.default_folder("a/study.toml") == Path("results/study")
    for name in ("study", "study-2"):
        (tmp_path / "results" / name).mkdir(parents=True)
    assert workflow.default_folder("study") == Path("results/study-3")
    assert workflow.default_folder("study", resume=True) == Path("results/study-2")
    assert workflow.default_folder("other", resume=True) == Path("results/other")


PLAIN = """
title = "A model of one's own, without fates"
[model]
file = "own.ant"
[cells.any]
n = 5
variation = { k = 0.3 }
[donors]
n = 2
draws = { k = { law = "log-uniform", low = 0.05, high = 0.2 } }
[culture]
duration = "2 d"
[arms.mock]
[arms.more]
set = { x = 200 }
[readouts]
times = ["0 h", "24 h", "48 h"]
names = ["x"]
"""


def own_study(folder: Path, law: str, extra: str = "") -> Path:
    reaction = f"out: x => ; {law};"
    text = f"model own()\n compartment c = 1; species x in c;\n k = 0.1; {reaction}\n x = 100; {extra}\nend\n"
    (folder / "own.ant").write_text(text)
    (folder / "own.toml").write_text(PLAIN)
    return folder / "own.toml"


def test_a_model_file_of_ones_own_runs_without_fates(tmp_path: Path) -> None:
    results = workflow.run(own_study(tmp_path, "k*x"), out=tmp_path / "out")
    course = results.table("timecourse")
    last = course[(course["quantity"] == "x") & (course["time_h"] == 48) & (course["statistic"] == "mean")]
    more, mock = (last[last["arm"] == arm].set_index("donor")["value"] for arm in ("more", "mock"))
    np.testing.assert_allclose(more / mock, 2, rtol=1e-4)
    assert results.table("cells")[["commitment_h", "escape_h", "death_h"]].isna().all(axis=None)
    assert workflow.replay(results.folder, arm="more", donor=2, cell=5).same_bits
    assert set(course["quantity"]) == {"x"}
    for name in ("arrest", "senescence", "qpcr"):
        with pytest.raises(StoreError):
            results.table(name)


def test_a_cell_that_cannot_be_followed_and_a_model_with_events_are_named(tmp_path: Path) -> None:
    with pytest.raises(SimulationError, match=r"donor [12], cell 1, between 0 h and 48 h: the step size vanished"):
        workflow.run(own_study(tmp_path, "-k*x*x"), out=tmp_path / "out")
    with pytest.raises(UnsupportedFeature, match="event"):
        workflow.run(own_study(tmp_path, "k*x", "at time > 3: x = 5;"), out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def claimed(path: Path, **options: Any) -> Path:
    """The tiny study with a claim that rests on K: x turns the switch off when it exceeds K."""
    content = raw()
    content["assays"], content["donors"]["n"] = [], 10
    content["claim"] = {
        "id": "T1", "holds_when": "arrested(dose[3000], 5 d) - arrested(mock, 5 d) > 5 %",
        "given": "alive(mock, 5 d) > 0", "null": {"set": {"K": 1e9}}, **options,
    }  # fmt: skip
    return written(content, path)


def test_a_claim_is_judged_in_its_world_and_in_its_null(tmp_path: Path, whole: workflow.Results) -> None:
    study = claimed(tmp_path / "s.toml")
    found = workflow.check(study, workers=1)
    assert "2 of these arms again in the claim's null = 240 cells more" in str(found)
    results = workflow.run(study, out=tmp_path / "out", workers=2)
    assert len(list((results.folder / "chunks").glob("null-arm*"))) == 2 * 10
    assert results.findings[0]["id"] == "claim:T1"
    assert "T1 is true in" in repr(results)
    rows = results.table("claim").set_index(["world", "comparison"])["share"]
    assert rows["claim", "the whole claim"] > 0.5
    draws, arrest = results.table("claim_draws"), whole.table("arrest")  # the same cells, claim or no claim
    last = arrest[arrest["time_h"] == 120].set_index(["arm", "donor"])
    share = last["n_positive"] / last["n_total"]
    own = draws[draws["world"] == "claim"].set_index("donor")["left"]
    pd.testing.assert_series_equal(own.loc[[1, 2, 3]], share["dose[3000]"] - share["mock"], check_names=False)
    assert draws.loc[draws["world"] == "null world", "left"].eq(0).all()
    judged = json.loads((results.folder / "findings.json").read_text())["claim"]
    assert judged["verdict"] == "share of worlds"
    assert judged["worlds"]["null"]["k"] == 0
    assert verify(results.folder).faults == ()
    assert workflow.run(study, out=tmp_path / "one", workers=1).digest == results.digest


def test_a_run_with_a_claim_goes_on_where_it_stopped(tmp_path: Path) -> None:
    study = claimed(tmp_path / "s.toml")
    results = workflow.run(study, out=tmp_path / "out", workers=1)
    tables = {name: results.table(name) for name in ("claim", "claim_draws", "claim_ranks")}
    for chunk in sorted((results.folder / "chunks").glob("null-arm*"))[:3]:
        chunk.unlink()
    again = workflow.run(study, out=tmp_path / "out", workers=1, resume=True)
    assert again.digest == results.digest
    for name, table in tables.items():
        pd.testing.assert_frame_equal(again.table(name), table)


def test_a_share_of_the_patients_may_be_asked_for_besides(tmp_path: Path) -> None:
    """It is true in some of 10 patients, and asked for in 90 %: too few to say, or too rare."""
    study = claimed(tmp_path / "s.toml", share="90 %")
    results = workflow.run(study, set=["donors.stand_for=patients"], out=tmp_path / "out", workers=1)
    rows = results.table("claim")
    share = rows.loc[(rows["world"] == "claim") & (rows["comparison"] == "the whole claim"), "share_high"].item()
    assert results.findings[0]["verdict"] == ("not decided" if share > 0.9 else "does not hold")
