"""The command line: output, exit statuses, and no traceback for any input."""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest
import xarray as xr

from senexo import __version__
from senexo.app.cli import main

CIRCUITS = Path(__file__).parents[1] / "circuits"
TINY = CIRCUITS / "tiny.toml"
DECAY = "model decay()\n  compartment c = 1;\n  species x in c;\n  out: x => ; 0.1*x;\n  x = 100;\nend\n"
COMMAND = [sys.executable, "-c", "from senexo.app.cli import main; main()"]


def senexo(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command as typed, in this process: where it matters that it is one of its own, tests start `COMMAND`."""
    words, out, err = ["senexo", *map(str, arguments)], io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), chdir(cwd or Path.cwd()), patch.object(sys, "argv", words):
        try:
            main()
            status = 0
        except SystemExit as leaving:
            status = int(leaving.code or 0)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


def refused(run: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit status 2, a message that says the words, and nothing like a traceback."""
    assert run.returncode == 2, run.stdout + run.stderr
    assert "Traceback" not in run.stderr + run.stdout
    for word in words:
        assert word in run.stderr


@pytest.fixture
def decay(tmp_path: Path) -> Path:
    path = tmp_path / "decay.ant"
    path.write_text(DECAY)
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("cli") / "out"
    return folder, senexo("run", TINY, "--out", folder, "--donors", 2, "--workers", 2, "--set", "cells.cell.n=4")


def test_run_prints_findings_and_the_path_of_the_report(
    done: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, run = done
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == str(folder / "report.html")
    assert (folder / "report.html").is_file()
    assert "simulating cells 14/14" in run.stderr  # a log gets lines, not a bar
    assert "\x1b" not in run.stderr


def test_verify_and_replay_and_a_second_run(done: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = done
    sound = senexo("verify", folder)
    assert sound.returncode == 0
    assert "0 faults, finished" in sound.stdout
    again = senexo("replay", folder, "--arm", "dose[1000]", "--donor", 2, "--cell", 3)
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-1] == "same bits as stored"
    refused(senexo("replay", folder, "--arm", "nobody", "--donor", 3, "--cell", 1), "--arm", "--donor", "'nobody'")
    refused(senexo("run", TINY, "--out", folder, "--donors", 2), "--resume")
    refused(senexo("run", TINY, "--out", folder, "--donors", 3, "--resume"), "donors.n: there 2, here 3")
    table = folder / "tables" / "cells.csv"
    text = table.read_text()
    table.write_text(text.replace("mock", "mork", 1))
    broken = senexo("verify", folder)
    table.write_text(text)
    assert broken.returncode == 1
    assert broken.stderr == "tables/cells.csv: changed since it was written\n"


def test_version_studies_and_help_are_quick() -> None:
    for argument, words in (("--version", __version__), ("--help", "simulate"), ("studies", "mir34c-exvivo")):
        begun = time.monotonic()
        run = subprocess.run([*COMMAND, argument], capture_output=True, text=True, timeout=60)
        assert run.returncode == 0
        assert words in run.stdout
        if argument != "studies":  # which reads the studies
            assert time.monotonic() - begun < 3
    heavy = "('numba', 'pandas', 'numpy', 'scipy', 'libsbml')"
    code = f"import sys, senexo.app.cli; print(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_check_says_what_a_run_would_take() -> None:
    run = senexo("check", TINY, "--set", "donors.n=5")
    assert run.returncode == 0, run.stderr
    for words in (
        "7 arms x 5 donors x 12 cells = 420 cells",
        "GiB of memory",
        "workers: about",
        "numbers are assumed: K, d, hc, x0",
    ):
        assert words in run.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "no-such-study"], ["no-such-study", "shipped study"]),
        (["run", "."], ["a folder"]),
        (["run", "binary.toml"], ["binary.toml", "UTF-8"]),
        (["run", "broken.toml"], ["broken.toml", "TOML"]),
        (["run", TINY, "--set", "arms.mimik.dose.amount=3"], ["mimik"]),
        (["run", TINY, "--set", "nonsense"], ["--set"]),
        (["run", TINY, "--set", "culture.duration=-3 d"], ["culture.duration", "-3 d"]),
        (["run", TINY, "--donors", "0"], ["--donors"]),
        (["run", TINY, "--donors", "many"], ["--donors", "integer"]),
        (["run", TINY, "--seed", "-1"], ["seed"]),
        (["run", TINY, "--colour"], ["--colour"]),
        (["run", TINY, "--out", "binary.toml"], ["binary.toml", "a file"]),
        (["run", TINY, "--out", "."], ["not empty"]),
        (["run", TINY, "--out", "/proc/nowhere"], ["/proc/nowhere", "cannot write"]),
        (["check", "no-such-study"], ["no-such-study"]),
        (["verify", "nowhere"], ["nowhere", "no results"]),
        (["replay", "nowhere", "--arm", "a", "--donor", "1", "--cell", "1"], ["no results"]),
        (["simulate", "no-such-model", "--end", "1"], ["no-such-model"]),
        (["simulate", "binary.toml", "--end", "1"], [".toml"]),
        (["simulate", "decay.ant", "--end", "-1"], ["--end", "-1"]),
        (["simulate", "decay.ant", "--end", "nan"], ["--end"]),
        (["simulate", "decay.ant", "--end", "1", "--points", "1"], ["--points"]),
        (["simulate", "decay.ant", "--end", "1", "--method", "magic"], ["magic"]),
        (["simulate", "decay.ant", "--end", "1", "--runs", "0"], ["--runs"]),
        (["simulate", "decay.ant", "--end", "1", "--out", "x.nc"], ["x.nc", ".csv, .parquet, .zarr"]),
        (["simulate", "decay.ant", "--end", "1", "--out", "no/such/folder/x.csv"], ["no/such/folder"]),
        (["dance"], ["dance"]),
    ],
)
def test_bad_input_gets_one_message(tmp_path: Path, decay: Path, arguments: list[object], words: list[str]) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "broken.toml").write_text("[arms\n")
    refused(senexo(*arguments, cwd=tmp_path), *words)
    assert not (tmp_path / "results").exists()


def test_simulate_writes_what_the_suffix_says(tmp_path: Path, decay: Path) -> None:
    for suffix in ("csv", "parquet", "zarr"):
        run = senexo("simulate", decay, "--end", 10, "--points", 3, "--out", tmp_path / f"x.{suffix}")
        assert run.returncode == 0, run.stderr
    table = pd.read_csv(tmp_path / "x.csv")
    assert list(table["time"]) == [0, 5, 10]
    assert table["x"].iloc[-1] == pytest.approx(36.7879, rel=1e-4)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x.parquet"), table)
    assert (tmp_path / "x.zarr" / "x").is_dir()
    same = [senexo("simulate", decay, "--end", 10, "--points", 3, "--method", "ssa", "--runs", 2, "--seed", 5).stdout
            for _ in range(2)]  # fmt: skip
    assert same[0] == same[1]
    assert len(same[0].splitlines()) == 7


@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.zarr"])
def test_simulate_replaces_nothing_unasked(tmp_path: Path, decay: Path, name: str) -> None:
    """A folder or file of that name is kept whole, unless --overwrite says so and it is one of ours."""
    out, simulate = tmp_path / name, ("simulate", decay, "--end", 10, "--points")
    if name == "x.zarr":
        out.mkdir()
        (out / "thesis.txt").write_text("three years")
        for more in ([], ["--overwrite"]):
            refused(senexo(*simulate, 3, "--out", out, *more), "x.zarr", "another --out")
            assert [path.name for path in out.iterdir()] == ["thesis.txt"]
        (out / "thesis.txt").unlink()
    else:
        out.write_text("three years")
        refused(senexo(*simulate, 3, "--out", out), name, "--overwrite")
        assert out.read_text() == "three years"
        out.unlink()
    assert senexo(*simulate, 3, "--out", out).returncode == 0
    refused(senexo(*simulate, 5, "--out", out), name, "--overwrite")
    again = senexo(*simulate, 5, "--out", out, "--overwrite")
    assert again.returncode == 0, again.stderr
    rows = {".csv": lambda: len(pd.read_csv(out)), ".parquet": lambda: len(pd.read_parquet(out)),
            ".zarr": lambda: xr.open_zarr(out).sizes["time"]}[out.suffix]()  # fmt: skip
    assert rows == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decay.ant", name]
    if name == "x.zarr":
        (out / "x" / "notes.txt").write_text("mine")
        refused(senexo(*simulate, 3, "--out", out, "--overwrite"), "not a store of senexo simulate")


def test_an_interrupted_trial_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while `check` simulates its trial: status 130, and no folder left, here or in the system's."""
    here, system = tmp_path / "here", tmp_path / "system"
    here.mkdir()
    system.mkdir()
    command = [*COMMAND, "check", str(TINY), "--set", "cells.cell.n=8000"]
    options = {"cwd": here, "env": {**os.environ, "TMPDIR": str(system)}, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **options) as process:  # type: ignore[call-overload]
        while not list(system.glob("senexo-trial-*/chunks")):
            assert process.poll() is None, process.stderr.read()
            assert not list(here.iterdir())
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        begun = time.monotonic()
        message = process.stderr.read()
        assert process.wait(timeout=60) == 130
        assert time.monotonic() - begun < 2
    assert "Traceback" not in message
    assert not list(here.iterdir())
    assert not list(system.iterdir())


def test_ctrl_c_gives_130_with_advice_and_the_run_goes_on(tmp_path: Path) -> None:
    """SIGINT while cells grow: answered within a second (two on a busy machine), resumed to the end."""
    out = tmp_path / "my out"
    options = ["--seed", "5", "--donors", "2", "--workers", "2", "--set", "cells.cell.n=300"]
    command = [*COMMAND, "run", str(TINY), "--out", str(out), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "simulating cells" in line:
                break
        asked = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        said = process.stderr.read()
        assert process.wait() == 130
        assert time.monotonic() - asked < 2
    advice = shlex.split(said.partition("go on with: ")[2].strip())
    assert advice == ["senexo", "run", str(TINY), "--out", str(out), *options, "--resume"]
    assert "Traceback" not in said
    unfinished = senexo("verify", out)
    assert unfinished.returncode == 3
    assert "unfinished" in unfinished.stdout


def test_a_run_ends_at_its_limit_of_time_and_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "my out"
    options = ["--workers", "1", "--set", "cells.cell.n=300"]
    limited = senexo("run", TINY, "--out", out, *options, "--max-seconds", "0.01")
    assert limited.returncode == 4
    said, advice = limited.stderr.splitlines()[-1].split("; go on with: ")
    assert re.fullmatch(rf"senexo: the limit of 0.01 s was reached: \d+ of \d+ wells are in {out}", said)
    assert shlex.split(advice) == ["senexo", "run", str(TINY), "--out", str(out), *options, "--resume"]
    assert senexo("verify", out).returncode == 3
    resumed = senexo(*shlex.split(advice)[1:])
    assert resumed.returncode == 0, resumed.stderr
    whole = senexo("run", TINY, "--out", tmp_path / "whole", *options)
    assert whole.stdout.splitlines()[0].split("digest")[1] == resumed.stdout.splitlines()[0].split("digest")[1]
    refused(senexo("run", TINY, "--out", tmp_path / "no", "--max-seconds", "0"), "max_seconds", "above 0 s")


def test_a_full_disk_is_one_message_and_loses_nothing(tmp_path: Path) -> None:
    """A limit on the size of a file stands for the disk that is full: the first table does not fit."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)); "
    command = [sys.executable, "-c", limit + COMMAND[2], "run", str(TINY), "--out", str(tmp_path / "out"), "--quiet"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    refused(run, "cannot write", "is kept", "--resume")
    assert run.stderr.count("\n") == 1
    assert senexo("verify", tmp_path / "out").returncode == 3  # sound, unfinished
    resumed = senexo("run", TINY, "--out", tmp_path / "out", "--quiet", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == f"{tmp_path / 'out' / 'report.html'}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_cheap(flag: str) -> None:
    """`python -m senexo -h` is the command's help, without the compiler, the tables or the drawing behind it."""
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['senexo', '{flag}']\n"
        "try:\n    runpy.run_module('senexo', run_name='__main__')\n"
        "finally:\n    print(sorted({'numba', 'pandas', 'scipy', 'matplotlib', 'pydantic'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert "Run a study and write its results and report." in run.stdout
    assert run.stdout.splitlines()[-1] == "[]"
