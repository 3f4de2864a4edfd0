"""The check of the English: it reads every kind of text, no code, and reports the right lines."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.doc_blocks import ROOT
from tools import check_english

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Check = Callable[..., tuple[int, list[str]]]

RULES = '# words of this test\nfrobs?\tsay "call"\nbar ely\tsay "hardly"\n'


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return a function that checks a repository of one file, and returns exit code and lines."""

    def check(text: str, *, name: str = "page.md", rules: str = RULES) -> tuple[int, list[str]]:
        (tmp_path / "tools").mkdir()
        (tmp_path / check_english.LIST).write_text(rules)
        (tmp_path / name).write_text(text)
        (tmp_path / "untracked.md").write_text("frob")
        for arguments in (["init", "--quiet"], ["add", name]):
            subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
        code = check_english.main([str(tmp_path)])
        return code, capsys.readouterr().out.splitlines()

    return check


PYTHON = '''"""A module that frobs."""
import os  # frob: a comment

def frob(frob: int) -> str:
    """Do it.

    Frob it twice.
    """
    text = f"a frob {frob(frob)} of {os.frob:>3}"
    return {"key": text + 'to frob'}["key"] + f"""{frob}
frob"""
'''


def test_each_kind_of_text_in_python_is_read(check: Check) -> None:
    """Comments, docstrings, string literals and the texts of f-strings are read; names and expressions are not."""
    code, lines = check(PYTHON, name="program.py")

    assert code == 1
    numbers = [1, 2, 7, 9, 10, 11]
    words = ["frobs", "frob", "Frob", "frob", "frob", "frob"]
    assert lines == [f'program.py:{number}: "{word}": say "call"' for number, word in zip(numbers, words, strict=True)]


def test_code_on_a_page_is_not_read(check: Check) -> None:
    """Fenced blocks, code in backticks and targets of links are not read; the prose around them is."""
    fenced = "```sh\nfrob\n```\n\n> ~~~\n> frob\n> ~~~\n"
    page = f"# Frob\n\n{fenced}\nUse `frob` and ``a frob``, [here](frob).\n\n[frob](x.md)\n"

    assert check(page) == (1, ['page.md:1: "Frob": say "call"', 'page.md:13: "frob": say "call"'])


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("page.md", "one\nthat can bar\nely be\n", 2),
        ("program.py", "# one\n# can bar\n#   ely be\n", 2),
        ("program.py", 'print("can bar "\n  f"ely be")\n', 1),
        ("program.py", 'print("can bar\\nely be")\n', 1),
    ],
)
def test_a_phrase_across_lines_is_found(check: Check, name: str, text: str, line: int) -> None:
    """A phrase is found across lines, comments and adjacent literals; its first line is reported."""
    assert check(text, name=name) == (1, [f'{name}:{line}: "bar ely": say "hardly"'])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.md", "frobnicate re-frob frob.md docs/frob frob-x\n"),
        ("program.py", 'print("bar", "ely", f"{1}bar{2}ely")\n'),
        ("program.py", "# A link: `frob`.\n"),
    ],
)
def test_what_only_resembles_a_word_is_no_hit(check: Check, name: str, text: str) -> None:
    """Parts of words, names of files, code in backticks, and words on both sides of code are no hits."""
    assert check(text, name=name) == (0, [])


def test_a_line_can_be_allowed(check: Check) -> None:
    """A line of the list allows a word on the named line of the named file, and nowhere else."""
    rules = RULES + "allow\tpage.md\tthe service says frob\n"

    assert check("the service says frob.\n\na frob\n", rules=rules) == (1, ['page.md:3: "frob": say "call"'])


def test_an_unused_exception_is_reported(check: Check) -> None:
    """An exception whose line is gone is reported, so that the list stays short."""
    rules = RULES + "allow\tpage.md\tthe service says frob\n"

    assert check("plain\n", rules=rules) == (1, ["tools/english.txt:4: unused exception: page.md"])


def test_the_committed_list_can_be_read() -> None:
    """Each pattern of the list compiles, and says what to write instead."""
    rules = check_english.read_rules((ROOT / check_english.LIST).read_text(encoding="utf-8"))

    assert rules.instead
    assert all(rules.instead.values())
