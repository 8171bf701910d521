"""What the pages name is there: modules, files, links, commands with their options, and the rooms of the package."""

from __future__ import annotations

import contextlib
import importlib
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
from doc_pages import ROOT, blocks, name, pages, prose, spans
from doc_tree import BLOCK, tree

from senexo.app.cli import app

PAGES = {name(page): page.read_text(encoding="utf-8") for page in pages()}
SUFFIXES = "py|toml|csv|ant|md|fa|R|json|txt|in|lock|png|yaml|yml|html"
KEYS = ("model.prior", "model.reading", "model.targets", "donors.n", "culture.duration")  # of a study file
PLACES = (
    "",
    "senexo/",
    "docs/",
    "senexo/model/circuits/mir34c-rab27b/",
    "senexo/model/circuits/mir34c-rab27b-cells/",
    "tests/assays/references/",
    "senexo/assays/",
    "reference/",
    "requirements/",
)
WRITTEN = (  # by a run, an assay or a user, and so in no checkout
    "results/log.yml", "ro-crate-metadata.json",
    "run.json", "findings.json", "result.json", "report.html", "study.resolved.toml", "sentence.txt", "my-study.toml",
    "study.toml", "rab27b_utr3.fa", "utr.fa", "panel.fa", "mature.fa", "NAME-example.csv", "circuit.toml",
    "PROBLEM.yaml", "answer.txt", "parameters.csv", "searches.csv", "profiles.csv", "measurements.csv",  # of a fit
    "posterior.csv", "posterior_summary.csv",
    "types.csv", "tidy_clinical.csv", "figure.png", "generate_12mer_kds.py",
)  # fmt: skip
every_page = pytest.mark.parametrize("page", PAGES)


@every_page
def test_files_that_a_page_names_exist(page: str) -> None:
    """`engine/ode/single.py` is senexo/engine/ode/single.py; a path may also start at the top folder."""
    named = [s for s in spans(PAGES[page]) if re.fullmatch(rf"[\w./-]+\.({SUFFIXES})", s) and not s.startswith("../")]
    folders = [s for s in spans(PAGES[page]) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/", s)]
    missing = [
        path
        for path in [*named, *folders]
        if path not in WRITTEN
        and not any((ROOT / place / path).exists() for place in (*PLACES, Path(page).parent))
        and "NAME" not in path
    ]
    assert missing == []


@every_page
def test_names_in_python_that_a_page_uses_exist(page: str) -> None:
    """Names that begin with `senexo.`, a package of it (`base.x`) or a module of coupled cells (`states.x`)."""
    folders = (ROOT / "senexo", ROOT / "senexo" / "lab" / "coupled")
    rooms = "|".join(path.stem for folder in folders for path in folder.iterdir() if not path.name.startswith("_"))
    found = [
        match[1]
        for span in spans(PAGES[page])
        if (match := re.match(rf"((?:senexo|{rooms})(?:\.[A-Za-z_]\w*)+)(?=\W|$)", span))
        and not re.search(rf"\.({SUFFIXES}|zarr)$", match[1])
    ]
    assert [
        dotted
        for dotted in found
        if not (_exists(dotted) or _exists(f"lab.coupled.{dotted}")) and dotted not in KEYS and "NAME" not in dotted
    ] == []


def _exists(dotted: str) -> bool:
    parts = dotted.removeprefix("senexo.").split(".")
    with contextlib.suppress(ImportError):
        importlib.import_module(".".join(["senexo", *parts]))
        return True
    for cut in range(len(parts) - 1, -1, -1):
        try:
            held: object = importlib.import_module(".".join(["senexo", *parts[:cut]]))
        except ImportError:
            continue
        for part in parts[cut:]:
            if not hasattr(held, part):
                return False
            held = getattr(held, part)
        return True
    return False


@every_page
def test_links_lead_somewhere(page: str) -> None:
    """Relative links to files, and to headings of pages."""
    links = re.findall(r"\]\(([^)\s]+)\)", PAGES[page])
    broken = [link for link in links if not re.match(r"[a-z]+:", link) and not _leads(page, link)]
    assert broken == []


def _leads(page: str, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target.read_text(encoding="utf-8"))


def _anchors(text: str) -> set[str]:
    """The anchors that headings get, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_commands_in_the_text_exist(page: str) -> None:
    """`senexo COMMAND --option`, `python -m verify CHECK`, `python -m bench COMPARISON`, `make TARGET`."""
    faults = [
        f"{span}: {fault}"
        for span in [*spans(PAGES[page]), *_skipped(page)]
        if re.match(r"(senexo|python -m|make) ", span)
        for fault in _faults(span)
    ]
    assert faults == []


def _skipped(page: str) -> list[str]:
    """Commands of blocks that are not run."""
    return [
        c.typed
        for block in blocks()
        if block.page == page and block.language in ("bash", "console")
        for c in block.commands()
        if block.skipped or c.skipped
    ]


def _faults(span: str) -> list[str]:
    words = [word for word in shlex.split(span, comments=True) if word != "..."]
    match words:
        case ["make", *targets]:
            known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            return [
                f"no target {target}" for target in targets if re.fullmatch("[a-z-]+", target) and target not in known
            ]
        case ["python", "-m", "verify" | "bench" as package, *checks]:
            return [
                f"no {check}"
                for check in checks[:1]
                if check.islower() and not (ROOT / package / f"{check}.py").is_file()
            ]
        case ["python", "-m", module, *_]:
            there = (ROOT / f"{module.replace('.', '/')}.py").is_file()
            return [] if module in ("pytest", "senexo") or there or _exists(module) else [f"no module {module}"]
        case ["senexo", *behind]:
            return _unknown(behind)
    return [f"unknown program {words[0]}"]


def _unknown(words: list[str]) -> list[str]:
    """Sub-commands and options that the command line does not have."""
    command: Any = typer.main.get_command(app)  # of click, or of the copy that newer versions of typer hold
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        if words[0] not in command.commands:
            return [] if words[0].isupper() else [f"no command {words[0]}"]
        command, words = command.commands[words[0]], words[1:]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h"}
    asked = [word.strip("[]") for word in words]
    return [f"no option {word}" for word in asked if word.startswith("-") and len(word) > 1 and word not in known]


def _rooms() -> dict[str, set[str]]:
    """CONTRIBUTING's table: each room and those that it imports."""
    rows = re.findall(r"^\| `(\w+)` \| .+? \| (.+?) \|$", PAGES["CONTRIBUTING.md"], re.MULTILINE)
    return {room: set(re.findall(r"`(\w+)`", text)) for room, text in rows}


def test_the_table_of_rooms_keeps_the_contract() -> None:
    """No room imports more than import-linter allows it, and none is missing from the table."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    lines = [re.findall(r"\w+", line) for line in layers]
    allowed = {
        room: {lower for below in lines[place + 1 :] for lower in below}
        for place, line in enumerate(lines)
        for room in line
    }
    for contract in contracts:
        if contract["type"] == "forbidden":
            for source in contract["source_modules"]:
                room = source.removeprefix("senexo.")
                allowed[room] -= {module.removeprefix("senexo.") for module in contract["forbidden_modules"]}
    assert {room: names - allowed[room] for room, names in _rooms().items() if names - allowed[room]} == {}
    assert set(_rooms()) == set(allowed)
    packages = {path.parent.name for path in (ROOT / "senexo").glob("*/__init__.py")}
    assert packages | {"workflow"} == set(allowed)


@pytest.mark.parametrize("room", _rooms())
def test_a_room_imports_what_the_table_says(room: str) -> None:
    """A row that allows more than is used would hide a new import."""
    sources = [ROOT / "senexo" / f"{room}.py", *(ROOT / "senexo" / room).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in sources if path.is_file()]
    used = {found for text in texts for found in re.findall(r"^\s*(?:from|import) senexo\.(\w+)", text, re.MULTILINE)}
    used |= {
        found
        for text in texts
        for line in re.findall(r"^\s*from senexo import (.+)$", text, re.MULTILINE)
        for found in line.split(", ")
        if found in _rooms()
    }
    assert used - {room} == _rooms()[room]


@every_page
def test_pages_use_the_words_of_the_field(page: str) -> None:
    """Words of a private dialect that a reader would have to translate; the glossary has the field's own."""
    words = "told|tells|asked of|deeds?|nobody|somebody|corridor|hot room|front door|the books|hands do"
    assert re.findall(rf"(?i)\b(?:{words})\b", prose(PAGES[page])) == []


def test_the_tree_of_packages_is_that_of_the_checkout() -> None:
    """`python tests/docs/doc_tree.py` writes the tree of docs/why/house.md anew."""
    (shown,) = BLOCK.findall(PAGES["docs/why/house.md"])
    assert shown == tree()


def test_every_page_of_the_docs_is_in_the_index() -> None:
    index = PAGES["docs/README.md"]
    links = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in re.findall(r"\]\(([^)\s]+)\)", index)}
    docs = {path.resolve() for path in (ROOT / "docs").rglob("*.md")} - {(ROOT / "docs" / "README.md").resolve()}
    assert {path.relative_to(ROOT).as_posix() for path in docs - links} == set()


def test_the_page_of_assays_names_those_that_a_study_can_request() -> None:
    from senexo.assays.specs import REQUESTS, SPECS

    sentence = PAGES["docs/assays.md"].partition("A study can request")[2].partition(";")[0]
    assert set(re.findall(r"`(\w+)`", sentence)) == set(REQUESTS)
    listed = re.findall(r"^\| \[(\w+)\]\(assays/", PAGES["docs/assays.md"], re.MULTILINE)
    assert set(listed) == set(SPECS)


def test_every_example_is_a_study_that_resolves() -> None:
    from senexo import read_study

    examples = sorted((ROOT / "examples").glob("*.toml"))
    assert examples
    assert all(read_study(path).arms for path in examples)


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "examples").glob("*.toml")) + sorted((ROOT / "senexo" / "studies").glob("*.toml")),
    ids=lambda p: Path(p).stem,
)
def test_commands_in_the_comments_of_a_study_exist(path: Path) -> None:
    comments = re.findall(
        r"^#.*?(senexo (?:run|check|targets|screen) .+)$", path.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [fault for text in comments for fault in _unknown(shlex.split(text.replace("`", ""))[1:3])] == []


def test_prose_leaves_out_blocks_and_comments() -> None:
    assert spans("a `b`\n```bash\n`c`\n```\n<!-- `d` -->\n`e\nf`") == ["b", "e f"]
    assert prose("x\n```text\ny\n```\nz").split() == ["x", "z"]
