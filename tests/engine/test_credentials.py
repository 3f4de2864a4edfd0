"""Credentials that are obtained from IAM, on the real engine: what it stores, prints and records of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

PROGRAM = """
import pulumi
import pulumi_iotda_ota as iotda_ota

meter = dict(package_type="firmwarePackage", product_id="smart-meter", highest_version=True)
firmware = iotda_ota.get_ota_package(**meter)
pin = iotda_ota.OtaPackagePin("pin", **meter)
iotda_ota.UpgradeTask("rollout", package_ids=[pin.package_id], targets=["meter-0001"])
pulumi.export("version", firmware.version)
pulumi.export("package", pin.package_id)
"""
TOKEN = "KeystoneCreateUserTokenByPassword"


def signed_in(make_project: Callable[..., Project], emulator: Emulator) -> Project:
    """Return a project whose credentials are a user and a password in the stack's configuration, and no project id."""
    project = make_project(PROGRAM, passphrase=True)
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_PROJECT_ID"):
        project.environment.pop(name)
    accounts = emulator.accounts
    project.set("iotda-ota:iamEndpoint", f"{emulator.endpoint}/v3")
    project.set("iotda-ota:userName", accounts.user_name)
    project.set("iotda-ota:domainName", accounts.domain_name)
    project.ok("config", "set", "--secret", "iotda-ota:password", accounts.password)
    return project


def places_of(text: str, value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the paths in JSON at which a text stands."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places_of(text, item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from places_of(text, item, path)
    elif isinstance(value, str) and text in value:
        yield path


def hands_configuration_out(method: str, path: tuple[str, ...]) -> bool:
    """Return whether the engine passes the stack's configuration to a host in a recorded call."""
    return method.endswith(("/CheckConfig", "/DiffConfig", "/Configure")) or "config" in path


def test_a_password_in_the_configuration_stays_there(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """User and password in the stack's configuration sign a whole stack in, once a process, and nothing of them shows.

    Neither password nor token is in the state, on the screen, in ``--json`` or the log of events. The engine's own
    record of its calls has the password where it hands the configuration out, and nowhere else.
    """
    project = signed_in(make_project, emulator)
    password = emulator.accounts.password
    calls, events = project.folder / "calls.json", project.folder / "events.json"

    shown = [project.ok("preview", "--json").stdout]
    record = {"PULUMI_DEBUG_GRPC": str(calls), "PULUMI_DEBUG_COMMANDS": "true"}
    done = project.run("up", "--yes", "--skip-preview", "--event-log", str(events), **record)
    assert done.code == 0, done.text
    shown += [done.text, project.ok("preview", "--diff").text, project.ok("refresh", "--yes").text]
    state = project.ok("stack", "export").stdout
    assert project.outputs()["version"] == "V1.4.11"
    shown += [project.ok("destroy", "--yes").text, state, events.read_text()]

    assert len(emulator.tokens) >= 2
    recorded = calls.read_text()
    for secret in (password, *emulator.tokens):
        assert [place for place in shown if secret in place] == []
    assert [token for token in emulator.tokens if token in recorded] == []
    records = [json.loads(line) for line in recorded.splitlines()]
    found = {(record["method"], path) for record in records for path in places_of(password, record)}
    assert found
    assert {(method, path) for method, path in found if not hands_configuration_out(method, path)} == set()
    identity = json.loads(state)["deployment"]["resources"]
    kept = [resource["outputs"]["identity"] for resource in identity if "identity" in resource.get("outputs", {})]
    assert {place["project_id"] for place in kept} == {emulator.project_id}


def test_a_wrong_password_is_one_clear_error(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A wrong password ends program and resources with what to correct, once for each process, without a traceback."""
    project = signed_in(make_project, emulator)
    project.ok("config", "set", "--secret", "iotda-ota:password", "wrong-password")

    done = project.run("up", "--yes", "--skip-preview")

    assert done.code != 0
    assert "Huawei Cloud rejected the credentials (401" in done.text
    assert "user operator of meters-inc from iotda-ota:userName (stack config)" in " ".join(done.text.split())
    assert "Traceback" not in done.text
    assert "wrong-password" not in done.text
    assert sum(1 for request in emulator.requests if request.operation == TOKEN) <= 2
