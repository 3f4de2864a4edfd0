"""What the plain and the output form of every function share: waiting, mocks, and errors as Pulumi prints them.

Nothing here knows what is looked up.
"""

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
from pulumi_iotda_ota.schema.conversion import to_python, to_wire
from pulumi_iotda_ota.schema.registry import FUNCTIONS, token_of
from pulumi_iotda_ota.schema.validation import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection

    Ask = Callable[[Run, Context, Mapping[str, Any]], dict[str, Any]]

T = TypeVar("T")

_FAILURE = "iotdaOtaError"


@dataclass(frozen=True)
class Function(Generic[T]):
    """What the plain and the output form of one function share.

    Attributes:
        served: the name under which the registry has the function, such as ``getOtaPackage``.
        read: makes the result of plain values: those of the operation, or those of a user's ``Mocks.call``.
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
        """Return the answer, or raise an error that Pulumi prints as one message."""
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
        """Return an Output of the answer."""
        with _rendering():
            pulumi_inputs.require_connection(connection)
            pulumi_compat.refuse_provider(opts)
            pulumi_compat.require_program(self.name)
            pulumi_inputs.refuse_resources(values)
            values = pulumi_inputs.requiring_values(values)
        if pulumi_compat.is_mocked():
            return pulumi.runtime.invoke_output(self.token, self._sent(values), opts).apply(self._mocked)
        return pulumi_compat.when_known(values, opts, lambda known: self._work(known, connection))

    def _mocked(self, answer: dict[str, Any]) -> T:
        """Return what a stand-in for the engine answered, or raise the error that it handed on."""
        if _FAILURE in answer:
            raise pulumi_compat.as_run_error(pickle.loads(base64.b64decode(answer[_FAILURE])))  # noqa: S301  of this process
        # A monitor carries every number as a float.
        return self.read(to_python(FUNCTIONS[self.served].outputs, normal(answer)))

    def _sent(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments as the engine, or what stands in for it, gets them."""
        given = {name: value for name, value in values.items() if value is not None}
        return to_wire(FUNCTIONS[self.served].arguments, given)

    def _work(self, values: Mapping[str, Any], connection: Connection | None) -> Callable[[], T]:
        ask = work(FUNCTIONS[self.served].ask, values, connection)
        return lambda: self.read(ask())


def work(ask: Ask, values: Mapping[str, Any], connection: Connection | None) -> Callable[[], dict[str, Any]]:
    """Return the work to do in another thread; what depends on the program is read here, in the caller's."""
    run, context = pulumi_compat.current_run(), Context(pulumi_compat.stack_config(), dict(os.environ), connection)

    def asked() -> dict[str, Any]:
        with _rendering(), contextlib.ExitStack() as stack:
            # Outside a program no other call shares the connections, and none closes them later.
            used = run or stack.enter_context(contextlib.closing(Run(memo=False)))
            return ask(used, context, values)

    return asked


def answer(token: str, arguments: Mapping[str, Any], *, asked: tuple[Run, Context] | None = None) -> dict[str, Any]:
    """Return the result of a function by its token, in the plugin's names, as a stand-in for the engine needs it.

    Args:
        token: such as ``iotda-ota:index:getOtaPackage``.
        arguments: the arguments in camelCase.
        asked: the run and the context to use; by default those of the program.

    Raises:
        KeyError: there is no such function.
        IotdaOtaError: the lookup failed.
    """
    function = FUNCTIONS[token.rpartition(":")[2]]
    values = normal(to_python(function.arguments, arguments))
    result = work(function.ask, values, None)() if asked is None else function.ask(*asked, values)
    return to_wire(function.outputs, result)


def given(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a function out of its local names."""
    return {name: value for name, value in names.items() if name not in ("connection", "opts")}


def failure(error: IotdaOtaError) -> dict[str, Any]:
    """Return the answer by which a stand-in for the engine hands an error on to the function that was called.

    Pulumi ends a program at the first call that its monitor raised in, also where the program catches that.
    """
    return {_FAILURE: base64.b64encode(pickle.dumps(error)).decode()}


@contextlib.contextmanager
def _rendering() -> Iterator[None]:
    """Turn an error of ours into the same error in the form that Pulumi prints without a traceback."""
    try:
        yield
    except IotdaOtaError as error:
        pulumi_compat.as_run_error(error)
        raise


def _refuse_outputs(name: str, values: Mapping[str, Any], opts: pulumi.InvokeOptions | None) -> None:
    pulumi_compat.refuse_provider(opts)
    depends = "opts.depends_on" if getattr(opts, "depends_on", None) else None
    argument = depends or next(
        (argument for argument, value in values.items() if pulumi_compat.holds_output(value)), None
    )
    if argument is not None:
        raise OutputGiven(
            f"{argument} is a Pulumi Output, and {name} cannot wait for its value; use {name}_output",
            argument=argument,
        )
