"""The corridor: study file -> model -> grown and measured units -> tables -> assays -> report.

This is the only module that sees every room; it decides the order of things and nothing else.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.base.errors import StoreError, UnsupportedFeature
from senexo.base.store import Store, read_chunk, read_ledger
from senexo.base.table import csv_bytes, parquet_bytes
from senexo.study.read import read_study
from senexo.study.schema import Study

if TYPE_CHECKING:
    import pandas as pd

    from senexo.lab.coupled.community import Community
    from senexo.lab.lone.culture import Culture
    from senexo.lab.lone.replay import Replay
    from senexo.lab.plan import Plan

Progress = Callable[[str, int, int], None]
STRONG = ("holds", "does not hold", "not decided", "large", "estimated")  # verdicts that printed results show


@dataclass(frozen=True, slots=True)
class Results:
    """A finished run: its folder, tables and findings. Printing it shows the largest of them."""

    folder: Path
    digest: str
    findings: tuple[dict[str, Any], ...]

    def table(self, name: str) -> pd.DataFrame:
        """One table of the folder as a DataFrame; StoreError says which there are when there is no such."""
        import pandas as pd

        path = self.folder / "tables" / f"{name}.parquet"
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in path.parent.glob("*.parquet")))
            raise StoreError(f"{self.folder} has no table {name!r}; it has {known}")
        return pd.read_parquet(path)

    def __repr__(self) -> str:
        strong = [finding["sentence"] for finding in self.findings if finding["verdict"] in STRONG]
        lines = [f"{self.folder}: {len(self.findings)} findings, digest {self.digest[:16]}", *strong[:10]]
        more = [f"... and {len(strong) - 10} more as strong as these"] if len(strong) > 10 else []
        return "\n  ".join(lines + more)


def run(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    donors: int | None = None,
    workers: int | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    set: Sequence[str] = (),
) -> Results:
    """Run a study to its report.

    study: a resolved study, a study file or a shipped name; seed, donors and `set` ("path=value") change it
    first. out: the result folder, `results/NAME` by default; one that holds results is continued with `resume`
    and refused without. workers: threads, one per core by default; the results do not depend on it.
    progress: called as progress(what, done, total).

    InvalidInput lists all faults of the study; StoreError tells of a full disk or a folder that holds other
    results. What was computed before an error or Ctrl-C is kept.

    >>> results = run("mir34c-exvivo", donors=2)   # doctest: +SKIP
    >>> results.table("senescence").head()         # doctest: +SKIP
    """
    began = time.monotonic()
    say = progress or (lambda what, done, total: None)
    workers = workers or os.cpu_count() or 1
    resolved = _resolved(study, seed=seed, donors=donors, set=set)
    folder = Path(out) if out is not None else default_folder(study, resume=resume)

    from senexo.lab import ensemble, judging, plan, protocol, provenance
    from senexo.lab.claim import null
    from senexo.lab.coupled import halving
    from senexo.lab.coupled import tables as community_tables
    from senexo.lab.coupled.community import Community
    from senexo.lab.lone import collect, dish
    from senexo.report.page import render

    culture = _culture(resolved)
    plan.affordable(plan.plan(culture, workers))
    units = dish.units(protocol.occurrences(resolved.arms), resolved.donors.n)
    again = halving.units(resolved.culture.halving, units)
    work = [*units, *null.units(resolved), *again]
    with Store(folder, provenance.identity(resolved), resume=resume) as store:
        store.write("study.resolved.toml", resolved.to_toml().encode())
        say("compiling the model", 0, 0)
        ensemble.aside(culture.compile)
        done = store.chunks()
        count = len(done)

        def keep(unit: dish.Unit, arrays: dict[str, Any]) -> None:
            nonlocal count
            store.put(unit.chunk, arrays)
            count += 1
            say("growing cells", count, len(work))

        todo = [unit for unit in work if unit.chunk not in done]
        ensemble.each(todo, null.filler(culture), keep, workers=workers)
        say("judging and writing tables", 0, 0)
        room = community_tables if isinstance(culture, Community) else collect
        tables = dict(room.tables(culture, units, store.get))
        families = culture.families if isinstance(culture, Community) else None
        how: Sequence[str] = provenance.LONE
        if isinstance(culture, Community):
            how = culture.cautions()
            if again:
                tables["halving"] = halving.table(culture, again, store.get)
                how = (*how, halving.sentence(culture.method.window, tables["halving"], len(units)))
        judged, claim = judging.judge(resolved, tables, families), judging.claim(culture, store.get)
        for name, table in {**tables, **judging.tables(judged, claim)}.items():
            store.write(f"tables/{name}.parquet", parquet_bytes(table))
            store.write(f"tables/{name}.csv", csv_bytes(table))
        if isinstance(culture, Community):
            with store.folder_for("states.zarr") as zarr:
                community_tables.keep_states(zarr, culture, units, store.get)
            with store.adopting("cells.h5ad"):
                community_tables.keep_snapshot(folder / "cells.h5ad", culture, units, store.get)
        else:
            with store.folder_for("trajectories.zarr") as zarr:
                collect.trajectories(zarr, culture, units, store.get)
        store.write("findings.json", _json(judging.found(judged, claim)))
        seconds = time.monotonic() - began
        record = provenance.record(resolved, store.digest(), seconds=seconds, workers=workers, how=how)
        store.write("run.json", _json(record))
        say("drawing the report", 0, 0)
        with store.adopting("report.html"):
            render(folder)
        store.seal()
    return open_results(folder)


def open_results(folder: str | Path) -> Results:
    """The results of a finished run; StoreError when the folder holds none."""
    path = Path(folder)
    try:
        digest = json.loads((path / "run.json").read_text(encoding="utf-8"))["digest"]
        findings = json.loads((path / "findings.json").read_text(encoding="utf-8"))["findings"]
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{path} holds no finished run ({error}); look at it with: senexo verify {path}") from error
    return Results(path, digest, tuple(findings))


def check(study: Study | str | Path, *, set: Sequence[str] = (), workers: int | None = None) -> Plan:
    """What a run would take (arms, cells, memory, disk, time) and what it assumes; printing it says so in words."""
    resolved = _resolved(study, set=set)

    from senexo.lab import plan

    return plan.plan(_culture(resolved), workers or os.cpu_count() or 1)


def replay(folder: str | Path, *, arm: str, donor: int, cell: int) -> Replay:
    """Compute one cell of a run again, alone, and compare it with what is stored; printing it shows the cell.

    InvalidInput for an arm, donor or cell that is not there; StoreError for a folder that cannot be trusted.
    """
    path = Path(folder)
    with read_ledger(path) as ledger:
        from senexo.lab.lone import replay as again
        from senexo.lab.lone.culture import Culture

        culture = _culture(read_study(path / "study.resolved.toml"))
        if not isinstance(culture, Culture):
            raise UnsupportedFeature("the replay of one cell among others", "a cell's life hangs on its well's")
        stored = read_chunk(path, ledger, again.chunk_of(culture, arm=arm, donor=donor, cell=cell))
    culture.compile()
    return again.replay(culture, stored, arm=arm, donor=donor, cell=cell)


def default_folder(study: Study | str | Path, *, resume: bool = False) -> Path:
    """results/NAME, or the first of results/NAME-2, -3, ... that is free; to resume, the last one that is there."""
    name = re.sub(r"[^\w-]+", "-", study.title).strip("-")[:60] if isinstance(study, Study) else Path(study).stem
    folder, following = Path("results", name), Path("results", name)
    for number in itertools.count(2):
        if not following.exists():
            return folder if resume else following
        folder, following = following, Path("results", f"{name}-{number}")
    raise AssertionError


def _resolved(
    study: Study | str | Path, *, seed: int | None = None, donors: int | None = None, set: Sequence[str] = ()
) -> Study:
    numbers = {"seed": seed, "donors.n": donors}
    return read_study(study, set=[*set, *(f"{path}={value}" for path, value in numbers.items() if value is not None)])


def _culture(study: Study) -> Culture | Community:
    from senexo.lab.claim import null
    from senexo.lab.coupled.community import Community
    from senexo.lab.lone.culture import Culture
    from senexo.model.loading import load

    model = load(study.model.circuit or study.model.file or "")
    culture: Culture | Community
    if model.circuit is not None and model.circuit.pools:
        culture = Community(study, model.circuit)
    else:
        culture = Culture(study, model.network, model.circuit)
    null.check(culture)
    return culture


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode()
