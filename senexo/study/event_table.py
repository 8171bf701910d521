"""A table of event records in NONMEM's words, from a file: ID, TIME, EVID, AMT, CMT, RATE, II, ADDL, SS."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.base.dose_records import DOSE, OBSERVATION, Event, check_events
from senexo.base.errors import Fault, InvalidInput
from senexo.base.table import Column, check, read_table

if TYPE_CHECKING:
    import pandas as pd

WHOLE = {"EVID": (0, 4), "CMT": (0, 99), "ADDL": (0, 100_000), "SS": (0, 2)}
COLUMNS = ("ID", "TIME", "EVID", "AMT", "CMT", "RATE", "II", "ADDL", "SS")
NO_RECORDS = ("DV", "MDV")  # of measurements, which a table of doses has none of


def read_events(table: pd.DataFrame | str | Path, n: int = 99) -> Mapping[str, list[Event]]:
    """The records of each subject.

    Parameters
    ----------
    table
        A file as the assays read them, or a frame: TIME (h), and those of EVID, AMT (mg), CMT, RATE (mg/h), II (h),
        ADDL, SS and ID that are needed. Without EVID a row with AMT, or with RATE and SS, is a dose and any other an
        observation; without ID all rows are of the subject "1". An empty cell is 0.
    n
        Number of compartments.

    Returns
    -------
    mapping
        ID -> records, in the order of the file.

    Raises
    ------
    InvalidInput
        A column that is none of these (nothing is dropped unread), cells that are no such numbers, and records that
        cannot be (`senexo.base.dose_records.check_events`), by row.
    """
    where = "events" if not isinstance(table, str | Path) else str(table)
    frame = read_table(table) if isinstance(table, str | Path) else table
    unknown = [str(name) for name in frame.columns if name not in COLUMNS]
    if unknown:
        measured = [name for name in unknown if name in NO_RECORDS]
        expected = f"none but {', '.join(COLUMNS)}" + ("; take measurements out" if measured else "")
        raise InvalidInput([Fault(f"{where}: columns", ", ".join(unknown), expected)])
    columns = [
        Column("ID", "text", required=False),
        Column("TIME", "number"),
        *(Column(name, "whole", required=False, may_be_empty=True, low=low, high=high)
          for name, (low, high) in WHOLE.items()),
        *(Column(name, "number", required=False, may_be_empty=True) for name in ("AMT", "RATE", "II")),
    ]  # fmt: skip
    rows = check(frame, columns, where=where)
    found: dict[str, list[Event]] = {}
    for row in rows.to_dict("records"):
        found.setdefault(str(row.get("ID", "1")), []).append(_event(row))
    for subject, events in found.items():
        check_events(events, n, where if len(found) == 1 else f"{where}, ID {subject}")
    return found


def _event(row: Mapping[Any, Any]) -> Event:
    number = {name: 0.0 if math.isnan(float(row.get(name, 0.0))) else float(row.get(name, 0.0)) for name in COLUMNS[1:]}
    dose = number["AMT"] != 0.0 or (number["RATE"] != 0.0 and number["SS"] != 0.0)
    given = "EVID" in row and not math.isnan(float(row["EVID"]))
    return Event(
        number["TIME"], int(number["EVID"]) if given else DOSE if dose else OBSERVATION, number["AMT"], number["RATE"],
        int(number["CMT"]), number["II"], int(number["ADDL"]), int(number["SS"]),
    )  # fmt: skip
