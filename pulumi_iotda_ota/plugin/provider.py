"""What the plugin does with each call of the engine, over plain values. Knows neither gRPC nor how values travel."""

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

# What the engine puts beside the settings of a provider.
_ENGINES = ("version", "pluginDownloadURL", "__internal")
# The settings that say neither where nor as whom, and guard nothing.
_CHANGEABLE = ("deadline", "maxAttempts", "signing", "instanceId", "projectId", "projectName")


@dataclass(frozen=True)
class Urn:
    """What the engine tells of a resource by its name: ``urn:pulumi:stack::project::parent$type::name``."""

    stack: str
    project: str
    parents: str
    type: str
    name: str

    @classmethod
    def read(cls, urn: str) -> Urn:
        """Return the parts of a URN; the type of a child follows those of its parents."""
        prefix, project, types, name = urn.split("::", 3)
        parents, _, type_ = types.rpartition("$")
        return cls(prefix.rpartition(":")[2], project, parents, type_, name)

    @property
    def resource(self) -> Resource:
        """Return what serves its type.

        Raises:
            InputError: there is no such type.
        """
        name = self.type.removeprefix(token_of(""))
        if name not in RESOURCES:
            raise InputError(f"{PACKAGE} has no resource {self.type}")
        return RESOURCES[name]

    @property
    def scope(self) -> dict[str, str]:
        """Return what keeps equal campaigns of two resources apart.

        The engine tells a provider everything but the organization.
        """
        told = {"project": self.project, "stack": self.stack, "name": self.name, "parents": self.parents}
        return {name: value for name, value in told.items() if value}


@dataclass
class CallResult:
    """The answer to a check, or to a function; values in the names of the wire.

    Attributes:
        values: the checked inputs, or the fields of the answer.
        problems: what is wrong, each with the property of the schema that it is about, or with none.
    """

    values: dict[str, Any] = field(default_factory=dict, repr=False)
    problems: list[tuple[str, str]] = field(default_factory=list)


class Provider:
    """Serves one configuration; safe to use from several threads.

    Args:
        environ: the environment variables.
        warn: shows a warning to whoever runs Pulumi, beside the resource of a URN.
        tell: shows there how something goes on.
        waiting: the time, and what ends its waits.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        warn: Callable[[str, str], None],
        tell: Callable[[str, str], None],
        waiting: Waiting,
    ) -> None:
        self._environ, self._warn, self._tell = environ, warn, tell
        self.waiting = waiting
        self._config: Mapping[str, object] = {}
        self._is_configured = False
        self._configuring = threading.Lock()
        # What is created must be seen by the next look. Functions share their answers as those of a program do.
        self._run = Run(memo=False, clock=waiting.clock)
        self._lookups = self._run.remembering() if wants_memo(environ) else self._run
        self._run_state = RunState()

    def check_config(self, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return what is wrong with a configuration; whether it is complete shows when something is asked."""
        given = {name: value for name, value in _settings(config).items() if not holds_unknown(value)}
        if not given:
            return []
        from pulumi_iotda_ota.iotda.auth.connection import check_config  # noqa: PLC0415  pydantic only when needed

        try:
            check_config(given)
        except ConfigurationError as error:
            named = camel(error.setting)
            return [(named if named in given else "", error.rendered(PLUGIN))]
        return []

    def configure(self, config: Mapping[str, Any], *, run: str = "", once: bool = False) -> None:
        """Store a checked configuration, and forget everything from an earlier run.

        An engine that attaches to a process configures it for each run, and for each provider of a run.

        Args:
            config: the settings.
            run: the address of the engine, which names the run; empty if it is not known.
            once: whether the process serves one connection: an engine that starts a process configures it once, and
                another local process that reaches the port must not direct the credentials elsewhere.

        Raises:
            ConfigurationError: the process serves another connection already.
        """
        given = _settings(config)
        with self._configuring:
            if once and self._is_configured:
                _require_same(self._config, given)
            self._config, self._is_configured = given, True
        if not run or run != self._run_state.address:
            self._run_state.end()
            self._run_state = RunState(run, self._environ)
        self._lookups.forget()
        self._run.begin_again()
        self.waiting.begin()

    def end(self) -> None:
        """Close what the processes of the run share, because this process ends."""
        self._run_state.end()

    def secrets(self, urn: str, given: Collection[str]) -> set[str]:
        """Return the properties of a resource that are secret: those that are given so, and what is made from them."""
        made = Urn.read(urn).resource.made_from
        return {*given, *(camel(name) for name, words in made.items() if {*map(camel, words)} & {*given})}

    def invoke(self, token: str, values: Mapping[str, Any]) -> CallResult:
        """Answer a function.

        Raises:
            InputError: there is no such function.
            IotdaOtaError: the lookup failed, and not by one of its arguments.
        """
        function = FUNCTIONS.get(token.removeprefix(token_of("")))
        if function is None:
            raise InputError(f"{PACKAGE} has no function {token}")
        if holds_unknown(dict(values)):
            return CallResult()  # the engine has no unknown answer of a function; this is its own way to say so
        given = normal(to_python(function.arguments, values))
        problems = _unheard_of(function.arguments, values)
        if problems:
            return CallResult(problems=problems)
        try:
            context = Context(self._config, self._environ)
            return CallResult(to_wire(function.outputs, function.ask(self._lookups, context, given)))
        except InputError as error:
            if not error.argument:
                raise
            error.redact(())  # of what is redacted now: the engine gets it later
            return CallResult(problems=_told(function.arguments, [Problem(error.argument, error.rendered(PLUGIN))]))

    def check(self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> CallResult:
        """Complete the inputs of a resource, and tell what is wrong with them."""
        at = Urn.read(urn)
        resource = at.resource
        # With ignoreChanges the engine puts back what an earlier check had added.
        kept = [name for name in news if name in olds and olds[name] == news[name]]
        unheard_of = _unheard_of(resource.arguments, news, also=kept)
        heard_of = {*kept, *(camel(argument.name) for argument in resource.arguments)}
        given = _python(at, {name: value for name, value in news.items() if name in heard_of})
        checked = resource.lifecycle.check(self._context(urn), _python(at, olds), given)
        return CallResult(_wire(resource, checked.inputs), [*unheard_of, *_told(resource.arguments, checked.problems)])

    def diff(
        self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], ignored: Iterable[str]
    ) -> tuple[Diff, list[str]]:
        """Tell what new inputs change, and which of them differ, in the names of the wire."""
        at = Urn.read(urn)
        if at.resource.refuses_ignoring:
            _refuse_ignoring(at.resource, ignored)
        before, after = (declared(at.resource.arguments, _python(at, values)) for values in (olds, news))
        diff = at.resource.lifecycle.diff(self._context(urn), id_, before, after)
        names = [argument.name for argument in at.resource.arguments]
        differing = [camel(name) for name in names if before.get(name) != after.get(name)]
        return Diff(diff.changes, tuple(camel(name) for name in diff.replaces), diff.delete_first), differing

    def create(self, urn: str, inputs: Mapping[str, Any], *, preview: bool) -> tuple[str, dict[str, Any]]:
        """Create a resource, or tell what is known of it before; return its id and its state."""
        at = Urn.read(urn)
        resource, given = at.resource, _python(at, inputs)
        if preview and not resource.known_when_checked:
            to_come = {output.name: UNKNOWN for output in resource.outputs}
            return "", _wire(resource, {**to_come, **given})
        created = resource.lifecycle.create(self._context(urn), given)
        if not preview:
            self._lookups.forget()
        return created.id, _wire(resource, created.outputs)

    def read(self, urn: str, id_: str, state: Mapping[str, Any]) -> dict[str, Any]:
        """Tell the state as it is now."""
        at = Urn.read(urn)
        seen = at.resource.lifecycle.read(self._context(urn), id_, _python(at, state))
        return _wire(at.resource, seen)

    def is_stored(self, urn: str, state: Mapping[str, Any]) -> bool:
        """Return whether a state is one that this provider returned: it holds outputs, which no program can give."""
        resource = Urn.read(urn).resource
        given = {argument.name for argument in resource.arguments}
        return any(camel(output.name) in state for output in resource.outputs if output.name not in given)

    def imported(self, urn: str, id_: str, *, owned: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the inputs and the state of an existing task or package.

        Args:
            urn: the resource that it becomes.
            id_: the id on the service.
            owned: whether the resource owns it from now on, or only reads it.
        """
        at = Urn.read(urn)
        imported = at.resource.lifecycle.imported(self._context(urn), id_, owned=owned)
        return _wire(at.resource, imported.inputs), _wire(at.resource, imported.state)

    def update(
        self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], *, preview: bool
    ) -> dict[str, Any]:
        """Return the state under new inputs."""
        at = Urn.read(urn)
        before, given = _python(at, olds), _python(at, news)
        if preview and not at.resource.known_when_checked:
            return _wire(at.resource, _foreseen(at.resource, before, given))
        updated = at.resource.lifecycle.update(self._context(urn), id_, before, given)
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
            report=lambda line: self._tell(urn, redact(render(line, PLUGIN))),
            run_state=self._run_state,
            how_to_stop="Ctrl-C stops the wait, not the task; the next pulumi up waits again",
        )


def _require_same(before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """Refuse other settings of where and as whom than those of the first call. No value is printed."""
    differing = sorted(
        name for name in {*before, *after} if name not in _CHANGEABLE and before.get(name) != after.get(name)
    )
    if differing:
        raise ConfigurationError(
            f"this process serves another connection already: {', '.join(differing)} cannot change",
            facts=[("fix", "use a provider of its own; Pulumi starts a process for each")],
        )


def _foreseen(resource: Resource, before: Properties, given: Properties) -> Properties:
    """Return the state after an update as far as it is known before: what is done again can end otherwise."""
    again = getattr(resource.lifecycle, "deciding", ())
    if any(before.get(name) != given.get(name) for name in again):
        return {**{output.name: UNKNOWN for output in resource.outputs}, **given}
    kept = {name: value for name, value in before.items() if name not in resource.lifecycle.input_names}
    return {**kept, **given}


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in _ENGINES}


def _python(at: Urn, values: Mapping[str, Any]) -> Properties:
    # Not part of what is stored: the URN is the engine's to change, by an alias or a move.
    known = {name: value for name, value in values.items() if not name.startswith("__")}
    return {**to_python(at.resource.fields, known), "scope": at.scope}


def _wire(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    stored = {name: value for name, value in values.items() if name != "scope"}
    return to_wire(resource.fields, stored)


def _unheard_of(
    arguments: Iterable[Argument], given: Mapping[str, Any], also: Iterable[str] = ()
) -> list[tuple[str, str]]:
    """Return the problem of each argument that there is not; passed over, it would change the meaning unnoticed."""
    names = [camel(argument.name) for argument in arguments]
    return [
        ("", f"there is no argument {sanitize(name)}{_instead(name, names)}")
        for name in given
        if name not in (*names, *also) and not name.startswith("__")
    ]


def _instead(name: str, names: Iterable[str]) -> str:
    return ": give an explicit provider instead" if name == "connection" else did_you_mean(name, names)


def _told(arguments: Iterable[Argument], problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """Return problems with properties of the schema: what is about anything else is about none."""
    table = {argument.name: argument for argument in arguments}
    told = []
    for problem in problems:
        # Of an object one field can be wrong: obs_location.sign. The engine knows the object.
        name, _, field_ = problem.argument.partition(".")
        argument = table.get(name)
        reason = problem.rendered(PLUGIN)
        told.append((camel(name) if argument else "", f"{camel(field_)} {reason}" if field_ else reason))
    return told


def _refuse_ignoring(resource: Resource, ignored: Iterable[str]) -> None:
    names = {camel(argument.name) for argument in resource.arguments}
    wrong = sorted({path for path in ignored if path.partition(".")[0].partition("[")[0] in {*names, "*"}})
    if wrong:
        raise InputError(
            f"ignoreChanges of {' and '.join(wrong)} would move the pin instead of keeping it",
            facts=[("fix", "remove it: a pin keeps its package until its selection or triggers change")],
        )
