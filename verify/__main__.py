"""Run every check in this folder (or the ones named) and print a table of verdicts."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import verify


def main() -> int:
    names = sys.argv[1:] or sorted(m.name for m in pkgutil.iter_modules(verify.__path__) if not m.name.startswith("_"))
    failed = 0
    for name in names:
        for check in importlib.import_module(f"verify.{name}").main():
            failed += not check.passed
            verdict = "pass" if check.passed else "FAIL"
            print(
                f"{verdict}  {name:<22} {check.name:<44} {check.statistic:>12.5g}  (bar {check.bar:g})  {check.detail}"
            )
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
