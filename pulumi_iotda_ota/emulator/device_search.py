"""Read and apply the SQL of SearchDevices, as the API page documents it.

``select [fields] or count(*) from device [where ...] [order by marker [asc|desc]] [limit [offset,] rows]``
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_iotda_ota.emulator.messages import ApiError

Device = Mapping[str, Any]

_MAX_LENGTH = 400
_MAX_CONDITIONS = 5
_MAX_OFFSET = 500
_MAX_ROWS = 50
_DEFAULT_ROWS = 10
_LEAST_PREFIX = 4
_FIELDS = (
    "app_id",
    "device_id",
    "gateway_id",
    "product_id",
    "device_name",
    "node_id",
    "status",
    "node_type",
    "tag_key",
    "tag_value",
    "sw_version",
    "fw_version",
    "group_id",
    "create_time",
    "marker",
)
_TAGS = ("tag_key", "tag_value")
_ORDERED = ("create_time", "marker")
_NAMES = ("device_name", "node_id", *_TAGS)
_TOKEN = re.compile(r"\s*(?:'([^']*)'|(!=|[=<>(),*])|([A-Za-z0-9_]+))")
_PREFIX = re.compile(r"[\u4e00-\u9fa5A-Za-z0-9_-]+%")


@dataclass(frozen=True)
class Statement:
    """A statement that was read.

    Attributes:
        counts: whether the devices are counted instead of returned.
        fields: the fields of a returned device; empty for all.
        groups: conditions. A device matches if all of one group hold, because AND binds closer than OR.
        order: ``asc`` or ``desc`` by marker; empty for no order.
        offset: how many matches are skipped.
        rows: how many matches are returned.
    """

    counts: bool
    fields: tuple[str, ...]
    groups: tuple[tuple[Callable[[Device], bool], ...], ...]
    order: str
    offset: int
    rows: int

    def matches(self, devices: Sequence[Device]) -> list[Device]:
        """Return the devices that match, in the order of the statement."""
        found = [
            device
            for device in devices
            if not self.groups or any(all(holds(device) for holds in group) for group in self.groups)
        ]
        if self.order:
            return sorted(found, key=lambda device: str(device["marker"]), reverse=self.order == "desc")
        # The documents say that the order is random.
        return sorted(found, key=lambda device: hashlib.sha256(str(device["device_id"]).encode()).digest())

    def page(self, matches: Sequence[Device]) -> list[dict[str, Any]]:
        """Return the part of the matches that the statement limits, with the fields that it selects."""
        part = matches[self.offset : self.offset + self.rows]
        return [{name: value for name, value in one.items() if not self.fields or name in self.fields} for one in part]


def parse(sql: str) -> Statement:
    """Read a statement.

    Raises:
        ApiError: it breaks the documented grammar or a limit.
    """
    if len(sql) > _MAX_LENGTH:
        raise _wrong(f"sql is longer than {_MAX_LENGTH} characters")
    return _Parser(_tokens(sql)).statement()


def _wrong(problem: str) -> ApiError:
    return ApiError("invalid", f"{problem}.")


def _tokens(sql: str) -> list[tuple[str, str]]:
    """Return the tokens: each a kind (value, sign or word) and its text."""
    found: list[tuple[str, str]] = []
    place = 0
    text = sql.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _wrong(f"sql has a syntax error at character {place + 1}")
        kind = "value" if match[1] is not None else "sign" if match[2] else "word"
        found.append((kind, match[1] if match[1] is not None else match[2] or match[3]))
        place = match.end()
    return found


class _Parser:
    """Reads tokens from the first to the last."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0

    def statement(self) -> Statement:
        self._keyword("select")
        counts, fields = self._selected()
        self._keyword("from")
        if self._word() != "device":
            raise _wrong("only device can be searched")
        groups = self._conditions() if self._has("where") else ()
        order = self._order() if self._has("order") else ""
        offset, rows = self._limit() if self._has("limit") else (0, _DEFAULT_ROWS)
        if self._place != len(self._tokens):
            raise _wrong(f"sql has an unexpected {self._tokens[self._place][1]}")
        return Statement(counts, fields, groups, order, offset, rows)

    def _selected(self) -> tuple[bool, tuple[str, ...]]:
        if self._sign("*"):
            return False, ()
        word = self._word()
        if word.lower() == "count":
            self._require("(")
            if not self._sign("*") and self._word() != "1":
                raise _wrong("only count(*) and count(1) are functions")
            self._require(")")
            return True, ()
        fields = [word]
        while self._sign(","):
            fields.append(self._word())
        return False, tuple(fields)

    def _conditions(self) -> tuple[tuple[Callable[[Device], bool], ...], ...]:
        groups = [[self._condition()]]
        while True:
            if self._has("and"):
                groups[-1].append(self._condition())
            elif self._has("or"):
                groups.append([self._condition()])
            else:
                break
        if sum(map(len, groups)) > _MAX_CONDITIONS:
            raise _wrong(f"sql has more than {_MAX_CONDITIONS} conditions")
        return tuple(map(tuple, groups))

    def _condition(self) -> Callable[[Device], bool]:
        field = self._word()
        if field not in _FIELDS:
            raise _wrong(f"{field} is no field of a condition")
        for sign in ("=", "!=", "<", ">"):
            if self._sign(sign):
                return _compared(field, sign, self._value())
        negated = self._has("not")
        if self._has("in"):
            return _listed(field, self._values(), negated=negated)
        if not negated and self._has("like"):
            return _prefixed(field, self._value())
        raise _wrong(f"{field} has no operator")

    def _values(self) -> list[str]:
        self._require("(")
        values = [self._value()]
        while self._sign(","):
            values.append(self._value())
        self._require(")")
        return values

    def _order(self) -> str:
        self._keyword("by")
        if self._word() != "marker":
            raise _wrong("sql can be ordered by marker only")
        if self._has("desc"):
            return "desc"
        self._has("asc")
        return "asc"

    def _limit(self) -> tuple[int, int]:
        first = self._number()
        offset, rows = (first, self._number()) if self._sign(",") else (0, first)
        if offset > _MAX_OFFSET:
            raise ApiError("offset")
        if not 1 <= rows <= _MAX_ROWS:
            raise ApiError("limit")
        return offset, rows

    def _next(self, kind: str) -> str:
        if self._place >= len(self._tokens) or self._tokens[self._place][0] != kind:
            raise _wrong("sql is incomplete" if self._place >= len(self._tokens) else "sql has a syntax error")
        self._place += 1
        return self._tokens[self._place - 1][1]

    def _word(self) -> str:
        return self._next("word")

    def _number(self) -> int:
        word = self._word()
        if not re.fullmatch(r"[0-9]{1,9}", word):
            raise _wrong(f"{word} is no number")
        return int(word)

    def _value(self) -> str:
        value = self._next("value")
        if not value:
            raise _wrong("an empty string cannot be matched")
        return value

    def _keyword(self, word: str) -> None:
        if not self._has(word):
            raise _wrong(f"{word} is missing")

    def _require(self, sign: str) -> None:
        if not self._sign(sign):
            raise _wrong(f"{sign} is missing")

    def _has(self, word: str) -> bool:
        """Go past a keyword, whose case does not matter, if it comes next."""
        found = self._place < len(self._tokens) and self._tokens[self._place][0] == "word"
        found = found and self._tokens[self._place][1].lower() == word
        self._place += found
        return found

    def _sign(self, sign: str) -> bool:
        found = self._place < len(self._tokens) and self._tokens[self._place] == ("sign", sign)
        self._place += found
        return found


def _values_of(device: Device, field: str) -> list[str]:
    """Return what a field of a condition is compared with; a device can be in several groups and have several tags."""
    if field == "group_id":
        return list(device.get("groups") or ())
    if field in _TAGS:
        return [str(tag[field]) for tag in device.get("tags") or ()]
    value = device.get(field)
    return [str(value)] if value else []


def _compared(field: str, sign: str, value: str) -> Callable[[Device], bool]:
    if sign in "<>" and field not in _ORDERED:
        raise _wrong(f"{field} does not support {sign}")
    tests: dict[str, Callable[[list[str]], bool]] = {
        "=": lambda found: value in found,
        "!=": lambda found: value not in found,
        "<": lambda found: any(one < value for one in found),
        ">": lambda found: any(one > value for one in found),
    }
    return lambda device: tests[sign](_values_of(device, field))


def _listed(field: str, values: Sequence[str], *, negated: bool) -> Callable[[Device], bool]:
    if field in _TAGS:
        raise _wrong(f"{field} does not support in")
    return lambda device: negated != any(one in values for one in _values_of(device, field))


def _prefixed(field: str, value: str) -> Callable[[Device], bool]:
    prefix = value.removesuffix("%")
    if field not in _NAMES:
        raise _wrong(f"{field} does not support like")
    if not _PREFIX.fullmatch(value) or len(prefix) < _LEAST_PREFIX:
        raise _wrong(f"like takes a prefix of {_LEAST_PREFIX} characters or more, and then %")
    return lambda device: any(one.startswith(prefix) for one in _values_of(device, field))
