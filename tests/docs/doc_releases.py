"""Dates of the locked versions and of each package's last release: writes tests/docs/releases.csv.

python tests/docs/doc_releases.py INDEX (a package index that answers in JSON with upload times, PEP 700). Run it after
a change of requirements/run.lock; the tests read the file alone.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import urllib.request
from collections import defaultdict

from doc_packages import RELEASES, locked
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

JSON = "application/vnd.pypi.simple.v1+json"


def released(index: str, name: str) -> dict[Version, str]:
    """Date of the first file of each version; versions that were withdrawn are left out."""
    request = urllib.request.Request(f"{index.rstrip('/')}/{name}/", headers={"Accept": JSON})
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = json.load(answer)["files"]
    dates: dict[Version, list[str]] = defaultdict(list)
    for file in files:
        wheel = file["filename"].endswith(".whl")
        try:
            version = (parse_wheel_filename if wheel else parse_sdist_filename)(file["filename"])[1]
        except (InvalidVersion, ValueError):
            continue
        if not file.get("yanked") and re.match(r"\d{4}-\d\d-\d\d", file.get("upload-time", "")):
            dates[version].append(file["upload-time"][:10])
    return {version: min(found) for version, found in dates.items()}


def main(index: str) -> None:
    with RELEASES.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["package", "version", "released", "newest", "newest_released"])
        for name, version in locked().items():
            dates = released(index, name)
            newest = max(one for one in dates if not one.is_prerelease)
            table.writerow([name, version, dates[Version(version)], newest, dates[newest]])


if __name__ == "__main__":
    main(sys.argv[1])
