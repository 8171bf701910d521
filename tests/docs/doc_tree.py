"""The tree of packages and modules that docs/why/house.md shows: `python tests/docs/doc_tree.py` writes it anew."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "why" / "house.md"
BLOCK = re.compile(r"(?<=<!-- tree -->\n```text\n).*?(?=```)", re.DOTALL)
WIDTH, INDENT = 120, 30


def tree() -> str:
    """One paragraph per package: its folder, and its modules in alphabetical order."""
    senexo = ROOT / "senexo"
    packages = [senexo, *sorted(path.parent for path in senexo.rglob("*/__init__.py") if path.parent != senexo)]
    return "".join(_paragraph(package) for package in packages)


def _paragraph(package: Path) -> str:
    modules = sorted(path.stem for path in package.glob("*.py") if path.stem != "__init__")
    name = f"{package.relative_to(ROOT).as_posix()}/".ljust(INDENT)
    first, *others = textwrap.wrap(" ".join(modules), WIDTH - INDENT, break_on_hyphens=False) or [""]
    return "\n".join([(name + first).rstrip(), *(" " * INDENT + line for line in others)]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(BLOCK.sub(lambda _: tree(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
