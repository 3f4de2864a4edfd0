"""The server: the command, keep-alive, threads, the record of requests, and clean ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.emulator.__main__ import commands_of, main
from tests.support.emulator_callers import Caller, calling, signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-W", "error", "-m", "pulumi_iotda_ota.emulator"]


@contextlib.contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def _status(printed: dict[str, str], headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(printed["endpoint"].removeprefix("http://"), timeout=10)
    with contextlib.closing(connection):
        target = f"/v5/iot/{printed['project_id']}/ota-upgrades/packages?package_type=firmwarePackage"
        connection.request("GET", target, headers=headers)
        return connection.getresponse().status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_one_line_serves_and_ends(number: signal.Signals) -> None:
    """The command prints one line of JSON, serves until a signal, and then ends with 0 and no output."""
    with _running() as (process, printed):
        assert list(printed) == ["endpoint", "access_key", "secret_key", "project_id", "region"]
        assert _status(printed, {}) == 401
        process.send_signal(number)
        out, errors = process.communicate(timeout=10)
        assert (process.returncode, out, errors) == (0, "", "")


def test_the_command_accepts_the_printed_keys(tmp_path: Path) -> None:
    """The printed keys sign requests; options set seed, port, project, latency and the derived signature."""
    file = tmp_path / "seed.json"
    file.write_text("{}", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--seed", str(file), "--port", str(port), "--latency-ms", "50", "--derived-only", "--verbose"]
    options += ["--project-id", "p-1"]
    with _running(*options) as (process, printed):
        assert (printed["endpoint"], printed["project_id"]) == (f"http://127.0.0.1:{port}", "p-1")
        twin = Emulator(
            access_key=printed["access_key"], secret_key=printed["secret_key"], project_id=printed["project_id"]
        )
        with twin:
            target = f"/v5/iot/{printed['project_id']}/ota-upgrades/packages?package_type=firmwarePackage"
            derived = signed(twin, target, algorithm="V11-HMAC-SHA256") | {"Host": twin.endpoint[7:]}
            standard = signed(twin, target) | {"Host": twin.endpoint[7:]}
        began = time.monotonic()
        assert [_status(printed, derived), _status(printed, standard)] == [200, 401]
        assert time.monotonic() - began >= 0.1
        process.terminate()
        assert "GET /v5/iot/" in process.communicate(timeout=10)[1]


def test_a_wrong_seed_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A seed that is not right ends the command with 2, naming file and place."""
    file = tmp_path / "seed.json"
    file.write_text('{"packages": [{}]}', encoding="utf-8")
    assert main(["--seed", str(file)]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    assert errors.startswith(f"emulator: {file}: packages[0].app_id: ")
    assert errors.count("\n") == 1


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use ends the command with 1 and one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_werkzeug_is_one_line() -> None:
    """Without the extra, the error names the command that installs it."""
    code = (
        "import sys; sys.modules['werkzeug'] = None; "
        "from pulumi_iotda_ota.emulator.__main__ import commands_of, main; sys.exit(main([]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "emulator: the emulator needs werkzeug: from the checkout: python -m pip install '.[emulator]'; "
        "from a wheel: python -m pip install 'FILE.whl[emulator]'\n"
    )


def test_importing_the_package_is_light() -> None:
    """The package is imported without werkzeug and without anything of the client."""
    code = (
        "import sys, pulumi_iotda_ota.emulator as e; "
        "bad = [m for m in sys.modules if m.startswith(('werkzeug', 'pydantic', 'pulumi_iotda_ota.iotda'))]; "
        "assert not bad, bad; e.Emulator(); "
        "bad = [m for m in sys.modules if m.startswith('pulumi_iotda_ota.iotda')]; assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_package_has_no_other_names() -> None:
    """A misspelt name is an AttributeError that names it."""
    import pulumi_iotda_ota.emulator as rooms

    with pytest.raises(AttributeError, match="Emulater"):
        _ = rooms.Emulater


def test_a_connection_is_kept_alive(call: Caller) -> None:
    """Many requests use one connection, also after errors and responses without a body."""
    call.packages()
    connection = call._connection.sock
    package_id = call.emulator.add_package()
    for response in (call.packages(limit=0), call("DELETE", f"ota-upgrades/packages/{package_id}"), call.packages()):
        assert response.status in {200, 204, 400}
        assert call._connection.sock is connection


def test_it_listens_on_the_loopback_address_only(call: Caller) -> None:
    """The endpoint is 127.0.0.1 and the socket is bound to nothing else."""
    assert call.emulator.endpoint.startswith("http://127.0.0.1:")
    assert call.emulator._server is not None
    assert call.emulator._server.server_address[0] == "127.0.0.1"


def test_requests_are_recorded_in_order(call: Caller) -> None:
    """A recorded request has operation, path, query, headers without regard to case, body and time."""
    call.packages(limit=3)
    call("POST", "ota-upgrades/packages", {"app_id": "x"})
    listed, created = call.emulator.requests
    assert (listed.operation, listed.method, listed.query["limit"]) == ("ListOtaPackageInfo", "GET", "3")
    assert listed.headers["x-auth-token"] == call.headers["X-Auth-Token"]
    assert created.json == {"app_id": "x"}
    assert created.path == f"/v5/iot/{call.emulator.project_id}/ota-upgrades/packages"
    assert listed.time <= created.time
    call.emulator.forget_requests()
    assert call.emulator.requests == []


def test_many_threads_are_served_at_once() -> None:
    """Sixteen callers create packages side by side; none is lost and each record id is its own."""

    def create(number: int) -> int:
        with contextlib.closing(Caller(emulator)) as caller:
            body = {"insert": [{"version": f"V{number}.{index}"} for index in range(20)]}
            return caller.raw(
                "POST", "/_emulator/packages", json.dumps(body).encode(), Content_Type="application/json"
            ).status

    with calling(Emulator(seed={})) as call, ThreadPoolExecutor(16) as pool:
        emulator = call.emulator
        assert set(pool.map(create, range(16))) == {200}
        assert len(emulator.packages) == 320
        assert call.packages(limit=50).json["page"]["count"] == 320


def test_a_chunked_body_is_read(call: Caller) -> None:
    """A body sent in chunks arrives whole."""
    target = f"/v5/iot/{call.emulator.project_id}/ota-upgrades/packages"
    headers = {**call.headers, "Content-Type": "application/json"}
    call._connection.request("POST", target, iter([b'{"app', b'_id": 1}']), headers, encode_chunked=True)
    assert call._connection.getresponse().read()
    assert call.emulator.requests[-1].json == {"app_id": 1}


def test_stop_closes_idle_connections_and_leaves_no_thread(emulator: Emulator) -> None:
    """A stopped emulator has no thread left, although a client keeps its connection open."""
    before = threading.active_count()
    emulator.start()
    caller = Caller(emulator)
    caller.packages()
    emulator.stop()
    assert threading.active_count() == before
    with pytest.raises((http.client.HTTPException, OSError)):
        caller.packages()


def test_a_client_that_goes_away_is_no_error(call: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    """A connection that the client closes before the response prints nothing on stderr."""
    gone = threading.Event()
    call.emulator.faults.add(before=gone.wait)
    host, port = call.emulator.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    gone.set()
    assert call.packages().status == 200
    # It waits for the requests that it still handles.
    call.emulator.stop()
    assert capsys.readouterr().err == ""


def test_an_emulator_can_be_started_again(emulator: Emulator) -> None:
    """An emulator can be started again after it was stopped, and keeps its state."""
    with emulator:
        package_id = emulator.add_package()
    with emulator:
        emulator.latency = 0.1
        began = time.monotonic()
        with contextlib.closing(Caller(emulator)) as caller:
            assert caller("GET", f"ota-upgrades/packages/{package_id}").status == 200
        assert time.monotonic() - began >= 0.1


def test_what_comes_at_once_is_counted(emulator: Emulator) -> None:
    """The emulator counts the accepted connections, and the requests at the same time."""
    with calling(emulator) as call, ThreadPoolExecutor(3) as pool:
        call.packages()
        call.packages()
        assert (emulator.connections, emulator.most_at_once) == (1, 1)

        meeting = threading.Barrier(3, timeout=10)
        emulator.faults.add(times=3, before=meeting.wait)
        callers = [Caller(emulator) for _ in range(3)]
        assert [response.status for response in pool.map(Caller.packages, callers)] == [200] * 3
        for caller in callers:
            caller.close()
        assert (emulator.connections, emulator.most_at_once) == (4, 3)

        emulator.forget_requests()
        assert emulator.most_at_once == 0


SHELLS = {
    "bash": ("export HW_PROJECT_ID='it'\"'\"'s \\ $x'", "export HW_REGION_NAME=cn-north-4"),
    "fish": ("set -gx HW_PROJECT_ID 'it\\'s \\\\ $x'", "set -gx HW_REGION_NAME 'cn-north-4'"),
    "powershell": ("$env:HW_PROJECT_ID = 'it''s \\ $x'", "$env:HW_REGION_NAME = 'cn-north-4'"),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_environment_as_commands_of_a_shell(shell: str) -> None:
    """Each variable is one command, and a value that has quotes, spaces or a dollar sign is quoted for the shell."""
    with Emulator({}, project_id="it's \\ $x") as emulator:
        lines = commands_of(emulator, shell).splitlines()
        assert [line for line in SHELLS[shell] if line not in lines] == []
        assert len(lines) == len(emulator.environment)


def test_a_shell_reads_the_environment_as_it_is() -> None:
    """A shell that runs the commands has every value exactly."""
    with Emulator({}, project_id="it's \\ $x", security_token="t") as emulator:
        script = commands_of(emulator, "bash") + "\nenv -0"
        printed = subprocess.run(["sh", "-c", script], env={}, capture_output=True, text=True, check=True).stdout
        assert emulator.environment.items() <= dict(item.split("=", 1) for item in printed.split("\0") if item).items()
