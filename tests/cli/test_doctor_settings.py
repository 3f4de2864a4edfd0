"""`doctor` on the variables of the vendor's tools: which are read, which are refused, which change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.shell import Done, Shell

SECRET = "a-secret-that-must-not-be-shown"


def variables(done: Done) -> dict[str, dict[str, str]]:
    """Return what was found on variables, by the first word, which is the variable."""
    found = [one for one in done.answer["result"]["findings"] if one["check"] == "variable"]
    return {one["text"].split()[0]: one for one in found}


def test_variables_that_are_not_read(shell: Shell) -> None:
    """Each variable of the vendor's tools that is set and not read is listed, without its value; a misspelling too."""
    given = {
        "OS_PROJECT_NAME": SECRET,
        "OS_PASSWORD": SECRET,
        "HW_MAX_RETRIES": SECRET,
        "HW_DOMAIN_ID": SECRET,
        "HW_IOTDA_ENDPIONT": SECRET,
        "HUAWEI_REGION": SECRET,
        "HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4": SECRET,
        "OS_NAME": SECRET,
    }
    done = shell.inside("doctor", "--json", environ=given)
    found = variables(done)

    assert done.code == 0
    assert sorted(found) == sorted(set(given) - {"HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4", "OS_NAME"})
    assert found["OS_PROJECT_NAME"]["text"].endswith("is not read (read instead: HW_PROJECT_NAME)")
    assert (found["HW_IOTDA_ENDPIONT"]["status"], found["HW_IOTDA_ENDPIONT"]["remedy"]) == (
        "warning",
        "did you mean HW_IOTDA_ENDPOINT?",
    )
    assert (found["HW_DOMAIN_ID"]["status"], found["HW_DOMAIN_ID"]["remedy"]) == ("warning", "set HW_DOMAIN_NAME")
    assert SECRET not in done.out + done.err


def test_a_variable_that_is_refused(shell: Shell) -> None:
    """A variable that would decide as whom to connect, and is not read, is a problem with its remedy."""
    none = dict.fromkeys(("HW_ACCESS_KEY", "HW_SECRET_KEY"))
    done = shell.inside("doctor", "--json", environ={**none, "HUAWEICLOUD_OIDC_AGENCY_URN": SECRET})
    settings = next(one for one in done.answer["result"]["findings"] if one["check"] == "settings")

    assert done.code == 1
    assert settings["text"] == "HUAWEICLOUD_OIDC_AGENCY_URN (environment) is not read by this library"
    assert "unset HUAWEICLOUD_OIDC_AGENCY_URN" in settings["remedy"]
    assert SECRET not in done.out + done.err


def test_a_project_by_its_name(shell: Shell, emulator: Emulator) -> None:
    """The name of the project is listed with its origin, and so is the id that IAM returned for it."""
    emulator.accounts.projects[:] = [{"id": emulator.project_id, "name": f"{emulator.region}_iot"}]
    name = {"HW_PROJECT_NAME": f"{emulator.region}_iot"}
    done = shell.inside("doctor", "--json", environ={**name, "HW_PROJECT_ID": None, "HW_AUTH_URL": emulator.endpoint})
    rows = {one["name"]: one for one in done.answer["result"]["settings"]}
    found = {one["check"]: one["text"] for one in done.answer["result"]["findings"]}

    assert rows["project_name"]["origin"] == "HW_PROJECT_NAME (environment)"
    assert found["project"] == f"{emulator.project_id}, from IAM, by the name {emulator.region}_iot"
    both = shell.inside("doctor", environ=name)
    assert ["project_name", f"{emulator.region}_iot", "HW_PROJECT_NAME (environment)", "not used"] in both.rows
