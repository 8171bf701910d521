"""20,000 synthetic 3'UTRs (30 Mb) scanned for the sites of one miRNA, compared with two older methods.

RNAhybrid (Debian's package, on a 300th of the sequence) computes a duplex everywhere; the miRanda way aligns the miRNA
with everything (complementarity +5, G:U +2, mismatch -3, affine gaps), here compiled, on all of it. Same miRNA, one
thread; ratios of the time per base. That every planted 8mer is found is asserted in the same run.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np

from senexo.targets.fasta import find_mirna, read_fasta
from senexo.targets.predict import predict
from senexo.targets.rna import Mirna
from senexo.targets.sites import find_sites

N_UTRS, BASES, PLANTED = 20_000, 30_000_000, 500
HYBRID_SHARE = 300
ROUNDS = 3


def utrome(path: Path) -> None:
    """Lengths lognormal as those of human 3'UTRs roughly are, 60 % A or U; the first 500 get one 8mer."""
    rng = np.random.default_rng(1)
    lengths = rng.lognormal(7.0, 0.8, N_UTRS)
    letters = np.frombuffer(b"ACGU", dtype=np.uint8)
    with path.open("wb") as file:
        for k, length in enumerate((lengths * BASES / lengths.sum()).astype(int) + 20):
            utr = bytearray(letters[rng.choice(4, size=length, p=[0.3, 0.2, 0.2, 0.3])].tobytes())
            if k < PLANTED:
                utr[5:13] = b"CACUGCCA"
            file.write(b">utr%d\n%s\n" % (k, utr))


@numba.njit(cache=True)
def align(utr: Any, mirna: Any) -> int:
    """Best local score of the miRNA (reversed) along a UTR; codes A C G U = 0 1 2 3, pairs sum to 3."""
    n = len(mirna)
    row, gap = np.zeros(n + 1, np.int32), np.full(n + 1, -99, np.int32)
    best = 0
    for base in utr:
        diagonal, left = 0, -99
        for k in range(1, n + 1):
            other = mirna[n - k]
            wobble = (base == 2 and other == 3) or (base == 3 and other == 2)
            pair = 5 if base + other == 3 else 2 if wobble else -3
            left = max(row[k - 1] - 9, left - 4)
            gap[k] = max(row[k] - 9, gap[k] - 4)
            score = max(0, diagonal + pair, left, gap[k])
            diagonal = row[k]
            row[k] = score
            best = max(best, score)
    return best


def encoded(text: str) -> Any:
    return np.array([{"A": 0, "C": 1, "G": 2, "U": 3}[base] for base in text], dtype=np.int8)


def main() -> None:
    """Print seconds per 30 Mb and the ratios."""
    mirna = find_mirna("hsa-miR-34c-5p")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "utrome.fa"
        utrome(path)
        records = list(read_fasta(path))
        bases = sum(len(utr) for _, utr in records)
        lookup = np.zeros(128, np.int8)
        lookup[[ord(base) for base in "ACGU"]] = range(4)
        codes = [lookup[np.frombuffer(utr.encode(), np.uint8)] for _, utr in records]
        align(codes[0], encoded(mirna.sequence))
        taken: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            taken.setdefault("seed sites", []).append(_scan(records, mirna, variants=False))
            taken.setdefault("with variants", []).append(_scan(records, mirna, variants=True))
            begin = time.perf_counter()
            scores = [align(code, encoded(mirna.sequence)) for code in codes]
            taken.setdefault("miRanda way", []).append(time.perf_counter() - begin)
            assert min(scores[:PLANTED]) >= 8 * 4
            if shutil.which("RNAhybrid"):
                taken.setdefault("RNAhybrid", []).append(_hybrid(records, mirna, bases, Path(name)))
        begin = time.perf_counter()
        predict(mirna, records, expected=())
        print(f"all of it: read, sites, chance, repression with intervals  {time.perf_counter() - begin:6.1f} s")
    ours = float(np.median(taken["with variants"]))
    for row, seconds in taken.items():
        print(f"{bases / 1e6:.0f} Mb, {row:<14} {np.median(seconds):8.2f} s  {np.median(seconds) / ours:8.2f} x ours")


def _scan(records: list[tuple[str, str]], mirna: Mirna, *, variants: bool) -> float:
    begin = time.perf_counter()
    found = [find_sites(utr, mirna, variants=variants) for _, utr in records]
    seconds = time.perf_counter() - begin
    assert all(any(site.type == "8mer" for site in sites) for sites in found[:PLANTED])
    return seconds


def _hybrid(records: list[tuple[str, str]], mirna: Mirna, bases: int, folder: Path) -> float:
    part = records[: len(records) // HYBRID_SHARE]
    target, query = folder / "part.fa", folder / "mirna.fa"
    target.write_text("".join(f">{name}\n{utr}\n" for name, utr in part))
    query.write_text(f">{mirna.name}\n{mirna.sequence}\n")
    command = ["RNAhybrid", "-s", "3utr_human", "-c", "-m", "100000", "-t", str(target), "-q", str(query)]
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (time.perf_counter() - begin) * bases / sum(len(utr) for _, utr in part)


if __name__ == "__main__":
    main()
