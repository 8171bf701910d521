"""Where machine code is kept, and what importing the engine must not change."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import float64, int64

from senexo.engine.formula import kernels
from senexo.engine.formula.kernels import MachineCode, kernel, source_digest


def python(code: str, **environment: str) -> str:
    """What a new process prints."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SENEXO_CACHE", "NUMBA_CACHE_DIR")}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env={**kept, **environment}
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("changed", ["status.py", "ode/rodas5p.py", "formula/lane_math.py", "population/new.py"])
def test_a_change_in_any_file_of_the_engine_gives_another_folder(changed: str, tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    shutil.copytree(kernels.ENGINE, engine, ignore=shutil.ignore_patterns("__pycache__"))
    before = source_digest(engine)
    assert before == source_digest(kernels.ENGINE)
    with (engine / changed).open("a") as file:
        file.write("\n# another version\n")
    assert source_digest(engine) != before


def test_files_that_are_no_source_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = source_digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"0")
    assert source_digest(tmp_path) == before


USE = """
from senexo.engine.formula import kernels
from senexo.engine.formula.lane_math import lane_exp
print(round(lane_exp(1.0), 9), sum(lane_exp.stats.cache_hits.values()), sum(lane_exp.stats.cache_misses.values()))
"""


@pytest.mark.parametrize("variable", ["SENEXO_CACHE", "NUMBA_CACHE_DIR"])
def test_another_process_finds_the_machine_code(variable: str, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    assert python(USE, **{variable: str(folder)}).split() == ["2.718281828", "0", "1"]
    assert python(USE, **{variable: str(folder)}).split() == ["2.718281828", "1", "0"]
    assert {path.name for path in folder.iterdir()} == {f"kernels_{source_digest(kernels.ENGINE)}"}


def test_without_a_cache_kernels_are_compiled_in_every_process(tmp_path: Path) -> None:
    for _ in range(2):
        assert python(USE, SENEXO_CACHE="off", HOME=str(tmp_path)).split() == ["2.718281828", "0", "1"]
    assert not list(tmp_path.iterdir())


def test_an_account_without_a_writable_folder_still_computes() -> None:
    code = "import os\nos.access = lambda path, mode: False\n" + USE
    assert python(code).split() == ["2.718281828", "0", "1"]


def _twice(x):  # type: ignore[no-untyped-def]
    return x + x


def test_each_set_of_types_has_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba's own cache counts files by an index: two processes at once can both take the first number."""
    monkeypatch.setenv("SENEXO_CACHE", str(tmp_path))
    one, other = kernel()(_twice), kernel()(_twice)  # as in two processes: neither knows of the other
    assert (one(1.5), other(2)) == (3.0, 4)
    assert len(list(tmp_path.rglob("*.nbc"))) == 2
    again = kernel()(_twice)
    assert (again(2), again(1.5)) == (4, 3.0)
    assert sum(again.stats.cache_hits.values()) == 2


def test_a_file_with_other_content_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENEXO_CACHE", str(tmp_path))
    first = kernel()(_twice)
    assert (first(1.5), first(2)) == (3.0, 4)
    a, b = sorted(tmp_path.rglob("*.nbc"))
    shutil.copy(a, b)  # the code for one type under the name of the other's
    a.write_bytes(a.read_bytes()[:100])
    again = kernel()(_twice)
    assert (again(1.5), again(2)) == (3.0, 4)
    assert not again.stats.cache_hits


def test_a_full_disk_costs_the_cache_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENEXO_CACHE", str(tmp_path))

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert kernel()(_twice)(1.5) == 3.0
    assert not list(tmp_path.rglob("*.nbc"))


def test_a_signature_is_compiled_at_once_and_alone() -> None:
    made = kernel(float64(float64))(_twice)
    assert made.nopython_signatures == [float64(float64)]
    assert made(np.int64(2)) == 4.0  # converted
    assert int64(int64) not in made.nopython_signatures
    assert isinstance(made._cache, MachineCode) or kernels.cache_folder() is None


def test_importing_the_engine_changes_nothing_of_the_process() -> None:
    """Environment, numba's configuration, signal handlers, warning filters and threads."""
    code = """
import os, signal, threading, warnings
import numba, scipy.integrate
def state():
    names = [name for name in dir(numba.config) if name.isupper()]
    return (dict(os.environ), {name: getattr(numba.config, name) for name in names}, list(warnings.filters),
            [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)], threading.active_count())
before = state()
import pkgutil, importlib, senexo.engine
for found in pkgutil.walk_packages(senexo.engine.__path__, "senexo.engine."):
    importlib.import_module(found.name)
print(state() == before)
"""
    assert python(code).strip() == "True"


def test_functions_of_one_definition_have_symbols_of_their_own() -> None:
    """Their symbols differ by more than numba's counter: another process numbers them in another order."""

    def added(amount: int) -> Any:
        @kernel(internal=True)
        def add(x: float) -> float:
            return x + amount

        return add

    made = [added(amount) for amount in (1, 2, 1)]
    for dispatcher in made:
        dispatcher.compile("float64(float64)")
    results = [dispatcher.get_compile_result(dispatcher.nopython_signatures[0]) for dispatcher in made]
    one, two, again = (re.sub(r"B\d+v\d+", "", result.fndesc.mangled_name) for result in results)
    assert one != two
    assert one == again
