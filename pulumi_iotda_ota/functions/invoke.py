"""Runs the functions of a program: the plain form, the output form, and both under mocks."""

from __future__ import annotations

import base64
import contextlib
import os
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pulumi

from pulumi_iotda_ota import pulumi_compat, pulumi_inputs
from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.errors import OutputGiven
from pulumi_iotda_ota.iotda.case import snake
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.schema.registry import FUNCTIONS, token_of
from pulumi_iotda_ota.schema.validation import normal, to_python, to_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection

    Operation = Callable[[Run, Context, Mapping[str, Any]], dict[str, Any]]

T = TypeVar("T")

_FAILURE = "iotdaOtaError"


@dataclass(frozen=True)
class Function(Generic[T]):
    """The plain and the output form of one function.

    Attributes:
        served: the name of the function in the registry, such as ``getOtaPackage``.
        read: makes the result from plain values. They come from the operation, or from ``Mocks.call`` of a user.
    """

    served: str
    read: Callable[[dict[str, Any]], T]

    @property
    def name(self) -> str:
        """Return the name of the plain form."""
        return snake(self.served)

    @property
    def token(self) -> str:
        """Return the name of the function in the plugin, such as ``iotda-ota:index:getOtaPackage``."""
        return token_of(self.served)

    def plain(self, values: Mapping[str, Any], connection: Connection | None, opts: pulumi.InvokeOptions | None) -> T:
        """Return the result, or raise an error that Pulumi prints as one message."""
        with _rendering():
            pulumi_inputs.require_connection(connection)
            pulumi_inputs.refuse_resources(values)
            _refuse_outputs(self.name, values, opts)
            if pulumi_compat.is_mocked():
                return self._mocked(pulumi.runtime.invoke(self.token, self._sent(values), opts).value)
            return pulumi_compat.wait(self._work(values, connection))

    def output(
        self,
        values: Mapping[str, Any],
        connection: Connection | None,
        opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None,
    ) -> pulumi.Output[T]:
        """Return an Output of the result."""
        with _rendering():
            pulumi_inputs.require_connection(connection)
            pulumi_compat.refuse_provider(opts)
            pulumi_compat.require_program(self.name)
            pulumi_inputs.refuse_resources(values)
            values = pulumi_inputs.requiring_values(values)
        if pulumi_compat.is_mocked():
            return pulumi.runtime.invoke_output(self.token, self._sent(values), opts).apply(self._mocked)
        return pulumi_compat.when_known(values, opts, lambda known: self._work(known, connection))

    def _mocked(self, result: dict[str, Any]) -> T:
        """Return the result of a mock, or raise the error that it holds; see :func:`failure`."""
        if _FAILURE in result:
            raise pulumi_compat.as_run_error(pickle.loads(base64.b64decode(result[_FAILURE])))  # noqa: S301  of this process
        # A monitor carries every number as a float.
        return self.read(to_python(FUNCTIONS[self.served].outputs, normal(result)))

    def _sent(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as the engine or a mock gets them."""
        return to_wire(
            FUNCTIONS[self.served].arguments, {name: value for name, value in values.items() if value is not None}
        )

    def _work(self, values: Mapping[str, Any], connection: Connection | None) -> Callable[[], T]:
        call = work(FUNCTIONS[self.served].operation, values, connection)
        return lambda: self.read(call())


def work(
    operation: Operation, values: Mapping[str, Any], connection: Connection | None
) -> Callable[[], dict[str, Any]]:
    """Return an operation as a function for another thread. The context of the program is read in this thread."""
    run, context = pulumi_compat.current_run(), Context(pulumi_compat.stack_config(), dict(os.environ), connection)

    def call() -> dict[str, Any]:
        with _rendering(), contextlib.ExitStack() as stack:
            # Outside a program no other call shares the connections, and none closes them later.
            used = run or stack.enter_context(contextlib.closing(Run(memo=False)))
            return operation(used, context, values)

    return call


def answer(token: str, arguments: Mapping[str, Any], *, source: tuple[Run, Context] | None = None) -> dict[str, Any]:
    """Return the result of a function by its token, in the plugin's spelling, for a mock of the engine.

    Args:
        token: such as ``iotda-ota:index:getOtaPackage``.
        arguments: the arguments in camelCase.
        source: the run and the context. Default: those of the program.

    Raises:
        KeyError: there is no such function.
        IotdaOtaError: the lookup failed.
    """
    function = FUNCTIONS[token.rpartition(":")[2]]
    values = normal(to_python(function.arguments, arguments))
    result = work(function.operation, values, None)() if source is None else function.operation(*source, values)
    return to_wire(function.outputs, result)


def given(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments among the local names of a function."""
    return {name: value for name, value in names.items() if name not in ("connection", "opts")}


def failure(error: IotdaOtaError) -> dict[str, Any]:
    """Return the result with which a mock of the engine raises an error in the program.

    If the monitor raised it, Pulumi would end the program, even if the program catches the error.
    """
    return {_FAILURE: base64.b64encode(pickle.dumps(error)).decode()}


@contextlib.contextmanager
def _rendering() -> Iterator[None]:
    """Make Pulumi print an error of this library as one message, without a traceback."""
    try:
        yield
    except IotdaOtaError as error:
        pulumi_compat.as_run_error(error)
        raise


def _refuse_outputs(name: str, values: Mapping[str, Any], opts: pulumi.InvokeOptions | None) -> None:
    pulumi_compat.refuse_provider(opts)
    depends = "opts.depends_on" if getattr(opts, "depends_on", None) else None
    argument = depends or next(
        (argument for argument, value in values.items() if pulumi_inputs.holds_output(value)), None
    )
    if argument is not None:
        raise OutputGiven(
            f"{argument} is a Pulumi Output, and {name} cannot wait for its value; use {name}_output",
            argument=argument,
        )
