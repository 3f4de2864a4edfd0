"""What git makes of two branches that change the lock file, by the real `git merge`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.lock.files import LOCK_FILE, load
from pulumi_iotda_ota.lock.format import written
from tests.support.git import git
from tests.support.locks import entry

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_iotda_ota.lock.entry import Entry

    Entries = dict[str, Entry]
    Step = tuple[str, Callable[[Entries], Entries]]

BASE = {name: entry(name) for name in ("b", "d", "f")}


def merged(folder: Path, ours: Entries, theirs: Entries, base: Entries = BASE) -> subprocess.CompletedProcess[str]:
    """Merge two branches that each have their lock file."""
    git(folder, "init", "-b", "base")
    for branch, entries in (("base", base), ("theirs", theirs), ("ours", ours)):
        if branch != "base":
            git(folder, "checkout", "-q", "-b", branch, "base")
        (folder / LOCK_FILE).write_text(written(entries.values()))
        git(folder, "add", LOCK_FILE)
        git(folder, "commit", "-qm", branch)
    return git(folder, "merge", "-q", "theirs", "-m", "merge")


def adding(name: str) -> Step:
    """Return the step that adds a name."""
    return f"add {name}", lambda there: {**there, name: entry(name, "V9")}


def updating(name: str) -> Step:
    """Return the step that moves a name to another package, which touches its first and last fields too."""
    moved = entry(
        name, "V2", selection={"package_type": "softwarePackage"}, reason="another", locked_at="2026-12-01T00:00:00Z"
    )
    return f"update {name}", lambda there: {**there, name: moved}


def removing(name: str) -> Step:
    """Return the step that removes a name."""
    return f"remove {name}", lambda there: {other: one for other, one in there.items() if other != name}


# Each gap has two names, so that neighbours of every kind meet.
STEPS = {name: [adding(name)] for name in ("a", "aa", "c", "cc", "e", "ee", "g", "gg")}
STEPS |= {name: [updating(name), removing(name)] for name in BASE}
GAPS = [{"a", "aa"}, {"c", "cc"}, {"e", "ee"}, {"g", "gg"}]
# A name that is removed leaves one gap with what is added on either side of it, or removed.
TOUCHING = [{"a", "b"}, {"aa", "b"}, {"b", "c"}, {"b", "cc"}, {"c", "d"}, {"cc", "d"}, {"d", "e"}, {"d", "ee"}]
TOUCHING += [{"e", "f"}, {"ee", "f"}, {"f", "g"}, {"f", "gg"}, {"b", "d"}, {"d", "f"}]
PAIRS = [
    (one, other)
    for (name, steps), (other_name, others) in itertools.combinations(STEPS.items(), 2)
    for one in steps
    for other in others
    if {name, other_name} not in GAPS
    and not ({name, other_name} in TOUCHING and "remove" in one[0] + other[0] and "update" not in one[0] + other[0])
]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda step: step[0].replace(" ", "-"))
def test_other_names_merge(tmp_path: Path, one: Step, other: Step) -> None:
    """Two branches that change different names merge, into what both steps after another would have written."""
    done = merged(tmp_path, one[1](BASE), other[1](BASE))

    assert done.returncode == 0, done.stdout
    assert (tmp_path / LOCK_FILE).read_text() == written(other[1](one[1](BASE)).values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (adding("c"), adding("cc")),
        (adding("a"), adding("aa")),
        (adding("g"), adding("gg")),
        (updating("d"), removing("d")),
        (adding("c"), removing("d")),
        (removing("b"), removing("d")),
    ],
    ids=lambda step: step[0].replace(" ", "-"),
)
def test_the_same_gap_conflicts_and_is_told(tmp_path: Path, one: Step, other: Step) -> None:
    """Two names for one gap, or two changes of one name, are git's conflict to show; the library says what to do."""
    done = merged(tmp_path, one[1](BASE), other[1](BASE))

    assert done.returncode == 1
    with pytest.raises(iotda_ota.LockError, match="unresolved merge conflicts"):
        load(tmp_path / LOCK_FILE)


def test_the_same_change_on_both_sides_merges(tmp_path: Path) -> None:
    """Two branches that resolved a name to the same package merge: a bot that runs twice makes no conflict."""
    done = merged(tmp_path, updating("d")[1](BASE), updating("d")[1](BASE))

    assert done.returncode == 0
    assert load(tmp_path / LOCK_FILE) == updating("d")[1](BASE)
