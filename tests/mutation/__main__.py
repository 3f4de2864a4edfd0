"""Makes small faults in the core, one at a time, and counts those that a test notices: ``make mutate``.

mutmut does the work, in an environment under ``.cache``. Each area has a folder there, which keeps its results: a run
that was interrupted goes on where it ended. ``MODULES=selection/constraints`` tests these modules again, and no other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from typing import TYPE_CHECKING

from tests.mutation.areas import AREAS, PACKAGE, ROOT, Area, modules
from tests.mutation.results import Score, score_of

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / ".cache" / "mutation"
ENVIRONMENT = FOLDER / "venv"
MUTMUT = "mutmut>=3.8,<4"
WORKERS = os.environ.get("WORKERS", "2")
# What the mutated copy of the repository needs beside the product and the tests.
COPIED = ("README.md", "CHANGELOG.md", "docs", "examples", "schema", "tools")


def main(names: list[str]) -> int:
    """Test the mutants of some modules, or of all, and print the scores; 1 if mutmut could not run."""
    chosen = [module for module in modules() if any(module.startswith(name.removesuffix(".py")) for name in names)]
    unknown = [name for name in names if not any(module.startswith(name.removesuffix(".py")) for module in modules())]
    outside = [module for module in chosen if not any(area.contains(module) for area in AREAS)]
    if unknown or outside:
        print(f"make mutate: no module of an area: {', '.join(unknown or outside)} (see tests/mutation/areas.py)")
        return 1
    program = _mutmut()
    failed = 0
    for area in AREAS:
        wanted = [module for module in chosen if area.contains(module)]
        if wanted or not names:
            failed += _run(program, area, wanted)
    _print_table(chosen)
    return int(failed > 0)


def _mutmut() -> Path:
    """Return the program, in an environment that also finds the packages of this one."""
    program = ENVIRONMENT / "bin" / "mutmut"
    if not program.exists():
        print("preparing .cache/mutation/venv (once; about a minute)")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", MUTMUT], check=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = ENVIRONMENT / "lib" / version / "site-packages"
        # A plain path: the editable install of this environment, which is not mutated, is not followed.
        (packages / "product.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return program


def _run(program: Path, area: Area, wanted: list[str]) -> int:
    """Run mutmut for an area, all of it or some modules; return 1 if it failed."""
    folder = FOLDER / area.name.replace(" ", "-")
    # It is on the path when mutmut starts: Python remembers of a folder that it was absent.
    (folder / "mutants").mkdir(parents=True, exist_ok=True)
    for name in (PACKAGE.name, "tests", *COPIED):
        link = folder / name
        if (ROOT / name).exists() and not link.is_symlink():
            link.symlink_to(ROOT / name)
    (folder / "pyproject.toml").write_text(_settings(area), encoding="utf-8")
    patterns = [f"{PACKAGE.name}.{module.removesuffix('.py').replace('/', '.')}.x*" for module in wanted]
    began = time.monotonic()
    with (folder / "mutmut.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            [str(program), "run", "--max-children", WORKERS, *patterns],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "mutants"), "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    failure = f"; failed, see {log.name}" if done.returncode else ""
    print(f"{area.name:12} {' '.join(wanted) or 'all modules'}: {time.monotonic() - began:.0f} s{failure}", flush=True)
    return int(done.returncode != 0)


def _settings(area: Area) -> str:
    """Return the project file of the area's folder: that of the repository, and what mutmut reads."""
    settings = {
        "source_paths": [PACKAGE.name],
        "only_mutate": [f"{PACKAGE.name}/{pattern}" for pattern in area.modules],
        # A mutant that does not end fails its first test after 90 seconds.
        "timeout_multiplier": 5.0,
        "timeout_constant": 2.0,
        "also_copy": [name for name in COPIED if (ROOT / name).exists()],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0", "--timeout=90"],
        "pytest_add_cli_args_test_selection": area.test_files(),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    return "\n".join(
        [project, "[tool.mutmut]", "use_git_change_detection = false", "track_dependencies = false", *lines, ""]
    )


def _print_table(chosen: list[str]) -> None:
    """Print the score of each module that was tested, and of each area, then the names of what survived."""
    print(f"\n{'':42}{'mutants':>8}{'killed':>8}{'survived':>9}{'no test':>8}{'untried':>8}{'texts':>7}{'score':>8}")
    survivors: list[str] = []
    for area in AREAS:
        total = Score()
        mutated = FOLDER / area.name.replace(" ", "-") / "mutants" / PACKAGE.name
        for module in modules():
            file = mutated / module
            if area.contains(module) and file.with_name(f"{file.name}.meta").exists():
                score = score_of(file)
                total += score
                if module in chosen or not chosen:
                    _print_score(f"  {module}", score)
                    survivors += score.survivors
        if total != Score():
            _print_score(area.name, total)
    (FOLDER / "survivors.txt").write_text("\n".join([*survivors, ""]), encoding="utf-8")
    print(
        "\n.cache/mutation/survivors.txt names what survived; in the folder of the area: ../venv/bin/mutmut show NAME"
    )


def _print_score(name: str, score: Score) -> None:
    tried = score.killed + len(score.survivors)
    counts = f"{tried:8}{score.killed:8}{len(score.survivors):9}{score.uncovered:8}{score.untried:8}{score.texts:7}"
    print(f"{name:42}{counts}{score.percent:7.1f}%")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
