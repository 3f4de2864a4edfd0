"""Where settings and credentials are looked for: one order, in one table, for whoever looks and whoever explains.

``SOURCES`` is that table: each source in its turn, with the name that every setting has there. Settings are looked for
one by one. A credential comes whole from the first source that holds any part of one: parts of two sources never mix,
and half a set is an error rather than a reason to look further. ``KINDS`` is the order of its kinds within one source.
Files are read here, through ``profiles``; nothing is sent.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AuthToken, EcsMetadata, IdTokenFile, UserPassword
from pulumi_iotda_ota.iotda.auth.profiles import (
    hcloud_file,
    missing_key,
    named_profile,
    read_profile,
    read_section,
    sdk_file,
    shown_path,
)
from pulumi_iotda_ota.iotda.auth.settings import HW, PROFILE, SDK, SECTION
from pulumi_iotda_ota.iotda.auth.vendor import REFUSED, VARIABLES
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import TEXT_WIDTH, ConfigurationError, CredentialsError
from pulumi_iotda_ota.iotda.references import BY_ARGUMENT, by_interface, setting
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Base = AccessKey | AuthToken | UserPassword | IdTokenFile | EcsMetadata

_FIELDS = tuple(Connection.model_fields)
_GUARDS = ("allowed_project_ids",)


@dataclass(frozen=True)
class Given:
    """What the sources are read from.

    Args:
        connection: the argument.
        config: the configuration by camelCase name, without its namespace.
        environ: the environment variables.
    """

    connection: Connection
    config: Mapping[str, object] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)

    @property
    def profile(self) -> str:
        """Return the profile that is named by argument, configuration or environment, or empty."""
        given = _plain(self.connection.profile) or _plain(self.config.get("profile"))
        return str(given) or named_profile(self.environ)


@dataclass(frozen=True)
class Source:
    """One place to look in.

    Args:
        title: what it is called where the order is explained.
        names: the name that each setting has there.
        read: gives what it holds, by those names.
        place: how an origin names it.
        required: whether it must be readable, because somebody asked for it.
        lacking: gives what is wrong where it should hold a credential and holds none.
        whole: whether its settings go with its credential, and count only where that is used.
    """

    title: str
    names: Mapping[str, str]
    read: Callable[[Given], Mapping[str, object]]
    place: Callable[[Given], str]
    required: bool = True
    lacking: Callable[[Given, Mapping[str, object]], ConfigurationError | None] = lambda *_: None
    whole: bool = False


def _config(given: Given) -> dict[str, object]:
    return {f"iotda-ota:{name}": value for name, value in given.config.items()}


def _argument(given: Given) -> dict[str, object]:
    return {name: getattr(given.connection, name) for name in _FIELDS}


def _profile(given: Given) -> Mapping[str, object]:
    return read_profile(given.profile, given.environ) if given.profile else {}


def _profile_lacking(given: Given, held: Mapping[str, object]) -> ConfigurationError | None:
    return missing_key(given.profile, held, given.environ)


def _profile_place(given: Given) -> str:
    file = shown_path(hcloud_file(given.environ), given.environ) or "~/.hcloud/config.json"
    try:
        name = given.profile or "(none is named)"
    except ConfigurationError:
        name = "(current)"
    return f"profile {sanitize(name, limit=60)} in {file}"


def _file_place(section: str) -> Callable[[Given], str]:
    return lambda given: (
        f"{shown_path(sdk_file(given.environ), given.environ) or '~/.huaweicloud/credentials'} [{section}]"
    )


ARGUMENT = Source("argument", {name: name for name in _FIELDS}, _argument, lambda _: BY_ARGUMENT)
#: The order.
SOURCES = (
    ARGUMENT,
    Source(
        "stack configuration",
        {name: f"iotda-ota:{camel(name)}" for name in _FIELDS},
        _config,
        lambda _: "stack config",
    ),
    Source("named profile", PROFILE, _profile, _profile_place, lacking=_profile_lacking),
    Source("environment, HW_*", HW, lambda given: given.environ, lambda _: "environment"),
    Source("environment, HUAWEICLOUD_SDK_*", SDK, lambda given: given.environ, lambda _: "environment"),
    Source(
        "credentials file, [basic]",
        SECTION,
        lambda given: read_section("basic", given.environ),
        _file_place("basic"),
        required=False,
        whole=True,
    ),
    Source(
        "credentials file, [global]",
        {field: name for field, name in SECTION.items() if field != "project_id"},
        lambda given: read_section("global", given.environ),
        _file_place("global"),
        required=False,
        whole=True,
    ),
)


@dataclass(frozen=True)
class Kind:
    """One kind of credential.

    Args:
        make: makes one of what a source holds.
        needs: the settings that make it whole.
        also: those that may go with it.
        context: those among ``needs`` that are no part of a credential by themselves.
    """

    make: Callable[[Found], Base]
    needs: tuple[str, ...]
    also: tuple[str, ...] = ()
    context: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the settings of which any one asks for this kind."""
        return tuple(name for name in (*self.needs, *self.also) if name not in self.context)


@dataclass(frozen=True)
class Found:
    """What one source holds."""

    source: Source
    place: str
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    problem: ConfigurationError | None = None

    def origin(self, name: str) -> str:
        """Return where a setting stands, in words."""
        return f"{self.named(name)} ({self.place})"

    def named(self, name: str) -> str:
        """Return what a setting is called here."""
        return setting(name) if self.source is ARGUMENT else self.source.names.get(name, name)

    def text(self, name: str) -> str:
        """Return a setting as text, or empty."""
        return str(_plain(self.values.get(name)))

    @property
    def kind(self) -> Kind | None:
        """Return the kind of credential that it holds any part of, or None."""
        return next((kind for kind in KINDS if any(self.text(part) for part in kind.parts)), None)

    @property
    def offers(self) -> str:
        """Return what would make a credential here, in words."""
        names = self.source.names
        kinds = [kind for kind in KINDS if kind.make is not _ecs and set(kind.needs) <= set(names)]
        sets = "; ".join(" + ".join(names[name] for name in kind.needs) for kind in kinds)
        place = self.source.title if self.source is ARGUMENT else self.place
        text = "\n  ".join(textwrap.wrap(f"{place}: {sets}", TEXT_WIDTH - 2, break_on_hyphens=False))
        if self.source is not ARGUMENT:
            return text
        # A program takes all of them; the plugin none beside its configuration; a command no secret.
        token_file = " + ".join(map(setting, ("oidc_token_file", "idp_id")))
        return by_interface(f"{text}\n", plugin="", command_line=f"options: {token_file}\n")


#: The stack's or a provider's configuration alone.
CONFIGURATION = SOURCES[1:2]


def look(given: Given, *, only: tuple[Source, ...] = SOURCES, all_readable: bool = True) -> tuple[Found, ...]:
    """Return what every source holds, in their order.

    Args:
        given: what they are read from.
        only: the sources.
        all_readable: whether a profile that was named must be there; otherwise it is a source that holds nothing.

    Raises:
        ConfigurationError: a profile was named that is not there.
    """
    return tuple(_read(source, given, required=source.required and all_readable) for source in only)


def find_credential(sources: Sequence[Found]) -> Base:
    """Return the credential of the first source that holds any part of one.

    Args:
        sources: what every source holds.

    Raises:
        CredentialsError: no source holds any part, or the first that does holds half a set; nothing was sent.
        ConfigurationError: the source whose turn it is cannot be read.
    """
    holder = _holder(sources)
    if holder and holder.problem:
        raise holder.problem
    if holder and holder.kind:
        return _whole(holder, holder.kind)
    raise CredentialsError(
        "no credentials",
        facts=[
            ("fix", usual_commands(credential=True)),
            (
                "found",
                sources[0].offers
                + "\n".join(
                    [
                        *(found.offers for found in sources[1:]),
                        f"the ECS metadata: with {setting('credentials', 'ecs')}",
                    ]
                ),
            ),
        ],
    )


def usual_commands(*, region: bool = False, credential: bool = False) -> str:
    """Return the commands of a shell that most people need, if the region or a credential is missing."""
    variables = [*([HW["region"]] if region else []), *([HW["access_key"], HW["secret_key"]] if credential else [])]
    return f"export {' '.join(f'{name}=...' for name in variables)}\niotda-ota doctor"


def find_setting(name: str, sources: Sequence[Found]) -> Found | None:
    """Return the first source that holds a setting, or None.

    Args:
        name: the setting.
        sources: what every source holds.
    """
    holder = _holder(sources)
    return next(
        (found for found in sources if name in found.values and (found is holder or not found.source.whole)), None
    )


def refuse_unread(sources: Sequence[Found], environ: Mapping[str, str]) -> None:
    """Refuse a variable of the vendor's tools that says as whom, is not read, and would decide.

    Args:
        sources: what every source holds.
        environ: the environment variables.

    Raises:
        ConfigurationError: there is such a variable; it is named, and not its value.
    """
    index, own = next((index, found) for index, found in enumerate(sources) if found.source.names is HW)
    holder = _holder(sources[: index + 1])
    for variable in VARIABLES:
        if variable.use != REFUSED or not environ.get(variable.name, "").strip() or own.text(variable.instead or " "):
            continue
        if not variable.with_:
            decides = holder is None or (holder is own and _first_part(own) in variable.before)
        elif not any(own.text(name) for name in variable.with_):
            decides = False
        else:
            decides = (find_setting("agency_name", sources) if "agency_name" in variable.with_ else holder) is own
        if decides:
            raise ConfigurationError(
                f"{variable.name} (environment) is not read by this library",
                facts=[
                    ("cause", "it says as whom to connect, and no setting that is read comes before it"),
                    ("fix", f"{variable.text}; or unset {variable.name}"),
                ],
            )


def _first_part(found: Found) -> str:
    return found.kind.needs[0] if found.kind else ""


def _holder(sources: Sequence[Found]) -> Found | None:
    """Return the source whose turn it is to give the credential, whether or not it can."""
    return next((found for found in sources if found.problem or found.kind), None)


def _read(source: Source, given: Given, *, required: bool) -> Found:
    place = source.place(given)
    try:
        held = source.read(given)
    except ConfigurationError as error:
        if required:
            raise
        return Found(source, place, problem=error)
    values = {name: _plain(held.get(key)) for name, key in source.names.items()}
    # A guard that somebody set is one, though it is empty: it allows none.
    guards = {name for name in _GUARDS if held.get(source.names.get(name, "")) is not None}
    values = {name: value for name, value in values.items() if name in guards or value not in (None, "")}
    return Found(source, place, values, problem=source.lacking(given, held))


def _plain(value: object) -> object:
    """Return a value without what copying adds to it; empty where there is none."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    # A line break at the end is what `$(cat file)` and copied values often bring; no setting has one.
    return "" if value is None else value.strip() if isinstance(value, str) else value


def _whole(found: Found, kind: Kind) -> Base:
    missing = [part for part in kind.needs if not found.text(part)]
    if missing:
        raise _half_a_set(found, kind, missing)
    return kind.make(found)


def _token(found: Found) -> AuthToken:
    _require_header_text(found, "auth_token")
    return AuthToken(SecretStr(found.text("auth_token")), found.origin("auth_token"))


def _key(found: Found) -> AccessKey:
    for part in ("access_key", "secret_key", "security_token"):
        _require_header_text(found, part)
    token = found.text("security_token")
    secret = SecretStr(found.text("secret_key"))
    return AccessKey(found.text("access_key"), secret, SecretStr(token) if token else None, found.origin("access_key"))


def _user(found: Found) -> UserPassword:
    password = SecretStr(found.text("password"))
    return UserPassword(found.text("user_name"), password, found.text("domain_name"), found.origin("user_name"))


def _id_token(found: Found) -> IdTokenFile:
    _require_header_text(found, "idp_id")
    return IdTokenFile(found.text("oidc_token_file"), found.text("idp_id"), found.origin("oidc_token_file"))


def _ecs(found: Found) -> EcsMetadata:
    _require_alone(found)
    return EcsMetadata(found.origin("credentials"))


#: The order within one source.
KINDS = (
    Kind(_ecs, ("credentials",)),
    Kind(_token, ("auth_token",)),
    Kind(_id_token, ("oidc_token_file", "idp_id")),
    Kind(_key, ("access_key", "secret_key"), also=("security_token",)),
    Kind(_user, ("user_name", "password", "domain_name"), context=("domain_name",)),
)


def _half_a_set(found: Found, kind: Kind, missing: list[str]) -> CredentialsError:
    names = [found.named(part) for part in missing]
    given = [found.origin(part) for part in (*kind.needs, *kind.also) if found.text(part)]
    return CredentialsError(
        f"incomplete credentials: {' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing",
        facts=[
            ("found", ", ".join(given)),
            ("fix", "set the complete set in one source, or remove this part to use the next source"),
        ],
    )


def _require_alone(found: Found) -> None:
    others = [part for kind in KINDS for part in kind.parts if part != "credentials" and found.text(part)]
    if others:
        both = f"{found.origin('credentials')} and {found.origin(others[0])}"
        raise ConfigurationError(
            f"two credentials in one source: {both}",
            setting="credentials",
            facts=[("fix", "remove one of them")],
        )


def _require_header_text(found: Found, part: str) -> None:
    text = found.text(part)
    if not (text.isascii() and (text.isprintable() or not text)):
        raise CredentialsError(
            f"{found.named(part)} has characters that no credential has",
            facts=[("source", found.origin(part)), ("fix", "copy it again, without quotes or line breaks")],
        )
