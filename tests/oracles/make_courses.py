"""Makes courses/: small SBML models of our own, and the time courses that closed forms or two other programs give.

    python tests/oracles/make_courses.py

A variable with a closed form is written from it; the others are libRoadRunner's. Each program that can run a model has
to agree with what is written to 1e-6 of each variable's largest value, or this script stops. Programs that cannot are
named with the reason in `Course.without`. senexo takes no part in it.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import libsbml
import numpy as np
from course_models import COURSES, Course, Floats

FOLDER = Path(__file__).with_name("courses")
AGREE = 1e-6


def by_roadrunner(course: Course, sbml: str) -> dict[str, Floats]:
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    model = roadrunner.RoadRunner(sbml)
    model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-11, 1e-13
    model.integrator.maximum_num_steps = 200_000
    asked = {**dict.fromkeys((*course.amounts, *course.others)), **dict.fromkeys(course.concentrations)}
    selections = [f"[{name}]" if name in course.concentrations else name for name in asked]
    model.timeCourseSelections = ["time", *selections]
    table = np.array(model.simulate(times=course.times.tolist()))
    return {name: table[:, k + 1] for k, name in enumerate(asked)}


def by_copasi(course: Course, sbml: str) -> dict[str, Floats]:
    import basico

    model = basico.load_model_from_string(sbml)
    basico.set_task_settings("Time-Course", {"method": {"Relative Tolerance": 1e-10, "Absolute Tolerance": 1e-12,
                                                        "Max Internal Steps": 1_000_000}}, model=model)  # fmt: skip
    kinds = {}
    tables = {
        "species": basico.get_species(model=model),
        "compartment": basico.get_compartments(model=model),
        "parameter": basico.get_parameters(model=model),
    }
    for kind, table in tables.items():
        if table is not None:
            kinds |= {row["sbml_id"]: (kind, name, row) for name, row in table.iterrows()}
    shown = {"species": "[{}]", "compartment": "Compartments[{}].Volume", "parameter": "Values[{}]"}
    columns = {name: shown[kinds[name][0]].format(kinds[name][1]) for name in course.variables}
    sizes = {name: shown["compartment"].format(kinds[name][2]["compartment"]) for name in course.amounts}
    chosen = list(dict.fromkeys(["Time", *columns.values(), *sizes.values()]))
    table = basico.run_time_course_with_output(
        output_selection=chosen, values=course.times.tolist(), start_time=0, model=model
    )
    basico.remove_datamodel(model)
    found = {choice: table[choice].to_numpy()[-course.points :] for choice in chosen}
    return {name: found[columns[name]] * (found[sizes[name]] if name in sizes else 1.0) for name in course.variables}


PROGRAMS = {"libRoadRunner": by_roadrunner, "COPASI": by_copasi}


def versions() -> dict[str, str]:
    import COPASI
    import roadrunner

    return {
        "libRoadRunner": roadrunner.__version__,
        "COPASI": COPASI.__version__,
        "libSBML": libsbml.getLibSBMLDottedVersion(),
    }


def answers(course: Course, sbml: str) -> tuple[dict[str, Floats], dict[str, float]]:
    """Every variable's course, and how far each program is from it, as a share of the variable's largest value."""
    ran = {name: run(course, sbml) for name, run in PROGRAMS.items() if name not in course.without}
    truth = {}
    for name in course.variables:
        known = course.closed.get(name)
        truth[name] = ran["libRoadRunner"][name] if known is None else np.asarray(known(course.times), dtype=float)
    off = {}
    for program, found in ran.items():
        gaps = {
            name: float(np.max(np.abs(found[name] - x)) / max(float(np.max(np.abs(x))), 1e-12))
            for name, x in truth.items()
        }
        worst = max(gaps, key=gaps.__getitem__)
        if gaps[worst] > AGREE:
            raise SystemExit(f"{course.name}: {program} is off by {gaps[worst]:.3g} in {worst}")
        off[program] = gaps[worst]
    unjudged = set(course.variables) - set(course.closed)
    if unjudged and len(ran) < 2:
        raise SystemExit(f"{course.name}: {unjudged} have neither a closed form nor two programs")
    return truth, off


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    index: dict[str, Any] = {"made_with": versions(), "courses": {}}
    for course in COURSES:
        sbml = course.sbml()
        (FOLDER / f"{course.name}.xml").write_text(sbml, encoding="utf-8")
        truth, off = answers(course, sbml)
        with (FOLDER / f"{course.name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["time", *truth])
            writer.writerows([f"{x:.12g}" for x in row] for row in np.column_stack([course.times, *truth.values()]))
        index["courses"][course.name] = {
            "about": course.about,
            "level": list(course.level),
            "concentrations": list(course.concentrations),
            "closed_forms": [name for name in course.variables if name in course.closed],
            "agrees": {program: float(f"{gap:.1e}") for program, gap in off.items()},
            "not_run": dict(course.without),
        }
    (FOLDER / "index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
