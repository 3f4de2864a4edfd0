"""What a run of mutmut found, read from the files that it keeps: the counts of each module."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The exit codes of mutmut for a mutant: tests passed, no test calls the function, not tried to the end.
_SURVIVED = 0
_NO_TEST = (5, 33)
_UNTRIED = (None, 2, 34)


@dataclass(frozen=True)
class Score:
    """How many mutants of a module, or of an area, were noticed.

    Attributes:
        killed: mutants that made a test fail, hang or crash.
        survivors: names of the mutants that no test noticed.
        uncovered: how many of the survivors are in functions that no test calls.
        untried: how many mutants have no result yet.
        texts: how many mutants change only a sentence for people. They are left out of all other counts.
    """

    killed: int = 0
    survivors: tuple[str, ...] = ()
    uncovered: int = 0
    untried: int = 0
    texts: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.killed + other.killed,
            self.survivors + other.survivors,
            self.uncovered + other.uncovered,
            self.untried + other.untried,
            self.texts + other.texts,
        )

    @property
    def percent(self) -> float:
        """Return the share of noticed mutants; 100 if there is none."""
        tried = self.killed + len(self.survivors)
        return 100 * self.killed / tried if tried else 100.0


def score_of(mutated: Path) -> Score:
    """Return the score of one module.

    Args:
        mutated: the file with all mutants; mutmut keeps the results in ``.meta`` beside it.
    """
    results = json.loads(mutated.with_name(f"{mutated.name}.meta").read_text("utf-8"))["exit_code_by_key"]
    functions = {
        node.name: node for node in ast.walk(ast.parse(mutated.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
    }
    score = Score()
    for name, code in results.items():
        function = name.rpartition(".")[2]
        original = functions.get(f"{function.partition('__mutmut_')[0]}__mutmut_orig")
        if original is not None and function in functions and _changes_text(original, functions[function]):
            score += Score(texts=1)
        elif code in _UNTRIED:
            score += Score(untried=1)
        elif code in (_SURVIVED, *_NO_TEST):
            score += Score(survivors=(name,), uncovered=int(code in _NO_TEST))
        else:
            score += Score(killed=1)
    return score


def _changes_text(original: ast.FunctionDef, mutant: ast.FunctionDef) -> bool:
    """Return whether a mutant changes only a string with a space: a sentence, which is no promise."""
    before = [node for statement in original.body for node in ast.walk(statement)]
    after = [node for statement in mutant.body for node in ast.walk(statement)]
    for old, new in zip_longest(before, after):
        if isinstance(old, ast.Constant) and isinstance(new, ast.Constant) and old.value != new.value:
            return isinstance(old.value, str) and isinstance(new.value, str) and " " in old.value.strip()
        if type(old) is not type(new):
            return False
    return False
