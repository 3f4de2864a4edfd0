"""One call: its attempts, its waits and its end, with a clock that waits for nothing and prepared answers."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.api import protocol
from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    DeadlineExceeded,
    IotdaOtaError,
    OutcomeUnknown,
    ProtocolError,
    ServiceError,
    TransportError,
)
from pulumi_iotda_ota.iotda.executor import Caller, StaticCredentials
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.http.messages import Response
from pulumi_iotda_ota.iotda.http.transport import HttpTransport
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.iotda.retry import Deadline
from tests.support.fault_helpers import CONNECTION, NOW, FakeClock, ScriptedTransport, answer, package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.iotda.http.messages import Request

LIST = protocol.list_packages(PackageQuery("firmwarePackage"))
CREATE = protocol.create_batch_task(
    {"task_name": "t", "task_type": "firmwareUpgrade", "targets": ["d"], "document": {"package_ids": ["p"]}}, now=NOW
)
STOP = protocol.stop_batch_task("abc")
PAGE = answer(200, {"packages": [package()], "page": {"count": 1}})
TASK = answer(201, {"task_id": "ab", "task_name": "t", "task_type": "firmwareUpgrade", "status": "Initializing"})
REFUSED = TransportError("could not list OTA packages: the connection was refused", sent=False)
LOST = TransportError("could not list OTA packages: no complete response in time")


class Scene:
    """A caller over prepared answers."""

    def __init__(self, *script: Response | Exception, seconds: float = 60, **changes: Any) -> None:
        self.clock = FakeClock()
        self.transport = ScriptedTransport(list(script))
        self.connection = replace(CONNECTION, **changes)
        self.deadline = Deadline.start(self.clock.clock, seconds)
        self.caller = Caller(
            self.connection,
            self.transport,
            clock=self.clock.clock,
            limiter=RequestLimiter(),
            login=StaticCredentials(self.connection),
        )

    def call(self, request: Request[Any] = LIST) -> Any:
        """Make the call."""
        return self.caller.call(request, self.deadline)

    def fails(self, request: Request[Any] = LIST) -> IotdaOtaError:
        """Make the call and return the error that it ends with."""
        with pytest.raises(IotdaOtaError) as caught:
            self.call(request)
        return caught.value


@pytest.mark.parametrize(
    "trouble",
    [
        REFUSED,
        LOST,
        answer(429),
        answer(403, {"error_code": "IOTDA.021101"}),
        answer(403, {"error_code": "IOTDA.021102"}),
        answer(500),
        answer(502),
        answer(503),
        answer(504),
        Response(200, {}, b'{"packages":['),
        Response(200, {}, b""),
        Response(200, {}, b"<html>login</html>"),
    ],
    ids=str,
)
def test_passing_trouble_is_overcome(trouble: Response | Exception) -> None:
    """A request that met with trouble that may pass is sent again, and its answer is the answer."""
    scene = Scene(trouble, trouble, PAGE)

    assert len(scene.call().packages) == 1
    assert len(scene.transport.sent) == 3
    assert len(scene.clock.sleeps) == 2


@pytest.mark.parametrize(
    ("final", "kind"),
    [
        (answer(400, {"error_code": "IOTDA.000006"}), ServiceError),
        (answer(401, {"error_code": "IOTDA.000002"}), CredentialsError),
        (answer(403, {"error_code": "IOTDA.001000"}), ServiceError),
        (answer(404), ServiceError),
        (answer(302, location="https://elsewhere"), ServiceError),
        (answer(501), ServiceError),
        (answer(200, {"packages": {}}), ProtocolError),
        (TransportError("the certificate is not trusted", temporary=False), TransportError),
    ],
    ids=str,
)
def test_what_will_not_pass_is_sent_once(final: Response | Exception, kind: type[IotdaOtaError]) -> None:
    """A refusal, a wrong shape or an untrusted server is final at once."""
    scene = Scene(final)

    assert type(scene.fails()) is kind
    assert len(scene.transport.sent) == 1
    assert scene.clock.sleeps == []


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_the_last_real_error_surfaces_with_the_number_of_attempts(attempts: int) -> None:
    """When all attempts are used up, the error is the last one, not one about attempts."""
    scene = Scene(REFUSED, *[answer(503, {"error_msg": f"busy {i}"}) for i in range(9)], max_attempts=attempts)
    error = scene.fails()

    assert len(scene.transport.sent) == attempts
    assert ("attempts", str(attempts)) in error.facts
    assert isinstance(error, TransportError if attempts == 1 else ServiceError)


def test_a_garbled_body_ends_as_a_protocol_error() -> None:
    """The error of a body that can never be decoded says so."""
    error = Scene(Response(200, {}, b"<html>")).fails()

    assert isinstance(error, ProtocolError)
    assert ("attempts", "5") in error.facts
    assert ("begins with", "<html>") in error.facts


def test_the_deadline_ends_the_waiting() -> None:
    """No wait outlasts the deadline: the error names it, the attempts and the last real error."""
    scene = Scene(answer(503, {"error_msg": "busy"}), seconds=2, max_attempts=20)
    error = scene.fails()

    assert isinstance(error, DeadlineExceeded)
    assert error.headline == "could not list OTA packages within the deadline of 2 s"
    assert any(label == "cause" and "503" in text for label, text in error.facts)
    assert any(label == "attempts" for label, _ in error.facts)
    assert scene.clock.seconds <= 2


def test_a_deadline_that_is_over_sends_nothing() -> None:
    """A call that begins after its deadline does not reach the network."""
    scene = Scene(PAGE)
    scene.clock.seconds = 61

    assert isinstance(scene.fails(), DeadlineExceeded)
    assert scene.transport.sent == []


def test_a_place_that_comes_free_too_late_sends_nothing() -> None:
    """A request whose place came free just as the time was over ends as any other that the deadline ends."""
    scene = Scene(PAGE)

    class LateGate(RequestLimiter):
        @contextmanager
        def slot(self, *args: Any, **kwargs: Any) -> Iterator[None]:
            with super().slot(*args, **kwargs):
                scene.clock.seconds = 60
                yield

    scene.caller = Caller(
        scene.connection,
        HttpTransport(scene.connection, clock=scene.clock.clock),
        clock=scene.clock.clock,
        limiter=LateGate(),
        login=StaticCredentials(scene.connection),
    )

    assert isinstance(scene.fails(), DeadlineExceeded)


def test_an_attempt_that_used_up_the_time_is_the_deadlines_error() -> None:
    """When an attempt hangs until the end, the error is that of the deadline, with the cause below."""
    scene = Scene(LOST, max_attempts=1)
    scene.transport.before = lambda: setattr(scene.clock, "seconds", 60)
    error = scene.fails()

    assert isinstance(error, DeadlineExceeded)
    assert ("cause", LOST.headline) in error.facts


def test_one_attempt_leaves_time_for_another() -> None:
    """A request that may be repeated waits 20 seconds at most, one that may not has all the time there is."""
    scene = Scene(PAGE)
    scene.call()
    assert scene.transport.timeouts == [20.0]

    scene = Scene(TASK)
    scene.call(CREATE)
    assert scene.transport.timeouts == [60.0]


@pytest.mark.parametrize("value", ["7", "Sun, 22 Nov 2026 12:00:07 GMT"])
def test_retry_after_is_waited_for(value: str) -> None:
    """Seconds or a date in Retry-After are waited out."""
    scene = Scene(answer(429, retry_after=value), PAGE)

    scene.call()
    assert scene.clock.sleeps == [7.0]


@pytest.mark.parametrize("value", ["61", "999999", "9" * 400, "Sun, 22 Nov 2036 12:00:07 GMT"])
def test_retry_after_beyond_the_deadline_is_an_error_at_once(value: str) -> None:
    """If the requested wait exceeds the time left, the error comes at once and says both."""
    scene = Scene(answer(429, {"error_code": "APIGW.0308"}, retry_after=value))
    error = scene.fails()

    assert isinstance(error, ServiceError)
    assert scene.clock.sleeps == []
    assert any(
        label == "retry after" and "60 s of the deadline of 60 s are left" in text for label, text in error.facts
    )


@pytest.mark.parametrize("value", ["soon", "-1", ""])
def test_an_unreadable_retry_after_changes_nothing(value: str) -> None:
    """Nonsense in Retry-After leaves the usual wait."""
    scene = Scene(answer(429, retry_after=value), PAGE)

    scene.call()
    assert scene.clock.sleeps[0] <= 1.0


@pytest.mark.parametrize(
    "trouble",
    [
        LOST,
        answer(500),
        answer(501),
        answer(502),
        answer(503),
        answer(504),
        Response(201, {}, b'{"task_id":"a'),
        Response(201, {}, b""),
        answer(201, {"task_id": 7}),
    ],
    ids=str,
)
def test_a_task_that_may_have_been_created_is_not_created_again(trouble: Response | Exception) -> None:
    """Whatever leaves open whether the task was accepted is OutcomeUnknown after one request."""
    scene = Scene(trouble, TASK)
    error = scene.fails(CREATE)

    assert isinstance(error, OutcomeUnknown)
    assert len(scene.transport.sent) == 1
    assert isinstance(error.__cause__, IotdaOtaError)
    assert ("requested", 'task_type="firmwareUpgrade", task_name="t"') in error.facts
    assert error.cause == error.__cause__.headline
    assert [text for label, text in error.facts if label == "fix"] == [
        "check on the service whether it was accepted, before you send it again"
    ]


@pytest.mark.parametrize("trouble", [REFUSED, answer(429), answer(403, {"error_code": "IOTDA.021101"})], ids=str)
def test_a_task_that_was_certainly_not_created_is_tried_again(trouble: Response | Exception) -> None:
    """No connection and a throttle answer mean that nothing was accepted."""
    scene = Scene(trouble, TASK)

    assert scene.call(CREATE).task_id == "ab"
    assert len(scene.transport.sent) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
@pytest.mark.parametrize("code", ["IOTDA.000006", "APIGW.0101", "APIG.0101"])
def test_a_refused_task_is_simply_refused(status: int, code: str) -> None:
    """A refusal by the service or by its gateway is certain: no task was created."""
    assert isinstance(Scene(answer(status, {"error_code": code})).fails(CREATE), (ServiceError, CredentialsError))


@pytest.mark.parametrize("status", [101, 302, 303, 307, 400, 403, 404, 408, 451])
@pytest.mark.parametrize("body", [b"<html><title>Blocked</title></html>", b'{"code":"DLP.1"}', b'{"code":403}', b""])
def test_a_page_without_a_code_proves_nothing(status: int, body: bytes) -> None:
    """If neither the service nor its gateway wrote a response, the outcome of the creation is unknown."""
    scene = Scene(Response(status, {}, body))

    assert isinstance(scene.fails(CREATE), OutcomeUnknown)
    assert len(scene.transport.sent) == 1


def test_a_task_whose_wait_outlasts_the_deadline_was_not_created() -> None:
    """A deadline that ends between two refused attempts leaves nothing open."""
    assert isinstance(Scene(answer(429), seconds=1, max_attempts=20).fails(CREATE), DeadlineExceeded)


@pytest.mark.parametrize("trouble", [LOST, answer(503)], ids=str)
def test_a_stop_is_safe_to_repeat(trouble: Response | Exception) -> None:
    """Stopping twice is stopping once."""
    assert Scene(trouble, answer(200, {"targets": []})).call(STOP).targets == ()


def test_after_a_401_nothing_is_sent() -> None:
    """The second call with a refused credential fails with the same error and without a request."""
    scene = Scene(answer(401, {"error_code": "IOTDA.000002"}, x_request_id="9f3c"))

    assert str(scene.fails()) == str(scene.fails(STOP))
    assert len(scene.transport.sent) == 1


def test_each_attempt_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The log has method, path, status, request id and time of each attempt, and neither query nor secret."""
    caplog.set_level(logging.DEBUG, logger="pulumi_iotda_ota")
    Scene(REFUSED, replace(PAGE, headers={"x-request-id": "9f3c"})).call()

    assert [record.getMessage() for record in caplog.records] == [
        "GET /v5/iot/p1/ota-upgrades/packages no response 0 ms",
        "GET /v5/iot/p1/ota-upgrades/packages 200 request 9f3c 0 ms",
    ]
