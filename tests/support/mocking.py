"""Runs programs under the mocks of Pulumi and waits for their outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from collections.abc import Callable


class Mocks(pulumi.runtime.Mocks):
    """Returns what the test says, and remembers what was requested."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Answer a function."""
        self.asked.append((args.token, args.args))
        return self.answer

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Accept a resource unchanged."""
        return f"{args.name}-id", args.inputs


def mocked(answer: dict[str, Any], *, preview: bool = False) -> Mocks:
    """Let mocks answer from here on."""
    mocks = Mocks(answer)
    pulumi.runtime.set_mocks(mocks, preview=preview)
    return mocks


def settled(output: pulumi.Output[Any]) -> tuple[Any, bool, bool]:
    """Return the value of an Output, whether it is known and whether it is secret."""
    found: list[tuple[Any, bool, bool]] = []

    async def look() -> None:
        found.append((await output.future(), await output.is_known(), await output.is_secret()))

    run_to_the_end: Callable[..., Callable[[], None]] = pulumi.runtime.test
    run_to_the_end(look)()
    return found[0]
