"""How many threads a process may use for computing."""

from __future__ import annotations

import os

VARIABLE = "SENEXO_THREADS"  # of the environment: the most threads that one process uses
OF_LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def available() -> int:
    """The cores that this process may use, or as many as `SENEXO_THREADS` says where these are fewer."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = os.environ.get(VARIABLE, "")
    return max(1, min(cores, int(said))) if said.isdecimal() else cores


def of_one() -> dict[str, str]:
    """The environment of a process that computes with one thread."""
    return {**os.environ, VARIABLE: "1", **dict.fromkeys(OF_LIBRARIES, "1")}
