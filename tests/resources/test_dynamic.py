"""The adapters between Pulumi's dynamic providers and the life cycles, as the provider process calls them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi import dynamic
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.output import Unknown
from pulumi.runtime import rpc

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import dynamic as dynamic_resources
from pulumi_iotda_ota.dynamic import OtaPackagePinProvider, OtaPackageProvider, UpgradeTaskProvider
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.errors import InputError
from tests.conftest import settings_for
from tests.support.resource_bench import SCOPE, SEED

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVIDERS = [OtaPackagePinProvider, OtaPackageProvider, UpgradeTaskProvider]
PACKAGE: dict[str, Any] = {
    "package_type": "firmwarePackage",
    "app_id": "energy",
    "product_id": "meter",
    "version": "V7",
    "obs_location": {"region_name": "cn-north-4", "bucket_name": "firmware", "object_key": "V7.bin"},
}
TASK = {"package_ids": ["p1"], "targets": ["d1"], "scope": SCOPE, "__provider": "stored"}


@pytest.fixture
def service() -> Iterator[Emulator]:
    """Return a service whose time goes on, as that of a provider process does."""
    with Emulator(SEED) as running:
        yield running


@pytest.fixture
def provider(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> UpgradeTaskProvider:
    """Return a configured provider whose environment leads to the service."""
    for name, value in settings_for(service).items():
        monkeypatch.setenv(name, value)
    return configured()


def configured(**config: str) -> UpgradeTaskProvider:
    """Return a provider as the engine configures it."""
    provider = UpgradeTaskProvider()
    provider.configure(dynamic.ConfigureRequest(dynamic.Config(config, "project")))
    return provider


@pytest.mark.parametrize("kind", PROVIDERS)
def test_what_is_stored_is_a_reference(kind: type[dynamic.ResourceProvider]) -> None:
    """A provider is stored as the path of its class alone: the same on every Python, and nothing secret in it."""
    stored = serialize_provider(kind())
    text = base64.b64decode(stored if isinstance(stored, str) else "")

    assert not kind.serialize_as_secret_always
    assert b"pulumi_iotda_ota.dynamic" in text
    assert kind.__name__.encode() in text
    assert len(text) < 120


def test_the_configuration_stays_in_its_provider(service: Emulator) -> None:
    """One provider does not see the configuration of another one in the same process."""
    settings = settings_for(service)
    config = {
        "iotda-ota:endpoint": settings["HW_IOTDA_ENDPOINT"],
        "iotda-ota:projectId": settings["HW_PROJECT_ID"],
        "iotda-ota:accessKey": settings["HW_ACCESS_KEY"],
        "iotda-ota:secretKey": settings["HW_SECRET_KEY"],
    }

    assert configured(**config).check({}, dict(TASK)).failures == []
    (failure,) = configured().check({}, dict(TASK)).failures
    assert failure.reason.startswith("connection: the connection is incomplete")


def test_failures_name_no_property(provider: UpgradeTaskProvider) -> None:
    """With a property the engine would print its value, secret or not; the reason begins with the argument instead."""
    failures = provider.check({}, {**TASK, "on_destroy": "destroy", "retry_count": 2.0}).failures

    assert [failure.property for failure in failures] == ["", ""]
    assert [failure.reason.partition(":")[0] for failure in failures] == ["on_destroy", "retry_count"]


def test_unknown_values_go_through(provider: UpgradeTaskProvider) -> None:
    """A value that is not known yet comes back as one that is not known yet, also inside a list."""
    unknown = Unknown()  # type: ignore[no-untyped-call]  # the SDK has no types for it

    checked = provider.check({}, {**TASK, "package_ids": [unknown], "triggers": unknown})

    assert checked.failures == []
    assert (checked.inputs["package_ids"], checked.inputs["triggers"]) == ([rpc.UNKNOWN], rpc.UNKNOWN)


def test_a_life(provider: UpgradeTaskProvider, service: Emulator) -> None:
    """Check, create, diff, read, update and delete work on what the engine hands over, the provider itself left out."""
    inputs = provider.check({}, dict(TASK)).inputs
    created = provider.create({**inputs, "__provider": "stored"})
    state = {**(created.outs or {}), "__provider": "stored"}
    changed = {**provider.check(inputs, {**TASK, "on_destroy": "delete"}).inputs, "__provider": "other"}

    assert provider.diff(created.id, state, {**inputs, "__provider": "other"}).changes is False
    diff = provider.diff(created.id, state, changed)
    assert (diff.changes, diff.replaces, diff.delete_before_replace) == (True, [], False)
    read = provider.read(created.id, state)
    assert (read.id, (read.outs or {})["task_id"]) == (created.id, created.id)
    updated = provider.update(created.id, state, changed).outs or {}
    assert "__provider" not in updated
    dynamic_resources.begin_run()  # the process of another command
    provider.delete(created.id, updated)
    assert service.tasks == []


@pytest.mark.parametrize(
    "make",
    [
        lambda connection: iotda_ota.UpgradeTask("x", package_ids=["p"], targets=["d"], connection=connection),
        lambda connection: iotda_ota.OtaPackagePin("x", package_id="p", connection=connection),
        lambda connection: iotda_ota.OtaPackage("x", **PACKAGE, connection=connection),
    ],
    ids=["task", "pin", "package"],
)
@pytest.mark.parametrize("secret", ["access_key", "secret_key", "security_token", "auth_token"])
def test_a_secret_is_never_an_input(make: Any, secret: str) -> None:
    """A connection that holds any part of a credential is refused, in an error that Pulumi prints as its message."""
    with pytest.raises(InputError, match="connection has a secret") as caught:
        make(iotda_ota.Connection.model_validate({secret: "very-secret"}))

    assert isinstance(caught.value, pulumi.RunError)
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["version_constraint", "version", "package_id", "*"])
def test_a_pin_ignores_no_change_of_its_selection(name: str) -> None:
    """An ignored change would move a pin: the engine restores the fields of the package as inputs."""
    with pytest.raises(InputError, match="would move the pin instead of keeping it"):
        iotda_ota.OtaPackagePin("x", package_id="p", opts=pulumi.ResourceOptions(ignore_changes=[name]))


@pytest.mark.parametrize(
    ("kind", "arguments", "advice"),
    [
        ("UpgradeTask", {"package_ids": ["p"], "targets": ["d"]}, "pulumi import iotda-ota:index:UpgradeTask x t1"),
        ("OtaPackage", PACKAGE, "custom_info are equal, the existing package is adopted"),
        ("OtaPackagePin", {"package_id": "p"}, "to pin one package, set package_id"),
        ("UpgradeTaskCompletion", {"task_id": "5c8b"}, "declare it with the task_id of the task"),
        (
            "UpgradeTaskConfirmation",
            {"task_id": "5c8b", "approved_package_ids": ["p"]},
            "declare it with the task_id of the task and approved_package_ids",
        ),
    ],
)
def test_an_import_is_refused_with_the_way_that_works(kind: str, arguments: dict[str, Any], advice: str) -> None:
    """Pulumi ends an import of a Python resource in a KeyError; the constructor says what to do instead."""
    with pytest.raises(InputError, match=f"{kind} cannot be imported") as caught:
        getattr(iotda_ota, kind)("x", **arguments, opts=pulumi.ResourceOptions(import_="t1"))

    assert advice in " ".join(str(caught.value).split())


@pytest.mark.parametrize("triggers", [[pulumi.StringAsset("x")], {"a": pulumi.FileAsset("x")}])
def test_assets_are_no_triggers(triggers: Any) -> None:
    """A dynamic resource cannot store an asset; the constructor refuses it."""
    with pytest.raises(InputError, match="Asset, which a resource cannot store"):
        iotda_ota.UpgradeTask("x", package_ids=["p"], targets=["d"], triggers=triggers)
