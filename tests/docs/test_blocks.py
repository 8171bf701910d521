"""Every block of every page does what the page says: commands and Python blocks run, TOML blocks are studies.

What is not run says why, in a comment above it (see `doc_pages`). The files that a page takes for granted are made by
`doc_inputs`. Commands run in this process, as `python -m senexo` would run them; one test starts it as a program.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from doc_inputs import provide
from doc_pages import LANGUAGES, ROOT, Block, Command, blocks, blocks_of
from doc_running import Typed, compare, passages, run_commands, run_python, study_of, typist

from senexo import read_study

ALL = blocks()
SLOW = ("senexo run", "senexo.run(", "results/coupled", "assay power", "import power", "assay expression")


def of(*languages: str) -> list[object]:
    """The blocks of these languages that are run, as parameters; those that run a study are slow."""
    return [
        pytest.param(block, id=block.place, marks=[pytest.mark.slow] if any(w in block.text for w in SLOW) else [])
        for block in ALL
        if block.language in languages and not block.skipped
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the block is run in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Typed:
    return typist(monkeypatch, capfd)


@pytest.mark.parametrize("block", of("bash", "console"))
def test_commands(block: Block, folder: Path, typed: Typed) -> None:
    provide(folder, block.text)
    run_commands(block, typed)


@pytest.mark.parametrize("block", of("python"))
def test_python(block: Block, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    provide(folder, block.text)
    run_python(block, capfd)


@pytest.mark.parametrize("block", of("toml"))
def test_studies(block: Block, folder: Path) -> None:
    """A block that is a whole study stands by itself, any other completes a short study."""
    provide(folder, block.text)
    assert read_study(study_of(block, folder)).arms


def test_no_command_hides_in_a_block_of_text() -> None:
    words = ("senexo ", "$ ", "python ", "make ", "pip ", "import ", "from ")
    lines = [(b.place, line) for b in ALL if b.language == "text" for line in b.text.splitlines()]
    assert [found for found in lines if found[1].lstrip().startswith(words)] == []


def test_every_block_has_a_known_language() -> None:
    assert {block.place: block.language for block in ALL if block.language not in LANGUAGES} == {}


def test_every_block_that_is_not_run_says_why() -> None:
    reasons = [
        (block.place, reason)
        for block in ALL
        for commands in [block.commands() if block.language in ("bash", "console") else ()]
        for reason in [block.skipped, *(command.skipped for command in commands)]
        if reason
    ]
    assert [place for place, reason in reasons if len(reason.split()) < 3] == []


def test_no_block_is_indented() -> None:
    """A block by indentation would escape all of this."""
    lines = [
        (block.page, line)
        for block in ALL
        for line in (ROOT / block.page).read_text(encoding="utf-8").splitlines()
        if line.startswith(("    senexo ", "    $ ", "    python ", "    import ", "    make "))
    ]
    in_fences = {line for block in ALL for line in block.text.splitlines()}
    assert [found for found in lines if found[1] not in in_fences] == []


def test_the_program(tmp_path: Path) -> None:
    """`python -m senexo` in a process of its own is the command."""
    done = subprocess.run(
        [sys.executable, "-m", "senexo", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.stdout.startswith("senexo ")


def test_a_page_that_shows_what_is_not_printed_fails() -> None:
    command = Command("senexo x", shown=("a", "...", "c", "", "d"))
    assert passages(command.shown) == [["a"], ["c", "d"]]
    compare(command, "a\nb\n\nc\nd\n", "page")
    for printed in ("a\nb\nd\nc\n", "c\nd\na\n", "a\nb\nc\nx\nd\n"):
        with pytest.raises(AssertionError, match="does not print"):
            compare(command, printed, "page")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("```bash\nsenexo x\n", "never closed"),
        ("<!-- not run: it is long -->\ntext\n", "above no block"),
        ("<!-- skip: it -->\n```bash\nsenexo x\n```\n", "unknown directive"),
        ("<!-- run with: `senexo y` --donors 1 -->\n```bash\nsenexo x\n```\n", "does not hold"),
    ],
)
def test_a_misspelt_directive_fails(text: str, says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        [block.commands() for block in blocks_of("page", text)]


def test_directives_shorten_and_skip_single_commands() -> None:
    text = "<!-- run with: `senexo a` --n 1 -->\n<!-- not run: `senexo b`: it never ends here -->\n"
    (block,) = blocks_of("page", text + "```bash\nsenexo a  # first\nsenexo b \\\n  --c\nsenexo d\n```\n")
    with pytest.raises(AssertionError, match="does not hold"):
        block.commands()
    block.directives[1] = ("not run", "`senexo b --c`: it never ends here")
    assert [(c.words, c.skipped) for c in block.commands()] == [
        (["senexo", "a", "--n", "1"], ""), (["senexo", "b", "--c"], "it never ends here"), (["senexo", "d"], ""),
    ]  # fmt: skip
