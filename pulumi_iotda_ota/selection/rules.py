"""The rules of a selection, in the order in which they apply. Each returns why it skips a package, or None.

The order is part of the interface, because a package is counted under the first rule that it fails:

1. the exact filters: ``package_type``, ``app_id``, ``product_id``, ``version``, ``module_name``
2. the window: ``created_after``, ``created_before`` (the upload time must be readable)
3. the devices: ``source_versions``, then ``allow_downgrade``
4. the version: ``version_regex``, ``version_scheme`` (it must be readable), ``version_constraint``,
   ``include_prereleases``
5. the order by upload: ``most_recent`` or ``order_by`` (the time must be readable)

The matches are ordered by ``preferred_versions``, then by version or upload time. A lookup of one package requests
checksums (``require_checksum``) last, in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.models import read_service_time
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.selection.constraints import parse
from pulumi_iotda_ota.selection.versions import Unreadable, about_unknown_word, is_prerelease, release_of, scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.selection.policy import Policy
    from pulumi_iotda_ota.selection.versions import Key

    Reason = Callable[[OtaPackage], str | None]

_LISTED_SOURCES = 4  # of the versions that a package supports
_LONGEST_PATTERN = 1024
_LISTED_PATTERN = 60  # characters of a pattern in an error
#: The exact filters. The service applies them too, except for ``module_name``.
EXACT = ("package_type", "app_id", "product_id", "version", "module_name")
# A reason is also an output in every interface, so it names no argument.
_NOUNS = {
    "package_type": "type",
    "app_id": "resource space",
    "product_id": "product",
    "version": "version",
    "module_name": "module",
}


class Keys:
    """A cache of the keys of versions under one scheme, and of upload times, so that each is read once.

    Args:
        name: the scheme.
    """

    def __init__(self, name: str) -> None:
        self.scheme = scheme(name)
        self._known: dict[str, Key | Unreadable] = {}
        self._times: dict[str, datetime | None] = {}

    def find(self, version: str) -> Key | None:
        """Return the key of a version, or None if the scheme cannot read it."""
        found = self._read(version)
        return None if isinstance(found, Unreadable) else found

    def key(self, version: str) -> Key:
        """Return the key of a version that the scheme can read."""
        found = self._read(version)
        if isinstance(found, Unreadable):
            raise found
        return found

    def trouble(self, version: str) -> str | None:
        """Return why the scheme cannot read a version, or None if it can."""
        found = self._read(version)
        return found.reason if isinstance(found, Unreadable) else None

    def is_prerelease(self, version: str) -> bool:
        """Return whether a version is a prerelease that the scheme can read."""
        key = self.find(version)
        return key is not None and is_prerelease(key)

    def created(self, package: OtaPackage) -> datetime | None:
        """Return the upload time of a package, or None if it cannot be read."""
        text = package.create_time
        if text not in self._times:
            self._times[text] = package.created
        return self._times[text]

    def _read(self, version: str) -> Key | Unreadable:
        found = self._known.get(version)
        if found is None:
            try:
                found = self.scheme.key(version)
            except Unreadable as error:
                found = error
            self._known[version] = found
        return found


@dataclass(frozen=True)
class Rule:
    """One rule of a selection.

    Attributes:
        argument: the argument of the rule.
        reason: returns why a package is skipped, or None.
        reads: whether the rule skips a package because it cannot read a field. ``strict_versions`` makes that an error.
    """

    argument: str
    reason: Reason
    reads: bool = False


def rules_of(policy: Policy, keys: Keys | None = None) -> list[Rule]:
    """Return the rules of a policy, in the order in which they apply.

    Raises:
        InputError: a pattern, a constraint or a source version cannot be read.
    """
    keys = keys or Keys(policy.version_scheme)
    return [
        *_exact(policy),
        *_window(policy, keys),
        *_devices(policy, keys),
        *_versions(policy, keys),
        *_order(policy, keys),
    ]


def keeps_prereleases(policy: Policy) -> bool:
    """Return whether prereleases match: as ``include_prereleases`` says, or if an argument names a prerelease."""
    if policy.include_prereleases is not None:
        return policy.include_prereleases
    keys = Keys(policy.version_scheme)
    if any(keys.is_prerelease(version) for version in (*policy.preferred_versions, policy.version) if version):
        return True
    constraint = policy.version_constraint
    return constraint is not None and parse(constraint, keys.scheme).names_prerelease


def _exact(policy: Policy) -> Iterator[Rule]:
    for name in EXACT:
        wanted = getattr(policy, name)
        if wanted is not None:
            yield Rule(name, _differs(name, wanted))


def _differs(name: str, wanted: str) -> Reason:
    def reason(package: OtaPackage) -> str | None:
        found = getattr(package, name)
        return None if found == wanted else f"{_NOUNS[name]} {found or 'not set'}"

    return reason


def _window(policy: Policy, keys: Keys) -> Iterator[Rule]:
    if policy.created_after is not None:
        earliest = _bound(policy.created_after)
        yield _timed("created_after", keys)
        yield Rule("created_after", _uploaded(keys, lambda time: time < earliest))
    if policy.created_before is not None:
        end = _bound(policy.created_before)
        yield _timed("created_before", keys)
        yield Rule("created_before", _uploaded(keys, lambda time: time >= end))


def _order(policy: Policy, keys: Keys) -> Iterator[Rule]:
    if policy.order_by == "create_time":
        yield _timed("most_recent" if policy.most_recent else "order_by", keys)


def _timed(argument: str, keys: Keys) -> Rule:
    """Return the rule that skips a package whose upload time cannot be read."""

    def reason(package: OtaPackage) -> str | None:
        return None if keys.created(package) else f"create_time {quoted(package.create_time)} cannot be read"

    return Rule(argument, reason, reads=True)


def _bound(text: str) -> datetime:
    """Return a bound of the window, which the lookup has checked."""
    time = read_service_time(text)
    if time is None:
        raise ValueError(text)
    return time


def _uploaded(keys: Keys, outside: Callable[[datetime], bool]) -> Reason:
    def reason(package: OtaPackage) -> str | None:
        time = keys.created(package)
        return f"uploaded {package.created_at}" if time is not None and outside(time) else None

    return reason


def _devices(policy: Policy, keys: Keys) -> Iterator[Rule]:
    sources = policy.source_versions
    if not sources:
        return

    needed = frozenset(sources)

    def unsupported(package: OtaPackage) -> str | None:
        supported = package.support_source_versions
        if not supported or needed.issubset(supported):
            return None
        listed = ", ".join(supported[:_LISTED_SOURCES])
        return f"supports only {listed}{' and others' * (len(supported) > _LISTED_SOURCES)}"

    yield Rule("source_versions", unsupported)
    if not policy.allow_downgrade:
        yield Rule("allow_downgrade", _below(policy, keys))


def _below(policy: Policy, keys: Keys) -> Reason:
    sources = {keys.scheme.key_of("source_versions", version): version for version in policy.source_versions}
    highest = max(sources)

    def reason(package: OtaPackage) -> str | None:
        key = keys.find(package.version)
        if key is None or key >= highest:
            return None
        word = about_unknown_word(key) if release_of(key) >= release_of(highest) else ""
        return f"below {sources[highest]}, which devices run{word}"

    return reason


def _versions(policy: Policy, keys: Keys) -> Iterator[Rule]:
    if policy.version_regex is not None:
        matches = whole_match("version_regex", policy.version_regex)
        yield Rule("version_regex", lambda package: None if matches(package.version) else "does not match")
    yield Rule("version_scheme", lambda package: keys.trouble(package.version), reads=True)
    # All rules from here on read versions that have a key.
    if policy.version_constraint is not None:
        outside = parse(policy.version_constraint, keys.scheme).reason
        yield Rule("version_constraint", lambda package: outside(keys.key(package.version)))
    if not keeps_prereleases(policy):
        yield Rule(
            "include_prereleases",
            lambda package: "prerelease" if is_prerelease(keys.key(package.version)) else None,
        )


def whole_match(argument: str, pattern: str) -> Callable[[str], bool]:
    """Return the function that matches a whole text with a pattern, in linear time: no pattern can hang a preview.

    The engine is Rust's regex crate, which pydantic brings. A pattern with look-around or a back-reference is refused.

    Args:
        argument: the name of the argument.
        pattern: at most 1,024 characters.

    Raises:
        InputError: the pattern cannot be read.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise InputError(
            f"{references.argument(argument)} is longer than {_LONGEST_PATTERN:,} characters", argument=argument
        )
    # A stray parenthesis may be valid between the anchors, so the pattern is also compiled alone.
    _compiled(argument, pattern, pattern)
    matches = _compiled(argument, f"^(?:{pattern})$", pattern)
    return lambda text: bool(matches(text))


def _compiled(argument: str, pattern: str, original: str) -> Callable[[str], bool]:
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415  loaded only for a pattern

    schema = core_schema.str_schema(pattern=pattern, regex_engine="rust-regex")
    try:
        return SchemaValidator(schema).isinstance_python
    except SchemaError as error:
        cause = str(error).strip().splitlines()[-1].strip().removeprefix("SchemaError: ").removeprefix("error: ")
        facts = [
            ("pattern", sanitize(original, limit=_LISTED_PATTERN)),
            ("cause", sanitize(cause)),
            ("syntax", "that of Rust's regex crate: linear time"),
        ]
        raise InputError(
            f"{references.argument(argument)} is not a valid pattern", argument=argument, facts=facts
        ) from error
