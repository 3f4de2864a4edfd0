"""What a lookup prefers, as one immutable value. Says nothing of how packages are fetched."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Policy"]


@dataclass(frozen=True)
class Policy:
    """The rules of one selection; a rule that is not given removes nothing.

    Attributes:
        app_id: the resource space, exact.
        package_type: the type, exact.
        product_id: the product, exact.
        version: the version, exact.
        module_name: the module of a modulePackage, exact.
        most_recent: take the first by ``order_by`` where several fit.
        order_by: ``version`` or ``create_time``.
        allow_unscoped: allow ``most_recent`` across resource spaces, products and modules.
    """

    package_type: str | None = None
    app_id: str | None = None
    product_id: str | None = None
    version: str | None = None
    module_name: str | None = None
    most_recent: bool = False
    order_by: str | None = None
    allow_unscoped: bool = False
