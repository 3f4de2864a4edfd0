"""The public names, and what is shipped beside them."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import pickle
from pathlib import Path

import pulumi
import pytest

import pulumi_iotda_ota
from pulumi_iotda_ota import errors

PACKAGE = Path(pulumi_iotda_ota.__file__).parent
# Frozen: programs and states out there use these names. Adding one is a feature, taking one away a new major version.
NAMES = [
    "ConfigurationError",
    "Connection",
    "CredentialsError",
    "DeadlineExceeded",
    "GetDeviceVersionsResult",
    "GetOtaPackageResult",
    "GetOtaPackagesResult",
    "GetUpgradePathResult",
    "GetUpgradeTaskResult",
    "InputError",
    "IotdaOtaError",
    "LockError",
    "MultiplePackages",
    "OtaPackage",
    "OtaPackagePin",
    "OtaPackageResult",
    "OutcomeUnknown",
    "OutputGiven",
    "PackageNotFound",
    "ProtocolError",
    "ServiceError",
    "SkippedPackage",
    "TransportError",
    "UpgradeTask",
    "UpgradeTaskCompletion",
    "UpgradeTaskConfirmation",
    "UpgradeTaskFailed",
    "__version__",
    "get_device_versions",
    "get_device_versions_output",
    "get_ota_package",
    "get_ota_package_output",
    "get_ota_packages",
    "get_ota_packages_output",
    "get_upgrade_path",
    "get_upgrade_path_output",
    "get_upgrade_task",
    "get_upgrade_task_output",
]
STORED_CLASSES = (
    "dynamic.OtaPackagePinProvider",
    "dynamic.OtaPackageProvider",
    "dynamic.UpgradeTaskCompletionProvider",
    "dynamic.UpgradeTaskConfirmationProvider",
    "dynamic.UpgradeTaskProvider",
)


def test_all_is_sorted_and_served() -> None:
    """Every name in `__all__` is there, once and in order."""
    names = pulumi_iotda_ota.__all__

    assert names == NAMES
    assert sorted(set(names)) == names
    assert all(getattr(pulumi_iotda_ota, name) is not None for name in names)
    assert set(names) <= set(dir(pulumi_iotda_ota))


@pytest.mark.parametrize("path", STORED_CLASSES)
def test_paths_that_states_hold_are_there(path: str) -> None:
    """Stacks store providers by these paths; without one, its resources could not be refreshed or destroyed."""
    module, _, name = path.rpartition(".")

    assert inspect.isclass(getattr(importlib.import_module(f"pulumi_iotda_ota.{module}"), name))


def test_a_misspelt_name_is_an_attribute_error() -> None:
    """An unknown name is the usual error of a module."""
    with pytest.raises(AttributeError, match="get_ota_pakage"):
        pulumi_iotda_ota.get_ota_pakage  # type: ignore[attr-defined]  # noqa: B018


def test_namespace_holds_no_component() -> None:
    """Serving names leaves no component resource in the namespace, which would make Pulumi host components."""
    for name in pulumi_iotda_ota.__all__:
        getattr(pulumi_iotda_ota, name)

    held = [value for value in vars(pulumi_iotda_ota).values() if inspect.isclass(value)]
    assert not [value for value in held if issubclass(value, pulumi.ComponentResource)]


def test_version_is_the_distribution_s() -> None:
    """The version has one source."""
    assert pulumi_iotda_ota.__version__ == importlib.metadata.version("pulumi-iotda-ota")


def test_every_error_is_public_and_documented() -> None:
    """The error tree is drawn in its module's docstring and served by the package."""
    for name in errors.__all__:
        assert getattr(pulumi_iotda_ota, name) is getattr(errors, name)
        assert name in (errors.__doc__ or "")
        assert issubclass(getattr(errors, name), errors.IotdaOtaError)


def test_errors_survive_pickling() -> None:
    """An error keeps its message and attributes on its way to another process."""
    error = errors.ServiceError("refused", status=403, error_code="IOTDA.001000", facts=[("fix", "check it")])

    copy = pickle.loads(pickle.dumps(error))

    assert (str(copy), copy.status, copy.error_code) == (str(error), 403, "IOTDA.001000")


def test_pulumi_is_told_that_there_is_no_plugin_to_download() -> None:
    """The file that stops Pulumi's search for a provider binary is where its Python host reads it."""
    assert json.loads((PACKAGE / "pulumi-plugin.json").read_text()) == {"resource": False}
    assert (PACKAGE / "py.typed").exists()
