"""`package list` and `package get`: the output for a shell, a person and a program, and the exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi_iotda_ota as iotda_ota
from tests.support.shell import METER, Done, Shell

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


def test_a_line_a_package_with_tabs_between_the_cells(shell: Shell) -> None:
    """A shell reads one line a package: version, id, product and time, whole."""
    done = shell("package", "list", *METER, "--version-constraint", "^1.4", "--order-by", "version")

    assert (done.code, done.err) == (0, "")
    assert done.rows[0] == [
        "V1.5.0-rc1",
        "192712691d0204daa7de48170b811dcd",
        "smart-meter",
        "2026-11-03T16:00:00Z",
    ]
    assert [row[0] for row in done.rows][1:3] == ["V1.4.11", "V1.4.10"]


def test_one_field_for_a_shell(shell: Shell) -> None:
    """`--field` prints one value and nothing else."""
    done = shell("package", "get", *METER, "--version", "V1.4.10", "--field", "package_id")

    assert (done.code, done.out, done.err) == (0, "169ea9fd475dde0c9e14299b41281f51\n", "")


def test_json_has_what_the_function_returns(shell: Shell, service: Emulator) -> None:
    """`--json` prints the result of the function, and beside it the skipped packages."""
    arguments: dict[str, Any] = {
        "package_type": "firmwarePackage",
        "product_id": "smart-meter",
        "version_constraint": "^1.4",
    }
    arguments["version_constraint"] = "^1.4"
    one = iotda_ota.get_ota_package(**arguments, highest_version=True, source_versions=["V1.3.2", "V1.4.0"])
    many = iotda_ota.get_ota_packages(**arguments, max_items=3)
    assert service

    words = (*METER, "--version-constraint", "^1.4", "--json")
    sources = ("--source-version", "V1.3.2", "--source-version", "V1.4.0")
    got, listed = (
        shell("package", "get", *words, "--highest-version", *sources),
        shell("package", "list", *words, "--max-items", "3"),
    )

    for done, result in ((got, one), (listed, many)):
        printed = result.all_values()
        envelope = {name: printed.pop(name) for name in ("skipped", "skipped_counts")}
        assert (done.code, done.answer, done.err) == (0, {"result": printed, **envelope}, "")


def test_nothing_found(shell: Shell) -> None:
    """If nothing matches, the exit code is 3, and the message on the standard error has options, with no output."""
    done = shell("package", "get", *METER, "--version-constraint", "^9")

    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error: no OTA package matches\n")
    assert "change --version-constraint to include" in done.err
    assert "version_constraint" not in done.err


def test_nothing_found_for_a_program(shell: Shell) -> None:
    """With `--json` an error is one object on the standard error, with its exit code."""
    done = shell("package", "get", *METER, "--version-constraint", "^9", "--json")

    assert (done.code, done.out) == (3, "")
    assert (done.error["kind"], done.error["exit_code"]) == ("PackageNotFound", 3)
    assert {
        "label": "requested",
        "text": "--package-type firmwarePackage --product-id smart-meter --version-constraint '^9'",
    } in done.error["facts"]


def test_no_package_can_be_a_result(shell: Shell) -> None:
    """With `--on-missing none`, and in a list, nothing is a result: exit code 0, and nothing to read."""
    wanted = (*METER, "--version-constraint", "^9")

    assert shell.inside("package", "get", *wanted, "--on-missing", "none") == Done(0, "", "")
    assert shell.inside("package", "list", *wanted).out == ""
    assert shell.inside("package", "list", *wanted).code == 0
    assert shell.inside("package", "get", *wanted, "--on-missing", "none", "--json").answer["result"] is None


def test_several_found(shell: Shell) -> None:
    """More than one fits: exit code 4, and they are listed."""
    done = shell.inside("package", "get", *METER)

    assert (done.code, done.out) == (4, "")
    assert done.err.startswith("error: 40 OTA packages match\n")


def test_explain(shell: Shell) -> None:
    """`--explain` prints the package and the nearest skipped ones, with reason and rule; `--all-skipped` prints all."""
    wanted = (
        "package",
        "get",
        *METER,
        "--version-constraint",
        "^1.4",
        "--source-version",
        "V1.3.2",
        "--highest-version",
        "--explain",
    )
    few, everything = shell(*wanted), shell(*wanted, "--all-skipped")

    chosen, _, first, second = few.rows[:4]
    assert chosen[0] == "V1.4.11"
    assert (first[0], first[2]) == ("V1.5.0-rc1", "prerelease (--include-prereleases)")
    assert (second[0], second[2]) == ("V1.4.10", "lower than V1.4.11 (--highest-version)")
    assert few.err == "  … 32 more (--all-skipped lists them)\n"
    assert len(everything.rows) == 2 + 40


def test_explain_names_an_unknown_suffix(shell: Shell, emulator: Emulator) -> None:
    """`--explain` names the unknown suffix that sorts a version below its release."""
    for version in ("1.5.0-arm64", "1.5.0"):
        emulator.add_package(product_id="lamp", version=version)
    lamp = ("--package-type", "firmwarePackage", "--product-id", "lamp")

    done = shell.inside("package", "get", *lamp, "--highest-version", "--explain")

    assert done.rows[0][0] == "1.5.0"
    assert "lower than 1.5.0; arm is an unknown word (--highest-version)" in done.out


def test_explain_prints_more_than_a_hundred(shell: Shell) -> None:
    """`--all-skipped` prints every skipped package, although the function returns only the first hundred."""
    wanted = ("--package-type", "softwarePackage", "--product-id", "gateway", "--highest-version")
    done = shell.inside("package", "get", *wanted, "--explain", "--all-skipped")
    counted = shell.inside("package", "get", *wanted, "--json").answer

    assert len(counted["skipped"]) == 100 < sum(counted["skipped_counts"].values()) == len(done.rows) - 2
    assert (
        shell.inside("package", "get", *wanted, "--explain", "--all-skipped", "--json").answer["skipped_counts"]
        == counted["skipped_counts"]
    )


def test_all_that_was_passed_over_for_a_program(shell: Shell) -> None:
    """`--all-skipped` adds all skipped packages to the JSON, with and without `--explain`."""
    for more in ((), ("--explain",)):
        answer = shell.inside("package", "get", *METER, "--highest-version", "--json", "--all-skipped", *more).answer
        assert len(answer["skipped"]) == sum(answer["skipped_counts"].values())


def test_the_location_of_a_file_is_requested(shell: Shell) -> None:
    """`--field file_location` requests the location that it prints."""
    done = shell.inside("package", "get", *METER, "--highest-version", "--field", "file_location")
    assert "obs_location" in done.out


def test_explain_nothing(shell: Shell) -> None:
    """`--explain` prints a note if nothing was found and that is allowed."""
    done = shell.inside("package", "get", *METER, "--version-constraint", "^9", "--on-missing", "none", "--explain")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("no OTA package matches")
