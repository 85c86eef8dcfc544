"""The deployment as written: linted by cfn-lint, and no wider open than it has to be."""

import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.decode import cfn_yaml


@pytest.fixture(scope="module")
def template(repository: Path) -> dict:
    return cfn_yaml.load(str(repository / "template.yaml"))


def of_type(template: dict, kind: str) -> dict[str, dict]:
    found = {name: r for name, r in template["Resources"].items() if r["Type"] == kind}
    assert found, f"no resource of type {kind}"
    return found


def test_cfn_lint_finds_nothing(repository: Path):
    lint = Path(sys.executable).parent / "cfn-lint"
    checked = subprocess.run([lint, repository / "template.yaml"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_functions_have_these_rights_and_no_others(template: dict):
    granted = {}
    for name, role in of_type(template, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role["Properties"], f"{name}: managed policies are wider than one need"
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                actions = statement["Action"]
                actions = [actions] if isinstance(actions, str) else list(actions)
                granted[f"{name}.{statement['Sid']}"] = (actions, statement["Resource"])
    assert granted == {
        "ApiFunctionRole.ReadModels": (["s3:GetObject"], {"Fn::Sub": "${ModelsBucket.Arn}/${ModelPrefix}*"}),
        "ApiFunctionRole.WriteLogs": (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            {"Fn::Sub": "${ApiFunctionLogs.Arn}:*"},
        ),
    }


def test_buckets_are_private_encrypted_and_versioned(template: dict):
    for name, bucket in of_type(template, "AWS::S3::Bucket").items():
        properties = bucket["Properties"]
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        assert all(properties["PublicAccessBlockConfiguration"].values()), name
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"], name
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}, name


def test_no_origin_may_call_the_api_unless_named(template: dict):
    origins = template["Parameters"]["AllowedOrigins"]
    assert origins["Default"] == ""
    assert "*" not in origins["Default"] and r"[^*\s]" in origins["AllowedPattern"]
    (api,) = of_type(template, "AWS::Serverless::HttpApi").values()
    condition, cors, otherwise = api["Properties"]["DefinitionBody"]["x-amazon-apigateway-cors"]["Fn::If"]
    assert (condition, otherwise) == ("HasOrigins", {"Ref": "AWS::NoValue"})
    assert cors["allowOrigins"] == {"Ref": "AllowedOrigins"}


def test_the_api_takes_binary_bodies_and_throttles(template: dict):
    (api,) = of_type(template, "AWS::Serverless::HttpApi").values()
    assert api["Properties"]["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] == ["*/*"]
    assert set(api["Properties"]["DefaultRouteSettings"]) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}


def test_every_function_is_bounded(template: dict):
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        properties = function["Properties"]
        assert properties["Runtime"] == "provided.al2023", name
        assert properties["Timeout"] < 30, f"{name}: the HTTP API gives up at 30 s"
        assert {"ReservedConcurrentExecutions", "MemorySize", "Architectures"} <= set(properties), name


def test_every_log_expires(template: dict):
    for name, group in of_type(template, "AWS::Logs::LogGroup").items():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_access_logs_hold_no_address(template: dict):
    (api,) = of_type(template, "AWS::Serverless::HttpApi").values()
    log_format = api["Properties"]["AccessLogSettings"]["Format"]
    assert "$context.status" in log_format
    assert "sourceIp" not in log_format and "userAgent" not in log_format
