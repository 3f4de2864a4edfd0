"""Tests of this program, with a list of packages. They need pytest. Run `pytest` in this folder."""

from pathlib import Path

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import testing

PROGRAM = Path(__file__).parent
CONFIG = {
    "python-staged-rollout:product": "smart-meter",
    "python-staged-rollout:range": "^1.4",
    "python-staged-rollout:canary": "canary",
    "python-staged-rollout:fleet": '["north", "south"]',
}
PACKAGES = [{"product_id": "smart-meter", "version": version} for version in ("V1.4.9", "V1.4.10")]


def run(mocks, **settings):
    """Run the program with more settings."""
    more = {f"python-staged-rollout:{name}": value for name, value in settings.items()}
    return testing.run_program(PROGRAM, config=CONFIG | more, mocks=mocks)


def test_the_fleet_waits_for_an_approval():
    """The task is created so that its devices wait, and nothing confirms it."""
    mocks = run(testing.Mocks(PACKAGES))

    assert [task.get("need_confirm") for task in mocks.tasks] == [None, True]
    with pytest.raises(LookupError):
        mocks.resource("fleet-approved")


def test_an_approval_of_this_package_starts_the_fleet():
    """With the id that was tested on the canary, the second wave runs to its end."""
    tested = run(testing.Mocks(PACKAGES)).outputs["package"]["package_id"]

    done = run(testing.Mocks(PACKAGES), approved=f'["{tested}"]').resource("fleet-done")

    assert done.outputs["progress"]["success"] == 2


def test_an_approval_of_another_package_is_refused():
    """A package that was not reviewed is not confirmed."""
    with pytest.raises(iotda_ota.IotdaOtaError, match="installs other packages than the approved ones"):
        run(testing.Mocks(PACKAGES), approved='["5e77000000000000000000000000009a"]')
