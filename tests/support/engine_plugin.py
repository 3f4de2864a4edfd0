"""What tests of the plugin with the real engine share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Done


def ok(done: Done) -> Done:
    """Hold a command to have succeeded."""
    assert done.code == 0, done.text
    return done


def posts(emulator: Emulator) -> int:
    """Return how many requests to create a task were sent."""
    return sum(request.operation == "CreateBatchTask" for request in emulator.requests)


def settings(emulator: Emulator) -> dict[str, Any]:
    """Return the settings of a provider that leads to an emulator."""
    return {
        "endpoint": emulator.endpoint,
        "region": emulator.region,
        "projectId": emulator.project_id,
        "accessKey": emulator.access_key,
        "secretKey": emulator.secret_key,
        "deadline": 30,
        "allowedProjectIds": [emulator.project_id],
    }
