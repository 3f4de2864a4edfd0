"""The texts of the product: messages name arguments by reference, and their labels are those of the vocabulary."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.schema.registry import FUNCTIONS, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parents[2] / "pulumi_iotda_ota"
#: What is for Python programs only has no other spelling. Tables and the emulator have no messages.
OTHERS = ("dynamic", "functions", "testing", "emulator", "schema", "_generated")
OTHER_FILES = ("pulumi_inputs.py", "pulumi_compat.py", "pytest_plugin.py", "settings.py", "vendor.py", "registry.py")
FILES = [
    file
    for file in sorted(PACKAGE.rglob("*.py"))
    if file.relative_to(PACKAGE).parts[0] not in OTHERS and file.name not in OTHER_FILES
]
TABLES = [item.arguments for table in (FUNCTIONS, RESOURCES) for item in table.values()]
#: A name of one word is a word of English too.
NAMES = {name for table in TABLES for argument in table if "_" in (name := argument.name)}
NAMES |= {setting.name for setting in SETTINGS if "_" in setting.name}
# A name in quotes is a value.
BARE = re.compile(rf"(?:^|[ (])({'|'.join(sorted(NAMES))})(?=[ ,;:=)]|$)|=(?:True|False|None)\b")
OLD_LABELS = ("asked for", "looked at", "looked in", "looked for", "likely", "what to do", "given by", "happened")


def texts_of(file: Path) -> Iterator[tuple[int, str]]:
    """Give each string of a file with its line; docstrings, and the sentences of the error page, are left out."""
    tree = ast.parse(file.read_text())
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            skipped |= {*ast.walk(body[0])}
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") in ("when", "remedy"):
            skipped |= {*ast.walk(node)}
        if isinstance(node, ast.keyword) and node.arg == "help":
            skipped |= {*ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.lineno, node.value


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_arguments_are_named_by_reference(file: Path) -> None:
    """No text of a message has the bare name of an argument or a setting, or a value of Python."""
    bare = [(line, text) for line, text in texts_of(file) if " " in text and BARE.search(text)]

    assert bare == []


def test_the_rule_finds_a_bare_name() -> None:
    """The rule above sees a name in a sentence, and neither a key nor a value in quotes."""
    assert BARE.search("set app_id to one of these")
    assert BARE.search("set x=True")
    assert not BARE.search('must be "package_id"')


def test_the_labels_are_those_of_the_vocabulary() -> None:
    """No message has a label of the time before: they are requested, found, nearest, cause and fix."""
    old = [(file.name, text) for file in FILES for _, text in texts_of(file) if text in OLD_LABELS]

    assert old == []
