"""Runs on a disk that is full, at many sizes: `python -m verify._full_disk SIZES`, in a mount namespace of its own.

Prints as JSON what went wrong: a run without one message that names the full disk, a folder that is not sound, or a
resume, once there is room, that ends at another digest.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from senexo.base.verification import verify as verified
from verify._interrupted import STUDIES, drawn, prepared, refusal, resumed

ROOM = "256m"


def main(sizes: int) -> None:
    wrong, full, fitted, largest = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as name, mock.patch("senexo.report.page.render", drawn):
        disk = Path(name) / "disk"
        disk.mkdir()
        for number, study in enumerate(STUDIES):
            whole = Path(name) / f"whole-{number}"
            digest = prepared(study, whole)
            need = sum(path.stat().st_blocks * 512 for path in whole.rglob("*") if path.is_file()) // 1024
            count = sizes // len(STUDIES)
            for k in range(count):
                size = max(64, need * (k + 1) // count)  # KiB
                largest = max(largest, size)
                _mount(f"size={size}k", disk)
                try:
                    said = refusal(study, disk / "out")
                    if said == "no refusal":
                        fitted += 1
                    else:
                        full += 1
                        if "No space left on device" not in said and "full" not in said:
                            wrong.append(f"{study}, {size} KiB: {said[:120]}")
                    held = verified(disk / "out").faults if (disk / "out" / "ledger.sqlite").is_file() else ()
                    wrong += [f"{study}, {size} KiB: {fault}" for fault in held]
                    _mount(f"remount,size={ROOM}", disk)
                    if (found := resumed(study, disk / "out")) != digest:
                        wrong.append(f"{study}, {size} KiB: resumed to {found[:80]}")
                finally:
                    subprocess.run(["umount", disk], check=True)
    sys.stdout.write(json.dumps({"wrong": wrong, "full": full, "fitted": fitted, "largest": largest}) + "\n")


def _mount(options: str, place: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
