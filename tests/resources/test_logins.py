"""Resources whose credentials come from IAM: what is stored, what needs none, and waits longer than a token lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.errors import ConfigurationError, TransportError
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.pin import Pin
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from tests.support.fault_helpers import closed_port

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

SELECTION = {"package_type": "firmwarePackage", "product_id": "meter", "version": "V1"}
TOKEN = "KeystoneCreateUserTokenByPassword"


@pytest.fixture
def user(bench: Bench) -> Bench:
    """Return a bench whose environment has a user with a password, and no project."""
    accounts = bench.emulator.accounts
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_PROJECT_ID"):
        del bench.environ[name]
    bench.environ |= {
        "HW_AUTH_URL": f"{bench.emulator.endpoint}/v3",
        "HW_USER_NAME": accounts.user_name,
        "HW_USER_PASSWORD": accounts.password,
        "HW_DOMAIN_NAME": accounts.domain_name,
    }
    return bench


def test_the_project_that_was_found_is_stored(user: Bench) -> None:
    """The stored place has the project that IAM returned, also after a refresh."""
    pinned = Pin.check(user.context, {}, SELECTION).inputs
    task = user.created()
    refreshed = UpgradeTask.read(user.context, task.id, task.outputs)

    for state in (pinned, task.outputs, refreshed):
        assert state["identity"]["project_id"] == user.emulator.project_id
    assert user.count(TOKEN) == 1


def test_elsewhere_is_told_by_the_project_that_was_found(user: Bench) -> None:
    """A task that is not in the project of this credential is not gone: the error names both projects."""
    state = dict(user.created().outputs)
    state["identity"] = {**state["identity"], "project_id": "another"}
    state["task_id"] = "0" * 24

    with pytest.raises(Exception, match=f"project_id is {user.emulator.project_id} and was another"):
        UpgradeTask.read(user.context, "0" * 24, state)


def test_what_sends_nothing_asks_iam_nothing(user: Bench) -> None:
    """A resource that owns nothing, and one that is unchanged, need neither a token nor a project."""
    pin = Pin.check(user.context, {}, SELECTION).inputs
    task = user.created()
    count = user.count()
    user.environ["HW_AUTH_URL"] = closed_port()
    user.environ["HW_USER_PASSWORD"] = "rotated"

    assert Pin.check(user.context, pin, {**SELECTION, "verify": False}).problems == []
    assert UpgradeTask.check(user.context, task.outputs, user.inputs()).problems == []
    Pin.delete(user.context, "pin", pin)
    Completion.read(user.context, "completion", {"task_id": task.id})
    Completion.delete(user.context, "completion", {"task_id": task.id})
    UpgradeTask.delete(user.context, task.id, {**task.outputs, "on_destroy": "retain"})

    assert user.count() == count


def test_a_wait_is_longer_than_a_token(user: Bench) -> None:
    """A wait of a day refreshes tokens of hours in time, once each."""
    accounts = user.emulator.accounts
    accounts.token_seconds = 7200
    for device in ("d1", "d2"):
        user.emulator.set_device(device, seconds=24 * 3600)
    task = user.created()

    outputs = Completion.create(user.context, {"task_id": task.id, "timeout": "48h"}).outputs

    assert outputs["status"] == "Success"
    # Each token serves for 110 minutes, and the next poll refreshes it.
    assert 12 <= user.count(TOKEN) <= 14


def test_an_outage_of_iam_is_endured_in_a_wait(user: Bench) -> None:
    """If IAM does not respond when a token is due or over, the wait is delayed and does not end."""
    user.emulator.accounts.token_seconds = 1200
    for device in ("d1", "d2"):
        user.emulator.set_device(device, seconds=4 * 3600)
    task = user.created()
    fault = user.emulator.faults.add(operation=TOKEN, times=60, status=503)

    outputs = Completion.create(user.context, {"task_id": task.id, "timeout": "8h"}).outputs

    assert outputs["status"] == "Success"
    assert fault.hits == 60
    assert [line for line in user.reported if "no response, trying again" in line]


def test_a_project_that_can_not_be_found_is_a_problem_of_the_connection(user: Bench) -> None:
    """An error of IAM about the region is reported for the connection. An outage of IAM ends a preview."""
    user.emulator.accounts.projects.clear()
    del user.environ["HW_USER_NAME"], user.environ["HW_USER_PASSWORD"]
    user.environ |= {"HW_ACCESS_KEY": user.emulator.access_key, "HW_SECRET_KEY": user.emulator.secret_key}

    (problem,) = Pin.check(user.context, {}, SELECTION).problems
    assert problem.argument == "connection"
    assert problem.rendered().startswith("IAM finds no project of the region cn-north-4 with this credential")
    with pytest.raises(ConfigurationError):
        user.context.resolve({})
    user.environ["HW_AUTH_URL"] = closed_port()
    with pytest.raises(TransportError, match="could not find the project"):
        user.context.resolve({})
