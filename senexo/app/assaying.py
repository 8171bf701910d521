"""`senexo assay`: read the table, run the assay, print or write its result."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from senexo.app.options import arguments, keywords
from senexo.app.tables import Source, columns_asked, read
from senexo.assays.cautions import run_assay
from senexo.base.atomic import output_file, replacing_folder
from senexo.base.errors import Fault, InvalidInput, StoreError

if TYPE_CHECKING:
    import pandas as pd

    from senexo.assays.result import AssayResult
    from senexo.assays.spec import Spec

WIDTH = 100
FIGURES = ("figure.svg", "figure.pdf", "figure.png")
TEXTS = ("result.json", "sentence.txt")


def answer(
    spec: Spec, given: Mapping[str, Any], source: Source, *, example: bool = False, out: Path | None = None,
    json: bool = False,
) -> str:  # fmt: skip
    """What `senexo assay NAME ...` prints; with `out`, files are written first."""
    if example:
        return write_example(spec, source.table or Path(f"{spec.name}-example.csv"))
    if source.table is None and (spec.needs_table or source.flags()):
        said = f"the path of a table{f', as {source.flags()[0]} is given' if source.flags() else ''}"
        expected = f"{said} (or --example for one: senexo assay {spec.name} --example)"
        raise InvalidInput([Fault("TABLE", "nothing", expected)])
    options = keywords(spec, given)
    frame: pd.DataFrame | None = None
    where, notes = spec.name, list[str]()
    if source.table is not None:
        frame, where, notes = read(source, spec.name, columns_asked(spec, options))
    result = run_assay(spec, frame, where=where, **options)
    result = replace(result, notes=(*notes, *result.notes))
    if out is not None:
        write(result, out)
    if json:
        return result.to_json()
    return shown(result) + (f"\n\nWritten to {out}." if out else "")


def write_example(spec: Spec, path: Path) -> str:
    """Write the assay's example table; returns the command that reads it."""
    from senexo.base.table import csv_bytes

    frame = spec.example_table()
    if path.suffix != ".csv":
        raise InvalidInput([Fault(str(path), f"a file of type '{path.suffix}'", "an example table to write: .csv")])
    data = csv_bytes(frame)
    if path.is_dir() or (path.exists() and path.read_bytes() != data):
        expected = f"a new one (senexo assay {spec.name} NEW.csv --example)"
        raise InvalidInput(
            [Fault(str(path), f"a {'folder' if path.is_dir() else 'file'} that is there already", expected)]
        )
    if not path.exists():
        with output_file(path, overwrite=False) as new:
            new.write_bytes(data)
    columns = ", ".join(map(str, frame.columns[:9])) + (", ..." if len(frame.columns) > 9 else "")
    return (
        f"{path}: {len(frame)} made-up rows with the columns {columns}. Read it with:\n\n"
        f"senexo assay {spec.name} {path} {arguments(spec, spec.example)}"
    )


def shown(result: AssayResult) -> str:
    """The short table, the sentences, the notes and cautions."""
    sentences = [finding.sentence for finding in result.findings]
    notes = _marked(result)
    return "\n\n".join("\n".join(part) for part in ([str(result)], _wrapped(sentences), _wrapped(notes)) if part)


def write(result: AssayResult, folder: Path) -> None:
    """Tables, figure, result.json and sentence.txt in `folder`, all of them or none.

    An earlier answer there is replaced; a folder that holds anything else is refused.
    """
    if folder.exists() and not _replaceable(folder):
        raise StoreError(f"{folder} is not empty and holds no earlier answer of an assay: choose another --out")
    with replacing_folder(folder.resolve()) as new:
        _fill(new, result)


def _marked(result: AssayResult) -> list[str]:
    return [*(f"Note: {note}" for note in result.notes), *(f"Caution: {text}." for text in result.cautions)]


def _wrapped(texts: Sequence[str]) -> list[str]:
    return [textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False) for text in texts]


def _replaceable(folder: Path) -> bool:
    """Is it empty, or does it hold what `write` once put there and nothing else?"""
    if not folder.is_dir():
        return False
    there = {path.name for path in folder.iterdir()}
    try:
        names = json.loads((folder / "result.json").read_bytes()) if there else {}
        ours = {f"{name}.{suffix}" for name in names for suffix in ("csv", "parquet")}
    except (OSError, ValueError):
        return False
    return there <= ours | {*FIGURES, *TEXTS}


def _fill(folder: Path, result: AssayResult) -> None:
    import matplotlib

    from senexo.assays.drawing import STYLE
    from senexo.base.table import write_table

    for name, table in result.tables.items():
        if len(table):
            write_table(table, folder / name)
    (folder / "result.json").write_text(result.to_json() + "\n", encoding="utf-8")
    parts = (*(finding.sentence for finding in result.findings), *_marked(result))
    text = "\n".join([*parts, "", f"Methods: {result.method}"])
    (folder / "sentence.txt").write_text(text + "\n", encoding="utf-8")
    figure = result.figure()
    # no dates and no random names in the files: the same table gives the same bytes
    dates: dict[str, dict[str, Any]] = {"figure.svg": {"Date": None}, "figure.pdf": {"CreationDate": None}}
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": "senexo"}):
        for name in FIGURES:
            figure.savefig(folder / name, metadata=dates.get(name))
