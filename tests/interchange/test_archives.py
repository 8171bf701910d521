"""COMBINE archives: written and read, executed as BioSimulators asks, and hostile ones."""

from __future__ import annotations

import io
import stat
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from sedml_texts import SBML, SPECIES, document, generator, uniform

from senexo.app import biosimulators
from senexo.base.errors import InvalidModel, UnsupportedFeature
from senexo.interchange.archive_run import run_archive
from senexo.interchange.omex import FORMATS, MANIFEST, Archive, archive_bytes

S = SPECIES.format("S")
BOTH = generator("time", "time", "t") + generator("S", S, "t")


def packed(sedml: bytes, place: str = "sub/experiment.sedml") -> bytes:
    files = {place: (sedml, "sed-ml"), "sub/model.xml": (SBML.encode(), "sbml")}
    return archive_bytes(files, master=place)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "a.omex"
    path.write_bytes(packed(document(generators=BOTH)))
    return path


def test_what_is_written_is_read_and_equal_files_are_equal_bytes(archive: Path) -> None:
    assert archive.read_bytes() == packed(document(generators=BOTH))
    with Archive(archive) as found:
        assert [(one.location, one.format, one.master) for one in found.contents] == [
            ("sub/experiment.sedml", FORMATS["sed-ml"], True), ("sub/model.xml", FORMATS["sbml"], False),
        ]  # fmt: skip
        assert found.read("sub/model.xml") == SBML.encode()
        assert found.experiments() == ["sub/experiment.sedml"]


def test_libcombine_s_form_is_that_of_the_specification(archive: Path) -> None:
    """The manifest names the archive and itself, as the OMEX specification has it."""
    text = zipfile.ZipFile(archive).read(MANIFEST).decode()
    assert '<content location="." format="http://identifiers.org/combine.specifications/omex" />' in text
    assert (
        '<content location="./manifest.xml" format="http://identifiers.org/combine.specifications/omex-manifest" />'
        in text
    )
    assert text.count("<content") == 4


def test_reports_and_log_are_those_of_biosimulators(archive: Path, tmp_path: Path) -> None:
    done = run_archive(archive, tmp_path / "out")
    assert done.succeeded
    with h5py.File(tmp_path / "out" / "reports.h5") as file:
        assert dict(file["sub"].attrs) == {"uri": "sub", "combineArchiveLocation": "sub"}
        report = file["sub/experiment.sedml/r"]
        assert report.attrs["_type"] == "SedReport"
        assert report.attrs["uri"] == "sub/experiment.sedml/r"
        assert report.attrs["sedmlId"] == "r"
        assert list(report.attrs["sedmlDataSetIds"]) == ["d_time", "d_S"]
        assert list(report.attrs["sedmlDataSetLabels"]) == ["time", "S"]
        assert list(report.attrs["sedmlDataSetDataTypes"]) == ["float64"] * 2
        assert list(report.attrs["sedmlDataSetShapes"]) == ["5", "5"]
        np.testing.assert_allclose(report[1], 5.0 * np.exp(-0.5 * report[0]), rtol=1e-6)
    log = yaml.safe_load((tmp_path / "out" / "log.yml").read_text())
    assert log["status"] == "SUCCEEDED"
    (part,) = log["sedDocuments"]
    assert part["location"] == "sub/experiment.sedml"
    assert "CVODE" in part["output"]
    (task,) = part["tasks"]
    assert (task["id"], task["status"], task["algorithm"]) == ("t", "SUCCEEDED", "KISAO_0000288")
    assert {"key": "asked", "value": "KISAO:0000019"} in task["simulatorDetails"]
    assert part["outputs"][0]["dataSets"] == [
        {"id": "d_time", "status": "SUCCEEDED"},
        {"id": "d_S", "status": "SUCCEEDED"},
    ]


def test_the_command_says_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.omex"
    path.write_bytes(packed(document(simulations=uniform(kisao="KISAO:0000437"), generators=BOTH)))
    monkeypatch.setattr(sys, "argv", ["biosimulators-senexo", "-i", str(path), "-o", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        biosimulators.main()
    assert ended.value.code == 2  # nothing was carried out
    assert "flux balance analysis" in capsys.readouterr().err
    log = yaml.safe_load((tmp_path / "out" / "log.yml").read_text())
    assert log["status"] == "FAILED"
    assert log["sedDocuments"][0]["tasks"][0]["exception"]["type"] == "UnsupportedFeature"
    monkeypatch.setattr(
        sys, "argv", ["biosimulators-senexo", "-i", str(tmp_path / "none.omex"), "-o", str(tmp_path / "out")]
    )
    with pytest.raises(SystemExit) as ended:
        biosimulators.main()
    assert ended.value.code == 2
    assert yaml.safe_load((tmp_path / "out" / "log.yml").read_text())["exception"]["type"] == "InvalidModel"


def test_a_document_without_an_archive_reads_models_beside_it_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "e.sedml").write_bytes(document(generators=BOTH))
    (tmp_path / "in" / "model.xml").write_text(SBML)
    assert run_archive(tmp_path / "in" / "e.sedml", tmp_path / "out").succeeded
    outside = document(
        models='<model id="m" language="urn:sedml:language:sbml" source="../secret.xml"/>', generators=BOTH
    )
    (tmp_path / "in" / "f.sedml").write_bytes(outside)
    (tmp_path / "secret.xml").write_text(SBML)
    done = run_archive(tmp_path / "in" / "f.sedml", tmp_path / "out")
    assert "outside the folder" in done.errors[0]


@pytest.mark.parametrize("missing", ["libsedml", "h5py"])
def test_a_missing_package_is_named(
    missing: str, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == missing else there(name, *rest)
    )
    with pytest.raises(UnsupportedFeature, match=r"pip install 'senexo\[interchange\]'"):
        run_archive(archive, tmp_path / "out")


# ---- hostile archives


def raw(entries: list[tuple[str, bytes]], change: Callable[[zipfile.ZipInfo], None] = lambda entry: None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            change(entry)
            file.writestr(entry, data)
    return stream.getvalue()


def manifest(locations: str = "e.sedml") -> tuple[str, bytes]:
    rows = "".join(f'<content location="{one}" format="{FORMATS["sed-ml"]}"/>' for one in locations.split())
    return MANIFEST, f'<omexManifest xmlns="{FORMATS["manifest"]}">{rows}</omexManifest>'.encode()


def link(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


HOSTILE = {
    "no zip": (b"not a zip", "which is a zip file"),
    "no manifest": (raw([("a.xml", b"<a/>")]), "there is no 'manifest.xml'"),
    "another manifest": (raw([(MANIFEST, b"<a/>")]), "its first element is not omexManifest"),
    "an entity bomb in the manifest": (raw([(MANIFEST, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')]), "a DOCTYPE is not allowed"),
    "a path out": (raw([manifest(), ("../x", b"")]), "its name leaves the archive"),
    "an absolute path": (raw([manifest(), ("/x", b"")]), "its name leaves the archive"),
    "a drive": (raw([manifest(), ("C:x", b"")]), "its name leaves the archive"),
    "a location out": (raw([manifest("../../etc/passwd")]), "is not inside the archive"),
    "a link": (raw([manifest(), ("x", b"/etc/passwd")], link), "a link"),
    "too many entries": (raw([manifest()] + [(f"f{k}", b"") for k in range(10_001)]), "at most 10,000"),
    "no experiment": (raw([manifest(""), ("x", b"")]), "lists no SED-ML document"),
    "a truncated zip": (packed(document(generators=BOTH))[:-400], "not a COMBINE archive"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives(name: str, tmp_path: Path) -> None:
    data, said = HOSTILE[name]
    path = tmp_path / "a.omex"
    path.write_bytes(data)
    with pytest.raises(InvalidModel, match=said):
        run_archive(path, tmp_path / "out")


def test_a_zip_bomb_is_refused_by_its_stated_size_and_by_its_true_one(tmp_path: Path) -> None:
    path = tmp_path / "bomb.omex"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(*manifest())
        with file.open("e.sedml", "w", force_zip64=True) as stream:
            for _ in range(520):
                stream.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    with pytest.raises(InvalidModel, match="unpacks to more than 512 MiB"):
        Archive(path)
    data = bytearray(raw([manifest(), ("e.sedml", bytes(50_000))]))
    for at in (data.rfind(b"PK\x01\x02") + 24, data.rfind(b"PK\x03\x04") + 22):
        data[at : at + 4] = (10).to_bytes(4, "little")  # 50,000 bytes that are said to be 10
    path.write_bytes(bytes(data))
    with (
        Archive(path) as found,
        pytest.raises(
            InvalidModel,
            match="cannot be unpacked|not of the size",  # noqa: RUF043
        ),
    ):
        found.read("e.sedml")


def test_damaged_archives_give_a_message(tmp_path: Path) -> None:
    """300 archives with bytes changed at random (seed 1): read, or refused with a message."""
    rng = np.random.default_rng(1)
    good = packed(document(generators=BOTH))
    path, refused = tmp_path / "a.omex", 0
    for _ in range(300):
        data = bytearray(good)
        for at in rng.integers(0, len(data), rng.integers(1, 6)):
            data[at] = rng.integers(256)
        path.write_bytes(bytes(data))
        try:
            with Archive(path) as found:
                for one in found.contents:
                    found.read(one.location)
        except InvalidModel:
            refused += 1
    assert refused > 50
