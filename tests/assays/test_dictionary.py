"""The data dictionary is whole: what an assay reads, takes and gives is named in its page, and the page is linked."""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from senexo import assays

DOCS = Path(__file__).parents[2] / "docs"


def names(page: Path) -> set[str]:
    """What stands between backticks, blocks of code apart."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`]+)`", text))


@pytest.mark.parametrize("name", dir(assays))
def test_every_column_option_and_field_is_in_the_page(name: str) -> None:
    told = names(DOCS / "assays" / f"{name}.md")
    module = import_module(assays.HOMES[name])
    function, example = getattr(assays, name), module.example()
    result = function(example, **module.EXAMPLE_OPTIONS)
    keywords = {key for key in inspect.signature(function).parameters if key not in ("table", "where")}
    columns = {str(column) for table in result.tables.values() for column in table.columns}
    missing = {
        "options": keywords - told, "tables": set(result.tables) - told, "fields": columns - told,
        "settings": set(result.settings) - told,
    }  # fmt: skip
    assert {kind: sorted(those) for kind, those in missing.items() if those} == {}
    assert f"(assays/{name}.md)" in (DOCS / "assays.md").read_text(encoding="utf-8")


def test_what_every_json_has_is_in_the_index() -> None:
    told = names(DOCS / "assays.md")
    result = assays.senescence(import_module(assays.HOMES["senescence"]).example())
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
