"""The data dictionary is whole: what an assay reads, takes and gives is named in its page, and the page is linked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from senexo.assays.dictionary import written
from senexo.assays.result import AssayResult
from senexo.assays.spec import Spec
from senexo.assays.specs import SPECS, example

DOCS = Path(__file__).parents[2] / "docs"
COMMON_VERDICTS = {
    "large", "moderate", "small", "absent", "not shown", "estimated", "not testable",
    "below detection: not testable", "detected", "partly below detection", "below detection",
}  # fmt: skip


def marked(page: Path) -> set[str]:
    """What stands between backticks, blocks of code apart."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`]+)`", text))


def result_of(spec: Spec) -> AssayResult:
    table, options = example(spec.name)
    if spec.name == "power":  # with few simulated tables, to be quick
        options |= {"n": [3], "sets": 20}
    result: AssayResult = spec.function(table, **options)
    return result


every = pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.name)


@every
def test_the_result_is_what_the_specification_says(spec: Spec) -> None:
    """Tables and their columns in this order, settings, and findings with their units."""
    result = result_of(spec)
    columns = {table.name: [field.name for field in table.fields] for table in spec.tables}
    found = {name: list(map(str, table.columns)) for name, table in result.tables.items()}
    assert found == {name: columns[name] for name in found}
    assert set(columns) - set(found) <= {table.name for table in spec.tables if table.when}
    options = {option.part_of or option.name for option in spec.options}
    assert set(result.settings) == options | {field.name for field in spec.settings}
    kinds = [(re.sub(r"[A-Z]+", ".+", answer.id) + "(:.+)?", answer.unit) for answer in spec.findings]
    for finding in result.findings:
        units = [unit for pattern, unit in kinds if re.fullmatch(pattern, finding.id)]
        assert units, finding.id
        assert any(finding.unit == unit or unit.startswith("the unit of") for unit in units), finding.unit


@every
def test_the_page_is_written_from_the_specification(spec: Spec) -> None:
    page = (DOCS / "assays" / f"{spec.name}.md").read_text(encoding="utf-8")
    parts = {"options", "fields", *(["columns"] if spec.columns else [])}
    assert set(re.findall(r"^<!-- (\w+) -->$", page, flags=re.MULTILINE)) == parts
    assert page == written(page, spec), "run: python -m senexo.assays.dictionary docs/assays"
    assert f"| [{spec.name}](assays/{spec.name}.md) | {spec.answers} | {spec.reads} |" in (
        DOCS / "assays.md"
    ).read_text(encoding="utf-8")


@every
def test_the_specification_is_whole(spec: Spec) -> None:
    """Every column, option, key and finding has a meaning; names are unique; the example and the keys are known."""
    assert all(field.says for table in spec.tables for field in table.fields)
    for named in (spec.columns, spec.options, spec.tables):
        assert all(one.says for one in named)
        assert len({one.name for one in named}) == len(named)
    assert set(spec.key) <= {one.name for one in spec.columns}
    assert set(spec.example) <= {option.part_of or option.name for option in spec.options}
    verdicts = {word for words in spec.verdicts for word in words.split(", ")} | COMMON_VERDICTS
    assert {finding.verdict for finding in result_of(spec).findings} <= verdicts


def test_what_every_json_has_is_in_the_index() -> None:
    told = marked(DOCS / "assays.md")
    result = result_of(SPECS["senescence"])
    assert set(result.to_dict()) - set(result.tables) <= told
    assert set(result.to_dict()["findings"][0]) <= told


def test_links_between_pages_lead_somewhere() -> None:
    """Of the pages of assays and the command line: every relative link is a file, every #anchor one of its headings."""
    for page in (DOCS / "assays.md", DOCS / "command-line.md", *(DOCS / "assays").glob("*.md")):
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            if path.startswith("http"):
                continue
            there = (page.parent / path).resolve() if path else page
            assert there.is_file(), f"{page.name}: {target}"
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert not anchor or anchor in anchors, f"{page.name}: {target}"


def test_every_reference_table_and_its_script_are_listed() -> None:
    """Under the heading of its script; and the promise of 20 tables and 12 statistics is kept."""
    folder, page = Path(__file__).parent / "references", (DOCS / "assays" / "references.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    tables = 0
    for script in sorted(folder.glob("*.R")):
        answers = folder / ("references.json" if script.name == "make.R" else f"{script.stem}.json")
        told = "".join(section for section in sections if f"`{script.name}`" in section.splitlines()[0])
        missing = {name for name in json.loads(answers.read_text(encoding="utf-8")) if f"`{name}`" not in told}
        assert missing == set(), script.name
        tables += len(json.loads(answers.read_text(encoding="utf-8")))
    statistics = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| statistic")]
    assert tables >= 20
    assert len(statistics) >= 12
