"""The rules of the stack as they are deployed: how complex EventBridge finds them, and which events they match."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from moto.events.models import EventPattern

from exnotify.cloud.complexity import LIMIT, complexity
from exnotify.cloud.eventbus import as_matched
from exnotify.cloud.intrinsics import Resolver
from exnotify.cloud.template import load_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = load_template(ROOT / "template.yaml", {}, "us-east-1")
RESOLVER = Resolver(TEMPLATE.body, TEMPLATE.parameters, {}, lambda name: name, lambda name, _: name)
RULES: dict[str, dict[str, Any]] = {
    name: RESOLVER.resolve(resource["Properties"])
    for name, resource in TEMPLATE.body["Resources"].items()
    if resource["Type"] == "AWS::Events::Rule" and "EventPattern" in resource["Properties"]
}


def test_the_rules_are_found() -> None:
    assert {"RunSealedRule", "IndexFileRule", "MessageFileRule", "JobFailedRule"} <= RULES.keys()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_not_too_complex_for_eventbridge(rule: str) -> None:
    found = complexity(RULES[rule]["EventPattern"])
    assert found <= LIMIT, "`Rule is too complex`: use suffixes, fewer stars, or a rule of its own for some"


@pytest.mark.parametrize("rule", RULES)
def test_a_pattern_is_not_too_long_for_eventbridge(rule: str) -> None:
    """2,048 characters: quota "Event pattern size", EventBridge user guide."""
    assert len(json.dumps(RULES[rule]["EventPattern"], separators=(",", ":"))) <= 2048


def wildcards(pattern: Any) -> Iterator[Any]:
    """What the wildcards of a pattern are, as the template writes it."""
    for key, inner in pattern.items() if isinstance(pattern, dict) else ():
        if key == "wildcard":
            yield from inner if isinstance(inner, list) else [inner]
        yield from wildcards(inner)
    for inner in pattern if isinstance(pattern, list) else ():
        yield from wildcards(inner)


@pytest.mark.parametrize("rule", RULES)
def test_no_parameter_makes_a_rule_more_complex(rule: str) -> None:
    """Its stars would be counted when a site deploys: write the wildcard in the template."""
    found = list(wildcards(TEMPLATE.body["Resources"][rule]["Properties"]["EventPattern"]))
    assert [wildcard for wildcard in found if not isinstance(wildcard, str)] == []


def matching(event: Any) -> set[str]:
    """The rules that match an event, as the embedded cloud matches it."""
    return {
        name
        for name, rule in RULES.items()
        if EventPattern.load(json.dumps(rule["EventPattern"])).matches_event(as_matched(event))
    }


def matching_key(key: str, bucket: str = "DropBucket") -> set[str]:
    """The rules that match a new object."""
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "size": 1}, "reason": "PutObject"}
    return matching({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("drop/retail/r1/_COMPLETE.json", {"RunSealedRule"}),
        ("drop/retail/Run A/_COMPLETE.json", {"RunSealedRule"}),
        ("retail/r1/_complete.json", {"RunSealedRule"}),
        ("_COMPLETE.json", {"RunSealedRule"}),
        ("drop/retail/r1/_STDDELIVERYFILE.xml", {"RunSealedRule", "MessageFileRule"}),
        ("drop/retail/r1/_STDDELIVERYFILE.xml.gz", {"RunSealedRule", "MessageFileRule"}),
        ("drop/retail/r1/billing.index.jsonl", {"IndexFileRule"}),
        ("drop/retail/r1/BILLING.INDEX.XML.GZ", {"IndexFileRule"}),
        ("drop/retail/r1/Messages.index.xml", {"IndexFileRule", "MessageXmlRule"}),
        ("drop/retail/r1/BILLING.INDEX.TXT", {"IndexFileRule"}),
        ("Drop/retail/billing.index.txt", {"IndexFileRule"}),
        ("drop/retail/billing.csv", {"IndexFileRule"}),
        ("drop/retail/billing.csv.gz", {"IndexFileRule"}),
        ("drop/retail/r1/ErrorReport.csv", {"IndexFileRule"}),
        ("drop/retail/r1/billing_errorreport-2.CSV.GZ", {"IndexFileRule"}),
        ("drop/retail/r1/exceptions.psv", {"IndexFileRule"}),
        ("drop/retail/r1/Billing.Exceptions.csv.gz", {"IndexFileRule"}),
        ("drop/retail/r1/nightly_messages.csv", {"IndexFileRule"}),
        ("drop/retail/r1/my-messages.xml", {"MessageXmlRule"}),
        ("drop/retail/r1/my-messages.xml.gz", {"MessageXmlRule"}),
        ("drop/retail/r1/ExstreamMessages.XML", {"MessageXmlRule"}),
        ("drop/retail/r1/EXSTREAMMESSAGES.xml.GZ", {"MessageXmlRule"}),
        ("drop/retail/r1/ExstreamMessages_20261129_0300.xml", {"MessageXmlRule"}),
        ("drop/retail/r1/EXSTREAMMESSAGES_20261129.XML", {"MessageXmlRule"}),
        ("drop/retail/r1/engine.log", {"MessageFileRule"}),
        ("drop/retail/r1/ExstreamMessages", {"MessageFileRule"}),
        ("drop/retail/r1/EXSTREAMMESSAGES.GZ", {"MessageFileRule"}),
        ("drop/retail/r1/ENGINE.ERR.GZ", {"MessageFileRule"}),
        ("drop/retail/r1/ExstreamMessages.TXT", {"MessageFileRule"}),
        ("drop/retail/r1/EXSTREAMMESSAGES_20261129.TXT", {"MessageFileRule"}),
        ("drop/retail/r1/ExstreamMessages.dat", {"MessageFileRule"}),
        ("drop/retail/r1/ExstreamMessages.dat.gz", {"MessageFileRule"}),
        ("retail/r1/EXSTREAMMESSAGES.DAT", {"MessageFileRule"}),
        ("drop/retail/r1/MESSAGES_20261129.DAT.GZ", {"MessageFileRule"}),
        ("drop/retail/r1/Exstream Messages 20261129.txt", {"MessageFileRule"}),
        ("drop/retail/r1/engine-messages.txt.gz", {"MessageFileRule"}),
        ("drop/retail/r1/ExstreamMessages.JSON", {"MessageFileRule"}),
        ("drop/retail/r1/logs/messages.json.gz", {"MessageFileRule"}),
        ("drop/retail/r1/nightly.messages", {"MessageFileRule"}),
        ("drop/retail/r1/NIGHTLY.MESSAGES.GZ", {"MessageFileRule"}),
        ("drop/retail/r1/run.summary", {"RunSummaryRule"}),
        ("drop/retail/r1/Run.Summary", {"RunSummaryRule"}),
        ("drop/retail/r1/JobSummary-2.txt", {"RunSummaryRule"}),
        ("drop/retail/r1/JOBSUMMARY-2.TXT", {"RunSummaryRule"}),
        ("drop/retail/r1/Run.SUMMARY.txt", {"RunSummaryRule"}),
        ("drop/retail/r1/run.summary.json", {"RunSummaryRule"}),
        ("drop/retail/r1/RunSummary.XML.gz", {"RunSummaryRule"}),
        # The files of customers, however the run and its folders are named.
        ("drop/retail/r1/output/Email_Statements/D1.pdf", set()),
        ("drop/retail/r1/output/Email_Statements/D1.PDF", set()),
        ("drop/retail/r1/output/Email_Letters/page.html", set()),
        ("drop/retail/r1/Email_Messages/D1.pdf", set()),
        ("drop/retail/messages-1/output/D1.pdf", set()),
        ("drop/retail/messages-1/output/images/logo.png", set()),
        ("drop/retail/summary-2026-11/D1.pdf", set()),
        ("drop/retail/summary-2026-11/page.html", set()),
        ("drop/messages/r1/D1.tiff", set()),
        ("drop/retail/r1/output/Email_Statements/D1.xml", set()),
        ("drop/retail/r1/output/EMAIL_MESSAGES/D1.PDF", set()),
        ("drop/retail/SUMMARY-2026-11/D1.PDF", set()),
        ("drop/retail/r1/output/Text/D1.txt", set()),
        ("drop/retail/r1/output/Json/D1.json", set()),
    ],
)
def test_which_files_of_the_drop_start_a_function(key: str, rules: set[str]) -> None:
    assert matching_key(key) == rules


def test_a_key_is_matched_in_the_drop_bucket_alone() -> None:
    assert matching_key("drop/retail/r1/_COMPLETE.json", "WorkBucket") == set()


def samples_of(glob: str) -> Iterator[str]:
    """File names that a glob of messages.yaml takes: with nothing and with something for each star."""
    for filler in ("", "x", "nightly 2-"):
        yield from (glob.replace("*", filler), glob.replace("*", filler) + ".gz")


MESSAGE_FILES = yaml.safe_load((ROOT / "layers/core/exstream_notify/rules/messages.yaml").read_text("utf-8"))
FEEDS_MESSAGES = {
    name for name, rule in RULES.items() if "MessageFileQueue" in {t["Arn"] for t in rule["Targets"]}
}


@pytest.mark.parametrize(
    "kind", ["exceptions", "deliveries", "summary", "messages", "xml_messages", "started"]
)
def test_each_file_of_the_composer_reaches_its_reader_by_one_rule(kind: str) -> None:
    """Rows of ErrorReport.csv were read twice: two rules that feed one queue had let it through."""
    for glob in MESSAGE_FILES[kind]:
        for name in samples_of(glob):
            found = matching_key(f"drop/retail/r1/{name}") & FEEDS_MESSAGES
            assert len(found) == 1, (name, found)


@pytest.mark.parametrize(
    ("source", "kind", "rules"),
    [
        ("portal", "Customer Responded", {"CustomerRespondedRule"}),
        ("billing", "Payment Received", {"CustomerRespondedRule"}),
        ("billing", "Account Status Changed", {"CustomerRespondedRule"}),
        ("crm", "Account Status Changed", {"UnnamedSourceRule"}),
        ("crm", "Payment Received", {"UnnamedSourceRule"}),
        ("Portal", "Payment Received", {"UnnamedSourceRule"}),
        ("portal", "Preferences Changed", {"PreferencesChangedRule"}),
        # A source that may say what customers did may not change what they want.
        ("billing", "Preferences Changed", {"UnnamedSourceRule"}),
        ("crm", "Something Else", set()),
    ],
)
def test_what_no_rule_takes_for_its_source_is_reported(source: str, kind: str, rules: set[str]) -> None:
    assert matching({"source": source, "detail-type": kind, "detail": {}}) == rules


@pytest.mark.parametrize(
    ("detail", "rule"),
    [
        ({"severity": "severe"}, "SevereRaisedRule"),
        ({"severity": "error"}, "ExceptionRaisedRule"),
        ({"severity": "SEVERE"}, "ExceptionRaisedRule"),
        ({"severity": None}, "ExceptionRaisedRule"),
        ({}, "ExceptionRaisedRule"),
    ],
)
@pytest.mark.parametrize("kind", ["Exception Raised", "Composition Failed", "Exstream-Engine-Failed"])
def test_an_exception_goes_to_one_queue(kind: str, detail: dict[str, Any], rule: str) -> None:
    found = matching({"source": "exstream", "detail-type": kind, "detail": detail})
    assert found - {"ExstreamDeliveryRule"} == {rule}


@pytest.mark.parametrize(
    ("detail", "fails"),
    [
        ({"exstreamJob": {"status": "error"}}, True),
        ({"exstreamJob": {"status": "Canceled"}}, True),
        ({"exstreamJob": {"status": "complete"}}, False),
        ({"exstreamJob": {}}, False),
        ({"status": "ERROR", "externalId": "r-1"}, True),
        ({"job": {"status": "failed"}}, True),
        (
            {"flowInstance": {"status": "error", "flowSteps": [{"name": "Compose", "status": "complete"}]}},
            True,
        ),
        (
            {
                "flowInstance": {
                    "status": "complete",
                    "flowSteps": [{"status": "complete"}, {"status": "error"}],
                }
            },
            True,
        ),
        ({"flowInstance": {"status": "complete", "flowSteps": [{"status": "complete"}]}}, False),
        ({"flowStep": {"status": "cancelled"}}, True),
        ({"job": {"status": "started", "flowInstances": [{"status": "error"}]}}, True),
        ({"job": {"flowInstances": [{"status": "started", "flowSteps": [{"status": "Error"}]}]}}, True),
        ({"steps": [{"status": "complete"}, {"status": "error"}]}, True),
    ],
)
@pytest.mark.parametrize("kind", ["Exstream-Generated", "Exstream-Job", "Flow Instance Changed"])
def test_a_job_that_did_not_succeed_is_an_exception_and_no_document(
    kind: str, detail: dict[str, Any], fails: bool
) -> None:
    found = matching({"source": "exstream", "detail-type": kind, "detail": detail})
    assert ("JobFailedRule" in found) == fails
    assert ("DocumentComposedRule" in found) == (
        kind == "Exstream-Generated" and not (fails and "exstreamJob" in detail)
    )
    assert "JobFailedRule" not in matching({"source": "crm", "detail-type": kind, "detail": detail})


@pytest.mark.parametrize("sources", ["", "portal", "portal,billing,crm"])
def test_a_list_of_sources_stays_a_list_of_strings(sources: str) -> None:
    """EventBridge refuses `anything-but` with an empty list, or with anything but strings in it."""
    given = {"ResponseSources": sources, "PreferenceSources": sources}
    template = load_template(ROOT / "template.yaml", given, "us-east-1")
    resolver = Resolver(template.body, template.parameters, {}, lambda name: name, lambda name, _: name)
    pattern = resolver.resolve(template.body["Resources"]["UnnamedSourceRule"]["Properties"]["EventPattern"])
    for ours, alternative in zip(([], ["exnotify"]), pattern["$or"], strict=True):
        named = [part.strip() for part in sources.split(",")]
        assert alternative["source"] == [{"anything-but": [*ours, *named]}]
