"""The record of checks: docs/verification.json holds every row, docs/verification.md shows it. Neither is edited.

A partial run replaces the sections of the checks it ran and keeps the others with their own date and commit.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from verify import Check

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs"
DATA, PAGE = "verification.json", "verification.md"
HEAD = """\
# Verification

The long checks of senexo against theory, published suites and other programs. This page is written by `make verify`
(`python -m verify`); numbers and verdicts come from the checks themselves, and nothing here is edited. A partial run
(`python -m verify NAME ...`) renews the rows of the checks it ran and leaves the others with their own date and
commit; a `+` behind a commit says that files differed from it. What each check does, and why its bar stands where it
does, is said at the top of `verify/NAME.py`. **fail** is a bar that was not met, **not run** a check whose input or
program was missing (it counts as a failure), *no bar* a figure that is only reported. Checks of published suites read
`../shared/data`, which is not distributed.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one check, how long they took, when, and of which commit."""

    name: str
    about: str
    rows: tuple[Check, ...]
    seconds: float
    cpu_seconds: float
    date: str
    commit: str
    python: str

    @property
    def wrong(self) -> int:
        """Rows that failed or were not run."""
        return sum(row.verdict in ("fail", "not run") for row in self.rows)

    def text(self) -> str:
        """For the terminal: one line a row."""
        lines = [f"{self.name}: {self.about} ({duration(self.seconds)})"]
        return "\n".join(
            [*lines, *(f"  {row.verdict:<8}{row.name:<48} {_comparison(row)}  {row.detail}" for row in self.rows)]
        )


@dataclass(slots=True)
class Record:
    """All sections, by the name of the check, and the coverage that was measured last."""

    sections: dict[str, Section] = field(default_factory=dict)
    coverage: dict[str, Any] | None = None

    @classmethod
    def read(cls) -> Record:
        """The record as it was left; an empty one where there is none."""
        path = FOLDER / DATA
        if not path.exists():
            return cls()
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls({entry["name"]: _section(entry) for entry in data["checks"]}, data.get("coverage"))

    def keep(self, section: Section, known: Sequence[str]) -> None:
        """Put one section in and write both files; checks that are no longer `known` go."""
        self.sections[section.name] = section
        self.sections = {name: self.sections[name] for name in sorted(set(known) & set(self.sections))}
        self.write()

    def write(self) -> None:
        """Both files, each whole or not at all."""
        kept = {"checks": [_entry(section) for section in self.sections.values()], "coverage": self.coverage}
        _replace(FOLDER / DATA, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
        _replace(FOLDER / PAGE, self.page())

    def seconds(self, name: str) -> float:
        """How long a check took last; without end where it never ran."""
        return self.sections[name].seconds if name in self.sections else math.inf

    def cost(self, name: str) -> str:
        return duration(self.seconds(name)) if name in self.sections else "never run"

    def page(self) -> str:
        """The whole page."""
        parts = [HEAD, self._overview()]
        if self.coverage is not None:
            parts.append(_coverage(self.coverage))
        return "\n".join([*parts, *(_rows(section) for section in self.sections.values())])

    def _overview(self) -> str:
        sections = self.sections.values()
        rows = [row.verdict for section in sections for row in section.rows]
        counts = ", ".join(
            f"{rows.count(kind)} {kind}" for kind in ("pass", "fail", "not run", "no bar") if kind in rows
        )
        total = f"{len(rows)} rows of {len(self.sections)} checks: {counts or 'none'}."
        lines = [
            "| check | rows | verdict | took | CPU | date | commit | Python |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for s in sections:
            verdict = f"**{s.wrong} not passed**" if s.wrong else "pass"
            took = f"{duration(s.seconds)} | {duration(s.cpu_seconds)}"
            when = f"{s.date} | {s.commit} | {s.python}"
            lines.append(f"| [{s.name}](#{s.name}) | {len(s.rows)} | {verdict} | {took} | {when} |")
        return "\n".join([total, "", *lines, ""])


def _rows(section: Section) -> str:
    lines = [
        f"## {section.name}",
        section.about,
        "",
        "| check | figure | bar | verdict | detail |",
        "|---|---|---|---|---|",
    ]
    for row in section.rows:
        verdict = f"**{row.verdict}**" if row.verdict in ("fail", "not run") else row.verdict
        bar = "" if math.isnan(row.bar) else f"{row.relation} {_number(row.bar)}"
        lines.append(f"| {_cell(row.name)} | {_number(row.figure)} | {bar} | {verdict} | {_cell(row.detail)} |")
    return "\n".join([*lines, ""])


def _coverage(found: dict[str, Any]) -> str:
    f = found
    lines = [
        "## Coverage of the tests",
        f"{f['percent']:.1f} % of {f['statements']:,} statements of `senexo` and {f['branch_percent']:.1f} % of its",
        f"{f['branches']:,} branches were executed by `{f['command']}` ({f['date']}, commit {f['commit']}).",
        f"Not counted: {f['kernel_lines']:,} lines of kernels that numba compiles, which Python never executes; they",
        "are held to slow twins, exact laws and planted faults. No build fails on this figure.",
        "",
        "| package | statements | executed |",
        "|---|---|---|",
        *(f"| {p['name']} | {p['statements']:,} | {p['percent']:.1f} % |" for p in f["packages"]),
        "",
    ]
    return "\n".join(lines)


def _comparison(row: Check) -> str:
    if math.isnan(row.bar):
        return f"{row.figure:>12.5g}"
    return f"{row.figure:>12.5g} {row.relation} {row.bar:g}"


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def duration(seconds: float) -> str:
    """Such as "12 s", "3.4 min" or "1.2 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def cpu() -> float:
    """Seconds of processor time that this process and the children it has waited for have used."""
    return sum(os.times()[:4])


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def written_by() -> tuple[str, str]:
    """Short commit, with "+" where files that are followed differ from it; version of Python."""
    commit = _git("rev-parse", "--short=10", "HEAD") or "unknown"
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/verification.*")
    return commit + ("+" if changed else ""), platform.python_version()


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _entry(section: Section) -> dict[str, Any]:
    """A section as JSON, in which a number that is none is null."""
    entry = asdict(section)
    entry["seconds"], entry["cpu_seconds"] = round(section.seconds, 1), round(section.cpu_seconds, 1)
    entry["rows"] = [{key: _plain(value) for key, value in row.items()} for row in entry["rows"]]
    return entry


def _plain(value: Any) -> Any:
    """Numbers as Python's own; nan and infinity as text, which JSON has no word for."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    number = float(value)
    return number if math.isfinite(number) else str(number)


def _section(entry: dict[str, Any]) -> Section:
    rows = tuple(Check(**{**row, "figure": float(row["figure"]), "bar": float(row["bar"])}) for row in entry["rows"])
    return Section(**{**entry, "rows": rows})


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
