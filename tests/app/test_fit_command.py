"""`senexo fit`: the answer first, JSON, files, and wrong input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "fit" / "mimic.yaml"
Run = Callable[..., tuple[int, str, str]]


def test_the_answer_comes_first_and_the_files_are_written(senexo: Run, tmp_path: Path) -> None:
    status, out, _ = senexo("fit", EXAMPLE, "--starts", 3, "--no-intervals", "--quiet", "--out", "answer")
    assert status == 0
    assert out.startswith("The best log-likelihood is ")
    assert (tmp_path / "answer" / "parameters.csv").is_file()
    assert (tmp_path / "answer" / "answer.txt").read_text(encoding="utf-8").strip() == out.strip()


def test_json_at_the_nominal_values(senexo: Run) -> None:
    status, out, _ = senexo("fit", EXAMPLE, "--starts", 0, "--json", "--quiet")
    assert status == 0
    about = json.loads(out)
    assert about["searches"] == 0
    assert about["llh"] == about["llh_at_nominal"]


def test_wrong_input_is_a_message(senexo: Run, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    for words, said in (
        (("fit", "none.yaml"), "none.yaml"),
        (("fit", "study.toml"), "a PEtab problem"),
        (("fit", EXAMPLE, "--out", "there"), "a new folder"),
        (("fit", EXAMPLE, "--level", 2), "level"),
    ):
        status, _, err = senexo(*words)
        assert status == 2
        assert said in err
