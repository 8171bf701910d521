"""Files and folders that appear whole or not at all, and replace nothing unasked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from senexo.base import atomic
from senexo.base.atomic import output_file, output_folder, replacing, replacing_folder, write_file
from senexo.base.errors import StoreError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def filled(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "a").write_text(text)
    return folder


def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_file(tmp_path / "x", b"old")

    def block() -> None:
        with replacing(tmp_path / "x") as new:
            new.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


def test_an_error_in_the_block_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    filled(tmp_path / "x", "old")

    def block() -> None:
        with replacing_folder(tmp_path / "x") as new:
            (new / "b").write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()
    assert names(tmp_path) == ["x"]
    assert names(tmp_path / "x") == ["a"]


def test_a_folder_comes_back_where_the_new_one_cannot_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path / "x", "old")
    rename = Path.rename

    def fails_to_x(self: Path, target: Path) -> Path:
        if Path(target).name == "x" and (self / "b").exists():
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_to_x)
    with pytest.raises(StoreError, match="Permission denied"), replacing_folder(tmp_path / "x") as new:
        (new / "b").write_text("new")
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x" / "a").read_text() == "old"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:
        monkeypatch.setattr(atomic.os, "link", lambda *_: (_ for _ in ()).throw(OSError(95, "Not supported")))

    def block() -> None:
        with output_file(tmp_path / "x", overwrite=False) as new:
            new.write_text("ours")
            (tmp_path / "x").write_text("theirs")

    with pytest.raises(StoreError, match="has appeared"):
        block()
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x").read_text() == "theirs"


def test_a_folder_that_is_filled_meanwhile_is_kept(tmp_path: Path) -> None:
    def block() -> None:
        with output_folder(tmp_path / "x", overwrite=False, ours=lambda _: False, kind="ours") as new:
            (new / "b").write_text("ours")
            filled(tmp_path / "x", "theirs")

    with pytest.raises(StoreError, match="cannot write"):
        block()
    assert names(tmp_path) == ["x"]
    assert names(tmp_path / "x") == ["a"]


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "x").symlink_to("target")
    with output_file(tmp_path / "x", overwrite=True) as new:
        new.write_text("new")
    assert (tmp_path / "x").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dead").symlink_to("nowhere")
    for name in ("pipe", "folder", "dead"):
        with pytest.raises(StoreError, match="no plain file"), output_file(tmp_path / name, overwrite=True):
            pytest.fail("the block was entered")
    for name in ("pipe", "dead"):
        block = output_folder(tmp_path / name, overwrite=True, ours=lambda _: True, kind="ours")
        with pytest.raises(StoreError, match="no folder"), block:
            pytest.fail("the block was entered")
