"""The GPU template, the Dockerfiles and the software bill of materials (SBOM)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.decode import cfn_yaml
from conftest import CACHE


@pytest.fixture(scope="module")
def template(repository: Path) -> dict:
    return cfn_yaml.load(str(repository / "infra" / "gpu.yaml"))


def tool(name: str) -> Path:
    return Path(sys.executable).parent / name


def checker(name: str) -> Path:
    found = CACHE / "image-venv" / "bin" / name
    assert found.is_file(), f"{found} is missing: run make image-venv"
    return found


def run(*command) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_cfn_lint_finds_nothing(repository: Path):
    checked = run(tool("cfn-lint"), repository / "infra" / "gpu.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_checkov_finds_nothing_but_what_is_left_out_with_a_reason(repository: Path):
    checkov = CACHE / "checkov-venv" / "bin" / "checkov"
    assert checkov.is_file(), f"{checkov} is missing: run make checkov-venv"
    command = [
        checkov,
        "--config-file",
        repository / "infra" / "checkov.yaml",
        "--file",
        repository / "infra" / "gpu.yaml",
    ]
    checked = run(*command, "--compact", "--quiet", "--skip-download")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Failed checks: 0" in checked.stdout


def statements(template: dict) -> dict[str, dict]:
    """Every statement of every role, by role and name."""
    return {
        f"{role}.{statement['Sid']}": statement
        for role, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
        for policy in resource["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    }


# Actions that have no resource in AWS.
WITHOUT_RESOURCE = {"ecr:GetAuthorizationToken", "ecs:DiscoverPollEndpoint"}
RIGHTS = {
    "SageMakerRole.PullTheImage": [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ],
    "SageMakerRole.LogInToTheRegistry": ["ecr:GetAuthorizationToken"],
    "SageMakerRole.ReadModels": ["s3:GetObject"],
    "SageMakerRole.ReadInputs": ["s3:GetObject"],
    "SageMakerRole.WriteOutputs": ["s3:PutObject"],
    "SageMakerRole.WriteLogs": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "SageMakerRole.NotifyOfOutputs": ["sns:Publish"],
    "ExecutionRole.PullTheImage": [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ],
    "ExecutionRole.LogInToTheRegistry": ["ecr:GetAuthorizationToken"],
    "ExecutionRole.WriteLogs": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "TaskRole.ReadModels": ["s3:GetObject"],
    "InstanceRole.RegisterAsInstance": [
        "ecs:DeregisterContainerInstance",
        "ecs:RegisterContainerInstance",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
    ],
    "InstanceRole.ReceiveTasks": ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
    "InstanceRole.FindTheService": ["ecs:DiscoverPollEndpoint"],
}


def test_roles_may_do_this_and_nothing_else(template: dict):
    found = statements(template)
    actions = {name: statement["Action"] for name, statement in found.items()}
    assert {name: [a] if isinstance(a, str) else sorted(a) for name, a in actions.items()} == RIGHTS
    for name, statement in found.items():
        everywhere = statement["Resource"] == "*"
        assert everywhere == (set(RIGHTS[name]) <= WITHOUT_RESOURCE), name
    for role in (r for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role["Properties"]
    for name in ("SageMakerRole.ReadModels", "TaskRole.ReadModels"):
        assert found[name]["Resource"]["Fn::Sub"].endswith(":s3:::${ModelsBucket}/${ModelPrefix}*")


def test_the_endpoint_scales_to_zero_and_back(template: dict):
    resources = template["Resources"]
    assert resources["EndpointScaling"]["Properties"]["MinCapacity"] == 0
    assert resources["WaitsWithoutInstance"]["Properties"]["AlarmActions"] == [{"Ref": "ScaleFromZero"}]
    step = resources["ScaleFromZero"]["Properties"]["StepScalingPolicyConfiguration"]["StepAdjustments"]
    assert step == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    data = resources["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert data[0]["ExpirationInDays"] == 1


def test_the_image_is_named_by_digest_and_made_for_one_target_at_a_time(template: dict):
    resources = template["Resources"]
    images = [
        resources["Model"]["Properties"]["PrimaryContainer"]["Image"],
        resources["Task"]["Properties"]["ContainerDefinitions"][0]["Image"],
    ]
    assert all(image["Fn::Sub"].endswith("/${Repository}@${ImageDigest}") for image in images)
    always = {name for name, r in resources.items() if "Condition" not in r}
    assert always == {"Repository", "AlarmTopic"}
    assert {r["Condition"] for r in resources.values() if "Condition" in r} == {
        "HasImage",
        "HasEmail",
        "OnSageMaker",
        "OnEcs",
    }


def test_the_container_is_started_and_stopped_as_it_expects(template: dict, repository: Path):
    (container,) = template["Resources"]["Task"]["Properties"]["ContainerDefinitions"]
    flags = (repository / "src" / "config" / "container.rs").read_text() + (
        repository / "src" / "config" / "engine.rs"
    ).read_text()
    given = [entry["Name"] for entry in container["Environment"]]
    assert sorted(given) == sorted(template["Resources"]["Model"]["Properties"]["PrimaryContainer"]["Environment"])
    for name in given:
        assert f'env = "{name}"' in flags, name
    stop_seconds = int(re.findall(r'ICHOR_STOP_SECONDS", default_value_t = (\d+)', flags)[0])
    assert stop_seconds < container["StopTimeout"]
    assert container["HealthCheck"]["Command"] == ["CMD", "/usr/local/bin/ichor-sagemaker", "health"]
    assert template["Resources"]["Tasks"]["Properties"]["HealthCheckPath"] == "/ping"
    assert container["User"] in (repository / "infra" / "Dockerfile.gpu").read_text()


def test_every_alarm_has_a_recipient_and_a_description(template: dict):
    alarms = {n: r["Properties"] for n, r in template["Resources"].items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    assert len(alarms) == 6
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] in ([{"Ref": "AlarmTopic"}], [{"Ref": "ScaleFromZero"}]), name
        assert len(alarm["AlarmDescription"]) > 20
    own = alarms["NoCardAlarm"]
    assert (own["Namespace"], own["MetricName"]) == ("Ichor", "engine_fallbacks")


@pytest.mark.parametrize("recipe", ["Dockerfile.cpu", "Dockerfile.gpu", "Dockerfile.lambda"])
def test_hadolint_finds_nothing(repository: Path, recipe: str):
    checked = run(checker("hadolint"), "--no-color", repository / "infra" / recipe)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_hadolint_would_find_something(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /tmp && apt-get install curl\n")
    assert run(checker("hadolint"), tmp_path / "Dockerfile").returncode != 0


@pytest.mark.parametrize("recipe", ["Dockerfile.cpu", "Dockerfile.gpu", "Dockerfile.lambda"])
def test_bases_have_no_default_and_the_last_stage_no_root(repository: Path, recipe: str):
    text = (repository / "infra" / recipe).read_text()
    bases = set(re.findall(r"^FROM \$\{(\w+)\}", text, re.MULTILINE))
    assert "BASE" in bases
    for base in bases & {"BASE", "BUILDER"}:
        assert re.search(rf"^ARG {base}$", text, re.MULTILINE), f"{base} must be named by digest when it is built"
    if recipe != "Dockerfile.lambda":
        assert re.search(r"^USER 10001:10001$", text.rsplit("FROM ", 1)[1], re.MULTILINE)
        assert "HEALTHCHECK" in text


def test_every_library_has_its_digest_and_the_tests_run_the_same_release(repository: Path):
    for name in ("gpu", "cpu"):
        text = (repository / "infra" / f"{name}-requirements.txt").read_text()
        pinned = re.findall(r"^(\S+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}$", text, re.MULTILINE)
        lines = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
        assert len(pinned) == len(lines) > 0
        tested = (repository / "scripts" / "onnxruntime-requirements.txt").read_text()
        assert f"onnxruntime=={dict(pinned)['onnxruntime-gpu' if name == 'gpu' else 'onnxruntime']}" in tested


# Licences that may be shipped beside Apache-2.0: permissive ones, and MPL-2.0 for whole files. deny.toml has the same.
PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "BlueOak-1.0.0", "CC0-1.0", "ISC", "MIT", "MIT-0",
    "MPL-2.0", "Unicode-3.0", "Unlicense", "Zlib", "LLVM-exception", "CDLA-Permissive-2.0",
}  # fmt: skip


VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
sys.exit(str(wrong) if wrong else 0)
"""


@pytest.mark.parametrize("image", ["gpu", "lambda", "program"])
def test_the_bill_of_materials_is_valid_and_every_licence_known(repository: Path, tmp_path: Path, image: str):
    made = run(sys.executable, repository / "infra" / "sbom.py", "--image", image, "--output", tmp_path)
    assert made.returncode == 0, made.stderr
    text = (tmp_path / f"{image}.cdx.json").read_text()
    checked = run(checker("python"), "-c", VALIDATE, tmp_path / f"{image}.cdx.json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    parts = json.loads(text)["components"]
    names = {part["name"] for part in parts}
    assert {"dicom-core", "axum"} <= names and "tempfile" not in names, "what is linked, without what only tests use"
    assert ("tract-onnx" in names) == (image != "program")
    assert ("aws-sdk-s3" in names) == (image != "program")
    assert ("ort" in names) == (image != "program")
    assert ("nvidia-cudnn-cu13" in names) == (image == "gpu")
    listed = (tmp_path / f"{image}-licences.md").read_text()
    for part in parts:
        (licence,) = part["licenses"]
        words = licence.get("expression") or licence["license"]["name"]
        if part["name"].startswith("nvidia-"):
            assert words == "LicenseRef-NVIDIA-Proprietary"
        else:
            assert set(re.findall(r"[\w.-]+", words)) - {"AND", "OR", "WITH"} <= PERMISSIVE, part
        assert f"{part['name']} {part['version']}" in listed
        assert part["hashes"][0]["content"], part["name"]
