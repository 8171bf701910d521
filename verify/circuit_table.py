"""The worked table of the circuit (docs/why/circuit.md): every number, by senexo and by libRoadRunner.

The table was computed apart from this project, from the equations alone. A number passes when it lies within
half of its last printed digit plus 2e-4 of its size: the table's maker used 0.976 for 20/20.5 (4e-4 in the
growth of arrested cells) and a coarser solver. Off hours were counted in hourly samples there: they pass within
one hour and a half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from senexo.model.circuit import Circuit, load_circuit
from verify import Check
from verify._cell import Cell, Floats, Oracle, Own, Wish, grow, longest_off

COLUMNS = (
    "peak",
    *(f"{quantity} d{day}" for quantity in ("copies", "RAB27B", "release", "E2F") for day in (1, 3, 7)),
    "off h",
    "Q d7",
    "V d7",
)
SERUM_20 = """
mock 40 40.3 40.3 40.4 20023 20024 20022 300 300 300 1.119 1.118 1.118 0 0.00 1.00
mimic30 66 48.2 40.9 40.4 19904 19955 20019 300 300 300 1.106 1.118 1.118 0 0.00 1.00
mimic100 126 67.1 42.3 40.4 19638 19797 20012 299 299 300 1.077 1.116 1.118 0 0.00 1.00
mimic300 299 123.4 46.7 40.5 18962 19373 19992 296 296 300 1.006 1.110 1.118 0 0.00 1.00
mimic1000 908 456.4 104.0 44.3 19770 20634 19955 307 307 300 0.015 1.051 1.117 47 0.00 1.07
mimic3000 2684 1397.8 321.6 82.9 17437 20231 26395 300 307 391 0.003 0.003 1.063 149 0.06 1.65
scr1000 906 331.6 59.6 39.8 20312 20663 20737 302 305 306 1.187 1.185 1.185 0 0.00 1.00
rab27b-kd90 46 41.1 44.2 45.6 12601 3879 2045 245 179 165 1.117 1.112 1.110 0 0.00 1.00
site-mut+1000 907 450.6 97.2 43.8 24010 24476 20857 339 336 306 0.015 1.059 1.117 45 0.00 1.06
gw4869 48 45.3 47.5 47.8 20004 19933 19900 120 120 120 1.110 1.107 1.107 0 0.00 1.00
p53null+1000 894 324.1 49.7 28.4 17419 18311 20137 281 287 301 0.893 1.149 1.181 0 0.00 1.00
p53null+3000 2656 1361.6 230.9 32.3 17488 18061 19929 281 285 299 0.013 0.978 1.178 52 0.00 1.08
sirt1mut+1000 908 453.8 78.5 41.6 19755 18700 19936 298 290 300 0.042 1.079 1.121 25 0.00 1.03
kd90+1000 908 463.5 121.4 50.1 13222 4675 2057 256 186 166 0.014 1.028 1.108 49 0.00 1.07
site-mut 40 40.1 40.1 40.2 20745 20745 20745 306 306 306 1.119 1.119 1.119 0 0.00 1.00
"""
SERUM_1 = """
mock 40 40.3 40.4 40.4 20058 20059 20058 300 300 300 0.970 0.970 0.970 0 0.00 1.00
mimic30 66 48.3 41.0 40.5 19943 19991 20055 300 300 300 0.958 0.970 0.970 0 0.00 1.00
mimic100 126 67.3 42.4 40.5 19692 19836 20047 299 299 300 0.934 0.968 0.970 0 0.00 1.00
mimic300 299 159.7 78.1 80.0 22421 27947 33294 318 360 404 0.008 0.005 0.001 162 0.01 1.57
mimic1000 916 460.4 128.7 82.2 20591 25376 32863 312 340 401 0.003 0.002 0.001 166 0.01 1.57
mimic3000 2703 1403.6 309.0 88.6 18120 20893 31729 304 312 393 0.002 0.002 0.001 167 0.01 1.57
scr1000 906 332.0 59.7 39.8 20341 20689 20763 303 305 306 1.053 1.050 1.050 0 0.00 1.00
rab27b-kd90 46 41.1 44.2 45.7 12631 3892 2050 245 179 165 0.968 0.962 0.960 0 0.00 1.00
site-mut+1000 915 454.2 121.3 80.7 25072 30848 35239 347 381 419 0.003 0.002 0.001 166 0.01 1.57
gw4869 48 45.4 47.5 47.8 20040 19970 19937 120 120 120 0.959 0.956 0.956 0 0.00 1.00
p53null+1000 896 435.3 105.6 40.3 20641 25641 23603 305 342 328 0.007 0.010 1.072 127 0.00 1.29
p53null+3000 2679 1376.3 280.9 66.0 18203 21072 32183 287 308 396 0.003 0.002 0.002 166 0.01 1.57
sirt1mut+1000 916 458.5 124.3 80.5 20590 25420 32916 304 341 401 0.004 0.002 0.001 166 0.01 1.57
kd90+1000 916 467.8 148.1 98.8 13907 5922 3557 261 194 179 0.003 0.002 0.001 166 0.01 1.57
site-mut 40 40.1 40.2 40.2 20782 20782 20782 306 306 306 0.971 0.970 0.970 0 0.00 1.00
"""
TABLES = {20.0: SERUM_20, 1.0: SERUM_1}


def _mimic(copies: float) -> list[Wish]:
    return [("dose", "miR-34c-5p", copies)]


# arm: (genotype, treatment). The null world and the SIRT1 site are cut with the dose, as the table's maker did.
ARMS: dict[str, tuple[list[Wish], list[Wish]]] = {
    "mock": ([], []),
    **{f"mimic{d}": ([], _mimic(d)) for d in (30, 100, 300, 1000, 3000)},
    "scr1000": ([], [("cut", "miR-34c-5p -| *"), *_mimic(1000)]),
    "rab27b-kd90": ([], [("knock_down", "RAB27B", 0.9)]),
    "site-mut+1000": ([("mutate", "RAB27B")], _mimic(1000)),
    "gw4869": ([], [("inhibit", "exosome_release", 0.6)]),
    "p53null+1000": ([("knock_out", "p53")], _mimic(1000)),
    "p53null+3000": ([("knock_out", "p53")], _mimic(3000)),
    "sirt1mut+1000": ([], [("mutate", "SIRT1"), *_mimic(1000)]),
    "kd90+1000": ([], [("knock_down", "RAB27B", 0.9), *_mimic(1000)]),
    "site-mut": ([("mutate", "RAB27B")], []),
}
NAMES = ("mt", "mir34c_copies", "R", "rel", "EF", "Q", "V")
ENGINES: dict[str, Callable[[Circuit, Mapping[str, float]], Cell]] = {"senexo": Own, "libRoadRunner": Oracle}


def published(serum: float) -> dict[str, list[str]]:
    """Arm -> its numbers as printed."""
    rows = [line.split() for line in TABLES[serum].strip().splitlines()]
    return {row[0]: row[1:] for row in rows}


def row(circuit: Circuit, course: Mapping[str, Floats]) -> list[float]:
    """The table's columns from hourly courses."""
    days = [24, 72, 168]
    out = [float(course["mt"].max())]
    for name in ("mir34c_copies", "R", "rel", "EF"):
        out += [float(course[name][day]) for day in days]
    return [*out, longest_off(circuit, course), float(course["Q"][-1]), float(course["V"][-1])]


def misfit(found: list[float], printed: list[str]) -> Floats:
    """Each number's distance from the printed one, in units of what is allowed."""
    out = []
    for column, value, text in zip(COLUMNS, found, printed, strict=True):
        digits = len(text.partition(".")[2])
        allowed = 1.5 if column == "off h" else 0.5 * 10.0**-digits + 2e-4 * abs(float(text))
        out.append(abs(value - float(text)) / allowed)
    return np.array(out)


def main() -> list[Check]:
    circuit = load_circuit("mir34c-rab27b")
    checks = []
    for serum in TABLES:
        courses = {
            (engine, arm): grow(circuit, NAMES, serum=serum, genotype=genotype, treatment=treatment, engine=make)
            for engine, make in ENGINES.items()
            for arm, (genotype, treatment) in ARMS.items()
        }
        for engine in ENGINES:
            checks.append(_against_table(circuit, serum, engine, {a: courses[engine, a] for a in ARMS}))
        apart = {
            (arm, name): float(np.max(np.abs(courses["senexo", arm][name] - b)) / max(np.max(np.abs(b)), 1e-6))
            for arm in ARMS
            for name, b in courses["libRoadRunner", arm].items()
        }
        worst = max(apart, key=apart.__getitem__)
        checks.append(
            Check(f"S={serum:g}: senexo = libRoadRunner", apart[worst], 1e-4, apart[worst] <= 1e-4, " ".join(worst))
        )
    return checks


def _against_table(circuit: Circuit, serum: float, engine: str, courses: Mapping[str, Mapping[str, Floats]]) -> Check:
    misfits = {arm: misfit(row(circuit, courses[arm]), printed) for arm, printed in published(serum).items()}
    worst = max(misfits, key=lambda arm: float(misfits[arm].max()))
    column = COLUMNS[int(misfits[worst].argmax())]
    n, off = len(misfits) * len(COLUMNS), sum(int((m > 1).sum()) for m in misfits.values())
    return Check(
        f"S={serum:g}: the table, {engine}", float(misfits[worst].max()), 1.0, off == 0,
        f"{n - off} of {n} numbers; worst {worst} {column}",
    )  # fmt: skip
