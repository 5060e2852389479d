"""Relationships within template.yaml, and between it and the code, that linters do not look at."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exnotify.operations.watch import watched
from exstream_notify.adapters.settings import Settings
from exstream_notify.domain.references import LOCAL_LENGTH
from tests.container.sam import load_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE: dict[str, Any] = load_template(ROOT / "template.yaml")
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
QUEUES = of_type("AWS::SQS::Queue")
RULES = of_type("AWS::Events::Rule")


def target(value: Any) -> str:
    """The logical id that a Ref, GetAtt or their like names."""
    if isinstance(value, dict):
        found = value.get("Ref") or value.get("Fn::GetAtt")
        if isinstance(found, list):
            return str(found[0])
        return str(found).split(".")[0]
    return str(value)


def statements(queue: str) -> list[dict[str, Any]]:
    """What the queue's policy says. A queue has one: a second would take the place of the first."""
    (policy,) = (p for p in of_type("AWS::SQS::QueuePolicy").values() if queue in map(target, p["Queues"]))
    return list(policy["PolicyDocument"]["Statement"])


def senders(queue: str) -> dict[str, str]:
    """Rules and topics that the queue's policy lets send to it, each with its service."""
    return {
        target(source): statement["Principal"]["Service"]
        for statement in statements(queue)
        if statement["Effect"] == "Allow"
        for source in listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def is_dead_letters(name: str) -> bool:
    return any(target(q.get("RedrivePolicy", {}).get("deadLetterTargetArn")) == name for q in QUEUES.values())


def feeders(queue: str) -> set[str]:
    """Rules and topics that hand something to a queue, dead letters included."""
    found = {
        name
        for name, rule in RULES.items()
        for entry in rule["Targets"]
        if queue in (target(entry["Arn"]), target(entry["DeadLetterConfig"]["Arn"]))
    }
    for subscription in of_type("AWS::SNS::Subscription").values():
        letters = target(subscription["RedrivePolicy"]["deadLetterTargetArn"])
        if queue in (target(subscription["Endpoint"]), letters):
            found.add(target(subscription["TopicArn"]))
    return found


ALERT_TOPICS = {
    name
    for name in of_type("AWS::SNS::Topic")
    if name in map(target, of_type("AWS::SNS::TopicPolicy")["AlertTopicsPolicy"]["Topics"])
}
"""Topics that a function publishes to and a site's own people subscribe to."""


def test_alert_topics_are_the_functions_alone_and_tls_only() -> None:
    (statement,) = of_type("AWS::SNS::TopicPolicy")["AlertTopicsPolicy"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert "aws:SecureTransport" in statement["Condition"]["Bool"]
    assert set(map(target, statement["Resource"])) == ALERT_TOPICS


@pytest.mark.parametrize("topic", sorted(set(of_type("AWS::SNS::Topic")) - ALERT_TOPICS))
def test_a_topic_takes_only_what_its_service_sends_from_this_account(topic: str) -> None:
    """Conditions are not evaluated by the embedded cloud, so they are looked at here."""
    (policy,) = [p for p in of_type("AWS::SNS::TopicPolicy").values() if topic in map(target, p["Topics"])]
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert len(allowed) == 1
    assert allowed[0]["Action"] == "sns:Publish"
    assert str(allowed[0]["Principal"]["Service"]).endswith(".amazonaws.com")
    assert allowed[0]["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert "aws:SourceArn" in allowed[0]["Condition"]["ArnLike"]
    read = {target(s["TopicArn"]) for s in of_type("AWS::SNS::Subscription").values()}
    assert topic in read | {"AlarmTopic"}, "a queue of ours reads it, or people subscribe to it"


def test_topics_are_encrypted_with_a_key_that_their_services_may_use() -> None:
    """The embedded cloud asks whoever publishes for the key's rights; a service's are looked at here."""
    for topic in of_type("AWS::SNS::Topic").values():
        assert topic["KmsMasterKeyId"] == {"Fn::GetAtt": ["TopicKey", "Arn"]}
    services = {
        statement["Principal"]["Service"]
        for policy in of_type("AWS::SNS::TopicPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    }
    key = RESOURCES["TopicKey"]
    assert key["Properties"]["EnableKeyRotation"] is True
    account, publishers = key["Properties"]["KeyPolicy"]["Statement"]
    assert account["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert set(publishers["Principal"]["Service"]) == services
    assert publishers["Action"] == ["kms:GenerateDataKey*", "kms:Decrypt"]
    (topics,) = publishers["Condition"]["StringLike"].values()
    assert topics["Fn::Sub"].endswith(":sns:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-*")
    assert publishers["Condition"]["StringEqualsIfExists"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_reaches_queues_whose_policy_lets_this_rule_alone_send(rule: str) -> None:
    for entry in RULES[rule]["Targets"]:
        for queue in (target(entry["Arn"]), target(entry["DeadLetterConfig"]["Arn"])):
            assert queue in QUEUES
            assert rule in senders(queue)


SERVICES = {"AWS::Events::Rule": "events.amazonaws.com", "AWS::SNS::Topic": "sns.amazonaws.com"}


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_takes_from_services_what_its_own_rules_and_topics_send(queue: str) -> None:
    assert senders(queue) == {source: SERVICES[RESOURCES[source]["Type"]] for source in feeders(queue)}
    for statement in statements(queue):
        assert statement["Resource"] == "*", "the queue that has the policy"
        if statement["Effect"] == "Allow":
            assert statement["Action"] == "sqs:SendMessage"
            assert statement["Condition"].keys() == {"ArnEquals"}


UNNAMED = "UnnamedSourceRule"
"""The rule on what the sources say that the others do not name."""


def sources(rule: str) -> list[str]:
    """The sources that a rule names, those of a parameter by its default."""
    found = RULES[rule]["EventPattern"].get("source", [])
    if isinstance(found, dict):
        split = "Fn::Split" in found
        parameter = TEMPLATE["Parameters"][(found["Fn::Split"][1] if split else found)["Ref"]]
        assert parameter["Type"] == ("String" if split else "CommaDelimitedList")
        return [part.strip() for part in str(parameter["Default"]).split(",")]
    return list(found)


@pytest.mark.parametrize("rule", sorted(RULES.keys() - {UNNAMED}))
def test_a_rule_names_who_may_send_its_events(rule: str) -> None:
    """Whoever may put events on the bus chooses their detail type: without a source any of them would do."""
    named = sources(rule)
    assert named
    assert all(re.fullmatch(r"[a-z][a-z0-9.]+", source) for source in named), "names, and no patterns"


def test_what_changes_customers_comes_from_sources_that_the_site_names() -> None:
    theirs = {rule for rule in RULES if isinstance(RULES[rule]["EventPattern"].get("source"), dict)}
    assert theirs == {"CustomerRespondedRule", "PreferencesChangedRule"}
    files = {"CustomerRespondedRule": "uc6_customer", "PreferencesChangedRule": "uc8_portal"}
    for rule, name in files.items():
        (path,) = (ROOT / "events").glob(f"{name}*.json")
        bodies = [json.loads(record["body"]) for record in json.loads(path.read_text("utf-8"))["Records"]]
        assert {body["source"] for body in bodies} <= set(sources(rule))


def test_what_no_rule_takes_for_its_source_is_told_to_operations() -> None:
    left = [
        {**RULES[rule]["EventPattern"], "source": [{"anything-but": RULES[rule]["EventPattern"]["source"]}]}
        for rule in ("CustomerRespondedRule", "PreferencesChangedRule")
    ]
    # What we tell the portal is no portal's word.
    left[1]["source"] = [{"anything-but": {"Fn::Split": [",", {"Fn::Sub": "exnotify,${PreferenceSources}"}]}}]
    assert RULES[UNNAMED]["EventPattern"] == {"$or": left}
    assert [target(entry["Arn"]) for entry in RULES[UNNAMED]["Targets"]] == ["ExceptionQueue"]


def test_mails_are_off_unless_a_site_turns_them_on() -> None:
    assert TEMPLATE["Parameters"]["BounceMails"]["Default"] == "off"
    assert RULES["BounceMailRule"]["State"] == {"Fn::If": ["TakesBounceMails", "ENABLED", "DISABLED"]}
    assert f"{{1,{LOCAL_LENGTH}}}@" in TEMPLATE["Parameters"]["BounceAddress"]["AllowedPattern"]


@pytest.mark.parametrize("queue", QUEUES)
def test_every_queue_is_encrypted_refuses_plain_http_and_loses_nothing(queue: str) -> None:
    properties = QUEUES[queue]
    assert properties["SqsManagedSseEnabled"] is True
    denied = [s for s in statements(queue) if s["Effect"] == "Deny"]
    assert any("aws:SecureTransport" in s["Condition"]["Bool"] for s in denied)
    assert properties["MessageRetentionPeriod"] == 14 * 24 * 3600
    fed = any(queue == target(e["Properties"].get("Queue")) for f in FUNCTIONS.values() for e in events(f))
    assert ("RedrivePolicy" in properties) == fed, "a queue that feeds a function has dead letters"


def variables_of(function: dict[str, Any]) -> dict[str, Any]:
    """A function's own environment, beside what all have."""
    return dict(function.get("Environment", {}).get("Variables", {}))


def test_dead_letters_of_every_queue_are_reported() -> None:
    """Every queue that nothing reads is looked into, with the permission to; but the failures of what runs by a
    rate: the next good run did the work, and an alarm says if there is none."""
    read = {target(e["Properties"].get("Queue")) for f in FUNCTIONS.values() for e in events(f)}
    unread = set(QUEUES) - read - set(watched(RESOURCES)["failures"])
    variables = FUNCTIONS["ReportDeadLettersFunction"]["Environment"]["Variables"]
    listed = {target(url) for url in variables["DEAD_LETTER_URLS"]["Fn::Join"][1]}
    (policy,) = RESOURCES["ReportDeadLettersRole"]["Properties"]["Policies"]
    (allowed,) = [
        {target(arn) for arn in s["Resource"]}
        for s in policy["PolicyDocument"]["Statement"]
        if s["Action"] == ["sqs:GetQueueAttributes"]
    ]
    assert listed == allowed == unread


def events(function: dict[str, Any]) -> list[dict[str, Any]]:
    return list(function.get("Events", {}).values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_logs_and_a_role_of_its_own(name: str) -> None:
    function = FUNCTIONS[name]
    role, logs = target(function["Role"]), target(function["LoggingConfig"]["LogGroup"])
    others = [f for other, f in FUNCTIONS.items() if other != name]
    assert role not in [target(f["Role"]) for f in others]
    assert logs not in [target(f["LoggingConfig"]["LogGroup"]) for f in others]
    assert "RetentionInDays" in RESOURCES[logs]["Properties"]
    for policy in RESOURCES[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert "*" not in statement["Action"]
            assert not [action for action in statement["Action"] if action.endswith(":*")]
            assert statement["Resource"] != "*"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_fed_with_bounds_and_answers_for_each_message(name: str) -> None:
    function = FUNCTIONS[name]
    for event in events(function):
        properties = event["Properties"]
        if event["Type"] == "SQS":
            assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
            assert "MaximumConcurrency" in properties["ScalingConfig"]
            queue = QUEUES[target(properties["Queue"])]
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
            assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
        elif event["Type"] == "HttpApi":
            # Who asks is told; there is nobody else to tell.
            assert target(properties["ApiId"]) == "HttpApi"
            assert properties["Method"] in ("GET", "POST", "HEAD", "OPTIONS")
            assert function["Timeout"] <= 29, "longer than the API waits"
            assert properties.get("TimeoutInMillis", 30_000) / 1000 >= function["Timeout"]
        else:
            assert event["Type"] == "Schedule"
            assert function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS"


OTHERWISE = {
    "ELIGIBILITY_SECRET": "EligibilityTokens",
    "EVIDENCE_SECRET": "EvidenceMaster",
    "OPENTEXT_SECRET": "OpenTextCredentials",
    "RUNBOOK": "RunbookUrl",
}
"""Variables with a name of their own, and what they refer to."""
ENDS = {"AWS::SQS::Queue": "_url", "AWS::SecretsManager::Secret": "_secret"}
"""What the name of a variable has behind that of its resource."""


def misnamed(variable: str, value: Any) -> Iterator[str]:
    """What a variable refers to, where its name does not say so."""
    referred = value["Ref"] if isinstance(value, dict) and value.keys() == {"Ref"} else None
    kind = RESOURCES.get(str(referred), {}).get("Type", "")
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(referred)).lower().replace("open_text", "opentext")
    end = ENDS.get(kind, "")
    if OTHERWISE.get(variable, "") != referred and variable != f"{name.removesuffix(end)}{end}".upper():
        yield f"{variable} is {value}: a variable is the !Ref of what it is named after"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_variable_says_what_its_name_says(name: str) -> None:
    """Two tables in each other's place, or a queue's ARN for its address, would fail at the first event."""
    lists = {"ALERT_TOPICS", "DEAD_LETTER_URLS"}
    own = {key: value for key, value in variables_of(FUNCTIONS[name]).items() if key not in lists}
    assert [fault for variable, value in own.items() for fault in misnamed(variable, value)] == []


def test_each_team_has_its_own_topic() -> None:
    for function in FUNCTIONS.values():
        for pair in variables_of(function).get("ALERT_TOPICS", {}).get("Fn::Sub", "").split(","):
            assert not pair or re.fullmatch(r"(\w+)=\$\{(\w+)Topic\}", pair)
            assert not pair or pair.split("=")[0] == pair.split("{")[1].removesuffix("Topic}").lower()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RUNS_TABLE", {"Ref": "NoticesTable"}),
        ("RUN_QUEUE_URL", {"Ref": "ExceptionQueue"}),
        ("RUN_QUEUE_URL", {"Fn::GetAtt": ["RunQueue", "Arn"]}),
        ("EMAIL_RATE", {"Ref": "SmsRate"}),
        ("OPENTEXT_URL", ""),
        ("PEPPERS_SECRET", "peppers"),
        ("EVIDENCE_SECRET", {"Ref": "LinkKeys"}),
    ],
)
def test_a_variable_that_says_something_else_is_found(variable: str, value: Any) -> None:
    assert list(misnamed(variable, value))


def test_environment_and_settings_agree() -> None:
    common = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    given = {name for f in FUNCTIONS.values() for name in variables_of(f)} | set(common)
    given = {name.lower() for name in given if not name.startswith("POWERTOOLS_")}
    known = set(Settings.model_fields)
    assert given <= known
    assert known - given == {"site_dir"}, "settings that no function is given"


WRITES_NOTICES = [
    name
    for name, function in FUNCTIONS.items()
    for policy in RESOURCES[target(function["Role"])]["Properties"]["Policies"]
    if {"dynamodb:BatchGetItem", "dynamodb:PutItem"}
    <= {
        action
        for statement in policy["PolicyDocument"]["Statement"]
        if "NoticesTable" in str(statement["Resource"])
        for action in statement["Action"]
    }
]
"""Functions that may read notices and write them; who may only put lays a time to wait for beside them."""


@pytest.mark.parametrize("name", WRITES_NOTICES)
def test_a_function_that_writes_notices_names_them_in_its_log(name: str) -> None:
    code = (ROOT / FUNCTIONS[name]["CodeUri"] / "app.py").read_text("utf-8")
    assert "log_notices(" in code or "append_keys(notice_id=" in code


def test_buckets_are_private_encrypted_and_tls_only() -> None:
    buckets = of_type("AWS::S3::Bucket")
    policies = {target(p["Bucket"]): p for p in of_type("AWS::S3::BucketPolicy").values()}
    for name, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert bucket["BucketEncryption"]
        assert bucket["LifecycleConfiguration"]["Rules"]
        denied = [s for s in policies[name]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert any("aws:SecureTransport" in s["Condition"]["Bool"] for s in denied), name


def test_cloudfront_answers_for_the_link_host_with_the_site_s_own_certificate() -> None:
    (edge,) = of_type("AWS::CloudFront::Distribution").values()
    config = edge["DistributionConfig"]
    condition, aliases, _ = config["Aliases"]["Fn::If"]
    chosen, own, _ = config["ViewerCertificate"]["Fn::If"]
    assert (condition, aliases, chosen) == ("HasEdgeCertificate", [{"Ref": "LinkHost"}], condition)
    assert own["AcmCertificateArn"] == {"Ref": "EdgeCertificate"}


def test_an_index_that_a_role_names_is_one_of_its_table() -> None:
    """The needs derive a role's index from the code's; here is the table's. Without it each query fails."""
    there = {
        f"{name}/{index['IndexName']}"
        for name, table in of_type("AWS::DynamoDB::Table").items()
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    named = re.findall(r"\$\{(\w+)\.Arn\}/index/(\w+)", json.dumps(list(of_type("AWS::IAM::Role").values())))
    assert named
    assert {f"{table}/{index}" for table, index in named} <= there


def test_a_bucket_tells_eventbridge_alone() -> None:
    """Rules choose by key. A notification of its own would start a function for each document of a run."""
    for name, bucket in of_type("AWS::S3::Bucket").items():
        told = bucket.get("NotificationConfiguration", {})
        assert told in ({}, {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}), name


def test_tables_can_be_restored() -> None:
    for name, table in of_type("AWS::DynamoDB::Table").items():
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name
        assert table["SSESpecification"]["SSEEnabled"] is True, name
        assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}, name


def test_logs_that_services_deliver_are_vended_logs_of_this_stack() -> None:
    """Outside `/aws/vendedlogs/` each adds to one resource policy of the account, of 5,120 characters."""
    (api,) = of_type("AWS::Serverless::HttpApi").values()
    (machine,) = of_type("AWS::Serverless::StateMachine").values()
    (destination,) = machine["Logging"]["Destinations"]
    arns = api["AccessLogSettings"]["DestinationArn"], destination["CloudWatchLogsLogGroup"]["LogGroupArn"]
    groups = [RESOURCES[target(arn)]["Properties"]["LogGroupName"]["Fn::Sub"] for arn in arns]
    assert all(name.startswith("/aws/vendedlogs/${AWS::StackName}/") for name in groups)
    assert len(set(groups)) == 2
    named = [name for name, group in of_type("AWS::Logs::LogGroup").items() if "LogGroupName" in group]
    assert sorted(named) == sorted(map(target, arns)), "no other group needs a name"


def test_the_use_cases_are_the_same_everywhere() -> None:
    told = set(TEMPLATE["Metadata"]["UseCases"])
    carried = {uc for r in RESOURCES.values() for uc in (r.get("Metadata") or {}).get("UseCases", [])}
    with_event = {path.name.split("_")[0] for path in (ROOT / "events").glob("uc*_*.json")}
    with_test = {path.name.split("_")[1] for path in (ROOT / "tests/scenarios").glob("test_uc*_*.py")}
    readme = (ROOT / "README.md").read_text("utf-8")
    in_readme = set(re.findall(r"^\| (uc\d) \|", readme, re.M))
    assert told == carried == with_event == with_test == in_readme
    named = set(re.findall(r"\]\(((?:events|tests)/[^)]+)\)", readme))
    for path in named:
        assert (ROOT / path).exists(), path
    assert {f"events/{path.name}" for path in (ROOT / "events").glob("uc*.json")} <= named
    for uc, entry in TEMPLATE["Metadata"]["UseCases"].items():
        for function in entry["functions"]:
            assert uc in RESOURCES[function]["Metadata"]["UseCases"], (uc, function)
