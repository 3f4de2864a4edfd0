"""A plugin that engines attach to (`PULUMI_DEBUG_PROVIDERS`) serves one run after another, and remembers none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pulumi.runtime.proto import plugin_pb2

from tests.conftest import settings_for
from tests.support.plugin_packages import FIRMWARE, FW, there
from tests.support.plugin_process import SECONDS, Engine, Plugin
from tests.support.plugin_resources import NEWEST
from tests.support.plugin_upgrade_tasks import METER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator


def attached(plugin: Plugin, engine: Engine, emulator: Emulator) -> Plugin:
    """Attach an engine to a plugin, and configure it as at the start of a run."""
    plugin.stub.Attach(plugin_pb2.PluginAttach(address=engine.address), timeout=SECONDS)
    return plugin.configure(iamEndpoint=emulator.endpoint)


@pytest.fixture
def debugged(emulator: Emulator, tmp_path: Path) -> Iterator[Plugin]:
    """Return a plugin that no engine has started, and that finds its project by its region."""
    environment = {name: value for name, value in settings_for(emulator).items() if name != "HW_PROJECT_ID"}
    with Plugin(environment, tmp_path, ()) as plugin:
        yield plugin


def test_no_answer_outlives_a_run(debugged: Plugin, emulator: Emulator) -> None:
    """The second run requests the package and the project again, and returns the new ones."""
    newest = next(package for package in emulator.packages if package["version"] == "V1.4.11")
    with Engine() as first, Engine() as second:
        assert attached(debugged, first, emulator).answer("getOtaPackage", **NEWEST)["version"] == "V1.4.11"
        one_run = [request.operation for request in emulator.requests]
        emulator.add_package(**{**newest, "package_id": "newer", "version": "V1.4.12"})

        assert attached(debugged, second, emulator).answer("getOtaPackage", **NEWEST)["version"] == "V1.4.12"

    assert [request.operation for request in emulator.requests] == one_run * 2
    assert "KeystoneListProjects" in one_run


def test_no_ownership_outlives_a_run(debugged: Plugin, emulator: Emulator) -> None:
    """What the last run has created is deleted in the next one."""
    with Engine() as first, Engine() as second:
        attached(debugged, first, emulator)
        id_, state = debugged.create(FW, debugged.checked(FW, METER))

        attached(debugged, second, emulator).delete(FW, id_, state)

    assert not there(emulator, id_)


def test_a_second_provider_of_one_run(debugged: Plugin, emulator: Emulator) -> None:
    """If a second provider of the run is configured in the same process, nothing that the run adopted is forgotten."""
    with Engine() as before, Engine() as engine:
        attached(debugged, before, emulator)
        id_, state = debugged.create(FW, debugged.checked(FW, METER))
        attached(debugged, engine, emulator)
        assert debugged.create(FIRMWARE, debugged.checked(FIRMWARE, METER))[0] == id_

        attached(debugged, engine, emulator).delete(FW, id_, state)

    assert there(emulator, id_)
