"""SED-ML and SBML texts for tests: a decay S' = -k S in a compartment of size 2, and documents around it."""

from __future__ import annotations

from collections.abc import Callable

SBML = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
 <model id="decay"><listOfCompartments><compartment id="c" size="2" spatialDimensions="3" constant="true"/></listOfCompartments>
  <listOfSpecies>
   <species id="S" compartment="c" initialConcentration="5" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>
   <species id="N" compartment="c" initialAmount="40" hasOnlySubstanceUnits="true" boundaryCondition="false" constant="false"/>
  </listOfSpecies>
  <listOfParameters><parameter id="k" value="0.5" constant="true"/><parameter id="b" value="8" constant="true"/></listOfParameters>
  <listOfReactions>
   <reaction id="out" reversible="false"><listOfReactants><speciesReference species="S" stoichiometry="1" constant="true"/>
    </listOfReactants><kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>S</ci><ci>c</ci></apply></math></kineticLaw></reaction>
   <reaction id="make" reversible="false"><listOfProducts><speciesReference species="N" stoichiometry="1" constant="true"/></listOfProducts>
    <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>b</ci></math></kineticLaw></reaction>
   <reaction id="lose" reversible="false"><listOfReactants><speciesReference species="N" stoichiometry="1" constant="true"/></listOfReactants>
    <kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>q</ci><ci>N</ci></apply></math>
     <listOfLocalParameters><localParameter id="q" value="0.2"/></listOfLocalParameters></kineticLaw></reaction>
  </listOfReactions></model></sbml>"""

MATH = "http://www.w3.org/1998/Math/MathML"
SPECIES = "/sbml:sbml/sbml:model/sbml:listOfSpecies/sbml:species[@id='{}']"
PARAMETER = "/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='{}']"


def math(inside: str) -> str:
    return f'<math xmlns="{MATH}">{inside}</math>'


def variable(id: str, target: str, *, task: str | None = None, model: str | None = None, more: str = "") -> str:
    what = 'symbol="urn:sedml:symbol:time"' if target == "time" else f'target="{target}"'
    where = f' taskReference="{task}"' if task else ""
    where += f' modelReference="{model}"' if model else ""
    return f'<variable id="{id}" {what}{where}{more}/>'


def generator(id: str, target: str, task: str, inside: str | None = None, more: str = "") -> str:
    """A data generator of one variable, called x in its formula."""
    one = variable("x", target, task=task, more=more)
    formula = math(inside or "<ci>x</ci>")
    return f'<dataGenerator id="{id}" name="{id}"><listOfVariables>{one}</listOfVariables>{formula}</dataGenerator>'


def uniform(id: str = "sim", *, initial: float = 0, begin: float = 0, end: float = 4, steps: int = 4,
            kisao: str = "KISAO:0000019", parameters: str = "") -> str:  # fmt: skip
    more = f"<listOfAlgorithmParameters>{parameters}</listOfAlgorithmParameters>" if parameters else ""
    return (
        f'<uniformTimeCourse id="{id}" initialTime="{initial}" outputStartTime="{begin}" outputEndTime="{end}" '
        f'numberOfSteps="{steps}"><algorithm kisaoID="{kisao}">{more}</algorithm></uniformTimeCourse>'
    )


def document(
    *, models: str = '<model id="m" language="urn:sedml:language:sbml" source="model.xml"/>', simulations: str = "",
    tasks: str = '<task id="t" modelReference="m" simulationReference="sim"/>', generators: str = "",
    outputs: str | None = None, version: int = 4, change: Callable[[str], str] = lambda text: text,
) -> bytes:  # fmt: skip
    """A document whose report `r` has all data generators, unless outputs are given."""
    import re

    if outputs is None:
        ids = re.findall(r'<dataGenerator id="(\w+)"', generators)
        rows = "".join(f'<dataSet id="d_{id}" label="{id}" dataReference="{id}"/>' for id in ids)
        outputs = f'<report id="r"><listOfDataSets>{rows}</listOfDataSets></report>'
    space = "http://sed-ml.org/" if version == 1 else f"http://sed-ml.org/sed-ml/level1/version{version}"
    text = (
        f'<sedML xmlns="{space}" xmlns:sbml="http://www.sbml.org/sbml/level3/version2/core" level="1" version="{version}">'
        f"<listOfModels>{models}</listOfModels><listOfSimulations>{simulations or uniform()}</listOfSimulations>"
        f"<listOfTasks>{tasks}</listOfTasks><listOfDataGenerators>{generators}</listOfDataGenerators>"
        f"<listOfOutputs>{outputs}</listOfOutputs></sedML>"
    )
    if version < 4:
        text = text.replace("numberOfSteps", "numberOfPoints")
    return change(text).encode()
