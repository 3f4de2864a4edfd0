"""Where and as whom a command asks: its options, the stack's configuration, the environment. Loads pydantic."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli.session import HIDDEN
from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError
from pulumi_iotda_ota.iotda.sanitize import redacting
from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask

_SECRET = tuple(camel(setting.name) for setting in HIDDEN)


@dataclass(frozen=True)
class Service:
    """What a command asks.

    Attributes:
        run: the clients of this process.
        connection: where and as whom.
        config: the configuration of the stack that was named.
    """

    run: Run
    connection: ResolvedConnection
    config: Mapping[str, object] = field(repr=False)

    @property
    def client(self) -> Client:
        """Return the client."""
        return self.run.client(self.connection)


def given_connection(command_input: CommandInput) -> Connection:
    """Return the settings that are options.

    Raises:
        click.UsageError: one has a wrong value.
    """
    try:
        return Connection(**command_input.settings)
    except ConfigurationError as error:
        raise click.UsageError(render(error.message.headline, COMMAND_LINE)) from error


def stack_config(command_input: CommandInput) -> Mapping[str, object]:
    """Return the configuration of the stack that was named, or nothing where none was.

    Raises:
        click.UsageError: the options do not go together.
        ConfigurationError: it cannot be read as a whole.
    """
    if command_input.stack is None:
        if command_input.decrypt:
            raise click.UsageError("--decrypt needs --stack")
        return {}
    from pulumi_iotda_ota.cli import stack  # noqa: PLC0415  loads yaml

    project = stack.find_project(stack.this_folder())
    if project is None:
        raise click.UsageError("--stack is given, but neither this folder nor one above it has a Pulumi.yaml")
    file = project.stack_file(command_input.stack)
    if command_input.decrypt:
        values = stack.decrypted(project, command_input.stack, command_input.session.environ)
    else:
        config = project.read(file)
        stack.require_readable(config)
        values = config.values
    # Before anything of them can be told.
    command_input.session.secrets.update(str(values[name]) for name in _SECRET if values.get(name))
    return values


@contextmanager
def service(command_input: CommandInput) -> Iterator[Service]:
    """Give what a command asks, and close its connections."""
    config = stack_config(command_input)
    connection = resolve(given_connection(command_input), config=config, environ=command_input.session.environ)
    command_input.session.secrets.update(connection.secrets)
    with redacting(connection.secrets), closing(Run(memo=False)) as run:
        yield Service(run, connection, config)


def resource_context(
    command_input: CommandInput,
    connected: Service,
    *,
    tell: Callable[[str], None],
    seen: Callable[[BatchTask], None] = lambda _: None,
) -> ResourceContext:
    """Return the context that a life cycle acts in: of this command, and no program.

    Args:
        command_input: the command.
        connected: what it asks.
        tell: shows a line of progress.
        seen: is given a task each time that it is looked at.
    """
    return ResourceContext(
        run=connected.run,
        config=connected.config,
        environ=command_input.session.environ,
        warn=lambda line: command_input.session.note(render(line, COMMAND_LINE)),
        report=lambda line: tell(render(line, COMMAND_LINE)),
        on_task=seen,
        how_to_stop="Ctrl-C stops the wait, not the task",
    )
