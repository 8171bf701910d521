"""Result folders as RO-Crates: the structure that the specification asks for, and nothing lost."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from senexo.app.cli import app
from senexo.base.errors import InvalidInput, StoreError
from senexo.base.store import Store
from senexo.interchange.ro_crate import CONTEXT, METADATA, PROFILE, SPECIFICATION, write_crate

STUDY = b'title = "A study"\nseed = 3\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished result folder, as a run writes it."""
    place = tmp_path / "results"
    with Store(place, {"study": "a"}, resume=False) as store:
        store.write("study.resolved.toml", STUDY)
        store.write("findings.json", b"[]")
        store.write("tables/a.csv", b"x\n1\n")
        run = {"version": "0.2.0", "seed": 3, "digest": store.digest(), "libraries": {"numpy": "2.0"}}
        store.write("run.json", json.dumps(run).encode())
        store.seal()
    return place


def graph_of(path: Path) -> dict[str, dict[str, Any]]:
    with zipfile.ZipFile(path) as crate:
        metadata = json.loads(crate.read(METADATA))
    assert metadata["@context"] == CONTEXT
    assert metadata.keys() == {"@context", "@graph"}
    entities = {one["@id"]: one for one in metadata["@graph"]}
    assert len(entities) == len(metadata["@graph"])  # no id twice
    return entities


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [value["@id"]] if value.keys() == {"@id"} else [id for one in value.values() for id in references(one)]
    return [id for one in value for id in references(one)] if isinstance(value, list) else []


def test_the_structure_is_that_of_the_specification(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "crate.zip"
    people = ["https://orcid.org/0000-0002-1825-0097 Josiah Carberry", "Jane Doe"]
    n = write_crate(folder, out, authors=people, license="https://creativecommons.org/licenses/by/4.0/")
    entities = graph_of(out)
    assert entities[METADATA]["about"] == {"@id": "./"}
    assert entities[METADATA]["conformsTo"] == {"@id": SPECIFICATION}
    root = entities["./"]
    assert (root["@type"], root["name"], root["conformsTo"]) == ("Dataset", "A study", {"@id": PROFILE})
    assert len(root["datePublished"]) == 10
    assert entities[root["author"][0]["@id"]]["name"] == "Josiah Carberry"
    assert entities["https://creativecommons.org/licenses/by/4.0/"]["@type"] == "CreativeWork"
    action = entities[root["mentions"]["@id"]]
    assert action["@type"] == "CreateAction"
    assert action["object"] == [{"@id": "study.resolved.toml"}]
    assert entities[action["instrument"]["@id"]]["softwareVersion"] == "0.2.0"
    outside = {"http://schema.org/CompletedActionStatus"}
    for entity in entities.values():
        own = {key: value for key, value in entity.items() if key != "@id"}
        assert not set(references(own)) - entities.keys() - outside - {SPECIFICATION}
    with zipfile.ZipFile(out) as crate:
        names = set(crate.namelist())
        assert len(names) == n + 1
        files = {id for id, one in entities.items() if one["@type"] == "File"}
        assert files == names - {METADATA}
        for id in files:
            data = crate.read(id)
            assert entities[id]["sha256"] == hashlib.sha256(data).hexdigest()
            assert entities[id]["contentSize"] == str(len(data))
        linked = {id for one in entities.values() for id in references(one.get("hasPart", []))}
        assert files <= linked
        assert crate.read("tables/a.csv") == b"x\n1\n"


def test_what_is_not_as_it_was_written_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "tables" / "a.csv").write_text("x\n2\n")
    with pytest.raises(StoreError, match="only a finished folder"):
        write_crate(folder, tmp_path / "crate.zip")
    assert not (tmp_path / "crate.zip").exists()


@pytest.mark.parametrize(
    ("out", "license", "said"), [("crate.tar", None, "ends in .zip"), ("crate.zip", "CC-BY", "a URL")]
)
def test_refused_requests(folder: Path, tmp_path: Path, out: str, license: str | None, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        write_crate(folder, tmp_path / out, license=license)


def test_the_command_line_overwrites_only_on_request(folder: Path, tmp_path: Path) -> None:
    command = ["crate", str(folder), "--out", str(tmp_path / "c.zip"), "--author", "Jane Doe"]
    assert "ro-crate-metadata.json" in CliRunner().invoke(app, command, catch_exceptions=False).stdout
    with pytest.raises(StoreError, match="is there already"):
        CliRunner().invoke(app, command, catch_exceptions=False)
    assert CliRunner().invoke(app, [*command, "--overwrite"], catch_exceptions=False).exit_code == 0
