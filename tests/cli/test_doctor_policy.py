"""`doctor --policy`: the least IAM policy of a purpose, in both models, from the table that hints are made from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.actions import ACTIONS, PURPOSES, actions_for

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.shell import Shell


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_policy_of_a_purpose(alone: Shell, purpose: str) -> None:
    """Without settings or requests, both policies are printed as JSON; they allow what the purpose needs, no more."""
    done = alone("doctor", "--policy", "--for", purpose)
    content = json.loads(done.out)

    assert done.code == 0
    assert content["policy"]["Version"] == "1.1"
    assert content["identity_policy"]["Version"] == "5.0"
    for policy in content.values():
        assert policy["Statement"][0]["Action"] == actions_for([purpose])
        assert not any("*" in action for action in policy["Statement"][0]["Action"])
    assert "iam:projects:listProjects" in done.err
    assert json.loads(alone("doctor", "--policy", "--for", purpose, "--json").out)["result"] == content


def test_several_purposes(alone: Shell) -> None:
    """A purpose can be repeated; the default is a lookup."""
    purposes = [word for purpose in ("rollout", "packages", "devices") for word in ("--for", purpose)]
    several = json.loads(alone("doctor", "--policy", *purposes).out)
    default = json.loads(alone("doctor", "--policy").out)

    assert several["policy"]["Statement"][0]["Action"] == sorted({one for many in ACTIONS.values() for one in many})
    assert default["policy"]["Statement"][0]["Action"] == actions_for(["lookup"])


def test_a_purpose_without_a_policy(alone: Shell) -> None:
    """A purpose that there is not, or one without --policy, is exit code 2."""
    wrong = alone("doctor", "--policy", "--for", "everything")
    without = alone("doctor", "--for", "lookup")

    assert (wrong.code, without.code) == (2, 2)
    assert "lookup" in wrong.err
    assert "--for needs --policy" in without.err


@pytest.mark.parametrize(("purpose", "operations"), PURPOSES.items(), ids=lambda value: str(value)[:9])
def test_a_denial_is_in_the_policy(shell: Shell, emulator: Emulator, purpose: str, operations: tuple[str, ...]) -> None:
    """What doctor names for a denial is an action of the policy."""
    emulator.faults.add(operation="ListOtaPackageInfo", status=403, body={"error_code": "APIGW.0302"})
    done = shell("doctor", "--json")
    found = {one["check"]: one["remedy"] for one in done.answer["result"]["findings"]}

    assert found["packages"].startswith("grant the user iotda:otapackages:queryList")
    assert "iotda:otapackages:queryList" in actions_for([purpose])
    assert all(ACTIONS[name][0] in actions_for([purpose]) for name in operations)
