"""What a lookup prefers, as one immutable value. Says nothing of how packages are fetched."""

from __future__ import annotations

from dataclasses import dataclass

#: The filters that the service applies too, but for ``module_name``.
EXACT = ("package_type", "app_id", "product_id", "version", "module_name")


@dataclass(frozen=True)
class Policy:
    """The rules of one selection; a rule that is not given removes nothing.

    Attributes:
        package_type: the type, exact.
        app_id: the resource space, exact.
        product_id: the product, exact.
        version: the version, exact.
        module_name: the module of a modulePackage, exact.
        created_after: the earliest upload, inclusive: in the API's form, or RFC 3339 if it has a part of a second.
        created_before: the end of the uploads, exclusive, in the same forms.
        source_versions: what the devices run now; the package must support all of them.
        allow_downgrade: keep packages that are below one of ``source_versions``.
        version_regex: what the whole version must match.
        version_scheme: how versions are read and ordered: ``loose`` or ``semver``.
        version_constraint: a range of versions; see ``constraints.py``.
        include_prereleases: keep prereleases; None decides by the lookup.
        preferred_versions: the first of these that fits wins.
        strict_versions: refuse to choose if a rule cannot read a version or an upload time.
        highest_version: if several packages match, take the one with the highest version.
        most_recent: if several packages match, take the one that was uploaded last.
        order_by: ``version`` or ``create_time``; None keeps the service's order.
        allow_multiple_scopes: allow a choice across resource spaces, products and modules.
        require_checksum: only a package whose file has a SHA-256 checksum.
    """

    package_type: str | None = None
    app_id: str | None = None
    product_id: str | None = None
    version: str | None = None
    module_name: str | None = None
    created_after: str | None = None
    created_before: str | None = None
    source_versions: tuple[str, ...] = ()
    allow_downgrade: bool = False
    version_regex: str | None = None
    version_scheme: str = "loose"
    version_constraint: str | None = None
    include_prereleases: bool | None = None
    preferred_versions: tuple[str, ...] = ()
    strict_versions: bool = False
    highest_version: bool = False
    most_recent: bool = False
    order_by: str | None = None
    allow_multiple_scopes: bool = False
    require_checksum: bool = False

    @property
    def may_choose(self) -> bool:
        """Return whether one of several matches may be taken."""
        return self.highest_version or self.most_recent
