"""Run every comparison in this folder (or the ones named) and print its table of ratios."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench

if __name__ == "__main__":
    names = sys.argv[1:] or sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_"))
    for name in names:
        importlib.import_module(f"bench.{name}").main()
