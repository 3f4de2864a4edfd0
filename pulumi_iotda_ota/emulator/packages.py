"""The packages that the emulator holds. State only: no HTTP, no paging, no limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_FILTERS = ("package_type", "app_id", "product_id", "version")


@dataclass(frozen=True)
class Package:
    """One package: the hidden record id that orders lists, and the fields of the API."""

    record: int
    fields: dict[str, Any]

    @property
    def package_id(self) -> str:
        """Return the id that users see."""
        return str(self.fields["package_id"])

    def summary(self) -> dict[str, Any]:
        """Return the package as lists show it."""
        return {name: value for name, value in self.fields.items() if name != "file_location"}

    def detail(self) -> dict[str, Any]:
        """Return the package as ShowOtaPackage shows it."""
        return dict(self.fields)


@dataclass
class PackageStore:
    """All packages, and the answers to the filters that were asked since the last change."""

    _by_id: dict[str, Package] = field(default_factory=dict)
    _answers: dict[tuple[Any, ...], list[Package]] = field(default_factory=dict)
    _product_names: dict[str, str] = field(default_factory=dict)
    _spaces: dict[str, str] = field(default_factory=dict)

    def add(self, package: Package) -> None:
        """Add a package."""
        self._by_id[package.package_id] = package
        if package.fields.get("product_name"):
            self._product_names[package.fields["product_id"]] = package.fields["product_name"]
        self._spaces[package.fields["product_id"]] = package.fields["app_id"]
        self._answers.clear()

    def get(self, package_id: str) -> Package | None:
        """Return a package, or None."""
        return self._by_id.get(package_id)

    def delete(self, package_id: str) -> bool:
        """Delete a package; return whether it was there."""
        self._answers.clear()
        return self._by_id.pop(package_id, None) is not None

    def find(self, filters: dict[str, Any]) -> list[Package]:
        """Return the packages that match every given filter, largest record id first."""
        wanted = tuple((name, filters[name]) for name in _FILTERS if filters.get(name) is not None)
        # A walk over many pages asks the same filter again and again.
        if wanted not in self._answers:
            matching = (package for package in self._by_id.values() if _matches(package, wanted))
            self._answers[wanted] = sorted(matching, key=lambda package: -package.record)
        return self._answers[wanted]

    def space_of_product(self, product_id: str) -> str | None:
        """Return the space that the newest package of the product went to, or None."""
        return self._spaces.get(product_id)

    def name_of_product(self, product_id: str) -> str | None:
        """Return the product name that a package of the product carried, or None."""
        return self._product_names.get(product_id)


def _matches(item: Package, wanted: Iterable[tuple[str, Any]]) -> bool:
    return all(item.fields.get(name) == value for name, value in wanted)
