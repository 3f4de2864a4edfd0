"""How property tests choose their examples: few and the same in each ``make test``, many new ones in ``make fuzz``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

__all__ = ["FACTOR", "examples"]

#: How many times the usual number of examples is tried.
FACTOR = int(os.environ.get("FUZZ_FACTOR", "1"))


def examples(count: int) -> settings:
    """Return the settings of a test that tries so many examples, each however long it takes, on one service.

    Args:
        count: how many ``make test`` tries.
    """
    return settings(
        max_examples=count * FACTOR,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


# Without chance, a database and bounds of time: what fails once fails again, on every machine.
settings.register_profile("seeded", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", max_examples=settings().max_examples * FACTOR, deadline=None)
settings.load_profile("long" if FACTOR > 1 else "seeded")
