"""Damaged files for every reader, through the command a user types; the seed and the number of a try give it again.

Bar: each is answered by a result or by one message (exit status 2), within 30 s of the processor; `senexo verify` sees
every change of a result folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from verify import Check
from verify._fuzz import Failure, failures, readers, results_failures

TRIES, OF_RESULTS, SEED = 1000, 200, 20_261_201


def main() -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for reader in readers(folder):
            yield row(f"{TRIES} damaged files: {reader.name}", failures(reader, TRIES, SEED, folder))
        yield row(f"{OF_RESULTS} damaged result folders", results_failures(OF_RESULTS, SEED, folder))


def row(name: str, found: list[Failure]) -> Check:
    return Check(f"{name}, faults", len(found), 0, not found, "; ".join(map(str, found[:3])))
