"""`senexo targets` and `senexo screen`: sites and repression in 3'UTRs, and the effect of sets of targets on a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from senexo.base.atomic import replacing_folder
from senexo.base.errors import Fault, InvalidInput

if TYPE_CHECKING:
    import pandas as pd

    from senexo.targets.affinity import Level, Reading


def targets_of(
    utr: Path,
    mirna: str,
    *,
    panel: Path | None,
    mirbase: Path | None,
    level: Level | None,
    copies: float | None,
    reading: Reading,
    kd_table: Path | None,
    mutate: Sequence[str],
    seed: int,
    out: Path | None,
    as_json: bool,
) -> str:
    """Predict, write the files of `--out`, and return the text to print."""
    from senexo.targets.affinity import read_kd_table
    from senexo.targets.fasta import find_mirna, read_fasta
    from senexo.targets.mutate import mutation
    from senexo.targets.predict import predict

    if level == "copies" and copies is None:
        raise InvalidInput([Fault("--copies", "nothing", "loaded copies per cell, with --level copies")])
    if level not in (None, "copies") and copies is not None:
        expected = "one of the two: a level in words, or --copies alone"
        raise InvalidInput([Fault("--level and --copies", f"--level {level} --copies {copies:g}", expected)])
    _check_new(out)
    records = read_fasta(utr) if panel is None else chain(read_fasta(utr), _others(panel, utr))
    found = predict(
        find_mirna(mirna, mirbase),
        records,
        level=level,
        copies=copies,
        reading=reading,
        kd_table=None if kd_table is None else read_kd_table(kd_table),
        mutations=[mutation(text) for text in mutate],
        seed=seed,
    )
    if out is not None:
        with replacing_folder(out, exclusive=True) as new:
            _write(new, {"genes": found.genes, "sites": found.sites}, found.to_json())
            figure = found.figure()
            figure.savefig(new / "repression.svg")
            figure.savefig(new / "repression.png", dpi=200)
    return found.to_json() if as_json else str(found)


def screen_of(
    network: Path | None,
    *,
    circuit: str,
    copies: float,
    draws: int,
    serum: float,
    watch: Sequence[str],
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
) -> str:
    """Screen with a progress bar, write the files of `--out`, and return the text to print."""
    from rich.console import Console
    from rich.progress import Progress

    from senexo.lab.screen import screen
    from senexo.targets.network import senescence_network

    _check_new(out)
    edges = senescence_network(network)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("target sets", total=1.0)
        found = screen(
            edges, circuit=circuit, copies=copies, draws=draws, seed=seed, serum=serum, watch=watch, workers=workers,
            progress=lambda share: bar.update(task, completed=share),
        )  # fmt: skip
    if out is not None:
        with replacing_folder(out, exclusive=True) as new:
            _write(new, {"mirnas": found.mirnas, "sets": found.sets}, found.to_json())
    return found.to_json() if as_json else str(found)


def _write(folder: Path, tables: Mapping[str, pd.DataFrame], result: str) -> None:
    """Tables and result.json of an answer."""
    from senexo.base.table import write_table

    for name, table in tables.items():
        write_table(table, folder / name)
    (folder / "result.json").write_text(result + "\n", encoding="utf-8")


def _check_new(out: Path | None) -> None:
    """Refuse a folder that holds something."""
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput([Fault("--out", f"{out}, which is there already", "a new or an empty folder")])


def _others(panel: Path, utr: Path) -> Sequence[tuple[str, str]]:
    """The panel's records that the first file does not hold already; the same name twice must be the same sequence."""
    from senexo.targets.fasta import read_fasta

    known = dict(read_fasta(utr))
    others = []
    for name, sequence in read_fasta(panel):
        if name not in known:
            others.append((name, sequence))
        elif known[name] != sequence:
            raise InvalidInput([Fault(f"{panel.name} ({name})", f"another sequence than in {utr.name}", "the same")])
    return others
