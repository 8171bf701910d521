"""A COMBINE archive, or a SED-ML file, carried out into a folder: what `biosimulators-senexo` does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senexo.base.atomic import write_file, writing
from senexo.base.errors import InvalidModel, SenexoError
from senexo.interchange import reports
from senexo.interchange.experiment import Files, Results, read_sedml, require_libsedml, run_experiment
from senexo.interchange.omex import Archive
from senexo.model.loading import read_bytes

REPORTS, LOG = "reports.h5", "log.yml"


@dataclass(frozen=True)
class Executed:
    """What an archive gave: results of every document by its place, or the error of one; and the log."""

    documents: dict[str, Results | SenexoError]
    log: dict[str, Any]

    @property
    def succeeded(self) -> bool:
        return bool(self.log["status"] == "SUCCEEDED")

    @property
    def partly(self) -> bool:
        """Whether any output was filled."""
        results = [one for one in self.documents.values() if isinstance(one, Results)]
        return any(filled.status == "SUCCEEDED" for one in results for filled in one.outputs)

    @property
    def notes(self) -> list[str]:
        """Notes of all documents, each once."""
        found = [note for one in self.documents.values() if isinstance(one, Results) for note in one.notes]
        return list(dict.fromkeys(found))

    @property
    def errors(self) -> list[str]:
        """Errors of all documents, tasks and outputs, each once."""
        found: list[str] = []
        for place, one in self.documents.items():
            if isinstance(one, SenexoError):
                found.append(_placed(place, one))
                continue
            causes: Sequence[SenexoError | None] = [task.error for task in one.tasks]
            causes = [*causes, *(f.error for f in one.outputs), *(c.error for f in one.outputs for c in f.columns)]
            found += [_placed(place, error) for error in causes if error is not None]
        return list(dict.fromkeys(found))


def _placed(place: str, error: SenexoError) -> str:
    text = str(error)
    return text if text.startswith(place) else f"{place}: {text}"


def run_archive(path: str | Path, out: str | Path, *, max_seconds: float | None = None) -> Executed:
    """Carry out every experiment of a COMBINE archive or a SED-ML file; write reports.h5 and log.yml.

    Parameters
    ----------
    path
        An archive (.omex, .sedx, .zip), or a SED-ML file (.sedml, .xml) whose models lie beside it.
    out
        The folder for both files; it is made, and files of these names in it are replaced.
    max_seconds
        Wall time (s) of one document after which its simulations end; what needs those is failed.

    Returns
    -------
    Executed

    Raises
    ------
    InvalidModel
        The archive or file cannot be read; the log says so too.
    UnsupportedFeature
        python-libsedml or h5py is missing.
    StoreError
        The folder cannot be written.

    References
    ----------
    BioSimulators' conventions, doi 10.1093/nar/gkac331.
    """
    require_libsedml()
    reports.require_h5py()
    path, out = Path(path), Path(out)
    begun = time.perf_counter()
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    try:
        found = dict(_executed(path, max_seconds))
    except SenexoError as error:
        _write_log(out, reports.failure(error, time.perf_counter() - begun))
        raise
    log = reports.log_of(list(found.items()), time.perf_counter() - begun)
    good = [(place, one) for place, one in found.items() if isinstance(one, Results)]
    temporary = out / f".part-{REPORTS}"
    with writing(out):
        reports.write_reports(temporary, good)
        temporary.replace(out / REPORTS)
    _write_log(out, log)
    return Executed(found, log)


def _write_log(out: Path, log: dict[str, Any]) -> None:
    write_file(out / LOG, reports.yaml_of(log).encode())


def _executed(path: Path, limit: float | None) -> list[tuple[str, Results | SenexoError]]:
    if path.suffix in (".sedml", ".xml"):
        folder = path.parent
        return [(path.name, _document(path.name, read_bytes(path), lambda place: _beside(folder, place), limit))]
    with Archive(path) as archive:
        places = archive.experiments()
        if not places:
            raise InvalidModel(f"{path}: its manifest lists no SED-ML document")
        return [(place, _document(place, archive.read(place), archive.read, limit)) for place in places]


def _document(place: str, data: bytes, files: Files, limit: float | None) -> Results | SenexoError:
    try:
        return run_experiment(read_sedml(data, source=place), files, location=place, max_seconds=limit)
    except SenexoError as error:
        return error


def _beside(folder: Path, place: str) -> bytes:
    """A file of the folder of a SED-ML file, and nothing outside it."""
    path = folder / place
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InvalidModel(f"{place}: outside the folder of the SED-ML file")
    return read_bytes(path)
