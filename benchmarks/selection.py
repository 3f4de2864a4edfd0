"""Measure how the time of a selection grows, as ratios within one run. Part of ``make bench``. Sends nothing."""

from __future__ import annotations

import gc
import random
import re
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.models import OtaPackage
from pulumi_iotda_ota.selection.choose import select
from pulumi_iotda_ota.selection.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

FEW, MANY = 10_000, 100_000
ROUNDS = 3
POLICIES = {
    "highest": Policy(order_by="version", include_prereleases=True),
    "range, devices, no prereleases": Policy(
        order_by="version", version_constraint=">=1.2 <7 || ^8", source_versions=("1.0.0",), include_prereleases=False
    ),
    "pattern (a+)+$": Policy(order_by="version", version_regex="(a+)+$"),
    "preferred": Policy(order_by="version", preferred_versions=("3.3.3", "4.4.4")),
    "newest upload": Policy(order_by="create_time"),
}


def packages(number: int) -> list[OtaPackage]:
    """Return packages in a fixed random order. About nine in ten have a version that no other package has."""
    chance = random.Random(4)
    forms = ("{}.{}.{}", "V{}.{}.{}", "{}.{}.{}-rc{}", "{}.{}.{}_B{:03}", "V{}R{:03}C{:02}SPC{}")
    return [
        OtaPackage(
            package_id=f"p{place}",
            app_id="a",
            package_type="firmwarePackage",
            product_id="meter",
            version=forms[place % len(forms)].format(*(chance.randrange(100) for _ in range(4))),
            create_time=f"2026{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}T000000Z",
        )
        for place in range(number)
    ]


def seconds(work: Callable[[], object]) -> float:
    """Return the lowest time of a few rounds, without the garbage collector, as ``timeit`` does."""

    def once() -> float:
        gc.collect()
        gc.disable()
        try:
            start = time.perf_counter()
            work()
            return time.perf_counter() - start
        finally:
            gc.enable()

    return min(once() for _ in range(ROUNDS))


def peak(work: Callable[[], object]) -> float:
    """Return the peak of the memory that the work allocates, in megabytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def plain_key(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, the sort key of a program without a version scheme."""
    return tuple(map(int, re.findall(r"[0-9]+", version)))


def measured() -> list[dict[str, Any]]:
    """Return the figures, one for each policy."""
    few, many = packages(FEW), packages(MANY)
    baseline = seconds(lambda: sorted(many, key=lambda package: plain_key(package.version)))
    rows = []
    for name, policy in POLICIES.items():
        small = seconds(lambda policy=policy: select(few, policy))  # type: ignore[misc]
        large = seconds(lambda policy=policy: select(many, policy))  # type: ignore[misc]
        rows.append(
            {
                "policy": name,
                "seconds": large,
                "growth": large / small,
                "ratio_to_sort": large / baseline,
                "megabytes": peak(lambda policy=policy: select(many, policy)),  # type: ignore[misc]
            }
        )
    return rows


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print the figures."""
    print(f"selection from {MANY:,} packages; growth compared with {FEW:,}: {MANY // FEW} x is linear")
    print(f"{'':<32}{'seconds':>9}{'growth':>9}{'compared with a tuple sort':>29}{'peak':>10}")
    for row in rows:
        times = f"{row['seconds']:>9.2f}{row['growth']:>7.1f} x{row['ratio_to_sort']:>27.1f} x"
        print(f"{row['policy']:<32}{times}{row['megabytes']:>7.0f} MB")
