"""The template: checked by cfn-lint, sam and checkov, with least privileges."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.decode import cfn_yaml
from conftest import CACHE


@pytest.fixture(scope="module")
def template(repository: Path) -> dict:
    return cfn_yaml.load(str(repository / "template.yaml"))


def of_type(template: dict, kind: str) -> dict[str, dict]:
    found = {name: r for name, r in template["Resources"].items() if r["Type"] == kind}
    assert found, f"no resource of type {kind}"
    return found


def tool(name: str) -> Path:
    return Path(sys.executable).parent / name


def test_cfn_lint_finds_nothing(repository: Path):
    checked = subprocess.run(
        [tool("cfn-lint"), repository / "template.yaml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_sam_finds_the_template_valid(repository: Path, tmp_path: Path):
    environment = os.environ | {"AWS_DEFAULT_REGION": "eu-central-1", "SAM_CLI_TELEMETRY": "0", "HOME": str(tmp_path)}
    command: list = [tool("sam"), "validate", "--lint", "--template", repository / "template.yaml"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "is a valid SAM Template" in checked.stdout


def test_checkov_finds_nothing_but_what_is_left_out_with_a_reason(repository: Path):
    checkov = CACHE / "checkov-venv" / "bin" / "checkov"
    assert checkov.is_file(), f"{checkov} is missing: run make checkov-venv"
    command: list = [
        checkov,
        "--config-file",
        repository / "infra" / "checkov.yaml",
        "--file",
        repository / "template.yaml",
    ]
    command += ["--compact", "--quiet", "--skip-download"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "Failed checks: 0" in checked.stdout


def test_every_check_left_out_has_a_reason_and_is_needed(repository: Path):
    lines = (repository / "infra" / "checkov.yaml").read_text().splitlines()
    skipped = [index for index, line in enumerate(lines) if line.strip().startswith("- CKV")]
    assert skipped
    for index in skipped:
        above = index
        while lines[above].strip().startswith("- CKV"):
            above -= 1
        assert lines[above].strip().startswith("#"), lines[index]


def test_the_linter_reads_the_state_machine(repository: Path, tmp_path: Path):
    """cfn-lint validates the definition of the state machine (E3601): it must find an error in it."""
    text = (repository / "template.yaml").read_text()
    broken = text.replace("Type: Map\n", "Type: Mapp\n", 1)
    assert broken != text
    (tmp_path / "broken.yaml").write_text(broken)
    checked = subprocess.run([tool("cfn-lint"), tmp_path / "broken.yaml"], capture_output=True, text=True, check=False)
    assert checked.returncode != 0 and "Mapp" in checked.stdout, checked.stdout


def test_every_state_of_the_machine_is_reached_and_there(template: dict):
    machine = template["Resources"]["DatasetMachine"]["Properties"]
    flows = [machine["Definition"], machine["Definition"]["States"]["EverySeries"]["ItemProcessor"]]
    for flow in flows:
        reached = {flow["StartAt"]} | {state["Next"] for state in flow["States"].values() if "Next" in state}
        assert reached == set(flow["States"])
        assert sum("End" in state for state in flow["States"].values()) == 1
    text = str(machine["Definition"])
    assert set(machine["DefinitionSubstitutions"]) == {"Bucket", "Worker"}
    assert all(f"${{{name}}}" in text for name in machine["DefinitionSubstitutions"])


JOBS = "arn:${AWS::Partition}:s3:::${AWS::StackName}-jobs-${AWS::AccountId}-${AWS::Region}"
MODELS = "${ModelsBucket.Arn}/${ModelPrefix}*"
LOG_LINES = ["logs:CreateLogStream", "logs:PutLogEvents"]
TRACES = (["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])
MACHINE = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"

RIGHTS = {
    "ApiFunctionRole.ReadModels": (["s3:GetObject"], [MODELS]),
    "ApiFunctionRole.WriteOrdersAndSignUploads": (["s3:PutObject"], [f"{JOBS}/uploads/*", f"{JOBS}/jobs/*"]),
    "ApiFunctionRole.ReadResults": (["s3:GetObject"], [f"{JOBS}/jobs/*"]),
    "ApiFunctionRole.DeleteJobs": (["s3:DeleteObject"], [f"{JOBS}/uploads/*", f"{JOBS}/jobs/*"]),
    "ApiFunctionRole.ListJobs": (["s3:ListBucket"], [JOBS]),
    "ApiFunctionRole.WriteLogs": (LOG_LINES, ["${ApiFunctionLogs.Arn}:*"]),
    "ApiFunctionRole.WriteTraces": TRACES,
    "WorkerFunctionRole.ReadModels": (["s3:GetObject"], [MODELS]),
    "WorkerFunctionRole.ReadUploadsAndDataSets": (
        ["s3:GetObject"],
        [f"{JOBS}/{prefix}/*" for prefix in ("uploads", "jobs", "datasets", "tables")],
    ),
    "WorkerFunctionRole.WriteResults": (["s3:PutObject"], [f"{JOBS}/jobs/*", f"{JOBS}/tables/*"]),
    "WorkerFunctionRole.DeleteWhatIsSpent": (["s3:DeleteObject"], [f"{JOBS}/uploads/*", f"{JOBS}/jobs/*"]),
    "WorkerFunctionRole.ListJobs": (["s3:ListBucket"], [JOBS]),
    "WorkerFunctionRole.TakeMessages": (
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        ["UploadsQueue.Arn"],
    ),
    "WorkerFunctionRole.WriteLogs": (LOG_LINES, ["${WorkerFunctionLogs.Arn}:*"]),
    "WorkerFunctionRole.WriteTraces": TRACES,
    "DatasetMachineRole.ListSeries": (["s3:ListBucket"], [JOBS]),
    "DatasetMachineRole.InvokeTheWorker": (["lambda:InvokeFunction"], ["WorkerFunction.Arn"]),
    "DatasetMachineRole.StartItsOwnParts": (
        ["states:StartExecution"],
        [f"{MACHINE}:stateMachine:${{AWS::StackName}}-dataset"],
    ),
    "DatasetMachineRole.WatchItsOwnParts": (
        ["states:DescribeExecution", "states:StopExecution"],
        [f"{MACHINE}:execution:${{AWS::StackName}}-dataset/*"],
    ),
    "DatasetMachineRole.DeliverLogs": (
        [
            *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
            *("logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:DescribeResourcePolicies"),
            "logs:DescribeLogGroups",
        ],
        ["*"],
    ),
    "DatasetMachineRole.WriteTraces": TRACES,
}


def as_list(value) -> list:
    return list(value) if isinstance(value, list) else [value]


def name_of(resource) -> str:
    """A resource of a statement as text, with any intrinsic function."""
    if isinstance(resource, str):
        return resource
    (value,) = resource.values()
    return ".".join(value) if isinstance(value, list) else value


def test_functions_have_these_rights_and_no_others(template: dict):
    granted = {}
    for name, role in of_type(template, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role["Properties"], f"{name}: managed policies are wider than one need"
        for policy in role["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow" and not any("*" in a for a in as_list(statement["Action"]))
                resources = [name_of(resource) for resource in as_list(statement["Resource"])]
                granted[f"{name}.{statement['Sid']}"] = (as_list(statement["Action"]), resources)
    assert granted == RIGHTS


def test_functions_and_machine_have_no_role_but_these(template: dict):
    for kind, key in (("AWS::Serverless::Function", "Role"), ("AWS::StepFunctions::StateMachine", "RoleArn")):
        for name, resource in of_type(template, kind).items():
            assert resource["Properties"][key] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
            assert "Policies" not in resource["Properties"]


def test_uploads_and_results_are_gone_after_a_day(template: dict):
    jobs = template["Resources"]["JobsBucket"]["Properties"]
    (rule,) = jobs["LifecycleConfiguration"]["Rules"]
    assert (rule["ExpirationInDays"], rule["Status"]) == (1, "Enabled") and "Prefix" not in rule
    assert "VersioningConfiguration" not in jobs, "a version would outlive the deletion"
    assert template["Resources"]["JobsBucket"]["DeletionPolicy"] == "Delete"


def test_only_named_origins_reach_the_jobs_bucket(template: dict):
    page, others = template["Resources"]["JobsBucket"]["Properties"]["CorsConfiguration"]["CorsRules"]
    assert "*" not in str(page["AllowedOrigins"]) and set(page["AllowedMethods"]) == {"GET", "PUT"}
    condition, rule, otherwise = others["Fn::If"]
    assert (condition, otherwise) == ("HasOrigins", {"Ref": "AWS::NoValue"})
    assert rule["AllowedOrigins"] == {"Ref": "AllowedOrigins"}


def test_an_upload_wakes_the_worker_and_is_not_lost(template: dict):
    resources = template["Resources"]
    (notification,) = resources["JobsBucket"]["Properties"]["NotificationConfiguration"]["QueueConfigurations"]
    assert notification["Queue"] == {"Fn::GetAtt": ["UploadsQueue", "Arn"]}
    assert notification["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "uploads/"}]
    queue, worker = resources["UploadsQueue"]["Properties"], resources["WorkerFunction"]["Properties"]
    # Longer than the timeout, so that two workers never run one message; not much longer, because a client waits.
    assert worker["Timeout"] < queue["VisibilityTimeout"] <= 2 * worker["Timeout"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["UploadsDeadLetters", "Arn"]}
    # The worker gives up on an input after three attempts; dead letters are for all other errors.
    assert queue["RedrivePolicy"]["maxReceiveCount"] > 3
    event = worker["Events"]["Upload"]["Properties"]
    assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"] and event["BatchSize"] == 1
    (statement,) = resources["UploadsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert set(statement["Condition"]) == {"StringEquals", "ArnEquals"}, "any bucket of any account could write"


def test_the_page_is_read_by_its_distribution_alone(template: dict):
    statements = template["Resources"]["WebBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (allowed,) = (s for s in statements if s["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "cloudfront.amazonaws.com"} and allowed["Action"] == "s3:GetObject"
    assert "${Distribution}" in str(allowed["Condition"]["StringEquals"]["aws:SourceArn"])


def test_the_page_is_sent_with_strict_headers(template: dict):
    policy = template["Resources"]["PageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    headers = policy["SecurityHeadersConfig"]
    content = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    directives = dict(part.strip().split(" ", 1) for part in content.split(";"))
    assert content.count("unsafe") == 1 and "*" not in content
    assert (directives["script-src"], directives["default-src"]) == ("'self' 'wasm-unsafe-eval'", "'none'")
    assert directives["frame-ancestors"] == "'none'" and "-jobs-" in directives["connect-src"]
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert headers["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"
    assert headers["ContentTypeOptions"] == {"Override": True}
    assert {item["Header"] for item in policy["CustomHeadersConfig"]["Items"]} >= {"permissions-policy"}
    distribution = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    for behavior in (distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]):
        assert behavior["ResponseHeadersPolicyId"] == {"Ref": "PageHeaders"}
        assert behavior["ViewerProtocolPolicy"] in ("https-only", "redirect-to-https")


def test_every_kind_of_failure_raises_an_alarm(template: dict):
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    watched = {(a["Properties"]["Namespace"], a["Properties"]["MetricName"]) for a in alarms.values()}
    assert watched == {
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    }
    assert all(a["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}] for a in alarms.values())
    (budget,) = of_type(template, "AWS::Budgets::Budget").values()
    assert budget["Properties"]["Budget"]["BudgetLimit"]["Amount"] == {"Ref": "MonthlyBudgetUsd"}


def test_optional_parts_are_off_by_default(template: dict):
    optional = {name for name, resource in template["Resources"].items() if "Condition" in resource}
    assert {"KeyedApi", "PartnerPlan", "PartnerKey", "KeyedApiFirewall", "DatasetMachine", "Budget"} <= optional
    for parameter in ("ApiKeys", "Datasets"):
        assert template["Parameters"][parameter]["Default"] == "false"


def test_buckets_are_private_and_encrypted(template: dict):
    for name, bucket in of_type(template, "AWS::S3::Bucket").items():
        properties = bucket["Properties"]
        assert len(properties["PublicAccessBlockConfiguration"]) == 4
        assert all(properties["PublicAccessBlockConfiguration"].values()), name
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"], name
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}], name
    versions = template["Resources"]["ModelsBucket"]["Properties"]["VersioningConfiguration"]
    assert versions == {"Status": "Enabled"}


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
    shared = template["Globals"]["Function"]
    assert (shared["Runtime"], shared["Tracing"]) == ("provided.al2023", "Active")
    api = template["Resources"]["ApiFunction"]["Properties"]
    assert api["Timeout"] < 30, "the HTTP API gives up at 30 s"
    assert "ReservedConcurrentExecutions" in api
    worker = template["Resources"]["WorkerFunction"]["Properties"]
    assert worker["Events"]["Upload"]["Properties"]["ScalingConfig"] == {
        "MaximumConcurrency": {"Ref": "WorkerConcurrency"}
    }
    for function in (api, worker):
        assert "MemorySize" in function and function["LoggingConfig"]["LogFormat"] == "JSON"


def test_every_log_expires(template: dict):
    for name, group in of_type(template, "AWS::Logs::LogGroup").items():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_access_logs_hold_no_address(template: dict):
    (api,) = of_type(template, "AWS::Serverless::HttpApi").values()
    log_format = api["Properties"]["AccessLogSettings"]["Format"]
    assert "$context.status" in log_format
    # Anyone who knows the path of a job can read the job.
    assert not any(word in log_format for word in ("sourceIp", "userAgent", "$context.path"))
