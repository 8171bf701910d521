"""Compilation by numba: one decorator for all kernels, and where their machine code is kept between processes.

Numba notices a change in a function's own file only; a kernel kept from before would go on with an older version of
what it calls. So the machine code of the engine's own source lies in a folder that is named by a digest of every file
of the engine, those of its sub-packages included; that of generated source lies beside that source, whose name is a
digest of all it depends on. Nothing here reads or writes numba's process-wide configuration.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import serialize
from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator

from senexo.base import streams

ENGINE = Path(__file__).parents[1]


def kernel(
    signature: Any = None, *, internal: bool = False, forceinline: bool = False
) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: compile a function without Python's lock and with IEEE division, and keep its machine code.

    Parameters
    ----------
    signature
        Types as numba has them. With a signature the function is compiled at once, for these types only; without one
        at its first call with each set of types.
    internal
        For functions that other kernels call, and Python never: numba then makes no wrapper that takes Python's values,
        which for a function of many arrays is most of its compilation.
    forceinline
        Let LLVM write the function's code into its callers.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        _tell_apart(function)
        options: dict[str, Any] = {"no_cpython_wrapper": internal, "no_cfunc_wrapper": internal}
        options |= {"nogil": True, "error_model": "numpy", "forceinline": forceinline}
        dispatcher: Any = numba.njit(**options)(function)
        if cache_folder() is not None:
            with suppress(RuntimeError):  # numba finds no source file, or no writable folder for it
                dispatcher._cache = MachineCode(function)
        if signature is not None:
            dispatcher.compile(signature)
            dispatcher.disable_compile()
        return dispatcher

    return decorate


def _tell_apart(function: Callable[..., Any]) -> None:
    """Give each of the functions that one definition makes (closures over numbers) a name of its own.

    Numba's symbols of two of them differ by a counter of the process alone. A process that finds the machine code of
    one and compiles another would otherwise have both under one symbol, and call the wrong one.
    """
    if function.__closure__:
        held = repr([cell.cell_contents for cell in function.__closure__])
        function.__qualname__ += f"_{hashlib.sha256(held.encode()).hexdigest()[:8]}"


def kept(dispatcher: Any, arguments: Iterable[Any]) -> bool:
    """Can a function be called with these arguments without being compiled: is its machine code loaded, or a file?"""
    types = tuple(dispatcher.typeof_pyval(argument) for argument in arguments)
    cache = dispatcher._cache
    return types in dispatcher.overloads or (isinstance(cache, MachineCode) and cache.holds(types, dispatcher))


def cache_folder() -> Path | None:
    """The folder for machine code, private to the user; None when there can be none.

    `SENEXO_CACHE` names a folder or says "off"; without it `NUMBA_CACHE_DIR` names one; else it is the user's cache
    folder. A folder that others may write to is not used: what is found there will be run.
    """
    chosen = os.environ.get("SENEXO_CACHE", os.environ.get("NUMBA_CACHE_DIR") or None)
    if chosen is not None and chosen.lower() in ("", "off", "0"):
        return None
    try:
        folder = Path(chosen) if chosen else _of_the_user()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            return None
        return folder if os.access(folder, os.W_OK | os.X_OK) else None
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None


def _of_the_user() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "senexo"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "senexo"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "senexo"


def source_digest(engine: Path) -> str:
    """A digest of all source below a folder, of the random streams, and of numba's and Python's version."""
    content = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for file in [*sorted(engine.rglob("*.py")), Path(streams.__file__)]:
        content.update(file.read_bytes())
    return content.hexdigest()[:16]


@cache
def _digest() -> str:
    return source_digest(ENGINE)


class _Locator(InTreeCacheLocator):
    """Where the machine code of one function lies."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        super().__init__(function, file)
        folder, path = cache_folder(), Path(file)
        if folder is not None and path.parent != folder:
            self._cache_path = str(folder / f"kernels_{_digest()}" / self.get_suitable_cache_subpath(file))


class _Serialized(CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012


class MachineCode(FunctionCache):
    """Numba's cache of one function, with one file for each set of types.

    Numba's own index of files can be left with the wrong code by two processes that compile one function for
    different types at the same time; here a file holds what it is for, and is put in place by one rename.
    """

    _impl_class = _Serialized

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file = _Files(
            Path(self._cache_path), self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def holds(self, types: tuple[Any, ...], dispatcher: Any) -> bool:
        """Is there a file for these types on this processor?"""
        return self._cache_file.path(self._index_key(types, dispatcher.targetctx.codegen())).exists()


class _Files:
    """What `MachineCode` reads and writes; a file that cannot be read or written is one that is not there."""

    def __init__(self, folder: Path, name: str, stamp: object) -> None:
        self.folder, self.name, self.stamp = folder, name, (numba.__version__, stamp)

    def path(self, key: object) -> Path:
        return self.folder / f"{self.name}.{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}.nbc"

    def load(self, key: object) -> Any:
        try:
            with self.path(key).open("rb") as file:
                found = pickle.load(file)  # noqa: S301 (our own folder, see `cache_folder`)
                return pickle.load(file) if found == (self.stamp, key) else None  # noqa: S301
        except (OSError, EOFError, pickle.UnpicklingError):
            return None

    def save(self, key: object, data: object) -> None:
        path = self.path(key)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            partial.write_bytes(serialize.dumps((self.stamp, key)) + serialize.dumps(data))
            os.replace(partial, path)
        except OSError:
            partial.unlink(missing_ok=True)

    def flush(self) -> None:
        for path in self.folder.glob(f"{self.name}.*.nbc"):
            path.unlink(missing_ok=True)
