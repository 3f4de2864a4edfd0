"""The sources of settings and credentials, in their one order, and which source counts for each setting.

``SOURCES`` is the order. A setting comes from the first source that holds it. A credential comes as a whole from the
first source that holds any part of one: an incomplete credential is an error. ``KINDS`` is the order of the kinds of
credentials within one source. Nothing here sends a request.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AuthToken, EcsMetadata, IdTokenFile, UserPassword
from pulumi_iotda_ota.iotda.auth.files import VendorFiles
from pulumi_iotda_ota.iotda.auth.settings import BY_NAME, names_in
from pulumi_iotda_ota.iotda.auth.vendor import REFUSED, VARIABLES
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import TEXT_WIDTH, ConfigurationError, CredentialsError
from pulumi_iotda_ota.iotda.references import BY_ARGUMENT, by_interface, setting
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection

Base = AccessKey | AuthToken | UserPassword | IdTokenFile | EcsMetadata

# An empty list of allowed projects is a value: it allows none.
_EMPTY_COUNTS = ("allowed_project_ids",)
_PROJECT = ("project_id", "project_name")
_REFUSED = tuple(variable for variable in VARIABLES if variable.use == REFUSED)


@dataclass(frozen=True)
class Inputs:
    """What the sources are read from.

    Attributes:
        connection: the argument.
        config: the configuration by camelCase name, without its namespace.
        environ: the environment variables.
    """

    connection: Connection
    config: Mapping[str, object] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)

    @cached_property
    def files(self) -> VendorFiles:
        """Return the files of the vendor's tools."""
        return VendorFiles(self.environ)

    @cached_property
    def profile(self) -> str:
        """Return the profile that argument, configuration or environment names, or empty."""
        named = _plain(self.connection.profile) or _plain(self.config.get("profile"))
        return str(named) or self.files.profile_name


@dataclass(frozen=True)
class Source:
    """One source of settings.

    Attributes:
        title: its name in the order.
        names: the name that each setting has there.
        read: returns its values by those names.
        place: returns its name in an origin.
        required: whether it is an error if it cannot be read.
        missing_key: returns the error if it should have a credential and has none.
        with_credential: whether its settings count only if its credential counts.
    """

    title: str
    names: Mapping[str, str]
    read: Callable[[Inputs], Mapping[str, object]]
    place: Callable[[Inputs], str]
    required: bool = True
    missing_key: Callable[[Inputs, Mapping[str, object]], ConfigurationError | None] = lambda *_: None
    with_credential: bool = False


def _profile_place(inputs: Inputs) -> str:
    try:
        name = inputs.profile or "(no profile)"
    except ConfigurationError:
        name = "(current)"
    return f"profile {sanitize(name, limit=60)} in {inputs.files.hcloud}"


def _credentials_file(section: str, names: Mapping[str, str]) -> Source:
    return Source(
        f"credentials file, [{section}]",
        names,
        lambda inputs: inputs.files.section(section),
        lambda inputs: f"{inputs.files.credentials} [{section}]",
        required=False,
        with_credential=True,
    )


_FIELDS = tuple(BY_NAME)
_SECTION = names_in("section")
ARGUMENT = Source(
    "argument",
    {name: name for name in _FIELDS},
    lambda inputs: {name: getattr(inputs.connection, name) for name in _FIELDS},
    lambda _: BY_ARGUMENT,
)
CONFIGURATION = Source(
    "stack configuration",
    {name: f"iotda-ota:{camel(name)}" for name in _FIELDS},
    lambda inputs: {f"iotda-ota:{name}": value for name, value in inputs.config.items()},
    lambda _: "stack config",
)
HW = Source("environment, HW_*", names_in("hw"), lambda inputs: inputs.environ, lambda _: "environment")
#: The order.
SOURCES = (
    ARGUMENT,
    CONFIGURATION,
    Source(
        "named profile",
        names_in("profile"),
        lambda inputs: inputs.files.profile(inputs.profile) if inputs.profile else {},
        _profile_place,
        missing_key=lambda inputs, values: inputs.files.missing_key(inputs.profile, values),
    ),
    HW,
    Source("environment, HUAWEICLOUD_SDK_*", names_in("sdk"), lambda inputs: inputs.environ, lambda _: "environment"),
    _credentials_file("basic", _SECTION),
    _credentials_file("global", {name: key for name, key in _SECTION.items() if name != "project_id"}),
)


@dataclass(frozen=True)
class Kind:
    """One kind of credential.

    Attributes:
        make: makes a credential from the values of a source.
        needs: the settings that make it complete.
        parts: the settings of which any one makes a source hold this kind.
    """

    make: Callable[[SourceValues], Base]
    needs: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True)
class SourceValues:
    """The values of one source.

    Attributes:
        source: the source.
        place: its name in an origin.
        values: its values by setting; None and empty ones are left out.
        problem: why it cannot be read, or has no credential although it should.
    """

    source: Source
    place: str
    values: Mapping[str, object] = field(default_factory=dict, repr=False)
    problem: ConfigurationError | None = None

    def origin(self, name: str) -> str:
        """Return the name and the place of a setting."""
        return f"{self.named(name)} ({self.place})"

    def named(self, name: str) -> str:
        """Return the name of a setting in this source."""
        return setting(name) if self.source is ARGUMENT else self.source.names.get(name, name)

    def text(self, name: str) -> str:
        """Return a setting as text, or empty."""
        return str(self.values.get(name, ""))

    @cached_property
    def kind(self) -> Kind | None:
        """Return the kind of credential of which it holds a part, or None."""
        return next((kind for kind in KINDS if any(part in self.values for part in kind.parts)), None)

    @property
    def offers(self) -> str:
        """Return the settings that would make a credential in this source."""
        names = self.source.names
        kinds = [kind for kind in KINDS if kind.make is not _ecs and set(kind.needs) <= set(names)]
        sets = "; ".join(" + ".join(names[name] for name in kind.needs) for kind in kinds)
        place = self.source.title if self.source is ARGUMENT else self.place
        text = "\n  ".join(textwrap.wrap(f"{place}: {sets}", TEXT_WIDTH - 2, break_on_hyphens=False))
        if self.source is not ARGUMENT:
            return text
        # A program takes all of them, a command no secret, and the plugin only its configuration.
        token_file = " + ".join(map(setting, ("oidc_token_file", "idp_id")))
        return by_interface(f"{text}\n", plugin="", command_line=f"options: {token_file}\n")


@dataclass(frozen=True)
class Sources:
    """The values of all sources, and which source counts.

    Attributes:
        all: the values of each source, in their order.
        credential: the first source that holds a part of a credential, or should; None if no source does.
        settings: the source that counts for each setting.
    """

    all: tuple[SourceValues, ...]
    credential: SourceValues | None
    settings: Mapping[str, SourceValues]

    def counts(self, name: str, values: SourceValues) -> bool:
        """Return whether a setting of a source counts."""
        return (self.credential if name in CREDENTIAL_PARTS else self.settings.get(name)) is values


def read_sources(inputs: Inputs, *, only: Sequence[Source] = SOURCES, all_readable: bool = True) -> Sources:
    """Read each source once, and decide which counts for each setting in one pass.

    Args:
        inputs: what they are read from.
        only: the sources.
        all_readable: whether it is an error if the profile cannot be read; otherwise it holds nothing.

    Raises:
        ConfigurationError: the profile cannot be read.
    """
    read = tuple(_read(source, inputs, required=source.required and all_readable) for source in only)
    credential = next((values for values in read if values.problem or values.kind), None)
    settings: dict[str, SourceValues] = {}
    for values in read:
        if values.source.with_credential and values is not credential:
            continue
        has_project = any(name in settings for name in _PROJECT)
        for name in values.values:
            # The id and the name of a project are one setting, and the id of a source comes first.
            if name in _PROJECT and (has_project or (name == "project_name" and "project_id" in values.values)):
                continue
            settings.setdefault(name, values)
    return Sources(read, credential, settings)


def _read(source: Source, inputs: Inputs, *, required: bool) -> SourceValues:
    place = source.place(inputs)
    try:
        content = source.read(inputs)
    except ConfigurationError as error:
        if required:
            raise
        return SourceValues(source, place, problem=error)
    values: dict[str, object] = {}
    for name, key in source.names.items():
        value = content.get(key)
        if value is not None and ((plain := _plain(value)) not in (None, "") or name in _EMPTY_COUNTS):
            values[name] = plain
    return SourceValues(source, place, values, problem=source.missing_key(inputs, content))


def _plain(value: object) -> object:
    """Return a value without spaces and line breaks around it; a secret as text."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    # Copied values, and `$(cat file)`, often end with a line break. No setting has one.
    return "" if value is None else value.strip() if isinstance(value, str) else value


def find_credential(sources: Sources) -> Base:
    """Return the credential of the source that counts.

    Raises:
        CredentialsError: no source holds a credential, or the credential is incomplete; nothing was sent.
        ConfigurationError: the source that counts cannot be read.
    """
    holder = sources.credential
    if holder and holder.problem:
        raise holder.problem
    if holder and holder.kind:
        missing = [part for part in holder.kind.needs if part not in holder.values]
        if missing:
            raise _incomplete(holder, holder.kind, missing)
        return holder.kind.make(holder)
    places = [
        *(values.offers for values in sources.all[1:]),
        f"the ECS metadata: with {setting('credentials', 'ecs')}",
    ]
    facts = [("fix", usual_commands(credential=True)), ("found", sources.all[0].offers + "\n".join(places))]
    raise CredentialsError("no credentials", facts=facts)


def usual_commands(*, region: bool = False, credential: bool = False) -> str:
    """Return the commands of a shell that most people need, if the region or a credential is missing."""
    names = [*(["region"] if region else []), *(["access_key", "secret_key"] if credential else [])]
    return f"export {' '.join(f'{BY_NAME[name].hw}=...' for name in names)}\niotda-ota doctor"


def refuse_unread(sources: Sources, environ: Mapping[str, str]) -> None:
    """Refuse a variable that decides as whom to connect for the vendor's tools, and that the library does not read.

    Raises:
        ConfigurationError: there is such a variable; the error has its name, not its value.
    """
    index, own = next((index, values) for index, values in enumerate(sources.all) if values.source is HW)
    earlier = next((values for values in sources.all[: index + 1] if values is sources.credential), None)
    for variable in _REFUSED:
        if not environ.get(variable.name, "").strip() or variable.instead in own.values:
            continue
        if variable.with_:
            decides = earlier is own and any(name in own.values for name in variable.with_)
        else:
            first = own.kind.needs[0] if own.kind else ""
            decides = earlier is None or (earlier is own and first in variable.before)
        if decides:
            raise ConfigurationError(
                f"{variable.name} (environment) is not read by this library",
                facts=[
                    ("cause", "it decides as whom to connect, and no setting that is read comes before it"),
                    ("fix", f"{variable.text}; or unset {variable.name}"),
                ],
            )


def _token(values: SourceValues) -> AuthToken:
    _require_header_text(values, "auth_token")
    return AuthToken(SecretStr(values.text("auth_token")), values.origin("auth_token"))


def _key(values: SourceValues) -> AccessKey:
    for part in ("access_key", "secret_key", "security_token"):
        _require_header_text(values, part)
    token = values.text("security_token")
    secret = SecretStr(values.text("secret_key"))
    return AccessKey(
        values.text("access_key"), secret, SecretStr(token) if token else None, values.origin("access_key")
    )


def _user(values: SourceValues) -> UserPassword:
    password = SecretStr(values.text("password"))
    return UserPassword(values.text("user_name"), password, values.text("domain_name"), values.origin("user_name"))


def _id_token(values: SourceValues) -> IdTokenFile:
    _require_header_text(values, "idp_id")
    return IdTokenFile(values.text("oidc_token_file"), values.text("idp_id"), values.origin("oidc_token_file"))


def _ecs(values: SourceValues) -> EcsMetadata:
    other = next((part for part in CREDENTIAL_PARTS if part != "credentials" and part in values.values), None)
    if other:
        raise ConfigurationError(
            f"two credentials in one source: {values.origin('credentials')} and {values.origin(other)}",
            setting="credentials",
            facts=[("fix", "remove one of them")],
        )
    return EcsMetadata(values.origin("credentials"))


#: The order within one source. The account of a user is no part of a credential: it can be that of an agency.
KINDS = (
    Kind(_ecs, ("credentials",), ("credentials",)),
    Kind(_token, ("auth_token",), ("auth_token",)),
    Kind(_id_token, ("oidc_token_file", "idp_id"), ("oidc_token_file", "idp_id")),
    Kind(_key, ("access_key", "secret_key"), ("access_key", "secret_key", "security_token")),
    Kind(_user, ("user_name", "password", "domain_name"), ("user_name", "password")),
)
CREDENTIAL_PARTS = tuple(part for kind in KINDS for part in kind.parts)


def _incomplete(values: SourceValues, kind: Kind, missing: list[str]) -> CredentialsError:
    names = [values.named(part) for part in missing]
    present = [values.origin(part) for part in dict.fromkeys((*kind.needs, *kind.parts)) if part in values.values]
    return CredentialsError(
        f"incomplete credentials: {' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing",
        facts=[
            ("found", ", ".join(present)),
            ("fix", "set the complete set in one source, or remove this part to use the next source"),
        ],
    )


def _require_header_text(values: SourceValues, part: str) -> None:
    text = values.text(part)
    if not (text.isascii() and (text.isprintable() or not text)):
        raise CredentialsError(
            f"{values.named(part)} has characters that no credential has",
            facts=[("source", values.origin(part)), ("fix", "copy it again, without quotes or line breaks")],
        )
