"""``Connection`` for programs: Pulumi prints its errors as messages, without a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from pulumi_iotda_ota import pulumi_compat
from pulumi_iotda_ota.iotda.auth import connection_model
from pulumi_iotda_ota.iotda.errors import IotdaOtaError

if TYPE_CHECKING:
    from pydantic import ModelWrapValidatorHandler
    from typing_extensions import Self


class Connection(connection_model.Connection):
    """The endpoint and the credentials of requests; see ``pulumi_iotda_ota.iotda.auth.connection_model.Connection``."""

    @model_validator(mode="wrap")
    @classmethod
    def _rendered(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except IotdaOtaError as error:
            pulumi_compat.as_run_error(error)
            raise
