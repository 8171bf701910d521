"""Read, write, read, all through `load`, for every file of the suites in ../shared/data (reliability bar R6)."""

from __future__ import annotations

import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from senexo.base.errors import UnsupportedFeature
from senexo.model.loading import load
from verify import Check

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def main() -> list[Check]:
    outcomes: Counter[str] = Counter()
    changed = []
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files():
            outcome = round_trip(data, Path(folder))
            outcomes[outcome] += 1
            if outcome == "changed":
                changed.append(name)
    detail = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    expected = 1000 + 19 + 9
    return [
        Check("files that change on the way", len(changed), 0, not changed, detail),
        Check("files looked at", outcomes.total(), expected, outcomes.total() == expected, relation="=="),
    ]


def files() -> Iterator[tuple[str, bytes]]:
    for archive in sorted((SHARED / "sbml-test-suite").glob("*.tar.xz")):
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.name.endswith(".xml") and (stream := tar.extractfile(member)):
                    yield member.name, stream.read()
    for path in sorted((SHARED / "biomodels").glob("*.xml")):
        yield path.name, path.read_bytes()


def round_trip(data: bytes, folder: Path) -> str:
    first, second = folder / "first.xml", folder / "second.xml"
    first.write_bytes(data)
    try:
        model = load(first)
    except UnsupportedFeature as error:
        return f"refused for {error.feature}"
    second.write_text(model.to_sbml(), encoding="utf-8")
    return "equal" if load(second).network == model.network else "changed"
