"""The page of symptoms: each message that it quotes is a message of the library."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.doc_blocks import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SYMPTOMS = [line.split(" | ")[0].removeprefix("| ") for line in PAGE.splitlines() if line.startswith("| ")]
# Texts of Pulumi, Python, Go and devices begin with a name and a colon.
QUOTED = [
    message
    for symptom in SYMPTOMS
    if not re.match(r"(Pulumi|Python|Go|Device): ", symptom)
    for message in re.findall(r"`([^`]+)`", symptom)
    if " " in message
]


def texts() -> list[str]:
    """Return each string literal of the library, with … for each expression in it, and the messages of errors.md."""
    found = [(ROOT / "docs" / "errors.md").read_text(encoding="utf-8")]
    for path in (ROOT / "pulumi_iotda_ota").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append(
                    "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return found


TEXTS = texts()


@pytest.mark.parametrize("message", QUOTED)
def test_a_quoted_message_is_one_of_the_library(message: str) -> None:
    """Each message in the first column is printed by the library, so that a reader finds it."""
    assert len(QUOTED) > 20
    pattern = re.compile(".*".join(re.escape(part.strip()) for part in message.split("…")), re.DOTALL)
    assert any(pattern.search(text) for text in TEXTS)
