"""What `doctor` does: one step after the other, each on what the one before it found."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli import exit_codes, stack
from pulumi_iotda_ota.cli.connect import given_connection, stack_config
from pulumi_iotda_ota.cli.doctor import environment, network
from pulumi_iotda_ota.cli.doctor.findings import OK, PROBLEM, SKIPPED, Finding, of_error, print_findings
from pulumi_iotda_ota.cli.doctor.settings import places, secrets_in
from pulumi_iotda_ota.iotda.auth.connection import refuse_misspelt, resolve_sources
from pulumi_iotda_ota.iotda.auth.endpoint import read_endpoint
from pulumi_iotda_ota.iotda.auth.sources import Inputs, read_sources
from pulumi_iotda_ota.iotda.errors import ConfigurationError, IotdaOtaError
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.iotda.sanitize import redacting, sanitize
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.cli.doctor.settings import Place
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection

_FIRST_TYPE, _FIRST_TASK_TYPE = "firmwarePackage", "firmwareUpgrade"


def examine(command_input: CommandInput) -> None:
    """Examine everything, tell it, and end with exit code 1 where something does not work."""
    found_places, findings = _examined(command_input)
    if command_input.as_json:
        told = {
            "settings": [place.values for place in found_places],
            "findings": [finding.values for finding in findings],
        }
        command_input.session.json({"result": told})
    else:
        print_findings(command_input.session, found_places, findings)
    if any(finding.status == PROBLEM for finding in findings):
        raise click.exceptions.Exit(exit_codes.ERROR.number)


def _examined(command_input: CommandInput) -> tuple[list[Place], list[Finding]]:
    session = command_input.session
    found_places, connected = _asking(command_input)
    return found_places, [
        *connected,
        *_project(command_input),
        *environment.unread(session.environ),
        *environment.switches(session.environ),
        *environment.versions(session.environ),
    ]


def _asking(command_input: CommandInput) -> tuple[list[Place], list[Finding]]:
    """Return where settings come from, and what asking with them finds."""
    session = command_input.session
    found: list[Place] = []
    try:
        inputs = Inputs(given_connection(command_input), stack_config(command_input), session.environ)
        sources = read_sources(inputs)
        session.secrets.update(secrets_in(sources))
        found = places(sources, None)
        refuse_misspelt(inputs.config)
        resolved = resolve_sources(inputs, sources)
    except IotdaOtaError as error:
        skipped = [Finding(check, SKIPPED, "the settings do not say what to ask") for check in ("network", "service")]
        return found, [of_error("settings", error, session), *skipped]
    with redacting(session.secrets):
        return places(sources, resolved), [_settings(resolved), *_asked_service(command_input, resolved)]


def _settings(resolved: ResolvedConnection) -> Finding:
    """Return what the settings make: which kind of endpoint, and what requests are signed with."""
    endpoint = read_endpoint(resolved.endpoint)
    kind = "this machine" if endpoint.is_loopback else "a domain of your own"
    if endpoint.is_instance:
        kind = "the endpoint of a standard or enterprise instance"
    elif endpoint.region:
        kind = "the shared endpoint of a region, which is that of the basic edition"
    credential = render(str(resolved.credential), COMMAND_LINE)
    text = f"{sanitize(resolved.endpoint)} is {kind}; {credential}, {resolved.algorithm} signing"
    return Finding("settings", OK, text)


def _asked_service(command_input: CommandInput, resolved: ResolvedConnection) -> Iterator[Finding]:
    """Give whether the service is there, lets the credential in, and lets it list."""
    with closing(Run(memo=False)) as run:
        try:
            way = list(network.reached(resolved, command_input.session.environ, run.clock))
        except ConfigurationError as error:  # the proxy of the environment is no address
            way = [of_error("network", error, command_input.session)]
        yield from way
        if any(finding.status == PROBLEM and finding.check != "clock" for finding in way):
            yield Finding("service", SKIPPED, "it can not be reached")
            return
        steps: list[tuple[str, Callable[[], str]]] = [
            ("project", lambda: _project_of(run, resolved)),
            ("packages", lambda: _first(_packages(run, resolved))),
            ("tasks", lambda: _first(_tasks(run, resolved))),
        ]
        failed = ""
        for check, step in steps:
            # After a refusal nothing more is sent: accounts lock after five.
            finding = (
                Finding(check, SKIPPED, f"because of {failed}")
                if failed
                else _found(check, step, command_input.session)
            )
            failed = failed or (check if finding.status == PROBLEM else "")
            yield finding


def _found(check: str, step: Callable[[], str], session: Session) -> Finding:
    try:
        return Finding(check, OK, step())
    except IotdaOtaError as error:
        return of_error(check, error, session)


def _project_of(run: Run, resolved: ResolvedConnection) -> str:
    by_name = f"IAM, by the name {sanitize(resolved.project_name)}" if resolved.project_name else "IAM, by the region"
    origin = resolved.origins.get("project_id", by_name)
    return f"{sanitize(run.completed(resolved).project_id)}, from {render(origin, COMMAND_LINE)}"


def _packages(run: Run, resolved: ResolvedConnection) -> Iterator[object]:
    return iter(run.client(run.completed(resolved)).list_packages(PackageQuery(_FIRST_TYPE), eager=False))


def _tasks(run: Run, resolved: ResolvedConnection) -> Iterator[object]:
    return iter(run.client(run.completed(resolved)).list_batch_tasks(_FIRST_TASK_TYPE))


def _first(records: Iterator[object]) -> str:
    return "can be listed" if next(records, None) is not None else "can be listed; there are none"


def _project(command_input: CommandInput) -> list[Finding]:
    """Return what the stacks of the project around this folder hold that they should not."""
    try:
        project = stack.find_project(stack.this_folder())
        return list(environment.secrets_of(project, command_input.session)) if project else []
    except IotdaOtaError as error:
        return [of_error("configuration", error, command_input.session)]
