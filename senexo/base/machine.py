"""What the machine has to give."""

from __future__ import annotations

import os
from pathlib import Path


def available_memory() -> float:
    """Bytes a process may still take: what the system has free, or what its container allows, if that is less."""
    limits = [float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))] if hasattr(os, "sysconf") else []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        limits += [1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
        limits.append(float(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):  # not Linux, or no limit ("max")
        pass
    return min(limits, default=float("inf"))
