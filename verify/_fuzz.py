"""Damaged files for every reader of senexo, through the command that a user types.

A file that is right is changed at random: bytes altered, cut out, doubled or swapped, words of a list of traps put in,
or a piece of another right file. The answer must be a result or one message (exit status 2). Exit status 70 is a fault
of senexo itself, and an exception that comes through `main` is one too.
"""

from __future__ import annotations

import contextlib
import io
import random
import shlex
import shutil
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from senexo.app import cli
from senexo.assays.specs import SPECS
from senexo.model.loading import load
from senexo.model.sbml_write import to_sbml

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
COMPOSED = Path(__file__).with_name("_fuzz_models.xml")
TRAPS = tuple(
    word.encode()
    for word in (
        "", "\0", "nan", "NaN", "inf", "-inf", "1e308", "-1e308", "1e-320", "9" * 40, "-0", "0", "1_000", "0x10", "1,5",
        "true", "null", "=1+1", "../../x", "\u00b5", "\U0001f9ec", "\ufeff", "\u202e", "'", '"', '"""', "[[", "]]",
        "{", "}", ",", ";", "\t", "\r", "\n", "\r\n", "#", ">", "<", "&amp;", "<!--", "]]>", "%s", "${HOME}",
        "__class__", "\\u0041",
    )
)  # fmt: skip
LONGEST = 30.0  # seconds of the processor for one file


@dataclass(frozen=True)
class Reader:
    """A reader: right files by name, the command in which {} is the file, and the exit statuses that are no fault."""

    name: str
    files: tuple[tuple[str, bytes], ...]
    command: tuple[str, ...]
    expected: tuple[int, ...] = (0, 2)
    packed: bool = False  # a zip archive: its members are damaged, not its bytes alone


@dataclass(frozen=True)
class Failure:
    """A damaged file that was not answered as it should be; the number of the try gives the file again."""

    reader: str
    number: int
    why: str

    def __str__(self) -> str:
        return f"{self.reader} {self.number}: {self.why}"


def readers(folder: Path) -> list[Reader]:
    """All of them; what the commands need beside the damaged file is put into `folder`."""
    for beside in (EXAMPLES / "telegraph.ant", *EXAMPLES.glob("*.fa")):
        shutil.copy(beside, folder)
    networks = {"circuit.xml": load("mir34c-rab27b").network, "telegraph.xml": load(EXAMPLES / "telegraph.ant").network}
    sbml = tuple((name, to_sbml(network).encode()) for name, network in networks.items())
    rows = (("rows.csv", b"k_on,k_off\n0.1,0.2\n1,2\n"),)
    return [
        Reader("SBML", sbml, ("simulate", "{}", "--end", "1")),
        Reader("Antimony", _of("*.ant"), ("simulate", "{}", "--end", "1")),
        Reader("study", _of("*.toml"), ("export", "{}", "--out", "export.omex", "--overwrite")),
        Reader("rows of parameters", rows, ("simulate", "telegraph.ant", "--end", "1", "--table", "{}")),
        Reader("3'UTRs", _of("*.fa"), ("targets", "{}", "--mirna", "hsa-miR-34c-5p")),
        Reader("archive", _of("*.omex"), ("execute", "{}", "--out", "out"), expected=(0, 1, 2), packed=True),
        Reader("SBML of submodels", (("comp.xml", COMPOSED.read_bytes()),), ("simulate", "{}", "--end", "1")),
        Reader("SED-ML", _sedml(folder), ("execute", "{}", "--out", "out"), expected=(0, 1, 2)),
        *_tables(folder),
    ]


def _of(pattern: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((path.name, path.read_bytes()) for path in sorted(EXAMPLES.glob(pattern)))


def _sedml(folder: Path) -> tuple[tuple[str, bytes], ...]:
    """Experiments of a model and of a study (repeated tasks, changes); their models are put into `folder`."""
    found = []
    for name, more in (("telegraph.ant", ("--end", "24")), ("own-model.toml", ())):
        archive = folder / f"{name}.omex"
        status, said = run(("export", str(EXAMPLES / name), "--out", str(archive), *more), folder)
        assert status == 0, said
        model = f"{archive.stem}.xml"
        with zipfile.ZipFile(archive) as inside:
            (folder / model).write_bytes(inside.read("model.xml"))
            text = inside.read("experiment.sedml").replace(b"model.xml", model.encode())
        found.append((f"{name}.sedml", text))
    return tuple(found)


def _tables(folder: Path) -> list[Reader]:
    """The table of every assay's example, as text; that of one as workbook and as Parquet too."""
    import pandas as pd

    found = []
    for name in SPECS:
        status, said = run(("assay", name, "--example"), folder)
        assert status == 0, said
        table = folder / f"{name}-example.csv"
        words = _words(said, name)
        found.append(Reader(f"table of {name}", ((table.name, table.read_bytes()),), words))
        if name == "dilution":
            frame = pd.read_csv(table)
            for suffix, write in ((".xlsx", _workbook), (".parquet", _parquet)):
                other = write(frame)
                found.append(Reader(f"{suffix} table", ((f"table{suffix}", other),), words, packed=suffix == ".xlsx"))
    return found


def _words(said: str, assay: str) -> tuple[str, ...]:
    line = next(line for line in said.splitlines() if line.startswith(f"senexo assay {assay} "))
    words = shlex.split(line)[1:]
    at = next(k for k, word in enumerate(words) if word.endswith("-example.csv"))
    return (*words[:at], "{}", *words[at + 1 :])


def _workbook(frame: object) -> bytes:
    file = io.BytesIO()
    frame.to_excel(file, index=False)  # type: ignore[attr-defined]
    return file.getvalue()


def _parquet(frame: object) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file)  # type: ignore[attr-defined]
    return file.getvalue()


def damaged(chance: random.Random, content: bytes, other: bytes) -> bytes:
    """Bytes changed at some places, most often at one."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 5, 30))):
        place, length = chance.randrange(len(data) + 1), chance.choice((0, 1, 1, 4, 20, 200))
        piece = bytes(data[place : place + length])
        source = chance.randrange(max(1, len(other) - length)) if other else 0
        data[place : place + length] = chance.choice(
            (b"", piece * 2, piece[::-1], chance.choice(TRAPS), chance.choice(TRAPS), bytes([chance.randrange(256)]),
             other[source : source + length])
        )  # fmt: skip
    return bytes(data)


def damaged_archive(chance: random.Random, content: bytes, other: bytes) -> bytes:
    """A zip one of whose members is damaged or renamed; one in four is damaged as it lies."""
    if chance.random() < 0.25:
        return damaged(chance, content, other)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        hit = chance.choice(names)
        for name in names:
            inside = old.read(name)
            if name == hit:
                inside = damaged(chance, inside, inside)
                name = chance.choice((name, name, name, "/" + name, name.upper(), name + "\u202e"))
            new.writestr(name, inside)
    return made.getvalue()


def run(words: Sequence[str], folder: Path) -> tuple[int, str]:
    """The command within this process and in a folder: its exit status, and all that it prints."""
    said = io.StringIO()
    with (
        contextlib.chdir(folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said),
        mock.patch.object(sys, "argv", ["senexo", *words]),
    ):  # fmt: skip
        try:
            cli.main()
            status = 0
        except SystemExit as leaving:
            status = int(leaving.code or 0)
    return status, said.getvalue()


def attempt(reader: Reader, number: int, seed: int, folder: Path) -> str:
    """One damaged file; the fault of the answer, or nothing."""
    chance = random.Random(f"{seed} {reader.name} {number}")
    (name, content), (_, other) = chance.choice(reader.files), chance.choice(reader.files)
    path = folder / f"damaged-{name}"
    path.write_bytes((damaged_archive if reader.packed else damaged)(chance, content, other))
    begun = time.process_time()
    try:
        status, said = run([word.replace("{}", path.name) for word in reader.command], folder)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if status not in reader.expected:
        return f"exit status {status}: {said[-300:]}"
    if "Traceback" in said:
        return f"a traceback: {said[-300:]}"
    if status == 2 and not said.strip():
        return "refused without a word"
    used = time.process_time() - begun
    return f"{used:.0f} s of the processor" if used > LONGEST else ""


def failures(reader: Reader, tries: int, seed: int, folder: Path) -> list[Failure]:
    """Those of so many damaged files."""
    answers = ((number, attempt(reader, number, seed, folder)) for number in range(tries))
    return [Failure(reader.name, number, why) for number, why in answers if why]


def results_failures(tries: int, seed: int, folder: Path) -> list[Failure]:
    """A result folder with one damaged file: `verify` must see it, and `report` refuse it or write a page."""
    whole, found = folder / "whole", []
    status, said = run(("run", str(EXAMPLES / "first-look.toml"), "--donors", "1", "--out", str(whole)), folder)
    assert status == 0, said
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    for number in range(tries):
        chance, copy = random.Random(f"{seed} results {number}"), folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy)
        hit = chance.choice(files)
        before = (copy / hit).read_bytes()
        after = damaged(chance, before, b"")
        (copy / hit).write_bytes(after)
        for command, expected in (("verify", (0,) if after == before else (1, 2, 3)), ("report", (0, 2))):
            try:
                status, said = run((command, "copy", *(("--out", "page") if command == "report" else ())), folder)
            except Exception as error:
                status, said = -1, f"{type(error).__name__}: {error}"
            if status not in expected or "Traceback" in said:
                found.append(Failure(f"results, {command} after {hit.as_posix()}", number, f"{status}: {said[-300:]}"))
    return found
