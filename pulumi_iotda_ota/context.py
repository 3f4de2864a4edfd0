"""The sources of the settings of one call, before they are resolved. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection, ResolvedConnection


@dataclass(frozen=True)
class Context:
    """The sources of the settings of a connection, and the folder of the program.

    Attributes:
        config: the configuration by camelCase name, without its namespace.
        environ: the environment variables.
        connection: the argument ``connection``, or None.
        folder: the folder of the lock file, or a folder below it.
    """

    config: Mapping[str, object] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    connection: Connection | None = None
    folder: Path = Path()

    def resolved(self) -> ResolvedConnection:
        """Return the connection with all its settings. It must have credentials."""
        from pulumi_iotda_ota.iotda.auth.connection import resolve  # noqa: PLC0415  pydantic only when needed

        return resolve(self.connection, config=self.config, environ=self.environ)

    def known_place(self) -> dict[str, str]:
        """Return the known part of the place, without credentials and without a request."""
        from pulumi_iotda_ota.iotda.auth.connection import known_place  # noqa: PLC0415  as above

        return known_place(self.connection, config=self.config, environ=self.environ)

    def reached_place(self, connection: ResolvedConnection) -> dict[str, str]:
        """Return the place that a resolved connection leads to."""
        return dict(connection.identity)
