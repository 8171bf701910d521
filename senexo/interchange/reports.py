"""Results of experiments as BioSimulators keeps them: reports.h5 and log.yml.

Reports: docs.biosimulations.org/concepts/conventions/simulation-run-reports. Log: the same, simulation-run-logs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from senexo.base.errors import SenexoError, UnsupportedFeature
from senexo.interchange.experiment import Done, Filled, Results

_TYPES = {"report": "SedReport", "plot2D": "SedPlot2D", "plot3D": "SedPlot3D"}
_PARTS = {"report": "dataSets", "plot2D": "curves", "plot3D": "surfaces"}


def require_h5py() -> None:
    """Raise `UnsupportedFeature` with what to install where h5py is missing."""
    from importlib.util import find_spec

    if find_spec("h5py") is None:
        raise UnsupportedFeature("reports without h5py", "install it: pip install 'senexo[interchange]'")


def write_reports(path: Path, documents: Sequence[tuple[str, Results]]) -> None:
    """All outputs of documents (place, results) in one HDF5 file: a data set per output, its rows padded with nan."""
    import h5py

    with h5py.File(path, "w") as file:
        for location, results in documents:
            for filled in results.outputs:
                good = [column for column in filled.columns if column.values is not None]
                if filled.error is None and good:
                    _write(file, f"{location}/{filled.output.id}", filled)


def _write(file: Any, place: str, filled: Filled) -> None:
    columns = [column for column in filled.columns if column.values is not None]
    arrays = [np.asarray(column.values, dtype=np.float64) for column in columns]
    data = file.create_dataset(place, data=np.stack(_aligned(arrays)), compression="gzip", compression_opts=9)
    data.attrs["_type"] = _TYPES[filled.output.kind]
    data.attrs["uri"] = place
    data.attrs["sedmlId"] = filled.output.id
    if filled.output.name:
        data.attrs["sedmlName"] = filled.output.name
    data.attrs["sedmlDataSetIds"] = [column.id for column in columns]
    data.attrs["sedmlDataSetNames"] = [column.name for column in columns]
    data.attrs["sedmlDataSetLabels"] = [column.label for column in columns]
    data.attrs["sedmlDataSetDataTypes"] = ["float64"] * len(columns)
    data.attrs["sedmlDataSetShapes"] = [",".join(map(str, array.shape)) for array in arrays]
    parts = place.split("/")[:-1]
    for k in range(len(parts)):
        uri = "/".join(parts[: k + 1])
        file[uri].attrs["uri"] = uri
        file[uri].attrs["combineArchiveLocation"] = uri


def _aligned(arrays: list[Any]) -> list[Any]:
    """Rows of one shape: dimensions are added behind and filled with nan, as the stated shapes are read back."""
    n = max(array.ndim for array in arrays)
    whole = tuple(max((array.shape + (1,) * (n - array.ndim))[k] for array in arrays) for k in range(n))
    found = []
    for array in arrays:
        row = np.full(whole, np.nan)
        row[tuple(slice(0, k) for k in array.shape) + (0,) * (n - array.ndim)] = array
        found.append(row)
    return found


# ---- the log


def log_of(documents: Sequence[tuple[str, Results | SenexoError]], seconds: float) -> dict[str, Any]:
    """The log of an archive."""
    parts = [_document(location, found) for location, found in documents]
    failed = any(part["status"] == "FAILED" for part in parts)
    return _entry("FAILED" if failed else "SUCCEEDED", None, seconds) | {"sedDocuments": parts}


def failure(error: SenexoError, seconds: float) -> dict[str, Any]:
    """The log of an archive that could not be read."""
    return _entry("FAILED", error, seconds) | {"sedDocuments": None}


def _entry(status: str, error: SenexoError | None, seconds: float | None, output: str | None = None) -> dict[str, Any]:
    reason = None if error is None else {"type": type(error).__name__, "message": str(error)}
    return {
        "status": status, "exception": reason, "skipReason": None, "output": output,
        "duration": None if seconds is None else round(seconds, 3),
    }  # fmt: skip


def _document(location: str, found: Results | SenexoError) -> dict[str, Any]:
    if isinstance(found, SenexoError):
        return {"location": location} | _entry("FAILED", found, None) | {"tasks": None, "outputs": None}
    failed = any(filled.status == "FAILED" for filled in found.outputs) or any(t.error for t in found.tasks)
    done = {task.id: task for task in found.tasks}
    notes = "\n".join(found.notes) or None
    seconds = sum(task.seconds for task in found.tasks)
    return (
        {"location": location}
        | _entry("FAILED" if failed else "SUCCEEDED", None, seconds, notes)
        | {
            "tasks": [_task(task.id, done.get(task.id)) for task in found.document.tasks],
            "outputs": [_output(filled) for filled in found.outputs],
        }
    )


def _task(id: str, done: Done | None) -> dict[str, Any]:
    if done is None:
        return {"id": id} | _entry("SKIPPED", None, None) | {"algorithm": None, "simulatorDetails": None}
    method = done.method
    details = None
    if method is not None:
        details = [{"key": "asked", "value": method.asked}, {"key": "method", "value": method.way}]
        details += [{"key": key, "value": value} for key, value in method.options.items()]
        details += [{"key": "note", "value": note} for note in method.notes]
    status = "SUCCEEDED" if done.error is None else "FAILED"
    used = None if method is None else method.used.replace(":", "_")
    return {"id": id} | _entry(status, done.error, done.seconds) | {"algorithm": used, "simulatorDetails": details}


def _output(filled: Filled) -> dict[str, Any]:
    kind = filled.output.kind
    error = filled.error or next((column.error for column in filled.columns if column.error is not None), None)
    found = {"id": filled.output.id} | _entry(filled.status, error, None)
    good = {column.id for column in filled.columns if column.error is None}
    if kind in ("plot2D", "plot3D"):
        curves = filled.output.curves
        return found | {
            _PARTS[kind]: [
                {"id": one.id, "status": "SUCCEEDED" if good.issuperset(one.axes) else "FAILED"} for one in curves
            ]
        }
    if kind == "report":
        rows = [{"id": c.id, "status": "SUCCEEDED" if c.error is None else "FAILED"} for c in filled.columns]
        return found | {"dataSets": rows}
    return found


def yaml_of(value: Any, indent: int = 0) -> str:
    """Plain data as YAML, texts in JSON's quotation marks, which YAML shares.

    >>> print(yaml_of({"status": "FAILED", "tasks": [{"id": "a", "note": None}], "none": []}), end="")
    status: "FAILED"
    tasks:
      - id: "a"
        note: null
    none: []
    """
    pad = " " * indent
    if isinstance(value, dict) and value:
        lines = []
        for key, item in value.items():
            if isinstance(item, dict | list) and item:
                lines.append(f"{pad}{key}:\n{yaml_of(item, indent + 2)}")
            else:
                lines.append(f"{pad}{key}: {json.dumps(item)}\n")
        return "".join(lines)
    if isinstance(value, list) and value:
        return "".join(f"{pad}- {yaml_of(item, indent + 2).lstrip()}" for item in value)
    return f"{pad}{json.dumps(value)}\n"
