"""A finished result folder as an RO-Crate: a zip of its files with ro-crate-metadata.json.

The folder itself is left as it is, since every file in it is vouched for by its ledger.
Sources: RO-Crate 1.1 (doi 10.5281/zenodo.4541002), Process Run Crate 0.5 (doi 10.1371/journal.pone.0309210).
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from senexo import __version__
from senexo.base.atomic import output_file
from senexo.base.errors import Fault, InvalidInput, StoreError
from senexo.base.store import read_ledger, read_recorded
from senexo.base.verification import verify

METADATA = "ro-crate-metadata.json"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_SOFTWARE = "#senexo"
_FORMATS = {
    ".html": "text/html", ".json": "application/json", ".toml": "application/toml", ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet", ".npz": "application/x-npz", ".sqlite": "application/vnd.sqlite3",
    ".sha256": "text/plain", ".txt": "text/plain", ".svg": "image/svg+xml", ".png": "image/png",
}  # fmt: skip
_ABOUT = {
    "report.html": "Report of the study", "run.json": "What the results depend on, and what is needed to repeat them",
    "study.resolved.toml": "The study, with every default, law, dose and action made explicit",
    "findings.json": "Findings of the assays and the claim", "ledger.sqlite": "Path, size and SHA-256 of every file",
    "ledger.sha256": "SHA-256 of the ledger",
}  # fmt: skip


def write_crate(
    folder: str | Path, out: str | Path, *, authors: Sequence[str] = (), license: str | None = None,
    overwrite: bool = False,
) -> int:  # fmt: skip
    """Write a finished result folder as a zipped RO-Crate.

    Parameters
    ----------
    folder
        The result folder; every byte is compared with its ledger first.
    out
        A new .zip.
    authors
        Names, or ORCID URLs with a name: "https://orcid.org/0000-... Jane Doe".
    license
        A URL, for example of a Creative Commons licence.
    overwrite
        Whether a file at `out` is replaced.

    Returns
    -------
    int
        The number of files in it, without the metadata.

    Raises
    ------
    StoreError
        The folder is no finished one, or differs from its ledger; or `out` is taken.
    InvalidInput
        `out` does not end in .zip, or the licence is no URL.
    """
    folder, out = Path(folder), Path(out)
    faults = []
    if out.suffix != ".zip":
        faults.append(Fault("out", str(out), "a file that ends in .zip"))
    if license is not None and not license.startswith(("https://", "http://")):
        faults.append(Fault("license", repr(license), "a URL, such as https://creativecommons.org/licenses/by/4.0/"))
    if faults:
        raise InvalidInput(faults)
    verdict = verify(folder)
    if verdict.faults or not verdict.finished:
        state = f"{len(verdict.faults)} faults" if verdict.faults else "unfinished"
        raise StoreError(f"{folder}: {state}; only a finished folder whose every byte is as written becomes a crate")
    with read_ledger(folder) as ledger:
        found = ledger.execute("SELECT path, sha256, bytes FROM files").fetchall()
    files = {str(path): (str(digest), int(size)) for path, digest, size in found}
    run = json.loads(read_recorded(folder, "run.json"))
    study = read_recorded(folder, "study.resolved.toml").decode() if "study.resolved.toml" in files else ""
    for own in ("ledger.sqlite", "ledger.sha256"):
        data = (folder / own).read_bytes()
        files[own] = (hashlib.sha256(data).hexdigest(), len(data))
    when = datetime.fromtimestamp((folder / "run.json").stat().st_mtime, UTC)
    metadata = metadata_of(files, run, _title(study) or folder.name, when, authors=authors, license=license)
    text = json.dumps(metadata, indent=2, ensure_ascii=False).encode()
    with (
        output_file(out, overwrite=overwrite) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as crate,
    ):
        crate.writestr(METADATA, text)
        for path in sorted(files):
            crate.write(folder / path, path)
    return len(files)


def metadata_of(
    files: Mapping[str, tuple[str, int]], run: Mapping[str, Any], title: str, when: datetime, *,
    authors: Sequence[str] = (), license: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The metadata of files (path -> SHA-256, bytes) of a run (its run.json)."""
    people = [_person(k, author) for k, author in enumerate(authors)]
    inputs = [path for path in ("study.resolved.toml",) if path in files]
    folders = sorted({path.split("/")[0] for path in files if "/" in path})
    parts = [{"@id": f"{one}/"} for one in folders] + [{"@id": path} for path in sorted(files) if "/" not in path]
    description = (
        f"Results of a simulated study by senexo {run.get('version', __version__)}, seed {run.get('seed')}. SHA-256 of"
        f" all results: {run.get('digest')}."
    )
    root: dict[str, Any] = {
        "@id": "./", "@type": "Dataset", "name": title, "datePublished": when.date().isoformat(),
        "description": description,
        "conformsTo": {"@id": PROFILE}, "hasPart": parts, "mentions": {"@id": "#run"},
    }  # fmt: skip
    if license is not None:
        root["license"] = {"@id": license}
    if people:
        root["author"] = [{"@id": one["@id"]} for one in people]
    action: dict[str, Any] = {
        "@id": "#run", "@type": "CreateAction", "name": f"senexo run: {title}", "endTime": when.isoformat(),
        "instrument": {"@id": _SOFTWARE}, "object": [{"@id": path} for path in inputs],
        "result": [part for part in parts if part["@id"] not in inputs],
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }  # fmt: skip
    if people:
        action["agent"] = [{"@id": one["@id"]} for one in people]
    graph: list[dict[str, Any]] = [
        {
            "@id": METADATA, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": SPECIFICATION},
        },
        root,
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {
            "@id": _SOFTWARE, "@type": "SoftwareApplication", "name": "senexo",
            "softwareVersion": str(run.get("version", __version__)),
            "softwareRequirements": ", ".join(f"{name} {v}" for name, v in dict(run.get("libraries", {})).items()),
        },
        action,
        *people,
    ]  # fmt: skip
    if license is not None:
        graph.append({"@id": license, "@type": "CreativeWork", "name": license})
    for one in folders:
        inside = [path for path in sorted(files) if path.startswith(f"{one}/")]
        graph.append({"@id": f"{one}/", "@type": "Dataset", "name": one, "hasPart": [{"@id": path} for path in inside]})
    graph += [_file(path, *files[path]) for path in sorted(files)]
    return {"@context": CONTEXT, "@graph": graph}


def _file(path: str, digest: str, size: int) -> dict[str, Any]:
    name = posixpath.basename(path)
    suffix = posixpath.splitext(name)[1]
    found: dict[str, Any] = {"@id": path, "@type": "File", "name": _ABOUT.get(path, name), "contentSize": str(size)}
    found["sha256"] = digest
    found["encodingFormat"] = _FORMATS.get(suffix, "application/octet-stream")
    return found


def _person(k: int, author: str) -> dict[str, Any]:
    first, _, rest = author.partition(" ")
    if first.startswith("https://orcid.org/"):
        return {"@id": first, "@type": "Person", "name": rest or first}
    return {"@id": f"#author-{k + 1}", "@type": "Person", "name": author}


def _title(study: str) -> str:
    import tomllib

    return str(tomllib.loads(study).get("title", "")) if study else ""
