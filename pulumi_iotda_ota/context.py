"""Where a lookup asks, as a door knows it before anything is resolved. Sends nothing, reads no file by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection, ResolvedConnection


@dataclass(frozen=True)
class Context:
    """What the settings of a connection are looked for in, and the folder that a program runs in.

    Attributes:
        config: the configuration by camelCase name, without its namespace.
        environ: the environment variables.
        connection: the argument, or None.
        folder: where the lock file is looked for, and in the folders above it.
    """

    config: Mapping[str, object] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    connection: Connection | None = None
    folder: Path = Path()

    def resolved(self) -> ResolvedConnection:
        """Return the connection with no setting left to look for; it must have credentials."""
        from pulumi_iotda_ota.iotda.auth.connection import resolve  # noqa: PLC0415  loads pydantic: not before it is due

        return resolve(self.connection, config=self.config, environ=self.environ)

    def known_place(self) -> dict[str, str]:
        """Return what is known of the place without credentials and without a request; see ``iotda.connection``."""
        from pulumi_iotda_ota.iotda.auth.connection import known_place  # noqa: PLC0415  as above

        return known_place(self.connection, config=self.config, environ=self.environ)

    def reached_place(self, connection: ResolvedConnection) -> dict[str, str]:
        """Return the place that a connection of it leads to, of which nothing is left to look for."""
        return dict(connection.identity)
