"""Read the body of a successful response into a model, in one pass over the JSON.

A body that is no JSON can be damaged: the error is ``garbled``, and the client sends the request again. JSON of another
shape than the documented one is a final error that names the field and the record. A record of a list that has another
shape becomes an :class:`~pulumi_iotda_ota.iotda.models.UnreadableRecord`. For every body, the only errors are those of
this library.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.models import RecordPage, UnreadableRecord
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic_core import ErrorDetails

Content = TypeVar("Content")
PageModel = TypeVar("PageModel", bound=RecordPage)

# The messages of the parser for valid JSON that it cannot hold: another request would not help.
_NOT_HOLDABLE = ("recursion limit exceeded", "number out of range")
# The fields that identify a record.
_RECORD_IDS = ("package_id", "task_id", "target", "device_id")


def reader(model: type[Content]) -> Callable[[bytes], Content]:
    """Return the function that reads a body as ``model``.

    The function raises:
        ProtocolError: the body is no JSON (``garbled``), or a field is missing or of another type.
    """

    def read(body: bytes) -> Content:
        try:
            found: Content = _adapter(cast("Any", model)).validate_json(body)
            return found
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False)
        # Outside of the handler: pydantic's text would repeat the response.
        raise _misread(problems[0], len(problems), body)

    return read


def page_reader(model: type[PageModel], *, required: bool = True) -> Callable[[bytes], PageModel]:
    """Return the function that reads a body as ``model``, a page of a list.

    Records that cannot be judged stay in their place, as :class:`UnreadableRecord`. Whether the page is the whole list
    is not decided here, but in ``iotda/paging/marker.py``.

    Args:
        model: the page.
        required: whether a page needs its records or their count; False if the model is more than a page.

    The function raises:
        ProtocolError: the body is no JSON (``garbled``), or something other than its records has another shape.
    """
    records = model.records

    def read(body: bytes) -> PageModel:
        page = tolerant(body)
        if required and getattr(page, records) is None and page.page.count is None:
            raise ProtocolError(f"the response does not have the documented shape: {records} is missing")
        return page

    def tolerant(body: bytes) -> PageModel:
        try:
            found: PageModel = _adapter(model).validate_json(body)
            return found
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False)
        # Outside of the handler: pydantic's text would repeat the response.
        others = [one for one in problems if not _is_of_record(one, records)]
        if others:
            raise _misread(others[0], len(others), body)
        content = from_json(body)
        listed = content[records]
        first_problems = {int(one["loc"][1]): one for one in reversed(problems)}
        # If a key occurs twice, the model and this parser can have read different lists.
        if not isinstance(listed, list) or max(first_problems) >= len(listed):
            raise _misread(problems[0], len(problems), body)
        readable = [record for number, record in enumerate(listed) if number not in first_problems]
        try:
            page: PageModel = _adapter(model).validate_json(to_json({**content, records: readable}))
        except ValidationError:
            raise _misread(problems[0], len(problems), body) from None
        rest = iter(getattr(page, records))
        whole = tuple(
            _unreadable(record, first_problems[number]) if number in first_problems else next(rest)
            for number, record in enumerate(listed)
        )
        return page.model_copy(update={records: whole})

    return read


def _is_of_record(problem: ErrorDetails, records: str) -> bool:
    location = problem["loc"]
    return len(location) > 1 and location[0] == records and isinstance(location[1], int)


def _unreadable(record: object, problem: ErrorDetails) -> UnreadableRecord:
    """Return the stand-in for a record that cannot be judged, with its first problem."""
    fields = record if isinstance(record, dict) else {}
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    id_ = next((texts[name] for name in _RECORD_IDS if texts.get(name)), "")
    field = _field_path(problem["loc"][2:]) if problem["loc"][2:] else "it"
    name = texts.get("version") or texts.get("task_name", "")
    return UnreadableRecord(id_, name, f"{field} {_problem_text(problem)}")


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    """Return the reader of a model; it is made for the first response of its kind."""
    return TypeAdapter(model)


def the_one(
    read: Callable[[bytes], Content], wanted: str, id_of: Callable[[Content], str]
) -> Callable[[bytes], Content]:
    """Return a reader that refuses a response with another id than the requested one.

    The reader raises:
        ProtocolError: the response has another id.
    """

    def checked(body: bytes) -> Content:
        content = read(body)
        if id_of(content) != wanted:
            raise ProtocolError(f"the response is about another one: {quoted(id_of(content))}, not {quoted(wanted)}")
        return content

    return checked


def agreeing(read: Callable[[bytes], Content], thing: str, wanted: Mapping[str, object]) -> Callable[[bytes], Content]:
    """Return a reader that refuses a response about another thing than the requested one.

    Args:
        read: reads the body.
        thing: what is created, such as ``task``.
        wanted: the requested values of the fields that the response repeats. A missing field is not compared.

    The reader raises:
        ProtocolError: a field has another value.
    """

    def checked(body: bytes) -> Content:
        content = read(body)
        found = {name: getattr(content, name) for name in wanted}
        differing = [
            f"{name} is {sanitize(str(value))}, not {sanitize(str(wanted[name]))}"
            for name, value in found.items()
            if value and value != wanted[name]
        ]
        if differing:
            raise ProtocolError(f"the response is about another {thing}: {'; '.join(differing)}")
        return content

    return checked


class _Unread(BaseModel):
    """An object whose fields are not read."""


_read_unread = reader(_Unread)


def nothing(body: bytes) -> None:
    """Accept an empty response, or one that is an object.

    Raises:
        ProtocolError: the body is something else, such as the page of a gateway.
    """
    if body:
        _read_unread(body)


def _misread(problem: ErrorDetails, problems: int, body: bytes) -> ProtocolError:
    if problem["type"] == "json_invalid":
        return _undecodable(problem["msg"], body)
    field = _field_path(problem["loc"])
    record = _record_id(problem["loc"], body)
    more = f" ({problems - 1} more fields are wrong)" if problems > 1 else ""
    return ProtocolError(
        f"the response does not have the documented shape: {field}{record} {_problem_text(problem)}{more}"
    )


def _undecodable(message: str, body: bytes) -> ProtocolError:
    cause = message.removeprefix("Invalid JSON: ")
    if any(words in cause for words in _NOT_HOLDABLE):
        return ProtocolError(f"the response does not have the documented shape: {sanitize(cause)}")
    if not body:
        return ProtocolError("the response is empty", garbled=True)
    begins = sanitize(body[:60].decode(errors="replace"), limit=60)
    return ProtocolError(f"the response is not JSON: {sanitize(cause)}", garbled=True, facts=[("begins with", begins)])


def _problem_text(problem: ErrorDetails) -> str:
    """Return the problem of a field."""
    if problem["type"] == "missing":
        return "is missing"
    if problem["input"] is None:
        return "is null"
    message = problem["msg"].replace("Input should be", "should be").removeprefix("Value error, ")
    return sanitize(message.replace("String should have", "should have"))


def _field_path(location: Sequence[int | str]) -> str:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return sanitize(path.removeprefix(".") or "the whole", limit=120)


def _record_id(location: Sequence[int | str], body: bytes) -> str:
    """Return the id of the record with a wrong field, or empty."""
    value: Any = from_json(body)
    found = ""
    for step in location:
        try:
            value = value[step]
        except (LookupError, TypeError):
            break
        if isinstance(value, dict):
            ids = [f"{name} {value[name]}" for name in _RECORD_IDS if isinstance(value.get(name), str)]
            found = f" ({sanitize(ids[0], limit=80)})" if ids else found
    return found
