"""Files that other tools write, as they can be found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.auth.files import UnreadableError, is_there, read_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one of each."""
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbfschl\xc3\xbcssel\r\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfes\x00")
    (tmp_path / "large").write_bytes(b"x" * (1024 * 1024 + 1))
    (tmp_path / "link").symlink_to(tmp_path / "text")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.mark.parametrize("name", ["text", "link"])
def test_a_text_is_read(folder: Path, name: str) -> None:
    """A file is read as UTF-8, also over a link, and without a byte order mark."""
    assert is_there(str(folder / name))
    assert read_text(str(folder / name)) == "schlüssel\r\n"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("absent", "no such file or directory"),
        ("text/below", "no such file or directory"),
        ("folder", "it is no file"),
        ("pipe", "it is no file"),
        ("binary", "it is no UTF-8 text"),
        ("large", "it is larger than 1 MiB"),
        ("loop", "too many levels of symbolic links"),
        ("x" * 300, "file name too long"),
        ("a\0b", "it has a null character in its name"),
    ],
)
def test_what_is_no_text_is_told(folder: Path, name: str, problem: str) -> None:
    """Every name leads to a text or to a reason as text. A pipe blocks no program."""
    with pytest.raises(UnreadableError, match=problem):
        read_text(str(folder / name))
