"""The YAML file of a PEtab problem: its version, and where its tables and its model are."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from senexo.base.errors import Fault, InvalidInput, UnsupportedFeature
from senexo.base.files import no_plain_file

MOST_BYTES = 2**20
EXTENSION = "senexo"  # counts and censored values: see docs/fit.md
_LISTS = ("sbml_files", "condition_files", "measurement_files", "observable_files")
_LISTS_2 = ("parameter_files", "condition_files", "measurement_files", "observable_files", "experiment_files",
            "mapping_files")  # fmt: skip
_TOP_2 = ("format_version", "id", "model_files", "extensions", *_LISTS_2)
_TOP = ("format_version", "parameter_file", "problems", "extensions")


@dataclass(frozen=True)
class Files:
    """The files of one problem, by kind."""

    parameters: tuple[Path, ...] = ()
    models: tuple[Path, ...] = ()
    conditions: tuple[Path, ...] = ()
    measurements: tuple[Path, ...] = ()
    observables: tuple[Path, ...] = ()
    experiments: tuple[Path, ...] = ()
    mappings: tuple[Path, ...] = ()
    version: int = 1
    model_ids: tuple[str, ...] = ()
    extended: bool = False  # by `EXTENSION`


def read_yaml(path: Path, faults: list[Fault]) -> Files:
    """The files that a problem names, those that are there; what is wrong goes to `faults`.

    Raises
    ------
    InvalidInput
        The file cannot be read at all.
    UnsupportedFeature
        Several problems in one file, several models of version 1, a model that is not SBML, or an extension that the
        problem requires.
    """
    data = _load(path)
    if not isinstance(data, dict):
        raise InvalidInput([Fault(str(path), type(data).__name__, "a mapping with format_version and problems")])
    version = str(data.get("format_version", ""))
    if version.split(".")[0] not in ("1", "2"):
        expected = "1 or 2, the version of the PEtab format"
        faults.append(Fault(f"{path}: format_version", repr(data.get("format_version")), expected))
    top = _TOP_2 if version.split(".")[0] == "2" else _TOP
    for key in data:
        if key not in top:
            close = difflib.get_close_matches(str(key), top, n=1)
            faults.append(Fault(f"{path}: {key}", "an unknown key", close[0] if close else f"one of {', '.join(top)}"))
    extended = False
    for name, about in _items(data.get("extensions")):
        extended |= name == EXTENSION
        if name == EXTENSION:
            continue
        if not isinstance(about, dict) or about.get("required", True):
            raise UnsupportedFeature(f"the PEtab extension {name}", str(path))
    if top is _TOP_2:
        return replace(_files_2(path, data, faults), extended=extended)
    problems = data.get("problems")
    if not isinstance(problems, list) or not problems or not isinstance(problems[0], dict):
        raise InvalidInput([*faults, Fault(f"{path}: problems", repr(problems)[:60], "a list with one problem")])
    if len(problems) > 1:
        raise UnsupportedFeature(f"{len(problems)} problems in one file", f"{path}: write a file for each")
    return replace(_files(path, data, problems[0], faults), extended=extended)


def _items(value: Any) -> list[tuple[str, Any]]:
    return [(str(name), about) for name, about in value.items()] if isinstance(value, dict) else []


def _files(path: Path, data: dict[Any, Any], problem: dict[Any, Any], faults: list[Fault]) -> Files:
    found = {}
    for key in _LISTS:
        found[key] = _paths(path, f"problems, {key}", problem.get(key), faults)
        if not found[key] and problem.get(key) in (None, []):
            faults.append(Fault(f"{path}: problems, {key}", "no file", "at least one file"))
    parameters = _paths(path, "parameter_file", data.get("parameter_file"), faults)
    if data.get("parameter_file") in (None, []):
        faults.append(Fault(f"{path}: parameter_file", "no file", "the parameter table"))
    if len(found["sbml_files"]) > 1:
        raise UnsupportedFeature("several models in one problem", f"{path}: sbml_files")
    unread = [str(key) for key in problem if key not in (*_LISTS, "visualization_files")]
    faults += [Fault(f"{path}: problems, {key}", "an unknown key", f"one of {', '.join(_LISTS)}") for key in unread]
    return Files(
        tuple(parameters), tuple(found["sbml_files"]), tuple(found["condition_files"]),
        tuple(found["measurement_files"]), tuple(found["observable_files"]),
    )  # fmt: skip


def _files_2(path: Path, data: dict[Any, Any], faults: list[Fault]) -> Files:
    """The files of a problem of version 2."""
    found = {key: tuple(_paths(path, key, data.get(key), faults)) for key in _LISTS_2}
    for key in ("parameter_files", "measurement_files", "observable_files"):
        if data.get(key) in (None, []):
            faults.append(Fault(f"{path}: {key}", "no file", "at least one file"))
    models = data.get("model_files")
    if not isinstance(models, dict) or not models:
        found_models = "nothing" if models is None else repr(models)[:60]
        faults.append(Fault(f"{path}: model_files", found_models, "a model: {id: {location: FILE, language: sbml}}"))
        models = {}
    files, ids = list[Path](), list[str]()
    for id, about in models.items():
        where = f"model_files, {id}"
        if not isinstance(about, dict):
            faults.append(Fault(f"{path}: {where}", repr(about)[:60], "location and language"))
            continue
        if about.get("language") != "sbml":
            raise UnsupportedFeature(f"a model in {about.get('language')}", f"{path}: {where}; write it as SBML")
        there = _paths(path, f"{where}, location", about.get("location"), faults)[:1]
        if about.get("location") in (None, []):
            faults.append(Fault(f"{path}: {where}, location", "no file", "the file of the model"))
        files += there
        ids += [str(id)] * len(there)
    return Files(
        found["parameter_files"], tuple(files), found["condition_files"], found["measurement_files"],
        found["observable_files"], found["experiment_files"], found["mapping_files"], 2, tuple(ids),
    )  # fmt: skip


def _paths(path: Path, key: str, value: Any, faults: list[Fault]) -> list[Path]:
    names = (
        [value] if isinstance(value, str) else value if isinstance(value, list) else [] if value is None else [value]
    )
    found = []
    for name in names:
        where = f"{path}: {key}"
        if not isinstance(name, str):
            faults.append(Fault(where, repr(name)[:60], "the name of a file"))
            continue
        if "://" in name:
            faults.append(Fault(where, name, "a file beside this one: download it first"))
            continue
        file = path.parent / name
        try:
            wrong = no_plain_file(file)
        except (OSError, ValueError):
            wrong = "no such file"
        if wrong:
            faults.append(Fault(where, f"{wrong} at {file}", "a file that is there"))
        else:
            found.append(file)
    return found


def _load(path: Path) -> Any:
    import yaml

    try:
        if wrong := no_plain_file(path):
            raise InvalidInput([Fault(str(path), wrong, "the YAML file of a PEtab problem")])
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInput(
            [Fault(str(path), error.strerror or "no such file", "the YAML file of a PEtab problem")]
        ) from None
    if len(data) > MOST_BYTES:
        raise InvalidInput([Fault(str(path), f"more than {MOST_BYTES:,} bytes", "the YAML file of a PEtab problem")])
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}: row {mark.line + 1}, character {mark.column + 1}" if mark else str(path)
        found = str(getattr(error, "problem", None) or "text that is not YAML")
        raise InvalidInput([Fault(where, found, "YAML")]) from None
