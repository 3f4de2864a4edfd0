"""``Connection`` as programs see it: what is wrong with it is printed by Pulumi as a message, without a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from pulumi_iotda_ota import sdk
from pulumi_iotda_ota.iotda import connection
from pulumi_iotda_ota.iotda.errors import IotdaOtaError

if TYPE_CHECKING:
    from pydantic import ModelWrapValidatorHandler
    from typing_extensions import Self

__all__ = ["Connection"]


class Connection(connection.Connection):  # noqa: D101  its documentation is that of the class below it
    __doc__ = connection.Connection.__doc__

    @model_validator(mode="wrap")
    @classmethod
    def _rendered(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except IotdaOtaError as error:
            sdk.rendered(error)
            raise
