"""SED-ML documents carried out, against closed forms of their models: S(t) = 5 e^(-t/2), N -> 40."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log, sqrt

import numpy as np
import pytest
from sedml_texts import PARAMETER, SBML, SPECIES, document, generator, math, uniform, variable

from senexo.base.errors import InvalidModel, SenexoError, UnsupportedFeature
from senexo.interchange.experiment import Results, read_sedml
from senexo.interchange.tasks import MOST_POINTS, MOST_RUNS

Run = Callable[..., Results]
S, N, K = SPECIES.format("S"), SPECIES.format("N"), PARAMETER.format("k")
LOCAL = (
    "/sbml:sbml/sbml:model/sbml:listOfReactions/sbml:reaction[@id='lose']/sbml:kineticLaw/sbml:listOfLocalParameters/"
    "sbml:localParameter[@id='q']"
)
TASK = '<task id="t" modelReference="m" simulationReference="sim"/>'
TIMES = np.arange(5.0)


def decay(times: np.ndarray, start: float = 5.0, k: float = 0.5) -> np.ndarray:
    return np.asarray(start * np.exp(-k * times))


def repeated(ranges: str, changes: str = "", *, id: str = "R", reset: bool = True, range: str = "i", tasks: str = "t",
             more: str = "", inner: str = "") -> str:  # fmt: skip
    subs = "".join(f'<subTask order="{k}" task="{one}">{inner}</subTask>' for k, one in enumerate(tasks.split()))
    return (
        f'<repeatedTask id="{id}" range="{range}" resetModel="{str(reset).lower()}"{more}><listOfRanges>{ranges}'
        f"</listOfRanges><listOfChanges>{changes}</listOfChanges><listOfSubTasks>{subs}</listOfSubTasks></repeatedTask>"
    )


def set_value(target: str, inside: str = "<ci>i</ci>", range: str = "i") -> str:
    return f'<setValue modelReference="m" range="{range}" target="{target}">{math(inside)}</setValue>'


VECTOR = '<vectorRange id="i"><value>1</value><value>4</value></vectorRange>'


# ---- time courses


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_time_course_of_every_version(run: Run, version: int) -> None:
    found = run(document(version=version, generators=generator("time", "time", "t") + generator("S", S, "t")))["r"]
    np.testing.assert_array_equal(found["time"], TIMES)
    np.testing.assert_allclose(found["S"], decay(TIMES), rtol=1e-6)


def test_species_are_what_the_model_s_formulas_read(run: Run) -> None:
    """S is a concentration, N an amount; an attribute says otherwise."""
    made = generator("S", S, "t") + generator("N", N, "t") + generator("A", f"{S}/@initialAmount", "t")
    made += generator("rate", "/sbml:sbml/sbml:model/sbml:listOfReactions/sbml:reaction[@id='out']", "t")
    made += generator("k", K, "t") + generator("c", "//sbml:compartment[@id='c']/@size", "t")
    found = run(document(generators=made))["r"]
    np.testing.assert_allclose(found["S"], decay(TIMES), rtol=1e-6)
    np.testing.assert_allclose(found["N"], 40.0, rtol=1e-6)
    np.testing.assert_allclose(found["A"], 2.0 * found["S"])
    np.testing.assert_allclose(found["rate"], 0.5 * found["A"])
    assert found["k"].tolist() == [0.5] * 5
    assert found["c"].tolist() == [2.0] * 5


def test_output_begins_later_and_the_initial_time_is_the_model_s(run: Run) -> None:
    data = document(simulations=uniform(initial=10, begin=11, end=13, steps=2),
                    generators=generator("time", "time", "t") + generator("S", S, "t"))  # fmt: skip
    found = run(data)["r"]
    assert found["time"].tolist() == [11.0, 12.0, 13.0]
    np.testing.assert_allclose(found["S"], decay(np.array([1.0, 2.0, 3.0])), rtol=1e-6)


def test_one_step_and_steady_state(run: Run) -> None:
    one = '<oneStep id="sim" step="2"><algorithm kisaoID="KISAO:0000288"/></oneStep>'
    found = run(document(simulations=one, generators=generator("S", S, "t")))
    np.testing.assert_allclose(found["r"]["S"], [decay(np.array([2.0]))[0]], rtol=1e-6)
    assert found.notes == ()
    rest = '<steadyState id="sim"><algorithm kisaoID="KISAO:0000407"/></steadyState>'
    changes = '<model id="m" language="urn:sedml:language:sbml" source="model.xml"><listOfChanges>'
    changes += f'<changeAttribute target="{N}/@initialAmount" newValue="3"/></listOfChanges></model>'
    found = run(document(models=changes, simulations=rest, generators=generator("N", N, "t")))
    np.testing.assert_allclose(found["r"]["N"], [40.0], rtol=1e-9)


def test_exact_trajectories_have_the_mean_of_the_law(run: Run) -> None:
    """N is Poisson around 40 in the long run: the mean of 60 runs within 5 of its standard deviations (1e-6)."""
    simulations = uniform(begin=50, initial=0, end=50, steps=0, kisao="KISAO:0000027",
                          parameters='<algorithmParameter kisaoID="KISAO:0000488" value="7"/>')  # fmt: skip
    tasks = TASK + repeated('<uniformRange id="i" start="1" end="60" numberOfSteps="59" type="linear"/>')
    found = run(document(simulations=simulations, tasks=tasks, generators=generator("N", N, "R")))
    values = found["r"]["N"].ravel()
    assert len(set(values)) > 5  # each run is one of its own
    assert abs(values.mean() - 40.0) < 5.0 * sqrt(40.0 / 60.0)
    assert "Gibson-Bruck" in found.notes[0]


# ---- changes of models


def test_models_with_attributes_computed_and_derived(run: Run) -> None:
    """m2 is m with k doubled twice: once by an attribute, once by a formula of it."""
    compute = f'<computeChange target="{K}/@value"><listOfVariables>{variable("y", K + "/@value", model="m")}'
    compute += "</listOfVariables>" + math("<apply><times/><cn>2</cn><ci>y</ci></apply>") + "</computeChange>"
    models = '<model id="m" language="urn:sedml:language:sbml" source="model.xml"><listOfChanges>'
    models += f'<changeAttribute target="{K}/@value" newValue="1"/></listOfChanges></model>'
    models += f'<model id="m2" language="urn:sedml:language:sbml" source="#m"><listOfChanges>{compute}</listOfChanges></model>'
    tasks = TASK + '<task id="t2" modelReference="m2" simulationReference="sim"/>'
    found = run(document(models=models, tasks=tasks, generators=generator("a", S, "t") + generator("b", S, "t2")))["r"]
    np.testing.assert_allclose(found["a"], decay(TIMES, k=1.0), rtol=1e-6)
    np.testing.assert_allclose(found["b"], decay(TIMES, k=2.0), rtol=1e-6, atol=1e-9)


def test_elements_are_added_changed_and_removed(run: Run) -> None:
    space = 'xmlns="http://www.sbml.org/sbml/level3/version2/core"'
    reactions = "/sbml:sbml/sbml:model/sbml:listOfReactions"
    changes = (
        f"<removeXML target=\"{reactions}/sbml:reaction[@id='out']\"/>"
        f'<addXML target="/sbml:sbml/sbml:model/sbml:listOfParameters"><newXML><parameter {space} id="z" value="3" '
        'constant="true"/></newXML></addXML>'
        f'<changeXML target="{PARAMETER.format("b")}"><newXML><parameter {space} id="b" value="16" constant="true"/>'
        "</newXML></changeXML>"
    )
    models = f'<model id="m" language="urn:sedml:language:sbml" source="model.xml"><listOfChanges>{changes}</listOfChanges></model>'
    made = generator("S", S, "t") + generator("N", N, "t") + generator("z", PARAMETER.format("z"), "t")
    found = run(document(models=models, generators=made))["r"]
    np.testing.assert_allclose(found["S"], 5.0)
    np.testing.assert_allclose(found["N"], 80.0 - 40.0 * np.exp(-0.2 * TIMES), rtol=1e-6)
    assert found["z"].tolist() == [3.0] * 5


# ---- repeated tasks


def test_a_vector_range_with_reset(run: Run) -> None:
    found = run(document(tasks=TASK + repeated(VECTOR, set_value(S)), generators=generator("S", S, "R")))["r"]
    assert found["S"].shape == (2, 1, 5)
    np.testing.assert_allclose(found["S"][:, 0], [decay(TIMES, 1.0), decay(TIMES, 4.0)], rtol=1e-6)


def test_without_reset_each_iteration_goes_on_from_the_one_before(run: Run) -> None:
    tasks = TASK + repeated(VECTOR, set_value(K, "<apply><divide/><ci>i</ci><cn>4</cn></apply>"), reset=False)
    found = run(document(tasks=tasks, generators=generator("S", S, "R") + generator("time", "time", "R")))["r"]
    np.testing.assert_allclose(found["S"][0, 0], decay(TIMES, k=0.25), rtol=1e-6)
    np.testing.assert_allclose(found["S"][1, 0], decay(TIMES, 5.0 * exp(-1.0), k=1.0), rtol=1e-6)
    assert found["time"][1, 0].tolist() == TIMES.tolist()  # a time course begins at its initial time


def test_uniform_logarithmic_and_functional_ranges(run: Run) -> None:
    ranges = '<uniformRange id="i" start="1" end="100" numberOfSteps="2" type="log"/>'
    ranges += '<functionalRange id="f" range="i"><listOfParameters><parameter id="p" value="2"/></listOfParameters>'
    ranges += math("<apply><plus/><ci>i</ci><ci>p</ci></apply>") + "</functionalRange>"
    tasks = TASK + repeated(ranges, set_value(S, "<ci>f</ci>", "f"), range="f")
    found = run(document(simulations=uniform(steps=1), tasks=tasks, generators=generator("S", S, "R")))["r"]
    np.testing.assert_allclose(found["S"][:, 0, 0], [3.0, 12.0, 102.0])


def test_nested_tasks_local_parameters_and_several_subtasks(run: Run) -> None:
    """Outer: S from 1, 4; inner: the loss of N per molecule 0.1, 0.2; two subtasks of 5 and 2 times."""
    simulations = uniform() + uniform("short", end=1, steps=1)
    tasks = TASK + '<task id="u" modelReference="m" simulationReference="short"/>'
    inner_range = '<vectorRange id="j"><value>0.1</value><value>0.2</value></vectorRange>'
    tasks += repeated(inner_range, set_value(LOCAL, "<ci>j</ci>", "j"), id="inner", range="j", tasks="t u", reset=False)
    tasks += repeated(VECTOR, set_value(S), tasks="inner")
    found = run(
        document(simulations=simulations, tasks=tasks, generators=generator("S", S, "R") + generator("N", N, "R"))
    )["r"]
    assert found["S"].shape == (2, 1, 2, 2, 5)
    assert found["S"][1, 0, 0, 0, 0] == pytest.approx(4.0)
    assert np.all(np.isnan(found["S"][:, :, :, 1, 2:]))
    n = 80.0 - 40.0 * np.exp(-0.1 * 4.0)
    np.testing.assert_allclose(found["N"][0, 0, 0, 0, 4], n, rtol=1e-6)


def test_a_set_value_reads_the_present_state(run: Run) -> None:
    """Each iteration begins with half of what the one before left."""
    change = (
        f'<setValue modelReference="m" target="{S}"><listOfVariables>{variable("now", S, model="m")}</listOfVariables>'
    )
    change += math("<apply><divide/><ci>now</ci><cn>2</cn></apply>") + "</setValue>"
    tasks = TASK + repeated(VECTOR, change, reset=False)
    found = run(document(tasks=tasks, generators=generator("S", S, "R")))["r"]["S"]
    np.testing.assert_allclose(found[1, 0], decay(TIMES, 2.5 * exp(-2.0) / 2.0), rtol=1e-6)


# ---- data


def test_data_generators_compute_with_several_variables_and_aggregates(run: Run) -> None:
    share = (
        "<apply><divide/><ci>x</ci><apply><csymbol encoding='text' definitionURL='http://sed-ml.org/#max'>max</csymbol>"
    )
    share += "<ci>x</ci></apply></apply>"
    two = f'<dataGenerator id="sum"><listOfVariables>{variable("a", S, task="t")}{variable("b", N, task="t")}'
    two += '</listOfVariables><listOfParameters><parameter id="p" value="10"/></listOfParameters>'
    two += math("<apply><plus/><ci>a</ci><apply><times/><ci>p</ci><ci>b</ci></apply></apply>") + "</dataGenerator>"
    root = generator("log", S, "t", "<apply><log/><logbase><cn>2</cn></logbase><ci>x</ci></apply>")
    found = run(document(generators=generator("share", S, "t", share) + two + root))["r"]
    np.testing.assert_allclose(found["share"], decay(TIMES, 1.0), rtol=1e-6)
    np.testing.assert_allclose(found["sum"], decay(TIMES) + 400.0, rtol=1e-6)
    np.testing.assert_allclose(found["log"], np.log(decay(TIMES)) / log(2.0), rtol=1e-5)


def test_dimensions_are_reduced_by_kisao_s_aggregations(run: Run) -> None:
    over = '><listOfAppliedDimensions><appliedDimension target="R"/></listOfAppliedDimensions></variable'
    made = generator("S", S, "R", more=' term="KISAO:0000841"' + over)
    made = made.replace("</variable/>", "</variable>")
    found = run(document(tasks=TASK + repeated(VECTOR, set_value(S)), generators=made))["r"]["S"]
    np.testing.assert_allclose(found.reshape(-1), decay(TIMES, 2.5), rtol=1e-6)


def test_what_no_output_needs_is_not_computed(run: Run) -> None:
    made = generator("S", S, "t") + generator("unused", "//sbml:none", "none")
    report = '<report id="r"><listOfDataSets><dataSet id="d" label="S" dataReference="S"/></listOfDataSets></report>'
    found = run(document(generators=made, outputs=report))
    assert found.outputs[0].status == "SUCCEEDED"
    assert [task.id for task in found.tasks] == ["t"]


def test_plots_are_data(run: Run) -> None:
    made = generator("time", "time", "t") + generator("S", S, "t")
    curve = '<plot2D id="p"><listOfCurves><curve id="c" logX="false" logY="false" xDataReference="time" yDataReference="S"/>'
    found = run(document(version=3, generators=made, outputs=curve + "</listOfCurves></plot2D>"))
    np.testing.assert_allclose(found["p"]["S"], decay(TIMES), rtol=1e-6)
    assert found.outputs[0].status == "SUCCEEDED"


# ---- what is refused, and how


def error_of(results: Results) -> SenexoError:
    errors = [column.error for one in results.outputs for column in one.columns] + [
        one.error for one in results.outputs
    ]
    return next(error for error in errors if error is not None)


@pytest.mark.parametrize(
    ("parts", "error", "said"),
    [
        ({"simulations": uniform(kisao="KISAO:0000437")}, UnsupportedFeature, "flux balance analysis"),
        ({"tasks": TASK + repeated('<dataRange id="i" sourceReference="d"/>')}, UnsupportedFeature, "dataRange"),
        ({"simulations": uniform(kisao="KISAO:0000407")}, UnsupportedFeature, "for this simulation"),
        ({"simulations": uniform(kisao="CVODE")}, InvalidModel, "a KiSAO term such as"),
        ({"simulations": uniform(end=-1)}, InvalidModel, "initial <= output start <= output end"),
        ({"simulations": uniform(steps=MOST_POINTS)}, InvalidModel, "steps, expected from 0"),
        ({"simulations": uniform(parameters='<algorithmParameter kisaoID="KISAO:0000209" value="small"/>')}, InvalidModel,
         "found 'small', expected a number"),
        ({"models": '<model id="m" language="urn:sedml:language:cellml" source="model.xml"/>'}, UnsupportedFeature, "cellml"),
        ({"models": '<model id="m" language="urn:sedml:language:sbml" source="urn:miriam:biomodels.db:BIOMD1"/>'},
         UnsupportedFeature, "not a file of the archive"),
        ({"models": '<model id="m" language="urn:sedml:language:sbml" source="#m"/>'}, InvalidModel, "made from itself"),
        ({"models": '<model id="m" language="urn:sedml:language:sbml" source="model.xml"><listOfChanges><changeAttribute '
          f'target="{PARAMETER.format("none")}/@value" newValue="1"/></listOfChanges></model>'}, InvalidModel, "names nothing"),
        ({"tasks": TASK + repeated(VECTOR, tasks="R")}, InvalidModel, "contains itself: R > R"),
        ({"tasks": TASK + repeated('<uniformRange id="i" start="0" end="1" numberOfSteps="1000000000" type="linear"/>')},
         InvalidModel, f"at most {MOST_RUNS:,}"),
        ({"tasks": TASK + repeated('<functionalRange id="i" range="i">' + math("<cn>1</cn>") + "</functionalRange>")},
         InvalidModel, "depends on itself"),
        ({"tasks": TASK + repeated(VECTOR, range="none")}, InvalidModel, "range none is not in the document"),
        ({"tasks": TASK + repeated(VECTOR, set_value("//sbml:species"))}, InvalidModel, "names 2 elements"),
        ({"generators": generator("S", "//*[contains(@id, 'S')]", "R")}, UnsupportedFeature, "XPath beyond names"),
        ({"generators": generator("S", S + "/@name", "R")}, UnsupportedFeature, "the attribute name"),
    ],
)  # fmt: skip
def test_refused_with_its_name(run: Run, parts: dict[str, str], error: type[SenexoError], said: str) -> None:
    given = {"tasks": TASK + repeated(VECTOR), "generators": generator("S", S, "R")} | parts
    found = error_of(run(document(**given)))
    assert isinstance(found, error)
    assert said in str(found)


def test_an_output_fails_alone(run: Run) -> None:
    """A task of another model fails; what does not need it is given."""
    models = '<model id="m" language="urn:sedml:language:sbml" source="model.xml"/>'
    models += '<model id="x" language="urn:sedml:language:xyz" source="model.xml"/>'
    tasks = TASK + '<task id="u" modelReference="x" simulationReference="sim"/>'
    found = run(document(models=models, tasks=tasks, generators=generator("good", S, "t") + generator("bad", S, "u")))
    assert found.outputs[0].status == "FAILED"
    np.testing.assert_allclose(found["r"]["good"], decay(TIMES), rtol=1e-6)
    assert [task.error is None for task in found.tasks] == [True, False]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<a/>", "this is not SED-ML"),
        (b"no xml", "not well-formed XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "a DOCTYPE is not allowed"),
        (
            document(
                generators='<dataGenerator id="g"><math xmlns="http://www.w3.org/1998/Math/MathML"/></dataGenerator>'
            ),
            "math",
        ),
        (
            document(generators=generator("g", S, "t", "<apply><ci>f</ci><ci>x</ci></apply>")),
            "the function 'f' is not supported",
        ),
        (
            document(tasks='<task id="t" modelReference="m"/><task id="t" modelReference="m"/>'),
            "the id t is given twice",
        ),
    ],
)
def test_what_is_no_sedml(data: bytes, said: str) -> None:
    with pytest.raises((InvalidModel, UnsupportedFeature), match=said):
        read_sedml(data, source="x.sedml")


def test_the_time_of_a_document_can_be_limited() -> None:
    from senexo.interchange.experiment import run_experiment

    found = run_experiment(
        read_sedml(document(generators=generator("S", S, "t"))), lambda place: SBML.encode(), max_seconds=0
    )
    assert "the time that was given (max_seconds) is over" in str(error_of(found))
