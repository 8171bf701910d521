"""Are all files of the package in the wheel, and nothing that is none? Usage: check_wheel.py FOLDER."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path


def main(folder: Path) -> None:
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    listed = subprocess.run(["git", "ls-files", "-z", "senexo"], capture_output=True, text=True, check=True).stdout
    source = {name for name in listed.split("\0") if name and Path(name).exists()}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}
    inside = {name for name in packed if ".dist-info/" not in name}
    with tarfile.open(sdist) as tar:
        unpacked = {member.name.partition("/")[2] for member in tar if member.isfile()}
    faults = [
        *(f"not in the wheel: {name}" for name in sorted(source - inside)),
        *(f"in the wheel, and no file of the package: {name}" for name in sorted(inside - source)),
        *(f"not in the sdist: {name}" for name in sorted({*source, "LICENSE", "README.md"} - unpacked)),
        *("no licence in the wheel" for _ in range(not any(name.endswith("/LICENSE") for name in packed))),
    ]
    if faults:
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
