"""The packages that a user installs, from the lock and the metadata of what is installed: writes docs/packages.md.

python tests/docs/doc_packages.py
"""

from __future__ import annotations

import csv
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "packages.md"
RELEASES = Path(__file__).with_name("releases.csv")
BEGIN, END = "<!-- packages -->", "<!-- / -->"
MIB = 2**20
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\]+))?", re.MULTILINE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    """Name -> version of everything in requirements/run.lock."""
    text = (ROOT / "requirements" / "run.lock").read_text(encoding="utf-8")
    return {normal(name): version for name, version, _ in _PINNED.findall(text)}


def direct() -> frozenset[str]:
    """The names in requirements/run.in."""
    lines = (ROOT / "requirements" / "run.in").read_text(encoding="utf-8").split()
    return frozenset(normal(re.split(r"[<>=,;\[]", line)[0]) for line in lines if line[0].isalpha())


def licence(found: Distribution) -> str:
    """As its metadata states it: an SPDX expression, else classifiers, else the first line of its licence field."""
    about = found.metadata
    if about.get("License-Expression"):
        return str(about["License-Expression"])
    of_classes = [c.rpartition("::")[2].strip() for c in about.get_all("Classifier") or () if c.startswith("License")]
    named = [name for name in of_classes if name != "OSI Approved"]
    first = (about.get("License") or "").strip().split("\n")[0]
    return ", ".join(named) or first[:40] or "not stated"


def size(found: Distribution) -> float:
    """MiB of its files, compiled Python left out."""
    paths = [Path(str(file.locate())) for file in found.files or () if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file()) / MIB


def needed_by(names: frozenset[str]) -> dict[str, list[str]]:
    """Name -> the locked packages that require it, extras left out."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for name in sorted(names):
        try:
            wanted = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for line in wanted:
            other = normal(re.split(r"[^A-Za-z0-9._-]", line)[0])
            if other in found and "extra ==" not in line and name not in found[other]:
                found[other].append(name)
    return found


def releases() -> dict[str, dict[str, str]]:
    """Name -> version, its date, the newest version and its date, as `doc_releases` found them."""
    with RELEASES.open(encoding="utf-8", newline="") as stream:
        return {row["package"]: row for row in csv.DictReader(stream)}


def table() -> str:
    """One row a package, the largest first."""
    versions, own, dates = locked(), direct(), releases()
    by = needed_by(frozenset(versions))
    rows = []
    for name, version in versions.items():
        users = "senexo" if name in own else ", ".join(by[name]) or "none on this system"
        try:
            found = distribution(name)
            rows.append((size(found), name, version, licence(found).replace("|", "/"), users))
        except PackageNotFoundError:
            rows.append((0.0, name, version, "not installed on this system", users))
    rows.sort(key=lambda row: (-row[0], row[1]))
    heads = ("package", "version", "of", "last release", "licence", "MiB", "needed by")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for mib, name, version, terms, users in rows:
        date = dates[name]
        last = "this one" if date["newest"] == version else f"{date['newest']}, {date['newest_released']}"
        lines.append(f"| {name} | {version} | {date['released']} | {last} | {terms} | {mib:.1f} | {users} |")
    total = sum(row[0] for row in rows)
    return "\n".join([*lines, "", f"{len(rows)} packages, {total:.0f} MiB."])


def main() -> None:
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
