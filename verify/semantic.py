"""The SBML semantic test suite, time-course cases, as ODE: passed, refused by name, or wrong.

Rule of the suite: |expected - actual| <= absolute + relative |expected| for every number of a case.
`python -m verify semantic` runs every case of the archive; `python -m verify.semantic 00001 ...` prints some.
"""

from __future__ import annotations

import csv
import re
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from senexo.base.errors import SenexoError, UnsupportedFeature
from senexo.lab.simulation import simulate
from senexo.model.loading import load
from verify import Check

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "sbml-test-suite" / "semantic-00001-01000.tar.xz"
LEAST_PASSED = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of the suite: a model, what to record, and what must come out."""

    name: str
    model: Path
    settings: dict[str, str]
    times: NDArray[np.float64]
    expected: dict[str, NDArray[np.float64]]
    tags: frozenset[str]

    def names(self, setting: str) -> list[str]:
        return [name.strip() for name in self.settings.get(setting, "").split(",") if name.strip()]


@dataclass(frozen=True, slots=True)
class Verdict:
    case: str
    outcome: str  # "passed", "refused" or "wrong"
    detail: str = ""


def read_case(folder: Path) -> Case:
    """The case in a folder; its best model is the one file that lies there."""
    name = folder.name
    lines = (folder / f"{name}-settings.txt").read_text().splitlines()
    settings = dict(line.split(":", 1) for line in lines if ":" in line)
    with (folder / f"{name}-results.csv").open(newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    table = np.array([[float(cell) for cell in row] for row in rows[1:]])
    columns = {head.strip(): table[:, k] for k, head in enumerate(rows[0])}
    model = max(folder.glob(f"{name}-sbml-l*.xml"))
    settings = {key.strip(): value.strip() for key, value in settings.items()}
    expected = {name: columns[name] for name in list(columns)[1:]}
    return Case(name, model, settings, table[:, 0], expected, read_tags((folder / f"{name}-model.m").read_text()))


def read_tags(description: str) -> frozenset[str]:
    """What a case is about, in the suite's words, such as "EventWithDelay" or "comp:Submodel"."""
    lines = re.findall(r"^(?:componentTags|testTags|packagesPresent):(.*)$", description, re.MULTILINE)
    return frozenset(tag.strip() for line in lines for tag in line.split(",") if tag.strip())


def may_refuse(feature: str, tags: frozenset[str]) -> bool:
    """May it be refused? Packages alone may; a case without the tag of one has to be run."""
    package = feature.removeprefix("package ")
    return any(tag == package or tag.startswith(f"{package}:") for tag in tags)


def judge(case: Case) -> Verdict:
    """Run one case through the public functions and compare every number."""
    try:
        actual = recorded(case)
    except UnsupportedFeature as refusal:
        outcome = "refused" if may_refuse(refusal.feature, case.tags) else "wrong"
        return Verdict(case.name, outcome, refusal.feature)
    except SenexoError as error:
        return Verdict(case.name, "wrong", f"{type(error).__name__}: {error}")
    absolute, relative = float(case.settings["absolute"]), float(case.settings["relative"])
    for name, expected in case.expected.items():
        with np.errstate(invalid="ignore"):
            close = np.abs(expected - actual[name]) <= absolute + relative * np.abs(expected)
        good = close | (expected == actual[name]) | (np.isnan(expected) & np.isnan(actual[name]))
        if not np.all(good):
            worst = int(np.argmin(good))
            found = f"{name} at {case.times[worst]:g} is {actual[name][worst]:.9g}, expected {expected[worst]:.9g}"
            return Verdict(case.name, "wrong", found)
    return Verdict(case.name, "passed")


def recorded(case: Case) -> dict[str, NDArray[np.float64]]:
    """What the case asks for: species as amounts or concentrations, other quantities as they are."""
    model = load(case.model)
    as_concentrations = set(case.names("concentration")) & set(case.expected)
    found = {}
    for quantity, names in (("concentration", as_concentrations), ("amount", set(case.expected) - as_concentrations)):
        if names:
            data = simulate(model, case.times, quantity=quantity).isel(run=0)
            found |= {name: data[name].values + np.zeros(len(case.times)) for name in names}
    return found


def cases(archive: Path, only: set[str] | None = None) -> Iterator[Case]:
    """The cases of an archive in order; `only` these, if given."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive) as tar:
            members = [m for m in tar.getmembers() if only is None or Path(m.name).parent.name in only]
            tar.extractall(folder, members=members, filter="data")
        for path in sorted(Path(folder, "semantic").iterdir()):
            yield read_case(path)


def table(verdicts: list[Verdict]) -> str:
    """How many passed, were refused by which feature, were wrong; then each wrong one."""
    counts = Counter((v.outcome, v.detail if v.outcome == "refused" else "") for v in verdicts)
    lines = [f"{outcome:<8} {detail:<40} {n:>5}" for (outcome, detail), n in sorted(counts.items())]
    return "\n".join([*lines, *(f"  {v.case}: {v.detail}" for v in verdicts if v.outcome == "wrong")])


def main() -> list[Check]:
    verdicts = [judge(case) for case in cases(ARCHIVE)]
    print(table(verdicts))
    counts = Counter(v.outcome for v in verdicts)
    detail = f"of {len(verdicts)} cases"
    return [
        Check("semantic suite, wrong", counts["wrong"], 0, counts["wrong"] == 0, detail),
        Check("semantic suite, passed", counts["passed"], LEAST_PASSED, counts["passed"] >= LEAST_PASSED, detail, ">="),
    ]


if __name__ == "__main__":
    print(table([judge(case) for case in cases(ARCHIVE, set(sys.argv[1:]) or None)]))
