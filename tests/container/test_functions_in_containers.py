"""Each function takes its example event in a container, from the layer as it is built for Lambda.

The events are those of `events/`; which function gets one is what the template says: the event names its
queue, rule or route, or has what a state machine hands on, and the template names the function. Where an
event points to things that must exist (a run, a notice, a link), they are made first, and the pointer is
exchanged for the one that was made.
"""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exnotify.courier import hook_secret_of
from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.form_tokens import make_form_token
from exstream_notify.domain.incidents import Incident
from exstream_notify.domain.journeys import Cohort
from exstream_notify.domain.notices import Notice, Status
from exstream_notify.domain.responses import ResponseEvent
from tests.container import sam
from tests.container.conftest import StillCloud
from tests.needs import ROOT

EVENTS = sorted((ROOT / "events").glob("*.json"))

MORNING = "2026-11-20T14:05:00+00:00"
LETTER = {"document_type": "claim-letter", "language": "en", "time_zone": "America/New_York"}
STATEMENT = {**LETTER, "document_type": "statement"}
RENEWAL = {**LETTER, "document_type": "renewal-notice"}
REMINDER = {
    **LETTER,
    "document_type": "payment-reminder",
    "amount_due": "120.50",
    "currency": "USD",
    "due_date": "2026-12-01",
}


def function_of(event: Mapping[str, Any], template: Mapping[str, Any]) -> str:
    """Logical id of the function that the template feeds from the event's queue, route, rule or machine."""
    if "Records" in event:
        [queue] = {record["eventSourceARN"].rpartition(":")[2] for record in event["Records"]}
        found = [name for name, _, told in sources(template) if told.get("Queue") == _arn_of(queue)]
    elif "routeKey" in event:
        found = [
            name
            for name, _, told in sources(template)
            if event["routeKey"] == f"{told.get('Method')} {told.get('Path')}"
        ]
    elif "resources" in event:
        # SAM names the rule of a schedule after the function and the event.
        [rule] = {arn.rpartition("/")[2] for arn in event["resources"]}
        found = [
            name for name, source, told in sources(template) if rule == name + source and "Schedule" in told
        ]
    else:
        found = [function for asked, function in tasks(template) if asked <= event.keys()]
    [function] = found
    return function


def sources(template: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every event source: its function, its name there, its properties."""
    for name, properties in sam.functions(template).items():
        for source, entry in properties.get("Events", {}).items():
            yield name, source, entry["Properties"]


def tasks(template: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    """Every function that a state machine invokes with its own state, and what the machine reads of that.

    Left out is what an answer or a caught failure adds on the way.
    """
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::Serverless::StateMachine":
            continue
        properties = resource["Properties"]
        text = (ROOT / properties["DefinitionUri"]).read_text(encoding="utf-8")
        states = json.loads(text)["States"].values()
        added = {choice["Variable"] for state in states for choice in state.get("Choices", ())}
        added |= {caught["ResultPath"] for state in states for caught in state.get("Catch", ())}
        read = set(re.findall(r"\$\.\w+", text)) - added - {"$.Payload"}
        for state in states:
            name = state.get("Parameters", {}).get("FunctionName", "")
            if found := re.fullmatch(r"\$\{(\w+)\}", name):
                [function, _] = properties["DefinitionSubstitutions"][found[1]]["Fn::GetAtt"]
                yield {path.removeprefix("$.") for path in read}, function


def _arn_of(queue: str) -> Mapping[str, Any]:
    return {"Fn::GetAtt": [queue, "Arn"]}


def example(name: str) -> dict[str, Any]:
    """An event file."""
    return dict(json.loads((ROOT / "events" / f"{name}.json").read_text(encoding="utf-8")))


def as_sent(event: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The event with another body in its one record, of the same shape as the one it shows."""
    [record] = event["Records"]
    assert json.loads(record["body"]).keys() == body.keys(), "the example shows another shape"
    return {"Records": [{**record, "body": json.dumps(body)}]}


class Stage:
    """The ways to get an event's function to where it can run, and to tell what it did.

    `name` is the event's: runs and customers are made of it, so no scene is in the way of another.
    """

    def __init__(self, still: StillCloud, name: str, event: dict[str, Any]) -> None:
        self.still = still
        self.name = name
        self.event = event
        self.answer: Any = None
        self.number = [path.stem for path in EVENTS].index(name) if name in SCENES else len(EVENTS)
        self.run_id = name.replace("_", "-")
        self.email = f"c{4_000_000 + self.number}@example.com"
        self.mobile = f"+120255501{self.number:02d}"
        self.customer = f"C{4_000_000 + self.number}"

    def record(self, kind: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """A document's record, of this scene's customer."""
        named = {"customer_key": self.customer, "document_id": f"{self.customer}-DOC", "email": self.email}
        return {**kind, **named, "reference_no": f"REF-{4_000_000 + self.number}", **more}

    def sealed_run(self, domain: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """A run in the drop bucket, and the event of its seal."""
        self.still.drop(domain, self.run_id, **record)
        text = json.dumps(example("uc1_run_sealed"))
        text = text.replace("drop-bucket", self.still.cloud.resource("DropBucket"))
        return dict(json.loads(text.replace("drop/retail/uc1-statements", f"drop/{domain}/{self.run_id}")))

    def staged_slice(self, domain: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """The pointer to the one slice of a staged run."""
        self.still.here("StageRunFunction", self.sealed_run(domain, record))
        [pointer] = self.still.take("DecideQueue")
        return pointer

    def decided(self, queue: str, domain: str, record: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What deciding a run put into a queue."""
        pointer = self.staged_slice(domain, record)
        self.still.here("DecideNoticesFunction", as_sent(example("uc4_slice_staged"), pointer))
        return self.still.take(queue)

    def sent(self, domain: str, record: Mapping[str, Any]) -> Notice:
        """The notice of a document, sent by e-mail."""
        [job] = self.decided("EmailQueue", domain, record)
        self.still.here("SendNoticesFunction", as_sent(example("uc6_job_decided"), job))
        notice = self.notice(domain, record["customer_key"])
        assert notice.status == Status.SENT
        return notice

    def known(self, domain: str, **more: Any) -> Contact:
        """A customer whom we know from a letter."""
        record = self.record(LETTER, **more)
        self.sent(domain, record)
        return self.contact(domain, record["customer_key"])

    def notice(self, domain: str, customer: str = "") -> Notice:
        """The ledger's notice of a customer's document."""
        found = self.still.app.ledger.of_customer(domain, customer or self.customer)
        [notice] = [n for n in found if n.audience == "customer" and n.purpose == "notice"]
        return notice

    def contact(self, domain: str, customer: str = "") -> Contact:
        """A customer's contact as it stands."""
        key = customer or self.customer
        return self.still.app.contacts.get(domain, [key])[key]

    def exchange(self, old: str, new: str) -> None:
        """What was made, in place of what the event shows."""
        text = json.dumps(self.event)
        assert old in text
        self.event = json.loads(text.replace(old, new))

    def follow(self, link: str) -> str:
        """Let the request be for a link that was made; its token."""
        token = link.rpartition("/")[2]
        self.exchange(self.event["pathParameters"]["token"], token)
        return token

    def raised(self, code: str) -> dict[str, Any]:
        """The exception of a code that gets to the teams' queue; the bus takes its time."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            for body in self.still.take("ExceptionQueue"):
                if body["detail"]["code"] == code:
                    return dict(body["detail"])
            time.sleep(0.1)
        raise AssertionError(f"{code} was not raised")

    def messages(self, address: str) -> list[str]:
        """What the provider took for an address."""
        return [message.text for message in self.still.simulators.store if message.to == address]


Effect = Callable[[], None]


def ops_five_minutes(stage: Stage) -> Effect:
    """A run that was staged and of which nobody was told → looked at, and still watched."""
    stage.staged_slice("claims", stage.record(LETTER))

    def effect() -> None:
        assert stage.answer["runs_silent"] >= 1
        assert f"claims/{stage.run_id}" in [run.name for run in stage.still.app.runs.open()]

    return effect


def uc1_run_sealed(stage: Stage) -> Effect:
    """A sealed run in the drop bucket → a pointer to its slice."""
    stage.event = stage.sealed_run("retail", stage.record(STATEMENT))

    def effect() -> None:
        [pointer] = stage.still.take("DecideQueue")
        assert (pointer["domain"], pointer["run_id"], pointer["count"]) == ("retail", stage.run_id, 1)

    return effect


def uc2_document_composed(stage: Stage) -> Effect:
    """A document as an event → a pointer to it."""

    def effect() -> None:
        [pointer] = stage.still.take("DecideQueue")
        assert (pointer["domain"], pointer["count"]) == ("insurance", 1)

    return effect


def uc3_minute(stage: Stage) -> Effect:
    """A notice that the night deferred → a pointer to decide it again, in the morning."""
    record = stage.record(REMINDER, mobile=stage.mobile)
    del record["email"]
    assert stage.decided("SmsQueue", "collections", record) == [], "deferred, not sent"

    def effect() -> None:
        assert [p["run_id"] for p in stage.still.take("DecideQueue")].count(stage.run_id) == 1

    return effect


def uc4_slice_staged(stage: Stage) -> Effect:
    """A staged slice → a job for the e-mail worker."""
    stage.event = as_sent(stage.event, stage.staged_slice("claims", stage.record(LETTER)))

    def effect() -> None:
        [job] = stage.still.take("EmailQueue")
        assert (job["channel"], len(job["members"])) == ("email", 1)

    return effect


def uc5_exception_raised(stage: Stage) -> Effect:
    """An exception → an incident."""
    stage.exchange("uc4-cases", stage.run_id)

    def effect() -> None:
        [incident] = stage.still.app.incidents.of_run("claims", stage.run_id)
        assert "customers_missing" in incident.codes

    return effect


def uc5_flow_step_failed(stage: Stage) -> Effect:
    """A step of a flow that failed → an incident that names it and the code in its messages."""
    stage.exchange("uc5-night", stage.run_id)

    def effect() -> None:
        codes = {
            code for found in stage.still.app.incidents.of_run("claims", stage.run_id) for code in found.codes
        }
        assert {"step_failed", "EX004120E"} <= codes

    return effect


def uc5_five_minutes(stage: Stage) -> Effect:
    """A message in a dead-letter queue → an exception that names the queue."""
    letters = stage.still.cloud.resource("DecideDeadLetters")
    stage.still.cloud.client("sqs").send_message(QueueUrl=letters, MessageBody="{}")

    def effect() -> None:
        assert stage.answer == {"dead_letters": 1}
        assert stage.raised("dead_letters")["part"] == letters.rpartition("/")[2]

    return effect


def opened_incident(stage: Stage) -> Incident:
    """An incident that waits for somebody."""
    told = json.dumps(example("uc5_exception_raised")).replace("uc4-cases", stage.run_id)
    stage.still.here("AlertExceptionFunction", json.loads(told))
    [found] = stage.still.app.incidents.of_run("claims", stage.run_id)
    assert found.status == "open"
    return found


def uc5_pagerduty_acknowledged(stage: Stage) -> Effect:
    """Somebody acknowledges the page in PagerDuty → the incident has somebody."""
    before = opened_incident(stage)
    secret = "signing-secret-of-the-hook"
    stage.still.cloud.client("secretsmanager").put_secret_value(
        SecretId=stage.still.cloud.resource("AlertChannels"),
        SecretString=json.dumps({"pagerduty_webhook_secret": secret}),
    )
    body = stage.event["body"].replace("0" * 32, before.incident_id)
    signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {**stage.event["headers"], "x-pagerduty-signature": f"v1={signature}"}
    stage.event = {**stage.event, "body": body, "headers": headers}

    def effect() -> None:
        assert stage.answer["statusCode"] == 202
        [after] = stage.still.app.incidents.of_run("claims", stage.run_id)
        assert after.status == "acknowledged"
        assert "PagerDuty (PLH1HKV)" in json.dumps(after.head.history)

    return effect


def uc5_incident_acknowledged(stage: Stage) -> Effect:
    """Somebody presses the button behind an incident's link → the incident has somebody."""
    incidents = stage.still.app.incidents
    before = opened_incident(stage)
    token = stage.follow(stage.still.app.incident_link(before.incident_id))

    def effect() -> None:
        assert (stage.answer["statusCode"], stage.answer["headers"]["Location"]) == (303, f"/i/{token}")
        [after] = incidents.of_run("claims", stage.run_id)
        assert after.status == "acknowledged"
        assert "Operations on call" in json.dumps(after.head.history)

    return effect


def uc5_messages_landed(stage: Stage) -> Effect:
    """The composer's message file → an exception of its code, with the customer's number in the run."""
    stage.exchange("uc5-night", stage.run_id)
    bucket = stage.still.cloud.resource("DropBucket")
    stage.exchange("drop-bucket", bucket)
    stage.still.cloud.client("s3").put_object(
        Bucket=bucket,
        Key=f"drop/claims/{stage.run_id}/messages.dat",
        Body=b"2026-11-20 04:10:00 EX004711E (7) The address of the customer is missing\n",
    )

    def effect() -> None:
        raised = stage.raised("EX004711E")
        assert (raised["run_id"], raised["count"], raised["customers"]) == (stage.run_id, 1, "7")

    return effect


def uc6_customer_responded(stage: Stage) -> Effect:
    """Responses before any notice → the notices that need not be sent any more."""

    def effect() -> None:
        early = stage.still.app.early_responses
        renewal = ResponseEvent("responded", "insurance", "C0500001", "D0500001-REN").subject
        policy = ResponseEvent("acknowledged", "insurance", "C0200001", "D0200001-POL").subject
        overdue = ResponseEvent("paid", "lending", "C0300001", "D0300001-OVE").subject
        kept = early.on("insurance", [renewal, policy])
        assert {subject: response.kind for subject, response in kept.items()} == {
            renewal: "responded",
            policy: "acknowledged",
        }
        [payment] = early.on("lending", [overdue])[overdue].payments
        assert (payment.fact.amount, payment.fact.currency) == ("10.00", "USD")

    return effect


def uc6_job_decided(stage: Stage) -> Effect:
    """A decided job → a message at the provider."""
    [job] = stage.decided("EmailQueue", "claims", stage.record(LETTER))
    stage.event = as_sent(stage.event, job)

    def effect() -> None:
        assert len(stage.messages(stage.email)) == 1
        assert stage.notice("claims").status == Status.SENT

    return effect


def uc6_link_looked_at(stage: Stage) -> Effect:
    """The link of a notice, looked at → its page, and nothing is changed by that."""
    before = stage.sent("claims", stage.record(LETTER))
    stage.follow(stage.still.app.link_for(before.notice_id))

    def effect() -> None:
        assert stage.answer["statusCode"] == 200
        assert '<html lang="en"' in stage.answer["body"]
        assert "<form" in stage.answer["body"]
        assert stage.notice("claims") == before

    return effect


def uc7_cohort_due(stage: Stage) -> Effect:
    """A notice that nobody answered, its cohort due → a pointer to remind, and a place in the next cohort."""
    cohort = enrolled(stage, "insurance")
    about = {"hour": cohort.hour, "due_at": cohort.due.strftime("%Y-%m-%dT%H:%M:%SZ")}
    stage.event |= about

    def effect() -> None:
        assert stage.answer == {**stage.event, "page": 2, "more": True}
        [pointer] = [p for p in stage.still.take("DecideQueue") if p["run_id"] == stage.run_id]
        assert pointer["purpose"] == "step:renewal-reminder:1"
        assert cohorts_of(stage, "insurance") == [(2, 1)]

    return effect


def uc7_minute(stage: Stage) -> Effect:
    """A cohort that is due within days → an execution of the state machine that waits for its hour."""
    cohort = enrolled(stage, "lending")

    def effect() -> None:
        assert stage.answer["started"] >= 1
        assert stage.still.app.executions.runs(cohort, 1)

    return effect


def enrolled(stage: Stage, domain: str) -> Cohort:
    """The cohort that the notice of a renewal joins."""
    stage.sent(domain, stage.record(RENEWAL))
    [cohort] = [
        state.cohort for state, _ in stage.still.app.journeys.all_cohorts() if state.cohort.domain == domain
    ]
    assert (cohort.journey, cohort.step) == ("renewal-reminder", 1)
    return cohort


def cohorts_of(stage: Stage, domain: str) -> list[tuple[int, int]]:
    """Step and members of a domain's cohorts that have any."""
    found = stage.still.app.journeys.all_cohorts()
    return [(state.cohort.step, size) for state, size in found if state.cohort.domain == domain and size]


def uc8_change_undone(stage: Stage) -> Effect:
    """A new address that waits for its three days, undone from the old one → nothing waits."""
    contact = stage.known("claims")
    portal = example("uc8_portal_changed")
    body = json.loads(portal["Records"][0]["body"])
    body["id"] = stage.run_id
    new = {"email": f"new-{stage.email}", "verified": True}
    body["detail"] = {"domain": "claims", "customer_key": stage.customer, **new}
    stage.still.here("RecordPreferencesFunction", as_sent(portal, body))
    [change] = stage.contact("claims").changing
    stage.follow(stage.still.app.undo_for(contact.salt, change.change_id))

    def effect() -> None:
        assert stage.answer["statusCode"] == 200
        after = stage.contact("claims")
        assert not after.changing
        assert after.email is not None
        assert after.email.value == stage.email

    return effect


def uc8_customer_unsubscribed(stage: Stage) -> Effect:
    """One click of a mail program → no more e-mail of this topic."""
    contact = stage.known("claims")
    assert not contact.opted_out("email", "cases")
    stage.follow(stage.still.app.unsubscribe_for(contact.salt, "cases"))

    def effect() -> None:
        assert stage.answer["statusCode"] == 200
        assert stage.contact("claims").opted_out("email", "cases")

    return effect


def uc8_day(stage: Stage) -> Effect:
    """The hour of the export → a message for each segment of the table."""

    def effect() -> None:
        tasks = stage.still.take("ExportQueue")
        assert {task["step"] for task in tasks} == {"sort"}
        assert sorted(task["segment"] for task in tasks) == list(range(stage.answer["segments"]))
        assert {task["export"] for task in tasks} == {stage.answer["export"]}

    return effect


def uc8_eligibility_asked(stage: Stage) -> Effect:
    """A question of Exstream's, of one customer whom we know and one whom we do not → both answered."""
    stage.known("retail", customer_key="C0800001", document_type="statement")
    token = stage.still.app.eligibility_tokens()["exstream"]
    stage.exchange("the-token-of-the-stack", token)

    def effect() -> None:
        assert stage.answer["statusCode"] == 200, stage.answer
        told = json.loads(stage.answer["body"])["customers"]
        assert [(one["customer_key"], one["known"]) for one in told] == [
            ("C0800001", True),
            ("C0800002", False),
        ]
        assert {d["document_type"]: d["channel"] for d in told[0]["documents"]} == {
            "statement": "email",
            "claim-letter": "email",
        }

    return effect


def uc8_export_step(stage: Stage) -> Effect:
    """A segment to sort → its rows in the work bucket, and the merge queued."""
    stage.known("claims")

    def effect() -> None:
        [merge] = stage.still.take("ExportQueue")
        assert (merge["step"], merge["segments"]) == ("merge", 1)
        rows = list(stage.still.app.exports.read_sorted(merge["export"], 0))
        assert rows == sorted(rows)
        assert any(stage.customer.encode() in row for row in rows)

    return effect


def uc8_portal_changed(stage: Stage) -> Effect:
    """What a customer set in the portal → the contact's, and the old address told of the new one."""
    stage.known("retail", customer_key="C0800003")

    def effect() -> None:
        after = stage.contact("retail", "C0800003")
        assert (after.language, after.quiet_hours) == ("de", ("09:00", "18:00"))
        assert after.opted_out("sms", "statements")
        [change] = after.changing
        assert change.address.value == "new-c0800003@example.com"
        assert "/p/undo/" in stage.messages(stage.email)[-1]

    return effect


def uc8_preferences_changed(stage: Stage) -> Effect:
    """A form of the page that a customer was shown → no more messages that can be left, once."""
    contact = stage.known("claims")
    app = stage.still.app
    token = stage.follow(app.preferences_for(contact.salt))
    form = make_form_token(app.form_keys()[0], token, contact.version, app.clock.now())
    stage.event["body"] = f"action=leave&form={form}"

    def effect() -> None:
        assert (stage.answer["statusCode"], stage.answer["headers"]["Location"]) == (
            303,
            f"/p/{token}?done=left",
        )
        after = stage.contact("claims")
        assert after.version == contact.version + 1
        assert after.opt_outs

    return effect


def uc8_quarter_of_an_hour(stage: Stage) -> Effect:
    """A message without a receipt, the next day → the provider is asked, and what it says is recorded."""
    notice = stage.sent("claims", stage.record(LETTER))

    def watched() -> list[int]:
        after = "2026-11-25T00:00:00+00:00"
        found = stage.still.app.watch.due(datetime.fromisoformat(after), 1000)
        return [row.polls for row in found if notice.notice_id in row.notices]

    assert watched() == [0]

    def effect() -> None:
        assert stage.answer["asked"] >= 1
        assert stage.notice("claims").status == Status.DELIVERED
        assert watched() == [], "nothing is left to ask"

    return effect


def uc8_receipt_bounced(stage: Stage) -> Effect:
    """A bounce of a notice → the notice bounced, its address of no use to anybody any more."""
    notice = stage.sent("claims", stage.record(LETTER))
    stage.exchange("0123456789abcdef0123456789abcdef", notice.notice_id)
    stage.exchange("c100001@example.com", stage.email)

    def effect() -> None:
        assert stage.notice("claims").status == Status.BOUNCED
        email = stage.contact("claims").email
        assert email is not None
        assert email.status == "invalid"
        assert stage.still.app.suppressions.suppressed([("email", stage.email)])

    return effect


def uc8_sms_reply(stage: Stage) -> Effect:
    """STOP by SMS → no more SMS to this number, and that confirmed."""
    stage.known("claims", mobile=stage.mobile)
    stage.exchange("+12025550142", stage.mobile)
    # A confirmation of a STOP goes out within five minutes of it, or not at all.
    stage.exchange("2026-11-25T15:00:00.000Z", stage.still.app.clock.now().isoformat())

    def effect() -> None:
        assert stage.contact("claims").opted_out("sms", "cases")
        assert stage.still.app.opt_outs.stopped_by("sms", stage.mobile)
        assert len(stage.messages(stage.mobile)) == 1

    return effect


def uc8_status_pushed(stage: Stage) -> Effect:
    """A provider's push with the secret → its status on the receipt queue."""
    name = stage.still.cloud.resource("ReceiptHookSecret")
    stage.exchange("the-secret-of-the-stack", hook_secret_of(stage.still.cloud.client, name))

    def effect() -> None:
        assert stage.answer["statusCode"] == 202
        assert stage.still.take("ReceiptQueue") == [json.loads(stage.event["body"])]

    return effect


#: What must be there before an event, and what must be there after, by the event file's name.
SCENES: Mapping[str, Callable[[Stage], Effect]] = {
    scene.__name__: scene
    for scene in (
        ops_five_minutes,
        uc1_run_sealed,
        uc2_document_composed,
        uc3_minute,
        uc4_slice_staged,
        uc5_exception_raised,
        uc5_five_minutes,
        uc5_flow_step_failed,
        uc5_incident_acknowledged,
        uc5_messages_landed,
        uc5_pagerduty_acknowledged,
        uc6_customer_responded,
        uc6_job_decided,
        uc6_link_looked_at,
        uc7_cohort_due,
        uc7_minute,
        uc8_change_undone,
        uc8_customer_unsubscribed,
        uc8_day,
        uc8_eligibility_asked,
        uc8_export_step,
        uc8_portal_changed,
        uc8_preferences_changed,
        uc8_quarter_of_an_hour,
        uc8_receipt_bounced,
        uc8_sms_reply,
        uc8_status_pushed,
    )
}
#: Events that come at another time than the cloud's night.
AT: Mapping[str, str] = {
    "ops_five_minutes": "2026-11-20T08:30:00+00:00",
    "uc3_minute": MORNING,
    "uc7_cohort_due": "2026-11-27T16:00:00+00:00",
    "uc7_minute": "2026-11-21T14:05:00+00:00",
    "uc8_quarter_of_an_hour": "2026-11-21T06:00:00+00:00",
}
#: What a request answers that shows nothing genuine: no link, token or secret of this stack.
AS_IT_IS: Mapping[str, int] = {
    "uc5_incident_acknowledged": 404,
    "uc5_pagerduty_acknowledged": 401,
    "uc6_link_looked_at": 404,
    "uc8_change_undone": 404,
    "uc8_customer_unsubscribed": 404,
    "uc8_eligibility_asked": 401,
    "uc8_preferences_changed": 404,
    "uc8_status_pushed": 401,
}


@pytest.mark.container
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_function_does_its_work_in_a_container(path: Path, still_cloud: StillCloud) -> None:
    still_cloud.empty()
    stage = Stage(still_cloud, path.stem, example(path.stem))
    function = function_of(stage.event, sam.load_template(ROOT / "template.yaml"))
    effect = SCENES[path.stem](stage)

    stage.answer = still_cloud.in_container(function, stage.event, AT.get(path.stem))

    if "Records" in stage.event:
        assert stage.answer == {"batchItemFailures": []}
    else:
        assert not (isinstance(stage.answer, dict) and "errorMessage" in stage.answer), stage.answer
    effect()


@pytest.mark.container
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", AS_IT_IS)
def test_a_request_that_shows_nothing_genuine_is_answered_all_the_same(
    name: str, still_cloud: StillCloud
) -> None:
    event = example(name)
    function = function_of(event, sam.load_template(ROOT / "template.yaml"))

    assert still_cloud.here(function, event)["statusCode"] == AS_IT_IS[name]


def test_every_event_has_a_scene_and_every_request_an_answer() -> None:
    assert list(SCENES) == [path.stem for path in EVENTS]
    assert set(AS_IT_IS) == {path.stem for path in EVENTS if "routeKey" in example(path.stem)}


def test_every_function_of_the_template_has_an_event_here() -> None:
    template = sam.load_template(ROOT / "template.yaml")
    fed = {function_of(example(path.stem), template) for path in EVENTS}

    assert fed == set(sam.functions(template))
