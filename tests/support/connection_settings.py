"""Settings of a connection, and what they resolve to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection


KEYS = {"HW_ACCESS_KEY": "AKIDEXAMPLE7Q", "HW_SECRET_KEY": "very-secret"}


ENVIRON = {**KEYS, "HW_REGION_NAME": "cn-north-4", "HW_PROJECT_ID": "p-env"}


INSTANCE = "https://a1b2c3.st1.iotda-app.cn-east-3.myhuaweicloud.com"


def resolved(
    config: dict[str, object] | None = None, environ: dict[str, str] | None = None, **argument: Any
) -> ResolvedConnection:
    """Return the connection of these three places, the usual environment below them."""
    return resolve(Connection(**argument), config=config or {}, environ=ENVIRON | (environ or {}))
