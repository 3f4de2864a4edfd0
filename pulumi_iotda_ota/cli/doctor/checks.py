"""The checks of the connection: settings, network, certificate, clock, project, and the permission to list."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli import exit_codes, stack
from pulumi_iotda_ota.cli.connect import given_connection, stack_config
from pulumi_iotda_ota.cli.doctor import environment
from pulumi_iotda_ota.cli.doctor.report import (
    OK,
    PROBLEM,
    SKIPPED,
    WARNING,
    Finding,
    of_error,
    places,
    print_report,
)
from pulumi_iotda_ota.cli.session import HIDDEN
from pulumi_iotda_ota.iotda.auth.connection import refuse_misspelt, resolve_sources
from pulumi_iotda_ota.iotda.auth.endpoint import read_endpoint
from pulumi_iotda_ota.iotda.auth.sources import Inputs, read_sources
from pulumi_iotda_ota.iotda.errors import CAUSE, FIX, ConfigurationError, IotdaOtaError
from pulumi_iotda_ota.iotda.http.error_responses import SIGNATURE_VALIDITY
from pulumi_iotda_ota.iotda.http.messages import Request
from pulumi_iotda_ota.iotda.http.network import is_untrusted, proxy_of
from pulumi_iotda_ota.iotda.http.transport import HttpTransport
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.iotda.retry import http_date
from pulumi_iotda_ota.iotda.sanitize import redacting, sanitize
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pulumi_iotda_ota.cli.doctor.report import Place
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.retry import Clock

_FIRST_TYPE, _FIRST_TASK_TYPE = "firmwarePackage", "firmwareUpgrade"
_SECONDS = 10.0
_CLOCK_IS_WRONG = timedelta(minutes=5)
_WAY = "check the endpoint and the way to it (network, proxy, firewall)"
_PROBE = Request("HEAD", "reach the endpoint", "its time", "HEAD", "", read=lambda _: None, root="/")


def examine(command_input: CommandInput) -> None:
    """Run all checks, print the report, and end with exit code 1 if there is a problem."""
    session = command_input.session
    found, connected = _connection(command_input)
    findings = [
        *connected,
        *_project(command_input),
        *environment.unread(session.environ),
        *environment.switches(session.environ),
        *environment.versions(session.environ),
    ]
    if command_input.as_json:
        report = {"settings": [one.values for one in found], "findings": [one.values for one in findings]}
        session.json({"result": report})
    else:
        print_report(session, found, findings)
    if any(finding.status == PROBLEM for finding in findings):
        raise click.exceptions.Exit(exit_codes.ERROR.number)


def _connection(command_input: CommandInput) -> tuple[list[Place], list[Finding]]:
    """Return the sources of the settings, and the findings of their connection."""
    session = command_input.session
    found: list[Place] = []
    try:
        inputs = Inputs(given_connection(command_input), stack_config(command_input), session.environ)
        sources = read_sources(inputs)
        session.secrets.update(
            text for values in sources.all for setting in HIDDEN if (text := values.text(setting.name))
        )
        found = places(sources, None)
        refuse_misspelt(inputs.config)
        resolved = resolve_sources(inputs, sources)
    except IotdaOtaError as error:
        skipped = [Finding(check, SKIPPED, "the settings are incomplete or wrong") for check in ("network", "service")]
        return found, [of_error("settings", error, session), *skipped]
    with redacting(session.secrets):
        return places(sources, resolved), [_settings(resolved), *_service(command_input, resolved)]


def _settings(resolved: ResolvedConnection) -> Finding:
    """Return the kind of the endpoint, and the credential."""
    endpoint = read_endpoint(resolved.endpoint)
    kind = "this machine" if endpoint.is_loopback else "a custom domain"
    if endpoint.is_instance:
        kind = "the endpoint of a standard or enterprise instance"
    elif endpoint.region:
        kind = "the shared endpoint of a region, for the basic edition"
    credential = render(str(resolved.credential), COMMAND_LINE)
    text = f"{sanitize(resolved.endpoint)} is {kind}; {credential}, {resolved.algorithm} signing"
    return Finding("settings", OK, text)


def _service(command_input: CommandInput, resolved: ResolvedConnection) -> Iterator[Finding]:
    """Check that the service is reachable, accepts the credential, and allows it to list."""
    session = command_input.session
    with closing(Run(memo=False)) as run:
        network = list(reached(resolved, run.clock, session))
        yield from network
        if any(finding.status == PROBLEM and finding.check != "clock" for finding in network):
            yield Finding("service", SKIPPED, "it cannot be reached")
            return
        steps: list[tuple[str, Callable[[], str]]] = [
            ("project", lambda: _project_of(run, resolved)),
            ("packages", lambda: _first(_packages(run, resolved))),
            ("tasks", lambda: _first(_tasks(run, resolved))),
        ]
        failed = ""
        for check, step in steps:
            # After a refusal nothing more is sent: accounts lock after five.
            finding = Finding(check, SKIPPED, f"because of {failed}") if failed else _found(check, step, session)
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
    """Check the stacks of the project around this folder for secrets."""
    try:
        project = stack.find_project(stack.this_folder())
        return list(environment.secrets_of(project, command_input.session)) if project else []
    except IotdaOtaError as error:
        return [of_error("configuration", error, command_input.session)]


def reached(connection: ResolvedConnection, clock: Clock, session: Session) -> Iterator[Finding]:
    """Check the way to the endpoint, its certificate and its clock, with one request without a credential."""
    try:
        proxy = proxy_of(connection)
        with closing(HttpTransport(connection, clock=clock)) as transport:
            response, attempt = transport.probe(_PROBE, timeout=_SECONDS)
    except IotdaOtaError as error:
        cause = error.__cause__
        is_certificate = isinstance(error, ConfigurationError) and error.setting == "ca_file"
        # An error at a proxy is one of the network: its certificate is not that of the service.
        is_certificate = is_certificate or bool(cause and is_untrusted(cause) and "--proxy" not in _labels(error))
        finding = of_error("certificate" if is_certificate else "network", error, session)
        facts = tuple(fact for fact in finding.facts if fact[0] != "requested")
        yield replace(finding, facts=facts, remedy=finding.remedy if _has_fix(error) else _WAY)
        return
    way = f" through the proxy {proxy.address} (from {proxy.origin})" if proxy else ""
    yield Finding("network", OK, f"{sanitize(connection.endpoint)} responds{way}")
    if attempt.tls_version:
        yield _certificate(connection, attempt.tls_version, attempt.valid_until)
    yield clock_skew(response.headers.get("date", ""), clock.now())


def _labels(error: IotdaOtaError) -> set[str]:
    return {label for label, _ in error.facts_in(COMMAND_LINE)}


def _has_fix(error: IotdaOtaError) -> bool:
    return not _labels(error).isdisjoint((FIX, CAUSE))


def _certificate(connection: ResolvedConnection, version: str, valid_until: str) -> Finding:
    if connection.insecure:
        advice = "remove --insecure, and set --ca-file to the certificate of the authority"
        return Finding("certificate", WARNING, f"{version}; the certificate is not verified", advice)
    return Finding("certificate", OK, f"{version}, verified, valid until {sanitize(valid_until or 'an unknown time')}")


def clock_skew(date: str, now: datetime) -> Finding:
    """Return how far the clock of this machine is from the clock of the service.

    Args:
        date: the Date header of a response.
        now: the time of this machine.
    """
    theirs = http_date(date)
    if theirs is None:
        return Finding("clock", SKIPPED, "the response has no time to compare with")
    ahead = now - theirs
    seconds = abs(ahead).total_seconds()
    side = "ahead of" if ahead > timedelta() else "behind"
    text = f"this machine's clock is {seconds:,.0f} seconds {side} the service's"
    advice = "set the clock (NTP): a signature is valid for 15 minutes before and after its time"
    if abs(ahead) > SIGNATURE_VALIDITY:
        return Finding("clock", PROBLEM, text, advice)
    if abs(ahead) > _CLOCK_IS_WRONG:
        return Finding("clock", WARNING, text, advice)
    return Finding("clock", OK, f"within {max(1, round(seconds))} seconds of the service's")
