"""The result folder: crash-safe writing, and detection of changed or missing files.

Every file is written under a temporary name, synced and renamed, and its folder is synced; only then a row with its
SHA-256 enters `ledger.sqlite` (rollback journal, synchronous=FULL: WAL with NORMAL can lose the last rows on power
loss). So every row belongs to a complete file, and a file without a row is computed again. The ledger's exclusive lock,
which the system drops when a process dies, excludes a second run from the folder. When a run is complete, the
ledger records it, and its own hash is written (`senexo.base.verification` reads all of this again).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import shlex
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from senexo.base.atomic import TEMPORARY, exchange, sync, sync_tree, temporary_beside, write_file, writing
from senexo.base.errors import StoreError

LEDGER = "ledger.sqlite"
SEAL = "ledger.sha256"
RECORD = "run.json"  # written when every unit is done; it repeats the digest of the chunks
FINISHED = "finished"  # in the table `state`; its value is the digest of the chunks
FOLDER = "folder "  # in the table `state`, before the name of a folder written as a whole
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
        with _writing(folder):
            _refuse_strangers(folder)
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
            ledger.execute("CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
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
        for stray in (*self.folder.glob(f"{TEMPORARY}*"), *self.folder.glob(f"*/{TEMPORARY}*")):
            shutil.rmtree(stray) if stray.is_dir() else stray.unlink()
        with self._transaction():  # until `seal`, the run is not finished, and nothing says that it is
            self._ledger.execute("DELETE FROM state WHERE key = ?", (FINISHED,))
            self._ledger.execute("DELETE FROM files WHERE path = ?", (RECORD,))
        for name in (SEAL, RECORD):
            (self.folder / name).unlink(missing_ok=True)
        broken = [
            (path,)
            for path, digest, size in self._ledger.execute("SELECT path, sha256, bytes FROM files").fetchall()
            if not agrees(self.folder / path, digest, size)
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

    def _enter(self, path: Path, *, chunk: str | None = None) -> None:
        """`_record` in a transaction; a file that the ledger has no room for is no result, and is taken away."""
        try:
            with self._transaction():
                self._record(path, chunk=chunk)
        except sqlite3.Error:
            name = path.relative_to(self.folder).as_posix()
            if not self._ledger.execute("SELECT 1 FROM files WHERE path = ?", (name,)).fetchone():
                path.unlink(missing_ok=True)
            raise

    def chunks(self) -> frozenset[str]:
        """The names of the complete chunks."""
        return frozenset(name for (name,) in self._ledger.execute("SELECT chunk FROM files WHERE chunk IS NOT NULL"))

    def put(self, chunk: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write one chunk; when this returns, neither a kill nor a power cut loses it."""
        path = self.folder / "chunks" / f"{chunk}.npz"
        with _writing(path):
            write_file(path, pack(arrays), advice=_ADVICE)
            self._enter(path, chunk=chunk)

    def get(self, chunk: str) -> dict[str, NDArray[Any]]:
        """The arrays of one chunk, checked against the ledger."""
        return read_chunk(self.folder, self._ledger, chunk)

    def write(self, path: str, data: bytes) -> None:
        """Write any other result file (a table, run.json) in the same way."""
        place = self.folder / path
        with _writing(place):
            write_file(place, data, advice=_ADVICE)
            self._enter(place)

    @contextlib.contextmanager
    def folder_for(self, name: str) -> Iterator[Path]:
        """A temporary folder to fill, which replaces `name` when the block ends without an error."""
        place = self.folder / name
        temporary = temporary_beside(place)
        with _writing(place):
            temporary.mkdir()
            yield temporary
            files = sorted(path for path in temporary.rglob("*") if path.is_file())
            sync_tree(temporary)
            with self._transaction():
                self._ledger.execute("DELETE FROM files WHERE path >= ? AND path < ?", (f"{name}/", f"{name}0"))
            exchange(temporary, place)
            sync(self.folder)
            with self._transaction():
                self._ledger.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (f"{FOLDER}{name}", ""))
                for path in files:
                    self._record(place / path.relative_to(temporary))

    @contextlib.contextmanager
    def adopting(self, path: str) -> Iterator[None]:
        """Record in the ledger a file that the block writes into the folder itself (the report)."""
        place = self.folder / path
        with _writing(place):
            yield
            sync(place)
            sync(place.parent)
            with self._transaction():
                self._record(place)

    def digest(self) -> str:
        """One SHA-256 over all chunks; it does not depend on their order or on the number of workers."""
        return chunks_digest(self._ledger)

    def seal(self) -> None:
        """Record that the run is finished, and write the hash of the ledger beside it (`senexo.base.verification`)."""
        with _writing(self.folder / SEAL):
            with self._transaction():
                self._ledger.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (FINISHED, self.digest()))
            write_file(self.folder / SEAL, f"{sha256(self.folder / LEDGER)}\n".encode(), advice=_ADVICE)


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


def read_recorded(folder: Path, path: str) -> bytes:
    """The bytes of a result file; StoreError when the ledger does not have it or has another hash."""
    with read_ledger(folder) as ledger:
        row = ledger.execute("SELECT sha256 FROM files WHERE path = ?", (path,)).fetchone()
    place = folder / path
    if row is None or not place.is_file():
        raise StoreError(f"{folder} has no {path}; look at the folder with: senexo verify {shlex.quote(str(folder))}")
    data = place.read_bytes()
    if hashlib.sha256(data).hexdigest() != row[0]:
        advice = f"look at the folder with: senexo verify {shlex.quote(str(folder))}"
        raise StoreError(f"{place} has changed since the run wrote it; {advice}")
    return data


def require_unchanged(folder: Path, wanted: Callable[[str], bool]) -> None:
    """StoreError for the first of the recorded files whose path is wanted and that is missing or has another hash."""
    with read_ledger(folder) as ledger:
        rows = ledger.execute("SELECT path, sha256, bytes FROM files ORDER BY path").fetchall()
    for path, digest, size in rows:
        if wanted(path) and not agrees(folder / path, digest, size):
            advice = f"look at the folder with: senexo verify {shlex.quote(str(folder))}"
            raise StoreError(f"{folder / path} is missing or has changed since the run wrote it; {advice}")


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


def chunks_digest(ledger: sqlite3.Connection) -> str:
    """One SHA-256 over all chunks of a ledger."""
    rows = ledger.execute("SELECT chunk, sha256 FROM files WHERE chunk IS NOT NULL ORDER BY chunk")
    return hashlib.sha256("".join(f"{chunk} {digest}\n" for chunk, digest in rows).encode()).hexdigest()


def agrees(path: Path, digest: str, size: int) -> bool:
    """Whether a file is there with this size and this SHA-256."""
    return path.is_file() and path.stat().st_size == size and sha256(path) == digest


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what the system or the ledger says about a full disk, a closed folder or another run into one message."""
    try:
        with writing(path, _ADVICE):
            yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(f"{path} is in use by another run") from error
        raise StoreError(f"cannot write {path}: {error}. {_ADVICE}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: the ledger is damaged ({error}); results here cannot be continued") from error
