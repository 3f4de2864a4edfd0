"""What the plugin does for each call of the engine, over plain values. It knows neither gRPC nor the protocol."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError, InputError
from pulumi_iotda_ota.iotda.sanitize import did_you_mean, redact, sanitize
from pulumi_iotda_ota.lifecycle.base import UNKNOWN, Diff, ResourceContext, declared, holds_unknown
from pulumi_iotda_ota.lifecycle.run_state import RunState
from pulumi_iotda_ota.lookup.session import Run, wants_memo
from pulumi_iotda_ota.message_rendering import PLUGIN, render
from pulumi_iotda_ota.schema.registry import FUNCTIONS, PACKAGE, RESOURCES, Resource, token_of
from pulumi_iotda_ota.schema.validation import Problem, normal, to_python, to_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pulumi_iotda_ota.lifecycle.base import Properties
    from pulumi_iotda_ota.lifecycle.cancellation import Waiting
    from pulumi_iotda_ota.schema import Argument

# The engine adds these to the settings of a provider.
_ADDED_BY_ENGINE = ("version", "pluginDownloadURL", "__internal")
# The settings that change neither the endpoint nor the credentials, and no safety limit.
_CHANGEABLE = ("deadline", "maxAttempts", "signing", "instanceId", "projectId", "projectName")


@dataclass(frozen=True)
class Urn:
    """The parts of a URN: ``urn:pulumi:stack::project::parent$type::name``."""

    stack: str
    project: str
    parents: str
    type: str
    name: str

    @classmethod
    def read(cls, urn: str) -> Urn:
        """Return the parts of a URN. The type of a child follows the types of its parents."""
        prefix, project, types, name = urn.split("::", 3)
        parents, _, type_ = types.rpartition("$")
        return cls(prefix.rpartition(":")[2], project, parents, type_, name)

    @property
    def resource(self) -> Resource:
        """Return the resource of the table with its type.

        Raises:
            InputError: there is no such type.
        """
        name = self.type.removeprefix(token_of(""))
        if name not in RESOURCES:
            raise InputError(f"{PACKAGE} has no resource {self.type}")
        return RESOURCES[name]

    @property
    def scope(self) -> dict[str, str]:
        """Return the place of the resource, which distinguishes equal tasks. The URN has no organization."""
        parts = {"project": self.project, "stack": self.stack, "name": self.name, "parents": self.parents}
        return {name: value for name, value in parts.items() if value}


@dataclass
class CallResult:
    """The result of a check or of a function, under the names of the schema.

    Attributes:
        values: the checked inputs, or the fields of the result.
        problems: the property of the schema, or an empty name, and the reason of each problem.
    """

    values: dict[str, Any] = field(default_factory=dict, repr=False)
    problems: list[tuple[str, str]] = field(default_factory=list)


class Provider:
    """Serves one configuration; safe to use from several threads.

    Args:
        environ: the environment variables.
        warn: prints a warning to the user, beside the resource of a URN.
        report: prints a line of progress there.
        waiting: the clock, whose waits can be ended.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        warn: Callable[[str, str], None],
        report: Callable[[str, str], None],
        waiting: Waiting,
    ) -> None:
        self._environ, self._warn, self._report = environ, warn, report
        self.waiting = waiting
        self._config: Mapping[str, object] = {}
        self._is_configured = False
        self._configuring = threading.Lock()
        # A read after a creation must find what was created. Equal lookups share their results, as in a program.
        self._run = Run(memo=False, clock=waiting.clock)
        self._lookups = self._run.remembering() if wants_memo(environ) else self._run
        self._run_state = RunState()

    def check_config(self, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the problems of a configuration. Whether it is complete is checked before a request."""
        known = {name: value for name, value in _settings(config).items() if not holds_unknown(value)}
        if not known:
            return []
        from pulumi_iotda_ota.iotda.auth.connection import check_config  # noqa: PLC0415  pydantic only when needed

        try:
            check_config(known)
        except ConfigurationError as error:
            setting = camel(error.setting)
            return [(setting if setting in known else "", error.rendered(PLUGIN))]
        return []

    def configure(self, config: Mapping[str, Any], *, run: str = "", once: bool = False) -> None:
        """Store a checked configuration, and forget the facts of an earlier run.

        An engine that attaches to a process configures it for each run, and for each provider of a run.

        Args:
            config: the settings.
            run: the address of the engine, which names the run; empty if it is not known.
            once: whether the connection can be set only once. An engine configures a process that it started once.
                Another local process that reaches the port must not send the credentials to another endpoint.

        Raises:
            ConfigurationError: the process serves another connection already.
        """
        settings = _settings(config)
        with self._configuring:
            if once and self._is_configured:
                _require_same(self._config, settings)
            self._config, self._is_configured = settings, True
        if not run or run != self._run_state.address:
            self._run_state.end()
            self._run_state = RunState(run, self._environ)
        self._lookups.forget()
        self._run.begin_again()
        self.waiting.begin()

    def end(self) -> None:
        """Close the file that the processes of the run share, because this process ends."""
        self._run_state.end()

    def secrets(self, urn: str, inputs: Collection[str]) -> set[str]:
        """Return the secret properties of a resource: its secret inputs, and the outputs that repeat them."""
        sources = Urn.read(urn).resource.made_from
        return {*inputs, *(camel(name) for name, names in sources.items() if {*map(camel, names)} & {*inputs})}

    def invoke(self, token: str, values: Mapping[str, Any]) -> CallResult:
        """Return the result of a function.

        Raises:
            InputError: there is no such function.
            IotdaOtaError: the lookup failed, and no argument is the cause.
        """
        function = FUNCTIONS.get(token.removeprefix(token_of("")))
        if function is None:
            raise InputError(f"{PACKAGE} has no function {token}")
        if holds_unknown(dict(values)):
            return CallResult()  # the protocol has no unknown result of a function, and the engine does the same
        if problems := _unknown_names(function.arguments, values):
            return CallResult(problems=problems)
        arguments = normal(to_python(function.arguments, values))
        try:
            context = Context(self._config, self._environ)
            return CallResult(to_wire(function.outputs, function.operation(self._lookups, context, arguments)))
        except InputError as error:
            if not error.argument:
                raise
            error.redact(())  # now, because the secrets are known only here
            return CallResult(problems=_failures(function.arguments, [Problem(error.argument, error.rendered(PLUGIN))]))

    def check(self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> CallResult:
        """Complete the inputs of a resource, and return their problems."""
        at = Urn.read(urn)
        resource = at.resource
        # With ignoreChanges the engine restores properties that an earlier check had added.
        kept = [name for name in news if name in olds and olds[name] == news[name]]
        unknown = _unknown_names(resource.arguments, news, also=kept)
        known = {*kept, *(camel(argument.name) for argument in resource.arguments)}
        inputs = _python(at, {name: value for name, value in news.items() if name in known})
        checked = resource.lifecycle.check(self._context(urn), _python(at, olds), inputs)
        return CallResult(_wire(resource, checked.inputs), [*unknown, *_failures(resource.arguments, checked.problems)])

    def diff(
        self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], ignored: Iterable[str]
    ) -> tuple[Diff, list[str]]:
        """Return the effect of new inputs, and the names of those that differ."""
        at = Urn.read(urn)
        if at.resource.refuses_ignoring:
            _refuse_ignoring(at.resource, ignored)
        before, after = (declared(at.resource.arguments, _python(at, values)) for values in (olds, news))
        diff = at.resource.lifecycle.diff(self._context(urn), id_, before, after)
        names = [argument.name for argument in at.resource.arguments]
        differing = [camel(name) for name in names if before.get(name) != after.get(name)]
        return Diff(diff.changes, tuple(camel(name) for name in diff.replaces), diff.delete_first), differing

    def create(self, urn: str, inputs: Mapping[str, Any], *, preview: bool) -> tuple[str, dict[str, Any]]:
        """Create a resource, and return its id and its state. At a preview, return only the known part of the state."""
        at = Urn.read(urn)
        resource, values = at.resource, _python(at, inputs)
        if preview and not resource.known_when_checked:
            unknown = {output.name: UNKNOWN for output in resource.outputs}
            return "", _wire(resource, {**unknown, **values})
        created = resource.lifecycle.create(self._context(urn), values)
        if not preview:
            self._lookups.forget()
        return created.id, _wire(resource, created.outputs)

    def read(self, urn: str, id_: str, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state as it is now."""
        at = Urn.read(urn)
        return _wire(at.resource, at.resource.lifecycle.read(self._context(urn), id_, _python(at, state)))

    def is_stored(self, urn: str, state: Mapping[str, Any]) -> bool:
        """Return whether this provider returned a state: only such a state has outputs."""
        resource = Urn.read(urn).resource
        inputs = {argument.name for argument in resource.arguments}
        return any(camel(output.name) in state for output in resource.outputs if output.name not in inputs)

    def imported(self, urn: str, id_: str, *, owned: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the inputs and the state of an existing task or package."""
        at = Urn.read(urn)
        imported = at.resource.lifecycle.imported(self._context(urn), id_, owned=owned)
        return _wire(at.resource, imported.inputs), _wire(at.resource, imported.state)

    def update(
        self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], *, preview: bool
    ) -> dict[str, Any]:
        """Return the state under new inputs."""
        at = Urn.read(urn)
        before, inputs = _python(at, olds), _python(at, news)
        if preview and not at.resource.known_when_checked:
            return _wire(at.resource, _previewed(at.resource, before, inputs))
        updated = at.resource.lifecycle.update(self._context(urn), id_, before, inputs)
        if not preview:
            self._lookups.forget()
        return _wire(at.resource, updated)

    def delete(self, urn: str, id_: str, state: Mapping[str, Any]) -> None:
        """Remove a resource."""
        at = Urn.read(urn)
        at.resource.lifecycle.delete(self._context(urn), id_, _python(at, state))
        self._lookups.forget()

    def _context(self, urn: str) -> ResourceContext:
        return ResourceContext(
            run=self._run,
            config=self._config,
            environ=self._environ,
            warn=lambda line: self._warn(urn, redact(render(line, PLUGIN))),
            report=lambda line: self._report(urn, redact(render(line, PLUGIN))),
            run_state=self._run_state,
            how_to_stop="Ctrl-C stops the wait, not the task; the next pulumi up waits again",
        )


def _require_same(before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """Refuse another endpoint or other credentials than those of the first call. No value is printed."""
    differing = sorted(
        name for name in {*before, *after} if name not in _CHANGEABLE and before.get(name) != after.get(name)
    )
    if differing:
        raise ConfigurationError(
            f"this process serves another connection already: {', '.join(differing)} cannot change",
            facts=[("fix", "use a separate provider; Pulumi starts a process for each")],
        )


def _previewed(resource: Resource, before: Properties, inputs: Properties) -> Properties:
    """Return the known part of the state after an update. Work that is done again can have another result."""
    again = getattr(resource.lifecycle, "deciding", ())
    if any(before.get(name) != inputs.get(name) for name in again):
        return {**{output.name: UNKNOWN for output in resource.outputs}, **inputs}
    kept = {name: value for name, value in before.items() if name not in resource.lifecycle.input_names}
    return {**kept, **inputs}


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in _ADDED_BY_ENGINE}


def _python(at: Urn, values: Mapping[str, Any]) -> Properties:
    # The scope is not stored, because an alias or a move changes the URN.
    known = {name: value for name, value in values.items() if not name.startswith("__")}
    return {**to_python(at.resource.fields, known), "scope": at.scope}


def _wire(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    stored = {name: value for name, value in values.items() if name != "scope"}
    return to_wire(resource.fields, stored)


def _unknown_names(
    arguments: Iterable[Argument], values: Mapping[str, Any], also: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """Return a problem for each name that is no argument. If it were ignored, the meaning would change silently."""
    names = [camel(argument.name) for argument in arguments]
    return [
        ("", f"there is no argument {sanitize(name)}{_instead(name, names)}")
        for name in values
        if name not in (*names, *also) and not name.startswith("__")
    ]


def _instead(name: str, names: Iterable[str]) -> str:
    return ": use an explicit provider instead" if name == "connection" else did_you_mean(name, names)


def _failures(arguments: Iterable[Argument], problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """Return the property of the schema and the reason of each problem. A name outside the schema becomes empty."""
    names = {argument.name for argument in arguments}
    failures = []
    for problem in problems:
        # The problem can be in a field of an object, such as obs_location.sign. The schema has only the object.
        name, _, field_ = problem.argument.partition(".")
        reason = problem.rendered(PLUGIN)
        failures.append((camel(name) if name in names else "", f"{camel(field_)} {reason}" if field_ else reason))
    return failures


def _refuse_ignoring(resource: Resource, ignored: Iterable[str]) -> None:
    names = {camel(argument.name) for argument in resource.arguments}
    wrong = sorted({path for path in ignored if path.partition(".")[0].partition("[")[0] in {*names, "*"}})
    if wrong:
        raise InputError(
            f"ignoreChanges of {' and '.join(wrong)} would move the pin instead of keeping it",
            facts=[("fix", "remove it: a pin keeps its package until its selection or triggers change")],
        )
