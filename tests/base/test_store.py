"""The result folder against kills, flipped bits, full disks, closed folders and second runs."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from senexo.base.errors import StoreError
from senexo.base.store import LEDGER, SEAL, Store, pack, read_recorded, unpack
from senexo.base.verification import verify

WHO = {"version": "1", "seed": "7", "arms.mock": "{}"}
CHUNKS = 12

# A child that writes CHUNKS chunks into argv[1] and, when argv[2:] names a phase and a count, kills itself with
# SIGKILL the n-th time it comes to that phase.
CHILD = f"""
import json, os, signal, sys
from pathlib import Path
import numpy as np
from senexo.base import store as module
from senexo.base.store import Store

folder, phase, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

def dying(name, function, *, after=False):
    def wrapped(*arguments, **options):
        global left
        if phase == name:
            left -= 1
            if left == 0 and not after:
                os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **options)
        if phase == name and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return wrapped

module.pack = dying("running", module.pack)
os.fsync = dying("writing", os.fsync)            # the temporary file is there, not yet whole for sure
Path.replace = dying("renaming", Path.replace, after=True)  # the chunk is in its place, its row is not
Store._record = dying("ledger", Store._record, after=True)  # the row is in an open transaction
with Store(folder, {WHO}, resume=True) as store:
    for number in range({CHUNKS}):
        if f"c{{number:02d}}" not in store.chunks():
            store.put(f"c{{number:02d}}", {{"x": np.random.default_rng(number).random(500), "n": np.arange(number)}})
    store.write("run.json", json.dumps({{"digest": store.digest()}}).encode())
    with store.folder_for("grid") as grid:
        (grid / "part").mkdir()
        (grid / "part" / "0").write_bytes(b"0123456789")
    store.seal()
    print(store.digest())
"""


def child(folder: Path, phase: str = "none", count: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CHILD, str(folder), phase, str(count)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder and digest of an undisturbed run."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    run = child(folder)
    assert run.returncode == 0, run.stderr
    return folder, run.stdout.strip()


def test_packed_arrays_read_back_and_have_constant_bytes() -> None:
    arrays = {"b": np.arange(6).reshape(2, 3), "a": np.array([1.5, np.nan]), "t": np.array(["x", "yy"])}
    data = pack(arrays)
    assert data == pack(dict(reversed(arrays.items())))
    back = unpack(data)
    assert sorted(back) == ["a", "b", "t"]
    for name in arrays:
        np.testing.assert_array_equal(back[name], arrays[name])


def test_pickled_objects_are_neither_written_nor_read() -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        pack({"a": np.array([{}], dtype=object)})


@pytest.mark.parametrize("phase", ["running", "writing", "renaming", "ledger"])
def test_a_killed_run_resumes_to_the_same_digest(tmp_path: Path, whole: tuple[Path, str], phase: str) -> None:
    """5 kills in each of 4 phases, each resumed; at most the chunk in work is lost."""
    for count in (1, 2, 5, 9, 12):
        folder = tmp_path / str(count)
        assert child(folder, phase, count).returncode == -signal.SIGKILL
        before = len(list(sqlite3.connect(folder / LEDGER).execute("SELECT chunk FROM files")))
        assert before >= (count - 1 if phase != "writing" else (count - 1) // 2)
        resumed = child(folder)
        assert resumed.stdout.strip() == whole[1], resumed.stderr
        assert verify(folder).faults == ()
        assert not list(folder.rglob(".part-*"))


def test_the_order_of_chunks_does_not_change_the_digest(tmp_path: Path) -> None:
    digests = set()
    for name, order in {"up": range(5), "down": reversed(range(5))}.items():
        with Store(tmp_path / name, WHO, resume=False) as store:
            for number in order:
                store.put(f"c{number}", {"x": np.full(3, number)})
            digests.add(store.digest())
    assert len(digests) == 1


@pytest.mark.parametrize("path", ["chunks/c03.npz", "run.json", "grid/part/0", LEDGER, SEAL])
def test_any_flipped_bit_is_found(whole: tuple[Path, str], path: str) -> None:
    """A bit in the first, last and 20 spread bytes of every kind of file."""
    folder, _ = whole
    place = folder / path
    sound = place.read_bytes()
    try:
        for position in {0, len(sound) - 1, *np.linspace(0, len(sound) - 1, 20).astype(int)}:
            broken = bytearray(sound)
            broken[position] ^= 1 << int(position) % 8
            place.write_bytes(broken)
            assert verify(folder).faults, f"{path}, byte {position}"
    finally:
        place.write_bytes(sound)
    assert verify(folder).faults == ()


@pytest.fixture
def copy(whole: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the finished folder that a test may damage."""
    return Path(shutil.copytree(whole[0], tmp_path / "copy"))


@pytest.mark.parametrize("path", ["grid/part/1", "chunks/c99.npz", "tables/extra.parquet", "grid/new/0"])
def test_an_added_file_is_found(copy: Path, path: str) -> None:
    """An absent chunk of a Zarr array holds its fill value: an added one changes what the array says."""
    (copy / path).parent.mkdir(exist_ok=True)
    (copy / path).write_bytes(b"\x07")
    assert verify(copy).faults == (f"{path}: not written by the run",)


def test_other_files_beside_the_run_are_ignored(copy: Path) -> None:
    (copy / "notes.txt").write_text("mine")
    assert verify(copy).faults == ()


def test_a_linked_folder_in_a_store_is_found(copy: Path, tmp_path: Path) -> None:
    (copy / "grid" / "link").symlink_to(tmp_path)
    assert verify(copy).faults == ("grid/link: not written by the run",)


@pytest.mark.parametrize("name", [LEDGER, SEAL, "run.json"])
def test_ledger_seal_and_record_vouch_for_each_other(copy: Path, name: str) -> None:
    (copy / name).unlink()
    faults = verify(copy).faults
    assert len(faults) == 1
    assert faults[0].startswith(f"{name}: missing")


@pytest.mark.parametrize(
    ("statement", "also", "fault"),
    [
        ("DELETE FROM files WHERE chunk = 'c03'", (), "ledger.sqlite: changed since it was sealed"),
        ("DELETE FROM files WHERE chunk = 'c03'", (SEAL, "chunks/c03.npz"), "its digest is not that of the chunks"),
        ("DELETE FROM files WHERE path = 'grid/part/0'", (SEAL,), "grid/part/0: not written by the run"),
        ("DELETE FROM files WHERE path = 'run.json'", (SEAL, "run.json"), "run.json: missing"),
        ("DELETE FROM state", (SEAL, "run.json"), "run.json: missing"),
    ],
)
def test_rows_removed_from_the_ledger_are_found(copy: Path, statement: str, also: tuple[str, ...], fault: str) -> None:
    with contextlib.closing(sqlite3.connect(copy / LEDGER)) as ledger, ledger:
        ledger.execute(statement)
    for name in also:
        (copy / name).unlink()
    assert fault in " / ".join(verify(copy).faults)


def test_a_resumed_folder_is_unfinished_until_it_is_sealed(copy: Path) -> None:
    with Store(copy, WHO, resume=True):
        pass
    found = verify(copy)
    assert (found.finished, found.faults) == (False, ())


def test_a_recorded_file_is_read_only_as_it_was_written(copy: Path) -> None:
    assert read_recorded(copy, "grid/part/0") == b"0123456789"
    (copy / "grid" / "part" / "0").write_bytes(b"0123456780")
    with pytest.raises(StoreError, match="has changed since the run wrote it"):
        read_recorded(copy, "grid/part/0")
    with pytest.raises(StoreError, match="has no nothing"):
        read_recorded(copy, "nothing")


def test_a_missing_file_is_found_and_a_damaged_chunk_is_done_again(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    child(folder)
    (folder / "chunks" / "c01.npz").unlink()
    damaged = folder / "chunks" / "c02.npz"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    assert verify(folder).faults == ("chunks/c01.npz: missing", "chunks/c02.npz: changed since it was written")
    with Store(folder, WHO, resume=True) as store:
        assert sorted({f"c{number:02d}" for number in range(CHUNKS)} - store.chunks()) == ["c01", "c02"]


def test_a_foreign_folder_is_refused_and_told_apart(tmp_path: Path) -> None:
    with Store(tmp_path / "out", WHO, resume=False) as store:
        store.put("c", {"x": np.zeros(1)})
    with pytest.raises(StoreError, match="--resume"):
        Store(tmp_path / "out", WHO, resume=False)
    with pytest.raises(StoreError, match="seed: there 7, here 8") as refusal:
        Store(tmp_path / "out", {**WHO, "seed": "8", "arms.new": "{}"}, resume=True)
    assert "arms.new: there absent" in str(refusal.value)
    assert "version" not in str(refusal.value)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match=r"letter\.txt"):
        Store(tmp_path / "home", WHO, resume=False)
    with pytest.raises(StoreError, match="holds no results"):
        verify(tmp_path / "home")


def test_two_runs_cannot_share_a_folder(tmp_path: Path) -> None:
    with Store(tmp_path / "out", WHO, resume=False):
        second = child(tmp_path / "out")
        assert second.returncode == 1
        assert "in use by another run" in second.stderr
        with pytest.raises(StoreError, match="in use"):
            verify(tmp_path / "out")
    assert child(tmp_path / "out").returncode == 0  # the lock went with its holder


LIMITED = f"""
import os, resource, sys
from pathlib import Path
import numpy as np
from senexo.base.errors import StoreError
from senexo.base.store import Store
if sys.argv[2] == "closed" and os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere
try:
    with Store(Path(sys.argv[1]), {WHO}, resume=True) as store:
        if sys.argv[2] == "full":
            resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        store.put("small", {{"x": np.zeros(8)}})
        store.put("big", {{"x": np.zeros(8000)}})
except StoreError as error:
    print(error)
    sys.exit(2)
"""


def limited(folder: Path, how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", LIMITED, str(folder), how], capture_output=True, text=True, timeout=60)


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    run = limited(tmp_path / "out", "full")
    assert run.returncode == 2, run.stderr
    assert run.stdout.startswith(f"cannot write {tmp_path / 'out' / 'chunks' / 'big.npz'}: File too large")
    assert run.stderr == ""
    assert verify(tmp_path / "out").faults == ()
    assert not list(tmp_path.rglob(".part-*"))
    with Store(tmp_path / "out", WHO, resume=True) as store:
        assert store.chunks() == {"small"}
        np.testing.assert_array_equal(store.get("small")["x"], np.zeros(8))


def test_a_closed_folder_gives_one_clear_message(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    for parent in (tmp_path, *list(tmp_path.parents)[:3]):
        if os.stat(parent).st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    run = limited(closed / "out", "closed")
    assert (run.returncode, run.stderr) == (2, "")
    assert "Permission denied" in run.stdout
    assert run.stdout.count("\n") == 1


def test_a_ledger_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_bytes(b"not a database at all, and long enough to be read as a header" * 20)
    assert verify(tmp_path).faults[0].startswith(f"{LEDGER}: cannot be read")
    with pytest.raises(StoreError, match="damaged"):
        Store(tmp_path, WHO, resume=True)
    assert json.dumps(list(verify(tmp_path).faults))


def test_a_file_that_the_ledger_has_no_room_for_is_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full between a file and its row: nothing is left that no row vouches for; what had a row keeps it."""
    with Store(tmp_path / "out", {"seed": "1"}, resume=False) as store:
        store.write("tables/first.csv", b"a\n1\n")

        def full(*_: object, **__: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(store, "_record", full)
        for write in (
            lambda: store.write("tables/second.csv", b"a\n1\n"),
            lambda: store.put("chunk", {"x": np.arange(3)}),
            lambda: store.write("tables/first.csv", b"a\n1\n"),
        ):
            with pytest.raises(StoreError, match="full"):
                write()
    assert verify(tmp_path / "out").faults == ()
    assert (tmp_path / "out" / "tables" / "first.csv").is_file()
