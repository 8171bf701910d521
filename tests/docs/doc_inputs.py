"""The files that commands and Python blocks of the pages read, each made when a block names it.

Tables are the assays' own examples under the column names that a page uses; sequences are the synthetic UTR of the
examples and random letters of a fixed seed, and let-7a as miRBase has it (MIMAT0000062).
"""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from doc_pages import ROOT

from senexo.assays.specs import SPECS

Make = Callable[[Path], None]
SHARED = ROOT.parent / "shared" / "data"


def provide(folder: Path, text: str) -> None:
    """Put every file that the text names, and that it does not itself write, into the folder."""
    for named, make in FILES.items():
        if re.search(rf"(?<![\w./-]){re.escape(named)}(?![\w-])", text):
            make(folder / named)


def _example(assay: str) -> pd.DataFrame:
    return SPECS[assay].example_table()


def _csv(make: Callable[[], pd.DataFrame]) -> Make:
    return lambda path: make().to_csv(path, index=False)


def _excel(make: Callable[[], pd.DataFrame]) -> Make:
    return lambda path: make().to_excel(path, index=False)


def _copy(source: str) -> Make:
    def copy(path: Path) -> None:
        shutil.copy(ROOT / source, path)

    return copy


def _tree(source: str) -> Make:
    return lambda path: path.symlink_to(ROOT / source, target_is_directory=True)


def _cohort() -> pd.DataFrame:
    """80 made-up patients with everything that the pages of survival, response and the command line ask of a table."""
    rng = np.random.default_rng(20180515)
    n = 80
    level = rng.poisson(60, n)
    time = np.round(rng.exponential(20, n) + 0.5, 1)
    dead = (rng.random(n) < 0.7).astype(int)
    remission = rng.random(n) < 1 / (1 + np.exp(-(level - 60) / 10))
    return pd.DataFrame(
        {
            "patient": [f"p{i}" for i in range(n)], "age": rng.integers(30, 80, n), "sex": rng.choice(["f", "m"], n),
            "arm": rng.choice(["control", "mimic"], n), "os_months": time, "os_days": np.round(time * 30.4),
            "dead": dead, "os_event": dead, "status": np.where(dead == 1, "dead", "alive"),
            "cyto_risk": rng.choice(["favorable", "intermediate", "poor"], n),
            "FAB": rng.choice(["M1", "M2", "M3"], n), "FAB_classification": rng.choice(["M1", "M2", "M3"], n),
            "miR-34a-5p": level, "remission": np.where(remission, rng.choice(["CR", "CRi"], n), "no"),
            "mrd_negative": (rng.random(n) < 0.5).astype(int), "NPM1": rng.choice(["wt", "mutated"], n),
        }
    )  # fmt: skip


def _trial() -> pd.DataFrame:
    """The cohort with relapse and death as competing events, under the names of a trial and of a biobank."""
    cohort = _cohort()
    rng = np.random.default_rng(8)
    died = np.where(cohort["dead"] == 1, rng.choice(["relapse", "died"], len(cohort)), "alive")
    return pd.DataFrame({
        "months": cohort["os_months"], "status": died, "arm": cohort["arm"], "dead": cohort["dead"],
        "sampled_at": np.where(rng.random(len(cohort)) < 0.5, 0.0, (cohort["os_months"] / 3).round(1)),
        "mutation": cohort["NPM1"], "stage": [("I", "II", "III")[i % 3] for i in range(len(cohort))],
    })  # fmt: skip


def _levels() -> pd.DataFrame:
    """Reads per million of three miRNAs in the patients of the cohort, most of them with many reads."""
    rng = np.random.default_rng(7)
    n = 80
    names = ("hsa-mir-34a", "hsa-mir-34b", "hsa-mir-34c")
    return pd.DataFrame(
        {"patient": [f"p{i}" for i in range(n)]}
        | {name: rng.poisson(mean, n) for name, mean in zip(names, (90, 40, 50), strict=True)}
    )


def _fasta(path: Path) -> None:
    rng = np.random.default_rng(34)
    path.write_text("".join(f">{name}\n{''.join(rng.choice(list('ACGU'), 900))}\n" for name in ("RAB35", "SMPD3")))


def _mature(path: Path) -> None:
    path.write_text(">hsa-let-7a-5p MIMAT0000062 Homo sapiens let-7a-5p\nUGAGGUAGUAGGUUGUAUAGUU\n")


def _sbml(path: Path) -> None:
    import senexo

    path.write_text(senexo.load(ROOT / "examples" / "telegraph.ant").to_sbml(), encoding="utf-8")


def _shared(source: str) -> Make:
    def link(path: Path) -> None:
        if not (SHARED / source).is_file():
            pytest.skip("../shared/data is not beside this checkout")
        path.symlink_to(SHARED / source)

    return link


def _from(assay: str, **columns: str) -> Callable[[], pd.DataFrame]:
    """An assay's example, with columns renamed."""
    return lambda: _example(assay).rename(columns=columns)


def _plate() -> pd.DataFrame:
    """The example of `senescence` at its highest dose: mimic, scrambled and washed out."""
    names = {"scrambled": "scrambled", "mimic 3000": "mimic", "mimic 3000 washed out": "washed out"}
    table = _example("senescence")
    table = table[table["arm"].isin(names)].drop(columns=["family", "dose_copies"])
    return table.assign(arm=table["arm"].map(names))


def _faulty_plate() -> pd.DataFrame:
    """A plate of ten wells with the two faults that the page of the assays shows."""
    wells = [(arm, f"donor {i}", 20 + i, 200) for arm in ("scrambled", "mimic") for i in range(1, 6)]
    table = pd.DataFrame(wells, columns=["arm", "donor", "n_positive", "n_total"]).astype(object)
    table.loc[5, "n_positive"] = 212
    table.loc[7, "n_total"] = "31,5"
    return table


def _faulty_study(path: Path) -> None:
    """The first look with the two faults that the page of the study file shows."""
    text = (ROOT / "examples" / "first-look.toml").read_text(encoding="utf-8")
    start, _, rest = text.partition("[arms.mimic]")
    ladder, _, end = rest.replace("[300, 3000, 30000]", '[300, 3000, "lots"]', 1).partition("[readouts]")
    path.write_text(f'{start}[arms.mimic]{ladder}[arms.ko]\nknock_out = ["TP53"]\n\n[readouts]{end}', encoding="utf-8")


@functools.cache
def _coupled_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder that holds the results of a small study of coupled cells; simulated once in a process."""
    import senexo

    folder = tempfile.TemporaryDirectory(prefix="senexo-docs-")
    senexo.run(ROOT / "examples" / "coupled.toml", donors=1, workers=1, out=Path(folder.name) / "coupled")
    return folder


def _coupled(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(Path(_coupled_folder().name) / "coupled", target_is_directory=True)


FILES: dict[str, Make] = {
    "examples": _tree("examples"),
    "results/coupled": _coupled,
    "my-study.toml": _copy("examples/first-look.toml"),
    "model.xml": _sbml,
    "utr.fa": _copy("examples/synthetic_utr3.fa"),
    "rab27b_utr3.fa": _copy("examples/synthetic_utr3.fa"),
    "panel.fa": _fasta,
    "mature.fa": _mature,
    "patients.csv": _csv(_cohort),
    "clinical.csv": _csv(_cohort),
    "trial.csv": _csv(_trial),
    "biobank.csv": _csv(_trial),
    "mirna.csv": _csv(_levels),
    "rpm.csv.gz": _csv(_levels),
    "mice.csv": _csv(_from("dilution", wells="mice", positive="engrafted")),
    "plate.xlsx": _excel(_plate),
    "plate.csv": _csv(_faulty_plate),
    "study.toml": _faulty_study,
    "sa-b-gal.xlsx": _excel(_from("senescence")),
    "wells.csv": _csv(_from("qpcr")),
    "cytarabine.csv": _csv(lambda: pd.DataFrame({"TIME": [0], "AMT": [1400], "RATE": [8.3333]})),
    "counts.csv": _csv(_from("expression")),
    "tracking.xlsx": _excel(_from("particles")),
    "tracks.csv": _csv(_from("fates")),
    "cfu.xlsx": _excel(_from("colonies")),
    "wells.xlsx": _excel(_from("balance")),
    "pilot.csv": _csv(_from("power")),
    "tidy_clinical.csv": _shared("tcga-laml/tidy_clinical.csv"),
    "tidy_mirna_rpm.csv.gz": _shared("tcga-laml/tidy_mirna_rpm.csv.gz"),
    "tidy_mirna_counts.csv.gz": _shared("tcga-laml/tidy_mirna_counts.csv.gz"),
}
