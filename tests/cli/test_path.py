"""`package path`: its formats, its exit codes, and the command that a failed lookup names."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from tests.support.shell import METER, Shell

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator

LAMP = ("--package-type", "firmwarePackage", "--product-id", "lamp")
TO_V1_4_10 = ("package", "path", *METER, "--version", "V1.4.10")


@pytest.fixture
def lamps(emulator: Emulator) -> None:
    """Add packages that lead from 1 to 3, and from 6 to 9."""
    for version, source in (("2", "1"), ("3", "2"), ("7", "6"), ("8", "7"), ("9", "8")):
        emulator.add_package(product_id="lamp", version=version, support_source_versions=[source])


def test_a_line_for_each_hop(shell: Shell) -> None:
    """A shell reads one line for each hop: source version, number, version, package id."""
    done = shell(*TO_V1_4_10, "--source-version", "V1.0.0", "--source-version", "V1.4.10")

    assert (done.code, done.err) == (0, "")
    assert [row[:3] for row in done.rows] == [
        ["V1.0.0", "1", "V1.2.2"],
        ["V1.0.0", "2", "V1.4.4"],
        ["V1.0.0", "3", "V1.4.10"],
        ["V1.4.10", "0", "V1.4.10"],
    ]
    assert done.rows[2][3] == "169ea9fd475dde0c9e14299b41281f51"


@pytest.mark.usefixtures("lamps")
def test_what_is_missing(shell: Shell) -> None:
    """If a version cannot reach the target, standard error says what closes the gap, and the exit code is 6."""
    gap = shell("package", "path", *LAMP, "--version", "9", "--source-version", "1", "--source-version", "8")
    assert (gap.code, [row[0] for row in gap.rows]) == (6, ["8"])
    assert gap.err == "1 cannot reach 9: no package leads on from 3; upload a package from 3 to 6 or 7 or 8\n"

    few = shell("package", "path", *LAMP, "--version", "9", "--source-version", "6", "--max-hops", "2")
    assert (few.code, few.out) == (6, "")
    assert few.err == "6 cannot reach 9: it needs 3 hops; to allow them: --max-hops 3\n"
    assert shell("package", "path", *LAMP, "--version", "9", "--source-version", "6", "--max-hops", "3").code == 0

    older = ("package", "path", *LAMP, "--version", "2", "--source-version", "3")
    assert shell(*older).err == "3 cannot reach 2: it is older; to accept the downgrade: --allow-downgrade\n"
    assert shell(*older, "--allow-downgrade").err.startswith("3 cannot reach 2: no package leads on from 3")


@pytest.mark.usefixtures("lamps")
def test_graphs(shell: Shell) -> None:
    """Mermaid and DOT have a node for each version and an edge for each package. A gap is dashed."""
    words = ("package", "path", *LAMP, "--version", "9", "--source-version", "1", "--source-version", "7")
    mermaid, dot = (shell(*words, "--format", name) for name in ("mermaid", "dot"))

    assert (mermaid.code, dot.code) == (6, 6)
    lines = mermaid.out.splitlines()
    assert lines[0] == "flowchart LR"
    assert [line for line in lines if "[" in line] == [
        '  v0["1"]',
        '  v1["7"]',
        '  v2["3"]',
        '  v3(["9"])',
        '  v4["8"]',
    ]
    assert '  v2 -.->|"no package"| v3' in lines
    assert len([line for line in lines if "-->" in line]) == 2
    assert '  "3" -> "9" [label="no package", style=dashed];' in dot.out.splitlines()
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=dot.out, text=True, check=True, capture_output=True)


def test_a_text_of_the_service_cannot_leave_its_label(shell: Shell, emulator: Emulator) -> None:
    """An id with a quote or a line break stays inside of its label."""
    emulator.add_package(product_id="lamp", version="2", package_id="odd", support_source_versions=[])
    emulator.switches = type(emulator.switches)(odd_fields={"odd": {"package_id": 'a"|\n  v9[x'}})
    words = ("package", "path", *LAMP, "--version", "2", "--source-version", "1", "--format")
    mermaid, dot = (shell(*words, name).out.splitlines() for name in ("mermaid", "dot"))

    assert mermaid[-1].startswith('  v0 -->|"a#34;#124;')
    assert mermaid[-1].endswith('v9[x"| v1')
    label = dot[-2].partition("[label=")[2].removesuffix("];")
    assert json.loads(label).startswith('a"|')
    assert (len(mermaid), len(dot)) == (4, 6)


def test_format_json_is_json(shell: Shell) -> None:
    """`--format json` prints what `--json` prints, of an error too. Another format excludes `--json`."""
    words = (*TO_V1_4_10, "--source-version", "V1.3.2")
    assert shell(*words, "--format", "json") == shell(*words, "--json")
    wrong = ("package", "path", *METER, "--version", "V7", "--source-version", "V1.3.2")
    for more in (("--format", "json"), ("--format=json",), ("--json",)):
        done = shell(*wrong, *more)
        assert (done.code, done.error["kind"]) == (3, "PackageNotFound")
    done = shell(*words, "--json", "--format", "dot")
    assert (done.code, done.out) == (2, "")
    assert "--json and --format dot exclude each other" in done.err


def test_the_command_that_a_failed_lookup_names(shell: Shell, service: Emulator) -> None:
    """A lookup whose package does not support the devices names a command, which finds the hops as it stands."""
    assert service
    with pytest.raises(iotda_ota.PackageNotFound) as caught:
        iotda_ota.get_ota_package(
            package_type="firmwarePackage", product_id="smart-meter", version="V1.4.10", source_versions=["V1.0.0"]
        )
    lines = [line.strip() for line in str(caught.value).splitlines()]
    (command,) = [line for line in lines if line.startswith("iotda-ota ")]
    assert "upgrade through V1.3.0 or V1.3.1 or V1.3.2 first:" in " ".join(lines)

    program, *words = shlex.split(command)
    done = shell(*words)

    assert program == "iotda-ota"
    assert (done.code, [row[2] for row in done.rows]) == (0, ["V1.2.2", "V1.4.4", "V1.4.10"])
    failed = shell("package", "get", *METER, "--version", "V1.4.10", "--source-version", "V1.0.0")
    assert command in failed.err


def test_on_a_terminal(shell: Shell) -> None:
    """A person reads a table within 80 columns, below a line that counts the versions."""
    done = shell.inside(*TO_V1_4_10, "--source-version", "V1.0.0", columns=80)
    assert done.err == "V1.4.10 can be reached from 1 of 1 version\n"
    assert max(map(len, done.out.splitlines())) <= 80
