"""The areas of the core that are mutated, and the smallest lanes that cover each of them."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "pulumi_iotda_ota"
#: The packages whose modules all belong to an area.
CORE = ("lifecycle", "lock", "selection", "iotda/auth", "iotda/paging")


@dataclass(frozen=True)
class Area:
    """A part of the core with one score.

    Attributes:
        name: the name of the area in the table, and of its folder.
        modules: patterns of modules below the package; ``*`` includes subpackages.
        tests: patterns of the test files that cover them. mutmut runs for each function only those that call it.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]

    def contains(self, module: str) -> bool:
        """Return whether a module, such as ``selection/rules.py``, belongs to the area."""
        return any(fnmatch(module, pattern) for pattern in self.modules)

    def test_files(self) -> list[str]:
        """Return the paths of the test files, relative to the repository."""
        found = {path for pattern in self.tests for path in ROOT.glob(pattern)}
        return sorted(path.relative_to(ROOT).as_posix() for path in found)


AREAS = (
    Area(
        "selection",
        ("selection/*",),
        (
            "tests/unit/test_constraints*.py",
            "tests/unit/test_version*.py",
            "tests/unit/test_golden_versions.py",
            "tests/unit/test_rules*.py",
            "tests/unit/test_choose*.py",
            "tests/unit/test_paths*.py",
            "tests/unit/test_regexes*.py",
            "tests/functions/test_versions_and_times.py",
        ),
    ),
    Area(
        "paging",
        ("iotda/paging/*",),
        (
            "tests/unit/test_marker*.py",
            "tests/unit/test_parallel*.py",
            "tests/unit/test_scheduler*.py",
            "tests/unit/test_walk_model.py",
        ),
    ),
    Area(
        "sign-in",
        ("iotda/auth/*", "iotda/login*", "iotda/http/limiter*"),
        (
            "tests/unit/test_signing*.py",
            "tests/unit/test_auth_files.py",
            "tests/unit/test_connection*.py",
            "tests/unit/test_credentials*.py",
            "tests/unit/test_discovery*.py",
            "tests/unit/test_endpoint*.py",
            "tests/unit/test_iam*.py",
            "tests/unit/test_limiter*.py",
            "tests/unit/test_refresh*.py",
            "tests/unit/test_settings*.py",
            "tests/unit/test_vendor_settings.py",
            "tests/faults/test_logins.py",
            "tests/faults/test_token_refresh.py",
            "tests/functions/test_logins.py",
        ),
    ),
    Area(
        "lock",
        ("lock/*", "operations.py"),
        (
            "tests/lock/test_[cdfu]*.py",  # not the page and the merges, which run git
            "tests/resources/test_locked_pin.py",
        ),
    ),
    Area(
        "life cycles",
        ("lifecycle/*",),
        (
            "tests/resources/test_*.py",
            "tests/unit/test_thresholds*.py",
            "tests/unit/test_upgrade_task*.py",
        ),
    ),
)


def modules() -> list[str]:
    """Return every module of the product, relative to its package."""
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
