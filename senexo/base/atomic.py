"""Files and folders that appear whole or not at all: a temporary name beside them, fsync, rename, fsync of the folder.

Nothing that stands at the destination is lost before its replacement is complete on disk, and nothing is replaced that
the caller did not ask to replace.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from senexo.base.errors import StoreError

TEMPORARY = ".part-"  # begins the names of files and folders that are not complete
ADVICE = "Free some space or choose another place, then run the command again"


def temporary_beside(path: Path) -> Path:
    """A new name in the same folder; its random part keeps it from meeting what is there already."""
    return path.with_name(f"{TEMPORARY}{path.name}-{secrets.token_hex(4)}")


def write_file(path: Path, data: bytes, *, advice: str = ADVICE) -> None:
    """Write a file, completely or not at all, over whatever file is there; StoreError where it cannot be written."""
    with replacing(path, advice=advice) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(path: Path, *, exclusive: bool = False, advice: str = ADVICE) -> Iterator[Path]:
    """A temporary file to write, which is moved to `path` when the block ends without an error.

    Parameters
    ----------
    path
        The destination; its folder is made where it does not exist.
    exclusive
        Whether StoreError is raised, and nothing replaced, where something has appeared at `path` meanwhile.
    advice
        End of the message where the system refuses.
    """
    temporary = temporary_beside(path)
    with writing(path, advice), _dropped(temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync(temporary)
        if exclusive:
            _moved_to_free_name(temporary, path)
        else:
            temporary.replace(path)
        sync(path.parent)


@contextlib.contextmanager
def replacing_folder(path: Path, *, exclusive: bool = False, advice: str = ADVICE) -> Iterator[Path]:
    """A temporary folder to fill, which takes the place of `path` when the block ends without an error.

    The folder that was at `path` is moved aside, and deleted once the new one is in its place. With `exclusive`, only
    an empty one is replaced.
    """
    temporary = temporary_beside(path)
    with writing(path, advice), _dropped(temporary):
        temporary.mkdir(parents=True)
        yield temporary
        sync_tree(temporary)
        if exclusive and path.exists():
            path.rmdir()  # refused by the system where it is not empty
        exchange(temporary, path)
        sync(path.parent)


def exchange(new: Path, path: Path) -> None:
    """Put the folder `new` at `path`; a folder that was there is deleted after, or comes back where that fails."""
    old = temporary_beside(path)
    held = path.exists() or path.is_symlink()
    if held:
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if held:
            old.rename(path)
        raise
    if held:
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()


def sync_tree(folder: Path) -> None:
    """Make a folder and everything in it durable; many at a time, which the file system joins into one commit."""
    with ThreadPoolExecutor(16) as threads:
        for _ in threads.map(sync, folder.rglob("*")):
            pass
    sync(folder)


def sync(path: Path) -> None:
    """Make a file or a folder's list of names durable; a rename is atomic, but only this makes it last."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle for a folder and keeps its names by itself
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def writing(path: Path, advice: str = ADVICE) -> Iterator[None]:
    """Turn what the system says about a full disk or a closed folder into one clear message."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}. {advice}") from error


@contextlib.contextmanager
def output_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A file that a user names with --out: a temporary file to write, moved to `path` when it is complete.

    Raises
    ------
    StoreError
        Before anything is computed in the block: its folder does not exist, or something is at `path` that is not to be
        overwritten (with `overwrite`: that is no plain file).
    """
    if not path.parent.is_dir():
        raise StoreError(f"{path}: there is no folder {path.parent}; make it, or choose another --out")
    if path.exists() or path.is_symlink():
        if not path.is_file():
            raise StoreError(f"{path} is there already and is no plain file; choose another --out")
        if not overwrite:
            raise StoreError(f"{path} is there already; choose another --out, or replace it with --overwrite")
    destination = path.resolve() if overwrite else path  # a link stays a link, and its target is replaced
    with replacing(destination, exclusive=not overwrite) as temporary:
        yield temporary


@contextlib.contextmanager
def output_folder(path: Path, *, overwrite: bool, ours: Callable[[Path], bool], kind: str) -> Iterator[Path]:
    """A folder that a user names with --out: a temporary folder to fill, moved to `path` when it is complete.

    Parameters
    ----------
    path
        A new or an empty folder.
    overwrite
        Whether a folder of the same kind is replaced.
    ours
        Whether a folder holds only what an earlier call wrote; nothing else is ever deleted.
    kind
        What `ours` recognises, for the message.

    Raises
    ------
    StoreError
        Before anything is computed in the block, for anything at `path` that is not to be replaced.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise StoreError(f"{path} is there already and is no folder; choose another --out")
    filled = path.is_dir() and any(path.iterdir())
    if filled and not ours(path):
        raise StoreError(f"{path} is not empty and is not {kind}, so nothing in it is replaced; choose another --out")
    if filled and not overwrite:
        raise StoreError(f"{path} is there already; choose another --out, or replace it with --overwrite")
    with replacing_folder(path, exclusive=not filled) as temporary:
        yield temporary


def _moved_to_free_name(temporary: Path, path: Path) -> None:
    """Rename a file, but never over another one."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise StoreError(f"{path} has appeared while it was computed; it is kept. Choose another --out") from None
    except OSError:  # a file system without links
        if path.exists():
            raise StoreError(f"{path} has appeared while it was computed; it is kept. Choose another --out") from None
        temporary.replace(path)
    else:
        temporary.unlink()


@contextlib.contextmanager
def _dropped(temporary: Path) -> Iterator[None]:
    """Delete the temporary file or folder when the block fails."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            shutil.rmtree(temporary) if temporary.is_dir() else temporary.unlink(missing_ok=True)
        raise
