"""The doctor on a stack whose parts are broken one by one; it sees them through AWS's own calls alone."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from exnotify.deployment import Deployment
from exnotify.doctor import CHECKS, Finding, examine
from exnotify.doctor.ses import needed_events as ses_events
from exnotify.doctor.sms import OPT_OUT_WORDS
from exnotify.doctor.sms import needed_events as sms_events
from exnotify.local import LocalCloud
from exstream_notify.adapters.dynamodb.channels import KEY, DynamoChannelBook
from exstream_notify.domain.channels import TEAM, ChannelState
from exstream_notify.domain.replies import meaning_of

pytestmark = pytest.mark.slow
PARAMETERS = {
    "CompanyName": "Bank",
    "EmailProvider": "ses",
    "SmsProvider": "sms",
    "SenderEmail": "notices@bank.example",
    "SmsSender": "+12029180142",
    "SupportContact": "help@bank.example",
    "LinkHost": "links.bank.example",
    "BounceAddress": "b@bounce.bank.example",
    "EvidenceLock": "GOVERNANCE",
}
RECORDS = {
    ("bank.example", "TXT"): ["v=spf1 -all"],
    ("_dmarc.bank.example", "TXT"): ["v=DMARC1; p=reject; rua=mailto:d@bank.example"],
    **{(f"token{n}._domainkey.bank.example", "TXT"): ["p=" + "M" * 44] for n in (1, 2, 3)},
    ("bounce.bank.example", "MX"): ["10 inbound-smtp.us-east-1.amazonaws.com."],
    ("links.bank.example", "A"): ["192.0.2.7"],
}


def resolve(name: str, kind: str) -> list[str]:
    return RECORDS.get((name, kind), [])


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(parameters=PARAMETERS) as running:
        sns = running.client("sns")
        for topic in ("AlarmTopic", "OperationsTopic", "ComplianceTopic", "ItTopic"):
            # Confirmed at once, as moto has every one.
            sns.subscribe(TopicArn=running.resource(topic), Protocol="sms", Endpoint="+12029180199")
        yield running


def stack(cloud: LocalCloud, client: Callable[[str], Any] | None = None, **parameters: str) -> Deployment:
    return Deployment(
        "stack exnotify", cloud.outputs, client or cloud.client, {**cloud.parameters, **parameters}
    )


def found_on(target: Deployment) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(target, resolve)}


def test_a_stack_that_is_set_up_is_fine_but_for_what_only_the_site_knows(cloud: LocalCloud) -> None:
    found = found_on(stack(cloud))
    assert {check: f for check, f in found.items() if f.verdict != "ok"} == {"link host": found["link host"]}
    assert found["link host"].verdict == "unknown"
    assert found["concurrency"].found == (
        "100 wanted by 14 event sources, of 1000 unreserved (1000 in the account)"
    )
    assert "1000 a second" in found["e-mail rate"].found
    assert "GOVERNANCE, 2557 days" in found["evidence lock"].found


def test_on_the_embedded_cloud_nobody_outside_is_asked(cloud: LocalCloud) -> None:
    def nobody(name: str, kind: str) -> list[str]:
        raise AssertionError(f"{kind} of {name} was asked for")

    found = examine(cloud.deployment(), nobody)
    assert {finding.verdict for finding in found} == {"ok"}
    assert {"SES events", "SMS replies", "concurrency"} <= {finding.check for finding in found}


def test_providers_that_are_not_used_are_not_looked_at(cloud: LocalCloud) -> None:
    found = found_on(stack(cloud, EmailProvider="opentext", SmsProvider="opentext"))
    assert not [check for check in found if check.startswith(("SES", "SMS", "e-mail", "MX"))]
    found = found_on(stack(cloud, EmailProvider="opentext", ProviderOverrides="email/marketing=ses"))
    assert "SES sandbox" in found


# ---- one thing broken at a time ----

Break = Callable[[LocalCloud], None]


def ses(change: Callable[[Any], None]) -> Break:
    return lambda cloud: change(cloud.simulators.ses.account)


def sms(change: Callable[[Any], None]) -> Break:
    return lambda cloud: change(cloud.simulators.sms.account)


def account(**fields: Any) -> Break:
    return ses(lambda ses: ses.account.update(fields))


def quota(**fields: float) -> Break:
    return ses(lambda ses: ses.account["SendQuota"].update(fields))


def identity(**fields: Any) -> Break:
    return ses(lambda ses: ses.identities["bank.example"].update(fields))


def destination(**fields: Any) -> Break:
    return ses(lambda ses: ses.event_destinations["notices"][0].update(fields))


def number(**fields: Any) -> Break:
    return sms(lambda sms: sms.numbers[0].update(fields))


def sms_destination(**fields: Any) -> Break:
    return sms(lambda sms: sms.configuration_sets[0]["EventDestinations"][0].update(fields))


def keyword(word: str, action: str) -> Break:
    row = {"Keyword": word, "KeywordMessage": "-", "KeywordAction": action}

    def change(sms: Any) -> None:
        sms.numbers[0]["SelfManagedOptOutsEnabled"] = False
        rows = next(iter(sms.keywords.values()))
        rows[:] = [*(r for r in rows if r["Keyword"] != word), row]

    return sms_change(change)


def sms_change(change: Callable[[Any], None]) -> Break:
    return sms(change)


OTHER = {"TopicArn": "arn:aws:sns:us-east-1:123456789012:other"}
MISSING_BOUNCE = ["SEND", "REJECT", "COMPLAINT", "DELIVERY", "RENDERING_FAILURE", "DELIVERY_DELAY"]
PENDING = {"SigningEnabled": True, "Status": "PENDING", "Tokens": ["token1"]}
MX_LOST = {"MailFromDomain": "r.bank.example", "MailFromDomainStatus": "FAILED"}

BROKEN: list[tuple[str, str, str, Break]] = [
    ("SES sandbox", "problem", "in the sandbox", account(ProductionAccessEnabled=False)),
    ("SES sending", "problem", "stopped", account(SendingEnabled=False)),
    ("SES reputation", "problem", "PROBATION", account(EnforcementStatus="PROBATION")),
    ("e-mail rate", "problem", "of 14", quota(MaxSendRate=14.0)),
    ("e-mails a day", "problem", "45000 of 50000", quota(Max24HourSend=50000.0, SentLast24Hours=45000.0)),
    ("e-mails a day", "warning", "0 of 50000", quota(Max24HourSend=50000.0)),
    ("SES identity", "problem", "not known", ses(lambda ses: ses.identities.pop("bank.example"))),
    ("SES identity", "problem", "not verified", identity(VerifiedForSendingStatus=False)),
    ("SES DKIM", "problem", "PENDING", identity(DkimAttributes=PENDING)),
    ("SES DKIM", "problem", "is off", identity(DkimAttributes={"SigningEnabled": False, "Status": "SUCCESS"})),
    ("SES MAIL FROM", "warning", "FAILED", identity(
        MailFromAttributes={**MX_LOST, "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"})),
    ("SES MAIL FROM", "problem", "refused", identity(
        MailFromAttributes={**MX_LOST, "BehaviorOnMxFailure": "REJECT_MESSAGE"})),
    ("SES bounce address", "problem", "not known", ses(lambda ses: ses.identities.clear())),
    ("SES events", "problem", "no configuration set", ses(lambda ses: ses.event_destinations.clear())),
    ("SES events", "problem", "no events", destination(SnsDestination=OTHER)),
    ("SES events", "problem", "is off", destination(Enabled=False)),
    ("SES events", "problem", "not send BOUNCE", destination(MatchingEventTypes=MISSING_BOUNCE)),
    ("SMS sandbox", "problem", "in the sandbox", sms(
        lambda sms: sms.attributes[0].update(Value="SANDBOX"))),
    ("SMS sandbox", "unknown", "no tier", sms(lambda sms: sms.attributes.clear())),
    ("SMS spend limit", "unknown", "no limit", sms(lambda sms: sms.spend_limits.clear())),
    ("SMS spend limit", "problem", "1 US dollars", sms(
        lambda sms: sms.spend_limits[0].update(MaxLimit=1, EnforcedLimit=1))),
    ("SMS spend limit", "problem", "1 US dollars", sms(
        lambda sms: sms.spend_limits[0].update(EnforcedLimit=1, Overridden=True))),
    ("SMS sender", "problem", "not this account's", sms(lambda sms: sms.numbers.clear())),
    ("SMS sender", "problem", "PENDING", number(Status="PENDING")),
    ("SMS rate", "warning", "of 1", number(MessagingLimits={"RateLimits": {"SMS": 1}})),
    ("SMS rate", "warning", "of 3", number(MessagingLimits={}, NumberType="TOLL_FREE")),
    ("SMS replies", "problem", "no topic of ours", number(TwoWayEnabled=False)),
    ("SMS replies", "problem", "do not reach", number(
        TwoWayChannelArn=OTHER["TopicArn"], SelfManagedOptOutsEnabled=False)),
    ("SMS opt-outs", "warning", "managed by AWS", number(SelfManagedOptOutsEnabled=False)),
    ("SMS opt-outs", "warning", "carriers", number(SelfManagedOptOutsEnabled=False, NumberType="TOLL_FREE")),
    ("SMS opt-outs", "warning", "carriers", number(NumberType="TOLL_FREE")),
    ("SMS keywords", "problem", "CANCEL do not opt out", keyword("CANCEL", "AUTOMATIC_RESPONSE")),
    ("SMS keywords", "problem", "STOP do not opt out", keyword("STOP", "OPT_IN")),
    ("SMS keywords", "ok", "END, STOP opt out", keyword("END", "OPT_OUT")),
    ("SMS events", "problem", "no configuration set", sms(lambda sms: sms.configuration_sets.clear())),
    ("SMS events", "problem", "no events", sms_destination(SnsDestination=OTHER)),
    ("SMS events", "problem", "is off", sms_destination(Enabled=False)),
    ("SMS events", "problem", "TEXT_BLOCKED", sms_destination(
        MatchingEventTypes=["TEXT_DELIVERED", "TEXT_SUCCESSFUL"])),
]  # fmt: skip


@contextmanager
def broken(cloud: LocalCloud, change: Break) -> Iterator[None]:
    accounts = (cloud.simulators.ses.account, cloud.simulators.sms.account)
    before = [copy.deepcopy(vars(account)) for account in accounts]
    change(cloud)
    try:
        yield
    finally:
        for account, fields in zip(accounts, before, strict=True):
            vars(account).update(fields)


@pytest.mark.parametrize(("check", "verdict", "says", "change"), BROKEN)
def test_what_is_broken_is_found(
    cloud: LocalCloud, check: str, verdict: str, says: str, change: Break
) -> None:
    with broken(cloud, change):
        finding = found_on(stack(cloud))[check]
    assert (finding.verdict, says in finding.found) == (verdict, True), finding
    assert bool(finding.cure) == (verdict != "ok")


def test_the_simulated_accounts_answer_in_the_services_own_shapes(cloud: LocalCloud) -> None:
    asked = {
        "sesv2": {
            "get_account": {},
            "get_email_identity": {"EmailIdentity": "bank.example"},
            "get_configuration_set_event_destinations": {"ConfigurationSetName": "notices"},
        },
        "pinpoint-sms-voice-v2": {
            "describe_account_attributes": {},
            "describe_spend_limits": {},
            "describe_phone_numbers": {},
            "describe_configuration_sets": {"ConfigurationSetNames": ["notices"]},
            "describe_keywords": {
                "OriginationIdentity": cloud.simulators.sms.account.numbers[0]["PhoneNumberArn"]
            },
        },
        "lambda": {"get_account_settings": {}, "list_event_source_mappings": {}},
    }
    for service, operations in asked.items():
        client = cloud.client(service)
        for operation, arguments in operations.items():
            answer = getattr(client, operation)(**arguments)
            answer.pop("ResponseMetadata")
            shape = client.meta.service_model.operation_model(
                client.meta.method_to_api_mapping[operation]
            ).output_shape
            report = ParamValidator().validate(answer, shape)
            assert not report.has_errors(), (operation, report.generate_report())
            assert answer


# ---- the stack's own resources ----


@contextmanager
def changed(call: Callable[[], Any], back: Callable[[], Any]) -> Iterator[None]:
    call()
    try:
        yield
    finally:
        back()


def verdict_of(cloud: LocalCloud, check: str, **parameters: str) -> tuple[str, str]:
    finding = found_on(stack(cloud, **parameters))[check]
    assert finding.verdict == "ok" or finding.cure
    return finding.verdict, finding.found


def test_a_table_that_cannot_be_restored_or_can_be_deleted(cloud: LocalCloud) -> None:
    dynamodb, table = cloud.client("dynamodb"), cloud.resource("ContactsTable")

    def recovery(on: bool) -> None:
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
        )

    def protection(on: bool) -> None:
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=on)

    with changed(lambda: recovery(False), lambda: recovery(True)):
        assert verdict_of(cloud, "table recovery") == ("problem", "ContactsTable: no recovery")
    with changed(lambda: protection(False), lambda: protection(True)):
        assert verdict_of(cloud, "table protection") == ("problem", "ContactsTable: can be deleted")
    assert verdict_of(cloud, "table protection", DeletionProtection="false")[0] == "warning"


def test_evidence_that_is_locked_otherwise_than_the_parameters_say(cloud: LocalCloud) -> None:
    assert verdict_of(cloud, "evidence lock", EvidenceLock="COMPLIANCE")[0] == "problem"
    assert verdict_of(cloud, "evidence lock", EvidenceRetentionDays="3650")[0] == "problem"
    plain = {**cloud.outputs, "EvidenceBucketName": cloud.outputs["WorkBucketName"]}
    target = Deployment("stack exnotify", plain, cloud.client, {**cloud.parameters, "EvidenceLock": "NONE"})
    assert found_on(target)["evidence lock"].verdict == "warning"


def test_objects_logs_that_go_earlier_than_the_parameters_say(cloud: LocalCloud) -> None:
    verdict, found = verdict_of(cloud, "expiry of objects", RecordRetentionDays="200")
    assert verdict == "problem"
    assert "DropBucket: 120, wanted 200 days" in found
    assert "parts/ 120" in found
    assert verdict_of(cloud, "log retention", LogRetentionDays="365")[0] == "problem"
    logs, group = cloud.client("logs"), cloud.resource("StageRunLogs")
    with changed(
        lambda: logs.delete_retention_policy(logGroupName=group),
        lambda: logs.put_retention_policy(logGroupName=group, retentionInDays=90),
    ):
        assert verdict_of(cloud, "log retention") == (
            "problem", "StageRunLogs: without end, not 90 days"
        )  # fmt: skip


def test_a_key_that_is_off_or_does_not_rotate_and_a_secret_that_goes(cloud: LocalCloud) -> None:
    kms, key = cloud.client("kms"), cloud.resource("TopicKey")
    with changed(lambda: kms.disable_key(KeyId=key), lambda: kms.enable_key(KeyId=key)):
        assert verdict_of(cloud, "KMS keys") == ("problem", "TopicKey: Disabled")
    with changed(lambda: kms.disable_key_rotation(KeyId=key), lambda: kms.enable_key_rotation(KeyId=key)):
        assert verdict_of(cloud, "KMS rotation")[0] == "problem"
    secrets, name = cloud.client("secretsmanager"), cloud.resource("LinkKeys")
    with changed(lambda: secrets.delete_secret(SecretId=name), lambda: secrets.restore_secret(SecretId=name)):
        assert verdict_of(cloud, "secrets kept") == ("problem", "LinkKeys: is to be deleted")


def test_alarms_that_page_nobody(cloud: LocalCloud) -> None:
    sns = cloud.client("sns")
    topics = {name: cloud.resource(name) for name in ("AlarmTopic", "ItTopic")}
    for topic in topics.values():
        for row in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
            sns.unsubscribe(SubscriptionArn=row["SubscriptionArn"])
    channels = cloud.resource("AlertChannels")
    before = cloud.client("secretsmanager").get_secret_value(SecretId=channels)["SecretString"]
    try:
        assert verdict_of(cloud, "alarm topic") == ("problem", "nobody is subscribed")
        assert verdict_of(cloud, "team topics")[0] == "ok", "the secret names a web hook"
        for text in (
            '{"slack": "", "webhook_secret": "as every stack has from the start"}',
            '{"slack/compliance": "https://hooks.example.com/1"}',
            '["https://hooks.example.com/1"]',
        ):
            cloud.client("secretsmanager").put_secret_value(SecretId=channels, SecretString=text)
            assert verdict_of(cloud, "team topics") == ("warning", "nobody is subscribed to ItTopic")
        text = '{"slack/it": "https://hooks.example.com/1"}'
        cloud.client("secretsmanager").put_secret_value(SecretId=channels, SecretString=text)
        assert verdict_of(cloud, "team topics")[0] == "ok"
    finally:
        cloud.client("secretsmanager").put_secret_value(SecretId=channels, SecretString=before)
        for topic in topics.values():
            sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint="+12029180199")


def test_what_a_stack_does_not_list_or_name_is_unknown(cloud: LocalCloud) -> None:
    class Empty:
        """CloudFormation's answer for a stack without resources."""

        meta = cloud.client("cloudformation").meta

        def get_paginator(self, operation: str) -> Any:
            return self

        def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803 - CloudFormation's name
            return [{"StackResourceSummaries": []}]

    target = stack(cloud, lambda service: Empty() if service == "cloudformation" else cloud.client(service))
    rows = (
        "secrets kept", "concurrency", "functions", "tables", "expiry of objects", "log retention", "KMS keys"
    )  # fmt: skip
    found = found_on(target)
    assert {check: found[check].verdict for check in rows} == dict.fromkeys(rows, "unknown")
    outputs = {name: value for name, value in cloud.outputs.items() if name != "EvidenceBucketName"}
    finding = found_on(replace(stack(cloud), outputs=outputs))["evidence lock"]
    assert (finding.verdict, "EvidenceBucketName" in finding.found) == ("unknown", True)
    assert "resolver" not in finding.cure


def test_a_subscription_that_waits_for_its_confirmation_pages_nobody(cloud: LocalCloud) -> None:
    class Pending:
        """SNS with a subscription by e-mail; moto confirms every one at once."""

        def get_paginator(self, operation: str) -> Any:
            return self

        def paginate(self, TopicArn: str) -> list[dict[str, Any]]:  # noqa: N803 - SNS's name
            return [{"Subscriptions": [{"SubscriptionArn": "PendingConfirmation", "Protocol": "email"}]}]

    target = stack(cloud, lambda service: Pending() if service == "sns" else cloud.client(service))
    finding = found_on(target)["alarm topic"]
    assert (finding.verdict, finding.found) == ("problem", "1 subscriptions wait for confirmation")


class Answers:
    """A cloud's clients, but for Lambda's answers: an account as AWS has them and the embedded cloud has not."""

    def __init__(self, cloud: LocalCloud, limit: int, change: Callable[[list[dict[str, Any]]], Any]) -> None:
        rows = cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        change(rows)
        self._cloud, self._rows, self._limit = cloud, rows, limit

    def __call__(self, service: str) -> Any:
        return self if service == "lambda" else self._cloud.client(service)

    def get_paginator(self, operation: str) -> Any:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"EventSourceMappings": self._rows[:5]}, {"EventSourceMappings": self._rows[5:]}]

    def get_function_concurrency(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803 - Lambda's name
        return {}

    def get_account_settings(self) -> dict[str, Any]:
        limits = {"ConcurrentExecutions": self._limit + 100, "UnreservedConcurrentExecutions": self._limit}
        return {"AccountLimit": limits}


@pytest.mark.parametrize(
    ("limit", "change", "check", "verdict", "says"),
    [
        (1000, lambda rows: None, "concurrency", "ok", "of 1000 unreserved (1100 in the account)"),
        (110, lambda rows: None, "concurrency", "warning", "100 wanted"),
        (10, lambda rows: None, "concurrency", "problem", "100 wanted"),
        (1000, lambda rows: rows[0].update(State="Disabled"), "event sources", "problem", "off: "),
        (1000, lambda rows: rows.pop(), "event sources", "problem", "1 of 14 are gone"),
        (1000, lambda rows: rows[6].update(ScalingConfig={}), "event source limits", "warning", "without: "),
        (1000, lambda rows: rows.append({**rows[0], "UUID": "another stack's"}), "concurrency", "ok", "100 wanted"),
    ],
)  # fmt: skip
def test_lambda_s_concurrency(
    cloud: LocalCloud, limit: int, change: Any, check: str, verdict: str, says: str
) -> None:
    finding = found_on(stack(cloud, Answers(cloud, limit, change)))[check]
    assert (finding.verdict, says in finding.found) == (verdict, True), finding


def test_a_function_that_is_off_or_held_below_its_queues(cloud: LocalCloud) -> None:
    client, name = cloud.client("lambda"), cloud.resource("SendNoticesFunction")
    functions = [r for r in cloud.describe()["resources"].values() if r["type"] == "AWS::Lambda::Function"]

    def reserve(most: int) -> Callable[[], Any]:
        return lambda: client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most)

    def free() -> None:
        client.delete_function_concurrency(FunctionName=name)

    assert verdict_of(cloud, "functions") == ("ok", f"{len(functions)}, 0 with reserved concurrency")
    with changed(reserve(0), free):
        assert verdict_of(cloud, "functions") == ("problem", "off: SendNoticesFunction")
    with changed(reserve(5), free):
        assert verdict_of(cloud, "functions") == ("warning", "reserved: SendNoticesFunction 5 of 14 wanted")
        assert "of 995 unreserved" in verdict_of(cloud, "concurrency")[1]
    with changed(reserve(20), free):
        assert verdict_of(cloud, "functions") == ("ok", f"{len(functions)}, 1 with reserved concurrency")


# ---- what may not be looked at ----


def test_without_permission_nothing_is_fine_and_nothing_is_broken(cloud: LocalCloud) -> None:
    role = cloud.client("sts").assume_role(
        RoleArn=cloud.describe()["resources"]["AnswerEligibilityRole"]["arn"], RoleSessionName="doctor"
    )["Credentials"]
    session = boto3.session.Session(
        role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"], region_name="us-east-1"
    )
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        made.setdefault(service, session.client(service, endpoint_url=cloud.url))
        return made[service]

    def unanswered(name: str, kind: str) -> list[str]:
        raise LookupError("no resolver answers")

    found = examine(stack(cloud, client), unanswered)
    named = {finding.check: finding for finding in found}
    assert named["SES account"].found == "not permitted: ses:GetAccount"
    assert named["SES account"].cure == "allow ses:GetAccount to whoever runs this"
    judged = {finding.check for finding in found if finding.verdict != "unknown"}
    own = {check for check in judged if check.startswith("secret ")}  # the role reads two secrets
    assert judged - own == {"parameters"}, "what is known without asking anybody"
    # Each check says so, in a row of its own.
    assert {check.name for check in CHECKS} - set(named) <= {"secrets", "DNS of the sender"}
    assert len(found) >= len(CHECKS)


# ---- derived, so that they cannot be forgotten ----


def test_needed_events_are_those_that_the_reader_acts_on() -> None:
    assert ses_events() == {
        "BOUNCE", "COMPLAINT", "DELIVERY", "DELIVERY_DELAY", "REJECT", "RENDERING_FAILURE"
    }  # fmt: skip
    model = boto3.session.Session()._session.get_service_model("sesv2")
    assert ses_events() <= set(model.shape_for("EventType").enum)
    known = boto3.session.Session()._session.get_service_model("pinpoint-sms-voice-v2")
    assert sms_events() <= set(known.shape_for("EventType").enum)
    assert {"TEXT_DELIVERED", "TEXT_SUCCESSFUL", "TEXT_INVALID", "TEXT_PROTECT_BLOCKED"} <= sms_events()


def test_every_word_that_aws_opts_out_on_is_a_stop_here() -> None:
    assert {meaning_of(word) for word in OPT_OUT_WORDS} == {"stop"}


def test_json_names_are_stable(cloud: LocalCloud) -> None:
    from dataclasses import asdict

    rows = json.loads(json.dumps([asdict(finding) for finding in examine(stack(cloud), resolve)]))
    assert {frozenset(row) for row in rows} == {frozenset({"check", "verdict", "found", "cure"})}


def test_a_channel_that_is_dead_and_a_team_that_nothing_reaches(cloud: LocalCloud) -> None:
    dynamodb, table = cloud.client("dynamodb"), cloud.resource("IncidentsTable")
    assert verdict_of(cloud, "alert channels") == ("ok", "none is known to be dead; 0 have taken an alert")
    for channel, check in (("slack", "channel slack of it"), (TEAM, "team it")):
        state = ChannelState("it", channel, "a1", dead_since="2026-11-20T15:00:00+00:00", why="HTTP 404")
        key = {"pk": {"S": KEY}, "sk": {"S": f"it/{channel}"}}
        with changed(
            lambda state=state: DynamoChannelBook(dynamodb, table).save(state),
            lambda key=key: dynamodb.delete_item(TableName=table, Key=key),
        ):
            assert verdict_of(cloud, check) == ("problem", "since 2026-11-20T15:00:00+00:00: HTTP 404")
