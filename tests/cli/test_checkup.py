"""What the doctor finds, row by row."""

import json
from collections.abc import Mapping, Sequence

import pytest

from exnotify.checkup import (
    Finding,
    concurrency_findings,
    credential_findings,
    dns_findings,
    identity_findings,
    key_findings,
    placeholder_findings,
    rate_findings,
    ses_findings,
    sms_findings,
)

GOOD_KEY = "k" * 43
GOOD: Mapping[tuple[str, str], Sequence[str]] = {
    ("bank.example", "TXT"): ["v=spf1 include:amazonses.com -all", "other=1"],
    ("_dmarc.bank.example", "TXT"): ["v=DMARC1; p=reject; rua=mailto:d@bank.example"],
    ("a._domainkey.bank.example", "CNAME"): ["a.dkim.amazonses.com."],
}


def dns(**changes: Sequence[str]) -> dict[str, Finding]:
    names = zip(GOOD, ("spf", "dmarc", "dkim"), strict=True)
    records = {**GOOD, **{key: changes[name] for key, name in names if name in changes}}
    found = dns_findings(
        "notices@bank.example",
        lambda name, kind: records.get((name, kind), []),
        ["a._domainkey.bank.example"],
        ["amazonses.com"],
    )
    return {finding.check.split()[0]: finding for finding in found}


def test_a_sender_that_is_set_up_is_fine() -> None:
    assert {f.verdict for f in dns().values()} == {"ok"}


@pytest.mark.parametrize(
    ("check", "changes", "verdict"),
    [
        ("SPF", {"spf": []}, "problem"),
        ("SPF", {"spf": ["v=spf1 -all", "v=spf1 ~all"]}, "problem"),
        ("SPF", {"spf": ["v=spf1 include:amazonses.com +all"]}, "problem"),
        ("SPF", {"spf": ["v=spf1 include:other.example -all"]}, "warning"),
        (
            "SPF",
            {"spf": ["v=spf1 include:amazonses.com " + "include:x.example " * 10 + "-all"]},
            "problem",
        ),
        ("DMARC", {"dmarc": []}, "problem"),
        ("DMARC", {"dmarc": ["v=DMARC1; p=none"]}, "warning"),
        ("DKIM", {"dkim": []}, "problem"),
    ],
)
def test_a_sender_that_is_not(check: str, changes: dict[str, Sequence[str]], verdict: str) -> None:
    finding = dns(**changes)[check]
    assert finding.verdict == verdict
    assert finding.cure


def test_a_subdomain_has_its_organisations_policy() -> None:
    records = {("_dmarc.bank.example", "TXT"): ["v=DMARC1; p=quarantine"]}
    found = dns_findings("n@mail.bank.example", lambda name, kind: records.get((name, kind), []))
    assert {f.check: f.verdict for f in found}["DMARC"] == "ok"


def test_without_a_resolver_it_says_so() -> None:
    def none(name: str, kind: str) -> Sequence[str]:
        raise LookupError("no resolver")

    assert {f.verdict for f in dns_findings("n@bank.example", none)} == {"unknown"}


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (key_findings("Peppers", json.dumps({"current": "1", "1": GOOD_KEY})), "ok"),
        (key_findings("Peppers", json.dumps({"current": "2", "1": GOOD_KEY})), "problem"),
        (key_findings("Peppers", json.dumps({"current": "1", "1": "short"})), "problem"),
        (key_findings("Peppers", None), "problem"),
        (key_findings("Peppers", "no json"), "problem"),
        (credential_findings(json.dumps({"username": "u", "password": "p"})), "ok"),
        (credential_findings(json.dumps({"username": "replace-me", "password": "p"})), "problem"),
        (credential_findings(json.dumps({"client_id": "c"})), "problem"),
        (credential_findings(None), "problem"),
        (concurrency_findings({"EmailConcurrency": "10", "SmsConcurrency": "2"}, 1000), "ok"),
        (concurrency_findings({"EmailConcurrency": "10"}, 10), "problem"),
        (concurrency_findings({"EmailConcurrency": "10"}, None), "unknown"),
        (rate_findings({"EmailRate": "14"}, 14.0), "ok"),
        (rate_findings({"EmailRate": "50"}, 14.0), "problem"),
        (placeholder_findings({"SenderEmail": "notices@example.com"}), "problem"),
        (placeholder_findings({"SmsSender": "+12025550199"}), "problem"),
        (placeholder_findings({"SenderEmail": "notices@bank.example"}), "ok"),
        (ses_findings({"ProductionAccessEnabled": False}), "problem"),
        (ses_findings({"ProductionAccessEnabled": True, "EnforcementStatus": "PROBATION"}), "problem"),
        (ses_findings({"ProductionAccessEnabled": True, "SendingEnabled": True}), "ok"),
        (ses_findings(None), "unknown"),
        (identity_findings("bank.example", {"VerifiedForSendingStatus": False}), "problem"),
        (identity_findings("bank.example", {"VerifiedForSendingStatus": True}), "ok"),
        (sms_findings({"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "SANDBOX"}]}), "problem"),
        (sms_findings({"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "PRODUCTION"}]}), "ok"),
    ],
)
def test_a_check(finding: list[Finding], verdict: str) -> None:
    assert [f.verdict for f in finding] == [verdict]
    assert verdict != "problem" or finding[0].cure
