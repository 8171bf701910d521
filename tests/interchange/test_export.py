"""Models and studies as COMBINE archives: equal documents come back, valid for libSEDML, and the same courses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sedml_texts import SPECIES, document, generator, math, uniform, variable
from typer.testing import CliRunner

import senexo
from senexo.app.cli import app
from senexo.base.errors import InvalidInput
from senexo.interchange.archive_run import run_archive
from senexo.interchange.experiment import Results, read_sedml
from senexo.interchange.export import export_model, export_study
from senexo.interchange.omex import Archive
from senexo.interchange.sedml_write import to_sedml

ROOT = Path(__file__).parents[2]
VALID = """
import sys, libsedml
document = libsedml.readSedMLFromString(sys.stdin.read())
bad = [document.getError(k).getMessage() for k in range(document.getNumErrors()) if document.getError(k).getSeverity() >= 2]
print("\\n".join(bad))
"""


def faults_of(sedml: bytes) -> str:
    """What libSEDML itself says, in a process of its own."""
    return (
        subprocess.run([sys.executable, "-c", VALID], input=sedml, capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )


def everything() -> bytes:
    """A document with every element that is written."""
    s, k = SPECIES.format("S"), "/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='k']"
    now = f"<listOfVariables>{variable('y', k + '/@value', model='m')}</listOfVariables><listOfParameters><parameter id='p' value='0.1'/></listOfParameters>"
    formula = math("<apply><times/><ci>p</ci><apply><exp/><ci>y</ci></apply></apply>")
    models = (
        '<model id="m" language="urn:sedml:language:sbml" source="model.xml"/><model id="n" language="urn:sedml:language:sbml" '
        f'source="#m"><listOfChanges><changeAttribute target="{k}/@value" newValue="1"/><computeChange target="{k}/@value">'
        f'{now}{formula}</computeChange><removeXML target="{k}"/></listOfChanges></model>'
    )
    simulations = (
        uniform(parameters='<algorithmParameter kisaoID="KISAO:0000209" value="1e-9"/>')
        + '<oneStep id="one" step="0.1"><algorithm kisaoID="KISAO:0000019"/></oneStep>'
        + '<steadyState id="rest"><algorithm kisaoID="KISAO:0000407"/></steadyState>'
    )
    ranges = (
        '<uniformRange id="i" start="0.1" end="3" numberOfSteps="4" type="log"/><vectorRange id="v"><value>0.1</value><value>2</value>'
        f'</vectorRange><functionalRange id="f" range="i">{now.replace("id=" + chr(39) + "y", "id=" + chr(39) + "y")}{formula}</functionalRange>'
    )
    change = f'<setValue modelReference="m" range="i" target="{s}">{math("<ci>i</ci>")}</setValue>'
    tasks = (
        '<task id="t" modelReference="m" simulationReference="sim"/><repeatedTask id="R" range="i" resetModel="true"><listOfRanges>'
        f'{ranges}</listOfRanges><listOfChanges>{change}</listOfChanges><listOfSubTasks><subTask order="1" task="t"><listOfChanges>'
        f"{change}</listOfChanges></subTask></listOfSubTasks></repeatedTask>"
    )
    share = "<apply><csymbol encoding='text' definitionURL='http://sed-ml.org/#max'>max</csymbol><ci>x</ci></apply>"
    made = generator("time", "time", "t") + generator("S", s, "R", share, more=' term="KISAO:0000841"')
    outputs = (
        '<report id="r" name="a report"><listOfDataSets><dataSet id="d" label="S" dataReference="S"/></listOfDataSets></report>'
        '<plot2D id="p"><listOfCurves><curve id="c" xDataReference="time" yDataReference="S" type="points"/></listOfCurves></plot2D>'
    )
    return document(models=models, simulations=simulations, tasks=tasks, generators=made, outputs=outputs)


def test_what_is_written_reads_back_equal_and_is_valid() -> None:
    read = read_sedml(everything())
    written = to_sedml(read)
    assert read_sedml(written) == read
    assert faults_of(written) == ""


def test_a_model_and_its_course(tmp_path: Path) -> None:
    model = senexo.load(ROOT / "examples" / "telegraph.ant")
    exported = export_model(model, end=24, points=25)
    assert faults_of(to_sedml(exported.document)) == ""
    exported.write(tmp_path / "m.omex")
    with Archive(tmp_path / "m.omex") as archive:
        (tmp_path / "model.xml").write_bytes(archive.read("model.xml"))
    assert senexo.load(tmp_path / "model.xml").network == model.network
    (found,) = run_archive(tmp_path / "m.omex", tmp_path / "out").documents.values()
    assert isinstance(found, Results)
    course = senexo.simulate(model, np.linspace(0, 24, 25))
    for id in ("mRNA", "protein"):
        if id in course:
            np.testing.assert_allclose(found["report"][id], course[id][0], rtol=1e-6)
    assert found["plot"].keys() >= {"run_time"}


def test_an_arm_of_a_study_is_its_schedule(tmp_path: Path) -> None:
    """The shipped example of a model of one's own: each arm equals `simulate` with the same changes."""
    study = senexo.read_study(ROOT / "examples" / "own-model.toml")
    model = senexo.load(study.model.circuit or study.model.file or "")
    exported = export_study(study, model)
    assert faults_of(to_sedml(exported.document)) == ""
    assert read_sedml(to_sedml(exported.document)) == exported.document
    exported.write(tmp_path / "s.omex")
    (found,) = run_archive(tmp_path / "s.omex", tmp_path / "out").documents.values()
    assert isinstance(found, Results)
    assert all(one.status == "SUCCEEDED" for one in found.outputs), [c.error for o in found.outputs for c in o.columns]
    before, end = study.culture.preequilibration_h, study.culture.duration_h
    arms = list(study.arms)
    compared = 0
    for name, filled in zip(arms, found.outputs, strict=True):
        arm = study.arms[name]
        schedule: dict[float, dict[str, str]] = {}
        for action in (*arm.genotype, *study.culture.medium, *arm.schedule):
            at = -before if action.time_h is None else action.time_h
            forms = {"set": "{1!r}", "multiply": "{0}*{1!r}", "add": "{0} + {1!r}"}
            text = forms[action.operation].format(action.target, action.value)
            assert action.target not in schedule.get(at, {})
            schedule.setdefault(at, {})[action.target] = text
        course = senexo.simulate(exported.network, [end], start=-before, changes=schedule)
        values = found[filled.output.id]
        ids = {column.label: column for column in filled.columns}
        for label in ids.keys() - {"time"}:
            if label in course:
                compared += 1
                last = values[label][0, -1]
                np.testing.assert_allclose(last[np.isfinite(last)][-1], float(course[label][0, 0]), rtol=1e-5)
    assert compared >= len(arms)


def test_a_coupled_study_says_what_it_leaves_out() -> None:
    study = senexo.read_study(ROOT / "examples" / "coupled.toml")
    assert study.model.circuit is not None
    exported = export_study(study, senexo.load(study.model.circuit))
    said = "\n".join(exported.left_out)
    for word in (
        "division",
        "shared medium (medium, insert)",
        "Transwell",
        "Donors (3)",
        "Variation",
        "hybrid",
        "balance, qpcr",
    ):
        assert word in said
    assert [one.name for one in exported.document.outputs] == [
        "mock, LSC", "mimic, LSC", "across, MSC", "across insert, LSC", "across-no-export, MSC", "across-no-export insert, LSC",
    ]  # fmt: skip
    document = exported.document
    dosed = next(task for task in document.tasks if task.id == "mimic_LSC")
    assert dosed.subtasks[-1].changes[0].formula.variables[0].target == SPECIES.format("L")
    assert faults_of(to_sedml(document)) == ""


def test_the_command_line(tmp_path: Path) -> None:
    out = tmp_path / "m.omex"
    runner = CliRunner()
    command = ["export", str(ROOT / "examples" / "telegraph.ant"), "--end", "24", "--points", "25", "--out", str(out)]
    assert runner.invoke(app, command, catch_exceptions=False).exit_code == 0
    with Archive(out) as written, Archive(ROOT / "examples" / "telegraph.omex") as shipped:
        assert written.contents == shipped.contents
        for name in ("model.xml", "experiment.sedml"):
            assert written.read(name) == shipped.read(name)
    for more, said in (([], "--end"), (["--end", "-1"], "a time greater than 0")):
        with pytest.raises(InvalidInput, match=said):
            runner.invoke(
                app, [command[0], command[1], "--out", str(tmp_path / "n.omex"), *more], catch_exceptions=False
            )
