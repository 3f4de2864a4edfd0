"""`doctor`: what it finds on a real socket and in real files, each finding with its remedy, no secret in anything."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from pulumi_iotda_ota.cli.doctor.checks import clock_skew
from pulumi_iotda_ota.emulator import Fault
from pulumi_iotda_ota.iotda.http.network import proxy_of
from tests.support.fault_helpers import AUTHORITY, CONNECTION, RawServer, closed_port, http
from tests.support.plugin_process import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.shell import Done, Shell

# One attempt, because a request to a server other than IoTDA would be repeated.
ONCE = ("--max-attempts", "1", "--endpoint")
SECRET = "a-secret-that-must-not-be-shown"
NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)


def findings(done: Done) -> dict[str, dict[str, Any]]:
    """Return what was found, by check; of one that occurs several times, the last."""
    return {one["check"]: one for one in done.answer["result"]["findings"]}


def settings(done: Done) -> dict[str, dict[str, Any]]:
    """Return the settings that count, by name."""
    return {one["name"]: one for one in done.answer["result"]["settings"] if one["used"]}


def test_everything_is_well(shell: Shell, emulator: Emulator) -> None:
    """If everything works, the exit code is 0 and every step reports it. The secrets are redacted."""
    done = shell("doctor", "--json")

    assert done.code == 0
    found = findings(done)
    assert {check: found[check]["status"] for check in ("settings", "network", "project", "packages", "tasks")} == (
        dict.fromkeys(("settings", "network", "project", "packages", "tasks"), "ok")
    )
    assert settings(done)["endpoint"]["origin"] == "HW_IOTDA_ENDPOINT (environment)"
    assert settings(done)["secret_key"]["value"] == "****"
    assert emulator.secret_key not in done.out + shell("doctor").out
    assert emulator.access_key not in done.out


def test_where_a_setting_comes_from(shell: Shell) -> None:
    """The command reports every place that has a setting, and which one counts. Options come before the environment."""
    done = shell.inside("doctor", "--instance-id", "mine", environ={"HW_IOTDA_INSTANCE_ID": "other"})
    rows = [row for row in done.rows if row[0] == "instance_id"]

    assert rows == [
        ["instance_id", "mine", "--instance-id (option)", ""],
        ["instance_id", "other", "HW_IOTDA_INSTANCE_ID (environment)", "not used"],
    ]


def test_a_credential_comes_whole(shell: Shell) -> None:
    """The command reports parts of a credential in a later place as not used, and redacts them."""
    done = shell.inside("doctor", environ={"HUAWEICLOUD_SDK_AK": "AKAKAKAKAKAK", "HUAWEICLOUD_SDK_SK": SECRET})

    assert ["secret_key", "****", "HUAWEICLOUD_SDK_SK (environment)", "not used"] in done.rows
    assert SECRET not in done.out + done.err


def test_nothing_is_set(alone: Shell) -> None:
    """Without any setting the exit code is 1, and the finding says how to give them."""
    done = alone.inside("doctor", "--json")

    assert done.code == 1
    assert findings(done)["settings"]["status"] == "problem"
    assert "--region or --endpoint" in findings(done)["settings"]["text"]
    assert findings(done)["service"]["status"] == "skipped"


def test_nobody_listens(shell: Shell) -> None:
    """An endpoint that does not answer is a problem with its remedy, and nothing more is tried."""
    done = shell.inside("doctor", "--json", "--endpoint", closed_port())

    assert done.code == 1
    assert findings(done)["network"]["text"].endswith("the connection was refused")
    assert "check the endpoint" in findings(done)["network"]["remedy"]
    assert findings(done)["service"]["status"] == "skipped"


def test_a_refused_credential(shell: Shell) -> None:
    """A credential that is refused is a problem: what was used, and what to do; nothing more is sent with it."""
    done = shell.inside("doctor", "--json", environ={"HW_SECRET_KEY": SECRET})

    assert done.code == 1
    assert findings(done)["packages"]["status"] == "problem"
    assert "the secret key is not that of the access key" in findings(done)["packages"]["remedy"]
    assert findings(done)["tasks"]["status"] == "skipped"
    assert SECRET not in done.out + done.err


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (Fault(operation="ListOtaPackageInfo", status=403, body={"error_code": "IOTDA.000021"}), "another edition"),
        (
            Fault(operation="ListOtaPackageInfo", status=403, body={"error_code": "IOTDA.1", "error_msg": "agency"}),
            "iotda_admin_trust",
        ),
    ],
    ids=["edition", "agency"],
)
def test_known_refusals(shell: Shell, emulator: Emulator, fault: Fault, remedy: str) -> None:
    """The command reports the endpoint of another edition and a missing agency with their remedies."""
    emulator.faults.add(fault)
    done = shell.inside("doctor", "--json")

    assert done.code == 1
    assert remedy in findings(done)["packages"]["remedy"]


@pytest.mark.parametrize(
    ("ahead", "status"),
    [
        (timedelta(), "ok"),
        (timedelta(minutes=6), "warning"),
        (timedelta(minutes=-6), "warning"),
        (timedelta(minutes=16), "problem"),
        (timedelta(minutes=-16), "problem"),
    ],
)
def test_how_far_clocks_may_be_apart(ahead: timedelta, status: str) -> None:
    """Within minutes is well; beyond the quarter of an hour that a signature is good for, nothing works."""
    found = clock_skew(format_datetime(NOW, usegmt=True), NOW + ahead)

    assert found.status == status
    assert bool(found.remedy) == (status != "ok")


@pytest.mark.parametrize("date", ["", "never"])
def test_a_clock_that_can_not_be_compared(date: str) -> None:
    """An answer without a time that can be read is said to be one."""
    assert clock_skew(date, NOW).status == "skipped"


def test_a_clock_that_is_wrong(shell: Shell) -> None:
    """The command compares the time that an endpoint reports with this machine's time.

    It sends no credential for it.
    """
    date = format_datetime(datetime.now(timezone.utc) - timedelta(hours=2), usegmt=True)
    with RawServer(lambda _, stream: stream.sendall(http(b"", f"Date: {date}"))) as server:
        done = shell.inside("doctor", "--json", *ONCE, server.url)

    assert done.code == 1
    assert "seconds ahead of the service's" in findings(done)["clock"]["text"]
    assert "NTP" in findings(done)["clock"]["remedy"]
    assert server.requests[0].startswith(b"HEAD / HTTP/1.1\r\n")
    assert b"authorization" not in server.requests[0].lower()


def test_a_certificate_of_nobody(shell: Shell, tmp_path: Path) -> None:
    """A certificate that is not trusted is a problem; with its authority as --ca-file it is none."""
    authority = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(authority))
    with RawServer(lambda _, stream: stream.sendall(http(b"")), tls=True) as server:
        strange = shell.inside("doctor", "--json", *ONCE, server.url)
        known = shell.inside("doctor", "--json", *ONCE, server.url, "--ca-file", str(authority))
        careless = shell.inside("doctor", "--json", *ONCE, server.url, "--insecure")

    assert findings(strange)["certificate"]["status"] == "problem"
    assert "--ca-file" in findings(strange)["certificate"]["remedy"]
    assert findings(strange)["service"]["status"] == "skipped"
    assert findings(known)["certificate"]["status"] == "ok"
    assert findings(careless)["certificate"]["status"] == "warning"


def test_secrets_without_encryption(shell: Shell, tmp_path: Path) -> None:
    """A secret that stands in a stack's file is a warning with its remedy; an encrypted one is well."""
    (tmp_path / "Pulumi.yaml").write_text("name: meters\nruntime: yaml\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n  iotda-ota:secretKey: {SECRET}\n  iotda-ota:accessKey: AK\n")
    (tmp_path / "Pulumi.prod.yaml").write_text("config:\n  iotda-ota:secretKey:\n    secure: v1:abc\n")
    done = shell.inside("doctor")

    assert done.code == 0
    assert "warning  configuration: iotda-ota:secretKey is in Pulumi.dev.yaml without encryption" in done.out
    assert "pulumi config set --secret iotda-ota:secretKey --stack dev" in done.out
    assert "ok       configuration: Pulumi.prod.yaml: iotda-ota:secretKey encrypted" in done.out
    assert "accessKey" not in done.out
    assert SECRET not in done.out + done.err


def test_a_switch_that_is_none(shell: Shell) -> None:
    """The command reports a switch of the environment. A misspelt switch is a warning that names the likely one."""
    done = shell.inside("doctor", environ={"PULUMI_IOTDA_OTA_NO_MEMO": "1", "PULUMI_IOTDA_OTA_NO_MEMORY": "1"})

    assert "ok       switch: PULUMI_IOTDA_OTA_NO_MEMO=1" in done.out
    assert "warning  switch: PULUMI_IOTDA_OTA_NO_MEMORY is not a switch" in done.out
    assert "did you mean PULUMI_IOTDA_OTA_NO_MEMO?" in done.out


def test_every_switch_is_known(shell: Shell) -> None:
    """Each variable of ours that the sources read is a switch to doctor, so that it warns of none that works."""
    sources = "".join(path.read_text() for path in (ROOT / "pulumi_iotda_ota").rglob("*.py"))
    switches = set(re.findall(r'"(PULUMI_IOTDA_OTA_[A-Z_]*[A-Z])"', sources))
    done = shell.inside("doctor", "--json", environ=dict.fromkeys(switches, "0"))

    told = {one["text"].partition("=")[0] for one in done.answer["result"]["findings"] if one["check"] == "switch"}
    assert told == switches >= {"PULUMI_IOTDA_OTA_LOCK", "PULUMI_IOTDA_OTA_NO_MEMO"}


def test_no_pulumi_is_no_harm(shell: Shell, tmp_path: Path) -> None:
    """Without a pulumi on PATH there is a warning; one that does not run is a problem."""
    none = shell.inside("doctor", "--json", environ={"PATH": str(tmp_path)})
    assert (none.code, findings(none)["pulumi"]["status"]) == (0, "warning")

    broken = tmp_path / "pulumi"
    broken.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
    broken.chmod(0o755)
    done = shell.inside("doctor", "--json", environ={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"})
    assert (done.code, findings(done)["pulumi"]["status"]) == (1, "problem")


CLOUD = "https://iotda.cn-north-4.myhuaweicloud.com"
PROXY, OTHER = "http://proxy:3128", "http://other:3128"


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, CLOUD, ""),
        ({"HTTPS_PROXY": PROXY}, CLOUD, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": OTHER}, CLOUD, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, CLOUD, ""),
        ({"ALL_PROXY": PROXY}, CLOUD, PROXY),
        ({"all_proxy": PROXY, "HTTPS_PROXY": OTHER}, CLOUD, OTHER),
        ({"HTTP_PROXY": PROXY}, CLOUD, ""),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": ".myhuaweicloud.com"}, CLOUD, ""),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "example.com, iotda.cn-north-4.myhuaweicloud.com"}, CLOUD, ""),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "example.com", "NO_PROXY": "*"}, CLOUD, PROXY),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, CLOUD, ""),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "myhuaweicloud.com:8443"}, f"{CLOUD}:8443", ""),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "10.1.0.0/16"}, "https://10.1.2.3", ""),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "10.1.0.0/16"}, "https://10.2.2.3", PROXY),
    ],
)
def test_the_proxy_is_the_one_that_requests_uses(
    environ: dict[str, str], url: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command reports the proxy that requests would use, whatever the environment says of proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    used = requests.Session().merge_environment_settings(url, {}, stream=None, verify=None, cert=None)
    assert requests.utils.select_proxy(url, used["proxies"]) == (proxy or None)
    found = proxy_of(replace(CONNECTION, endpoint=url))
    assert (found.url if found else "") == proxy
    given = proxy_of(replace(CONNECTION, endpoint=url, proxy=OTHER))
    assert given
    assert given.url == OTHER
    assert proxy_of(replace(CONNECTION, endpoint="https://127.0.0.1:8443")) is None


def test_every_finding_that_is_not_well_has_a_remedy(shell: Shell, alone: Shell) -> None:
    """Whatever is a warning or a problem says what to do about it."""
    for done in (
        alone.inside("doctor", "--json"),
        shell.inside("doctor", "--json", "--endpoint", closed_port(), "--insecure"),
    ):
        for found in done.answer["result"]["findings"]:
            assert bool(found["remedy"]) == (found["status"] in ("warning", "problem")), json.dumps(found)


def test_secrets_of_a_project_without_encryption(shell: Shell, tmp_path: Path) -> None:
    """The command reports a secret in Pulumi.yaml or under a misspelt key, and a file that cannot be read."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: meters\nruntime: yaml\nconfig:\n  iotda-ota:secretKey: {SECRET}\n")
    alone = shell.inside("doctor")
    (tmp_path / "Pulumi.bad.yaml").write_text("config: [\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n  iotda-ota:secret_key: {SECRET}\n")
    done = shell.inside("doctor")

    for one in (alone, done):
        assert "iotda-ota:secretKey is in Pulumi.yaml without encryption" in one.out
        assert "remove it from Pulumi.yaml" in one.out
        assert SECRET not in one.out + one.err
    assert (alone.code, done.code) == (0, 1)
    assert "Pulumi.bad.yaml cannot be read" in done.out
    assert "iotda-ota:secret_key is in Pulumi.dev.yaml without encryption" in done.out
    assert "(and remove iotda-ota:secret_key)" in done.out


@pytest.mark.parametrize("proxy", ["http://[bad", "http://user:hunter22xx@[bad"])
def test_a_proxy_that_is_no_address(shell: Shell, proxy: str) -> None:
    """A proxy of the environment that cannot be read is a problem with its remedy. Its password is not printed."""
    environ = {"HTTPS_PROXY": proxy, "HW_IOTDA_ENDPOINT": "https://iotda.cn-north-4.myhuaweicloud.com"}
    done = shell.inside("doctor", "--json", environ=environ)

    assert (done.code, findings(done)["network"]["status"]) == (1, "problem")
    assert "HTTPS_PROXY" in findings(done)["network"]["text"]
    assert findings(done)["service"]["status"] == "skipped"
    assert "hunter22xx" not in done.out + done.err


def test_certificates_that_are_not_there(shell: Shell, tmp_path: Path) -> None:
    """The command reports certificates that cannot be read with the variable that names them."""
    environ = {
        "HW_IOTDA_ENDPOINT": "https://iotda.example.test",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "none.pem"),
    }
    found = findings(shell.inside("doctor", "--json", environ=environ))["certificate"]

    assert (found["status"], found["remedy"]) == (
        "problem",
        "correct REQUESTS_CA_BUNDLE, which names the certificates to trust",
    )
    assert "none.pem" in found["text"]
    given = findings(shell.inside("doctor", "--json", "--ca-file", "/none.pem", environ=environ))["certificate"]
    assert given["remedy"] == "correct --ca-file, which names the certificates to trust"


def test_a_name_that_can_be_none(shell: Shell) -> None:
    """A host name that is too long is a problem of the endpoint, and a host name without an address too."""
    long = shell.inside("doctor", "--json", *ONCE, f"https://{'a' * 70}.example")
    assert "check --endpoint" in findings(long)["network"]["remedy"]
    nowhere = shell.inside("doctor", "--json", *ONCE, "https://iotda.invalid")
    assert findings(nowhere)["network"]["text"].endswith("the host name could not be resolved")


def test_a_likely_cause_reads_as_one(shell: Shell) -> None:
    """A remedy is a sentence, also where the cause hangs on a condition."""
    done = shell.inside("doctor", environ={"HW_SECRET_KEY": "not-the-right-one"})
    assert "check whether the secret key" in done.out
    assert "whether if" not in done.out
