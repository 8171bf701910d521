"""Detection of changed, missing and added files of a result folder.

Ledger, seal and run.json confirm each other: the ledger records that a run is finished, the seal is the hash of the
ledger, and run.json has the digest of the ledger's chunks. So a deletion or a change of any one of them is found.
There is no secret in a folder: someone who writes all of it anew, hashes included, is found only by a digest kept
elsewhere.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from senexo.base.atomic import TEMPORARY
from senexo.base.store import FINISHED, FOLDER, LEDGER, RECORD, SEAL, agrees, chunks_digest, read_ledger, sha256

_OF_A_RUN = (SEAL, RECORD, "study.resolved.toml", "findings.json")
_OWN_FOLDERS = ("chunks", "tables")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of `verify`.

    Attributes
    ----------
    files
        Number of files in the ledger.
    finished
        Whether the run is complete.
    digest
        SHA-256 of all chunks.
    faults
        Changed, missing and added files; empty when every byte is as it was written.
    """

    files: int
    finished: bool
    digest: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Ledger:
    """What the ledger of a folder says.

    rows: path, SHA-256 and bytes of each file; digest: of the chunks; finished: their digest when the run was sealed;
    folders: the folders that the run wrote as a whole.
    """

    rows: tuple[tuple[str, str, int], ...]
    digest: str
    finished: str | None
    folders: tuple[str, ...]


def verify(folder: Path) -> Verdict:
    """Read every file of a result folder again and compare it with the ledger, the seal and run.json.

    Parameters
    ----------
    folder
        The result folder. Other files beside those of the run are ignored; in the folders that the run wrote (chunks,
        tables, Zarr stores) they are faults, since a reader of the folder would take them for results.

    Returns
    -------
    Verdict

    Raises
    ------
    StoreError
        The folder holds no results, or a run is using it.
    """
    if not (folder / LEDGER).is_file():
        there = [name for name in _OF_A_RUN if (folder / name).is_file()]
        if there or any(folder.glob("chunks/*.npz")):
            fault = f"{LEDGER}: missing, though the folder has {there[0] if there else 'chunks'} of a run"
            return Verdict(0, False, "", (fault,))
    try:
        ledger = _read(folder)
    except sqlite3.DatabaseError as error:
        return Verdict(0, False, "", (f"{LEDGER}: cannot be read ({error})",))
    finished = ledger.finished is not None or (folder / SEAL).is_file()
    faults = [*_of_seal(folder, ledger), *_of_record(folder, ledger, finished=finished), *_of_files(folder, ledger)]
    faults += _added(folder, ledger, finished=finished)
    return Verdict(len(ledger.rows), finished, ledger.digest, tuple(faults))


def _read(folder: Path) -> _Ledger:
    with read_ledger(folder) as ledger:
        rows = ledger.execute("SELECT path, sha256, bytes FROM files ORDER BY path").fetchall()
        tables = {name for (name,) in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        # version 0.1 had no such table
        state = dict(ledger.execute("SELECT key, value FROM state")) if "state" in tables else {}
        folders = tuple(key.removeprefix(FOLDER) for key in state if key.startswith(FOLDER))
        return _Ledger(tuple(rows), chunks_digest(ledger), state.get(FINISHED), folders)


def _of_seal(folder: Path, ledger: _Ledger) -> Iterator[str]:
    seal = folder / SEAL
    if seal.is_file():
        if seal.read_bytes() != f"{sha256(folder / LEDGER)}\n".encode():
            yield f"{LEDGER}: changed since it was sealed"
    elif ledger.finished is not None:
        yield f"{SEAL}: missing, though the ledger records a finished run"
    if ledger.finished is not None and ledger.finished != ledger.digest:
        yield f"{LEDGER}: its chunks are not those of the finished run"


def _of_record(folder: Path, ledger: _Ledger, *, finished: bool) -> Iterator[str]:
    """Faults of run.json, which is written when every unit is done: it has the digest of exactly these chunks."""
    place = folder / RECORD
    if not any(path == RECORD for path, _, _ in ledger.rows):
        if place.is_file():
            yield f"{RECORD}: not in the ledger"
        elif finished:
            yield f"{RECORD}: missing, and not in the ledger, though the run is finished"
        return
    if place.is_file():
        try:
            digest = json.loads(place.read_bytes())["digest"]
        except (ValueError, KeyError, TypeError):
            digest = None
        if digest != ledger.digest:
            yield f"{RECORD}: its digest is not that of the chunks in the ledger"


def _of_files(folder: Path, ledger: _Ledger) -> Iterator[str]:
    for path, expected, size in ledger.rows:
        if not (folder / path).is_file():
            yield f"{path}: missing"
        elif not agrees(folder / path, expected, size):
            yield f"{path}: changed since it was written"


def _added(folder: Path, ledger: _Ledger, *, finished: bool) -> Iterator[str]:
    """Files in the run's own folders that it did not write; what a kill left unfinished is not one of them."""
    known = {path for path, _, _ in ledger.rows}
    owned = sorted({*_OWN_FOLDERS, *ledger.folders, *(path.partition("/")[0] for path in known if "/" in path)})
    for top in owned:
        for place, folders, files in os.walk(folder / top):
            links = [name for name in folders if (Path(place) / name).is_symlink()]
            for name in sorted([*files, *links]):
                path = (Path(place) / name).relative_to(folder).as_posix()
                if path not in known and (finished or not name.startswith(TEMPORARY)):
                    yield f"{path}: not written by the run"
