"""The Stack for the Pulumi Kubernetes Operator: of the form that it takes, and as sparing as it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from tests.gitops.conftest import RECIPES
from tests.support.prepared import SECONDS

if TYPE_CHECKING:
    from tests.gitops.conftest import Repository

FILE = RECIPES / "operator" / "stack.yaml"
STACK: dict[str, Any] = next(found for found in yaml.safe_load_all(FILE.read_text()) if found["kind"] == "Stack")
SCHEMA = yaml.safe_load(Path(__file__).with_name("stack.schema.yaml").read_text())
# Before the environment is cleaned for the tests.
CRD = os.environ.get("PULUMI_OPERATOR_CRD", "")


def closed(schema: Any) -> Any:
    """Return a schema that refuses what it does not name: what Kubernetes would drop without a word."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(item) for name, item in schema.items()}
    has_properties = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    return {**inner, "additionalProperties": False} if has_properties and "additionalProperties" not in inner else inner


def test_the_form_is_right() -> None:
    """The recipe holds against what the operator takes, and a misspelt field would not."""
    jsonschema.validate(STACK, SCHEMA)

    with pytest.raises(jsonschema.ValidationError, match="resyncFrequency"):
        jsonschema.validate({**STACK, "spec": {**STACK["spec"], "resyncFrequency": 60}}, SCHEMA)


@pytest.mark.skipif(not CRD, reason="the operator's own schema: PULUMI_OPERATOR_CRD names no copy of it")
def test_the_form_is_right_by_the_operator_s_own_schema() -> None:
    """The same, against the whole definition that the operator is installed with."""
    (version,) = (found for found in yaml.safe_load(Path(CRD).read_text())["spec"]["versions"] if found["name"] == "v1")
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]

    jsonschema.validate(STACK["spec"], closed(schema))
    with pytest.raises(jsonschema.ValidationError, match="resyncFrequency"):
        jsonschema.validate({**STACK["spec"], "resyncFrequency": 60}, closed(schema))


def test_it_is_as_often_as_it_says() -> None:
    """The figures of the comment follow from the settings."""
    text, spec = FILE.read_text(), STACK["spec"]
    each = int(re.findall(r"is (\d+) requests", text)[0])
    hour = 100 * each * 3600 // spec["resyncFrequencySeconds"]

    assert (spec["refresh"], spec["continueResyncOnCommitMatch"], spec["destroyOnFinalize"]) == (True, True, False)
    assert f"{hour:,} requests an hour, {hour / 3600:.1f} a second" in text
    assert f"at 60 they would be {100 * each // 60} a second" in " ".join(text.split())


def test_no_key_is_kept() -> None:
    """A pod signs in by the token of its service account, and the stack has the path of its file."""
    spec = STACK["spec"]
    (container,) = spec["workspaceTemplate"]["spec"]["podTemplate"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    (volume,) = spec["workspaceTemplate"]["spec"]["podTemplate"]["spec"]["volumes"]
    token = volume["projected"]["sources"][0]["serviceAccountToken"]

    file = spec["envRefs"]["HW_ASSUME_ROLE_ID_TOKEN_FILE"]["literal"]["value"]
    assert (mount["name"], f"{mount['mountPath']}/{token['path']}") == (volume["name"], file)
    assert [name for name, found in spec["envRefs"].items() if found["type"] == "Secret"] == [
        "PULUMI_CONFIG_PASSPHRASE"
    ]


@pytest.mark.engine
def test_a_look_costs_what_it_says(repository: Repository) -> None:
    """A look of the operator, with the login of its page, takes as many requests as the comment says."""
    token = repository.base / "id-token"
    token.write_text(repository.service.accounts.id_token)
    own = {name: repository.variables[name] for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE")}
    place = {name: repository.variables[name] for name in ("HW_REGION_NAME", "HW_IOTDA_ENDPOINT", "HW_AUTH_URL")}
    signed_in = {
        "HW_ASSUME_ROLE_IDP_ID": repository.service.accounts.idp_id,
        "HW_ASSUME_ROLE_ID_TOKEN_FILE": str(token),
    }

    def pulumi(*arguments: str) -> None:
        subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=repository.folder,
            env={**repository.environment, **own, **place, **signed_in},
            check=True,
            capture_output=True,
            timeout=SECONDS,
        )

    look = ("up", "--stack", "prod", "--yes", "--skip-preview", "--refresh")
    pulumi("stack", "init", "prod")
    pulumi(*look)
    repository.service.forget_requests()

    pulumi(*look)

    requests = [request.operation for request in repository.service.requests]
    of_iam = [
        operation for operation in requests if "Token" in operation or "Keystone" in operation or "Key" in operation
    ]
    assert len(requests) == int(re.findall(r"is (\d+) requests", FILE.read_text())[0]), requests
    assert len(of_iam) == int(re.findall(r"IAM responds to (\d+) of them", FILE.read_text())[0]), requests
    assert "CreateBatchTask" not in requests
