"""The connection of a command: from its options, the configuration of a stack, and the environment."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli import stack
from pulumi_iotda_ota.cli.session import HIDDEN
from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.sanitize import redacting
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.client import Client

_SECRET = tuple(camel(setting.name) for setting in HIDDEN)


@dataclass(frozen=True)
class Service:
    """The service that a command sends requests to.

    Attributes:
        run: the clients of this process.
        connection: the endpoint and the credentials.
        config: the configuration of the stack in ``--stack``.
    """

    run: Run
    connection: ResolvedConnection
    config: Mapping[str, object] = field(repr=False)

    @property
    def client(self) -> Client:
        """Return the client."""
        return self.run.client(self.connection)


def given_connection(command_input: CommandInput) -> Connection:
    """Return the settings that are options, or raise a usage error."""
    try:
        return Connection(**command_input.settings)
    except ConfigurationError as error:
        raise click.UsageError(render(error.message.headline, COMMAND_LINE)) from error


def stack_config(command_input: CommandInput) -> Mapping[str, object]:
    """Return the configuration of the stack in ``--stack``; without the option, nothing.

    Raises:
        click.UsageError: the options exclude each other.
        ConfigurationError: a part of it cannot be read.
    """
    if command_input.stack is None:
        if command_input.decrypt:
            raise click.UsageError("--decrypt needs --stack")
        return {}
    project = stack.find_project(stack.this_folder())
    if project is None:
        raise click.UsageError("--stack is set, but neither this folder nor one above it has a Pulumi.yaml")
    file = project.stack_file(command_input.stack)
    if command_input.decrypt:
        values = stack.decrypted(project, command_input.stack, command_input.session.environ)
    else:
        config = project.read(file)
        stack.require_readable(config)
        values = config.values
    # Before a message can have them.
    command_input.session.secrets.update(str(values[name]) for name in _SECRET if values.get(name))
    return values


@contextmanager
def service(command_input: CommandInput) -> Iterator[Service]:
    """Connect a command to the service, and close the connections after it."""
    config = stack_config(command_input)
    connection = resolve(given_connection(command_input), config=config, environ=command_input.session.environ)
    command_input.session.secrets.update(connection.secrets)
    with redacting(connection.secrets), closing(Run(memo=False)) as run:
        yield Service(run, connection, config)
