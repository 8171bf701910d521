"""The result folder: crash-safe writing, and detection of changed or missing files.

Every file is written under a temporary name, synced and renamed, and its folder is synced; only then a row with its
SHA-256 enters `ledger.sqlite` (rollback journal, synchronous=FULL: WAL with NORMAL can lose the last rows on power
loss). So every row belongs to a complete file, and a file without a row is computed again. The ledger's exclusive lock,
which the system drops when a process dies, excludes a second run from the folder. When a run is complete, the hash of
the ledger itself is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import StoreError

LEDGER = "ledger.sqlite"
SEAL = "ledger.sha256"
_TEMPORARY = ".part-"
_ADVICE = "What was computed before is kept; free some space or choose another folder, then run again with --resume"


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as the bytes of an .npz file; the same arrays give the same bytes at any time and in any order.

    Stored without compression (so the bytes do not depend on a zlib version) and without pickle.

    Examples
    --------
    >>> pack({"a": np.arange(3)}) == pack({"a": np.arange(3)})
    True
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())  # its date is a constant
    return buffer.getvalue()


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of `pack`; no pickle is loaded."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def sha256(path: Path) -> str:
    """The SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Store:
    """One result folder, open for writing by one run; a context manager.

    Chunks (the results of single units of work) whose file does not match its row are dropped and computed again.

    Parameters
    ----------
    folder
        The folder; it is made where it does not exist.
    identity
        What the results depend on (version, seed, every value of the study).
    resume
        Whether to continue the run whose results the folder holds.

    Raises
    ------
    StoreError
        The folder holds results and `resume` is false, its identity differs (the message lists the differences), it
        holds other files, another run uses it, or it cannot be written.

    Examples
    --------
    >>> with Store(Path("out"), {"seed": "1"}, resume=False) as store:   # doctest: +SKIP
    ...     store.put("arm000-donor0001", {"x": np.arange(3)})
    """

    def __init__(self, folder: Path, identity: Mapping[str, str], *, resume: bool) -> None:
        self.folder = folder
        _refuse_strangers(folder)
        with _writing(folder):
            for needed in (folder, folder / "chunks", folder / "tables"):
                needed.mkdir(parents=True, exist_ok=True)
            self._ledger = self._open_ledger()
        try:
            with _writing(folder):
                self._settle(identity, resume=resume)
        except BaseException:
            self._ledger.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ledger.close()

    def _open_ledger(self) -> sqlite3.Connection:
        ledger = sqlite3.connect(self.folder / LEDGER, timeout=0, isolation_level=None)
        try:
            ledger.execute("PRAGMA locking_mode=EXCLUSIVE")
            ledger.execute("PRAGMA synchronous=FULL")
            ledger.execute("BEGIN EXCLUSIVE")
            ledger.execute("CREATE TABLE IF NOT EXISTS identity (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            ledger.execute(
                "CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, chunk TEXT UNIQUE,"
                " sha256 TEXT NOT NULL, bytes INTEGER NOT NULL)"
            )
            ledger.execute("COMMIT")
        except BaseException:
            ledger.close()
            raise
        return ledger

    def _settle(self, identity: Mapping[str, str], *, resume: bool) -> None:
        """Compare identities, delete temporary files, drop the rows of files that are not complete."""
        held = dict(self._ledger.execute("SELECT key, value FROM identity"))
        if held and not resume:
            raise StoreError(
                f"{self.folder} already holds results: continue them with --resume, or choose another --out"
            )
        different = [key for key in {**held, **identity} if held.get(key) != identity.get(key)]
        if held and different:
            listed = "\n".join(
                f"  {key}: there {held.get(key, 'absent')}, here {identity.get(key, 'absent')}"
                for key in different[:12]
            )
            more = f"\n  and {len(different) - 12} more" if len(different) > 12 else ""
            raise StoreError(f"{self.folder} holds results of another run and cannot be resumed:\n{listed}{more}")
        for stray in (*self.folder.glob(f"{_TEMPORARY}*"), *self.folder.glob(f"*/{_TEMPORARY}*")):
            shutil.rmtree(stray) if stray.is_dir() else stray.unlink()
        (self.folder / SEAL).unlink(missing_ok=True)
        broken = [
            (path,)
            for path, digest, size in self._ledger.execute("SELECT path, sha256, bytes FROM files").fetchall()
            if not _agrees(self.folder / path, digest, size)
        ]
        with self._transaction():
            self._ledger.executemany("INSERT OR REPLACE INTO identity VALUES (?, ?)", identity.items())
            self._ledger.executemany("DELETE FROM files WHERE path = ?", broken)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._ledger.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._ledger.execute("ROLLBACK")
            raise
        self._ledger.execute("COMMIT")

    def _record(self, path: Path, *, chunk: str | None = None) -> None:
        row = (path.relative_to(self.folder).as_posix(), chunk, sha256(path), path.stat().st_size)
        self._ledger.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", row)

    def chunks(self) -> frozenset[str]:
        """The names of the complete chunks."""
        return frozenset(name for (name,) in self._ledger.execute("SELECT chunk FROM files WHERE chunk IS NOT NULL"))

    def put(self, chunk: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write one chunk; when this returns, neither a kill nor a power cut loses it."""
        path = self.folder / "chunks" / f"{chunk}.npz"
        with _writing(path):
            _replace(path, pack(arrays))
            with self._transaction():
                self._record(path, chunk=chunk)

    def get(self, chunk: str) -> dict[str, NDArray[Any]]:
        """The arrays of one chunk, checked against the ledger."""
        return read_chunk(self.folder, self._ledger, chunk)

    def write(self, path: str, data: bytes) -> None:
        """Write any other result file (a table, run.json) in the same way."""
        place = self.folder / path
        with _writing(place):
            _replace(place, data)
            with self._transaction():
                self._record(place)

    @contextlib.contextmanager
    def folder_for(self, name: str) -> Iterator[Path]:
        """A temporary folder to fill, which replaces `name` when the block ends without an error."""
        place, temporary = self.folder / name, self.folder / f"{_TEMPORARY}{name}"
        with _writing(place):
            temporary.mkdir()
            yield temporary
            files = sorted(path for path in temporary.rglob("*") if path.is_file())
            for path in files:
                _sync(path)
            for inner in {path.parent for path in files}:
                _sync(inner)
            with self._transaction():
                self._ledger.execute("DELETE FROM files WHERE path >= ? AND path < ?", (f"{name}/", f"{name}0"))
            shutil.rmtree(place, ignore_errors=True)
            temporary.rename(place)
            _sync(self.folder)
            with self._transaction():
                for path in files:
                    self._record(place / path.relative_to(temporary))

    @contextlib.contextmanager
    def adopting(self, path: str) -> Iterator[None]:
        """Record in the ledger a file that the block writes into the folder itself (the report)."""
        place = self.folder / path
        with _writing(place):
            yield
            _sync(place)
            _sync(place.parent)
            with self._transaction():
                self._record(place)

    def digest(self) -> str:
        """One SHA-256 over all chunks; it does not depend on their order or on the number of workers."""
        return _digest(self._ledger)

    def seal(self) -> None:
        """Write the hash of the ledger: the run is complete, and `verify` also detects a change of the ledger."""
        with _writing(self.folder / SEAL):
            _replace(self.folder / SEAL, f"{sha256(self.folder / LEDGER)}\n".encode())


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
        Changed and missing files; empty when every byte is as it was written.
    """

    files: int
    finished: bool
    digest: str
    faults: tuple[str, ...]


def verify(folder: Path) -> Verdict:
    """Read every file of a result folder again and compare it with the ledger, and the ledger with its hash.

    Parameters
    ----------
    folder
        The result folder. Files that the run did not write are ignored.

    Returns
    -------
    Verdict

    Raises
    ------
    StoreError
        The folder holds no results.
    """
    try:
        with read_ledger(folder) as ledger:
            rows = ledger.execute("SELECT path, sha256, bytes FROM files ORDER BY path").fetchall()
            digest = _digest(ledger)
    except sqlite3.DatabaseError as error:
        return Verdict(0, False, "", (f"{LEDGER}: cannot be read ({error})",))
    seal = folder / SEAL
    faults = [f"{LEDGER}: changed since it was sealed"] if seal.is_file() and not _sealed(folder) else []
    for path, expected, size in rows:
        if not (folder / path).is_file():
            faults.append(f"{path}: missing")
        elif not _agrees(folder / path, expected, size):
            faults.append(f"{path}: changed since it was written")
    return Verdict(len(rows), seal.is_file(), digest, tuple(faults))


@contextlib.contextmanager
def read_ledger(folder: Path) -> Iterator[sqlite3.Connection]:
    """The ledger of a folder for reading; StoreError where there is none or a run uses the folder."""
    if not (folder / LEDGER).is_file():
        raise StoreError(f"{folder} holds no results of senexo (there is no {LEDGER} in it)")
    # not mode=ro: a ledger left by a kill may have to be rolled back before it can be read
    ledger = sqlite3.connect(f"{(folder / LEDGER).resolve().as_uri()}?mode=rw", uri=True, timeout=0)
    try:
        ledger.execute("SELECT count(*) FROM files")
        yield ledger
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"{folder} is in use by a run") from error
        raise
    finally:
        ledger.close()


def read_chunk(folder: Path, ledger: sqlite3.Connection, chunk: str) -> dict[str, NDArray[Any]]:
    """The arrays of one chunk; StoreError when it is missing or its hash is not that of the ledger."""
    row = ledger.execute("SELECT path, sha256 FROM files WHERE chunk = ?", (chunk,)).fetchone()
    if row is None:
        raise StoreError(f"{folder} has no chunk {chunk}")
    path = folder / row[0]
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != row[1]:
        raise StoreError(f"{path} is missing or changed since it was written; run again with --resume to repair it")
    return unpack(data)


def _refuse_strangers(folder: Path) -> None:
    """StoreError for a folder that has files but no ledger: nothing is written into it."""
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is a file; the results need a folder")
    if not folder.is_dir() or (folder / LEDGER).exists():
        return
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in ("chunks", "tables"))
    if foreign:
        raise StoreError(
            f"{folder} is not empty and holds no results of senexo (there is {foreign[0]!r}): choose another --out"
        )


def _digest(ledger: sqlite3.Connection) -> str:
    rows = ledger.execute("SELECT chunk, sha256 FROM files WHERE chunk IS NOT NULL ORDER BY chunk")
    return hashlib.sha256("".join(f"{chunk} {digest}\n" for chunk, digest in rows).encode()).hexdigest()


def _agrees(path: Path, digest: str, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size and sha256(path) == digest


def _sealed(folder: Path) -> bool:
    return (folder / SEAL).read_bytes() == f"{sha256(folder / LEDGER)}\n".encode()


def keep(path: Path, data: bytes) -> None:
    """Write a file outside of a result folder, completely or not at all; StoreError where it cannot be written."""
    with _writing(path):
        _replace(path, data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file to write, which replaces `path` when the block ends without an error."""
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    with _writing(path), _dropped(temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A temporary folder to fill, which replaces `path` when the block ends without an error."""
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    with _writing(path), _dropped(temporary):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        for place in sorted(temporary.rglob("*"), reverse=True):
            _sync(place)
        _sync(temporary)
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
        _sync(path.parent)


@contextlib.contextmanager
def _dropped(temporary: Path) -> Iterator[None]:
    """Delete the temporary file or folder when the block fails."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(temporary) if temporary.is_dir() else temporary.unlink(missing_ok=True)
        raise


def _replace(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that at any moment the path holds the old bytes or the new ones, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{_TEMPORARY}{path.name}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _sync(path: Path) -> None:
    """Make a file or a folder's list of names durable; a rename is atomic, but only this makes it last."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle for a folder and keeps its names by itself
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the system says about a full disk or a closed folder into one clear message."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}. {_ADVICE}") from error
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"{path} is in use by another run") from error
        raise StoreError(f"cannot write {path}: {error}. {_ADVICE}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: the ledger is damaged ({error}); results here cannot be continued") from error
