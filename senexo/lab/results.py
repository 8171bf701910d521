"""From the stored units of a run to its tables, findings and other result files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from senexo.base.table import csv_bytes, parquet_bytes
from senexo.lab import judging, next_steps
from senexo.lab import tables as common
from senexo.lab.outcomes import outcomes

if TYPE_CHECKING:
    import pandas as pd

    from senexo.base.store import Store
    from senexo.lab.experiment import Experiment, Get, Unit


def write_results(
    experiment: Experiment, units: Sequence[Unit], store: Store, get: Get | None = None
) -> Mapping[str, pd.DataFrame]:
    """Write tables, findings.json and the experiment's own files; returns the tables that come from no assay.

    Parameters
    ----------
    experiment
        The experiment; its claim is judged from all of its units.
    units
        The units that are tabulated.
    store
        The result folder.
    get
        Where the arrays of units come from; the store by default.
    """
    get = store.get if get is None else get
    tables = dict(experiment.tables(units, get))
    judged = judging.judge(experiment.study, tables, experiment.families)
    claim = judging.claim(experiment, get)
    derived = {
        "outcomes": outcomes(experiment.study, tables),
        "next_steps": next_steps.table(experiment, judged, claim),
    }
    if experiment.circuit:
        derived["wiring"] = common.wiring(experiment.circuit)
    derived = {name: table for name, table in derived.items() if len(table)}
    write_tables(store, {**tables, **derived, **judging.tables(judged, claim)})
    experiment.write_files(store, units, get)
    store.write("findings.json", as_json(judging.found(judged, claim)))
    return tables


def write_tables(store: Store, tables: Mapping[str, pd.DataFrame]) -> None:
    """Each table as Parquet and as CSV."""
    for name, table in tables.items():
        store.write(f"tables/{name}.parquet", parquet_bytes(table))
        store.write(f"tables/{name}.csv", csv_bytes(table))


def as_json(content: Mapping[str, Any]) -> bytes:
    """A JSON file of a result folder."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False).encode()
