"""What the doctor says of a sender's DNS records, and of secrets: row by row."""

import json
from collections.abc import Callable, Mapping, Sequence

import pytest

from exnotify.commands.doctor import MARKS
from exnotify.doctor.finding import Finding, Verdict
from exnotify.doctor.look import Untold
from exnotify.doctor.secrets import credential_findings, key_findings, placeholder_findings, secret_findings
from exnotify.doctor.sender import Sending, dns_findings
from exnotify.doctor.ses import ses_sending

from .shell import exnotify

GOOD_KEY = "k" * 43
SES = Sending(("a._domainkey.bank.example",), ("amazonses.com",), "bank.example", "bank.example")
GOOD: Mapping[tuple[str, str], Sequence[str]] = {
    ("bank.example", "TXT"): ["v=spf1 include:amazonses.com -all", "other=1"],
    ("_dmarc.bank.example", "TXT"): ["v=DMARC1; p=reject; rua=mailto:d@bank.example"],
    ("a._domainkey.bank.example", "TXT"): ["p=" + "M" * 44],
}
PROVIDERS: Mapping[tuple[str, str], Sequence[str]] = {
    (name, "TXT"): ["v=spf1 ip4:192.0.2.0/24 -all"]
    for name in ("amazonses.com", "other.example", "x.example")
}
DANGLING: Mapping[tuple[str, str], Sequence[str]] = {
    ("a._domainkey.bank.example", "CNAME"): ["parked.example."]
}


def dns(**changes: Sequence[str]) -> dict[str, Finding]:
    names = zip(GOOD, ("spf", "dmarc", "dkim"), strict=True)
    records = {
        **PROVIDERS,
        **DANGLING,
        **GOOD,
        **{key: changes[name] for key, name in names if name in changes},
    }
    found = dns_findings(
        "notices@bank.example",
        lambda name, kind: records.get((name, kind), []),
        SES,
    )
    return {f.check.split()[0] if f.check.startswith("DKIM") else f.check: f for f in found}


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
        ("SPF", {"spf": ["v=spf1 include:amazonses.com include:gone.example -all"]}, "problem"),
        ("SPF", {"spf": ["v=spf10 include:amazonses.com -all"]}, "problem"),
        ("SPF", {"spf": ["v=spf1 include:amazonses.com ?all"]}, "warning"),
        ("SPF", {"spf": ["v=spf1 include:amazonses.com"]}, "warning"),
        ("DMARC", {"dmarc": []}, "problem"),
        ("DMARC", {"dmarc": ["v=DMARC1; p=none; rua=mailto:d@bank.example"]}, "warning"),
        ("DMARC", {"dmarc": ["v=DMARC1; rua=mailto:d@bank.example"]}, "warning"),
        ("DMARC", {"dmarc": ["v=DMARC1; p=reject"]}, "warning"),
        ("DMARC", {"dmarc": ["v=DMARC1; p=reject; pct=20; rua=mailto:d@bank.example"]}, "warning"),
        ("DMARC", {"dmarc": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}, "problem"),
        ("DMARC", {"dmarc": ["v=DMARC10; p=reject"]}, "problem"),
        ("DMARC alignment", {"dmarc": []}, "unknown"),
        # A CNAME alone is no key: a wildcard of the zone has one for every name.
        ("DKIM", {"dkim": []}, "problem"),
        ("DKIM", {"dkim": ["v=spf1 -all"]}, "problem"),
        ("DKIM", {"dkim": ["v=DKIM1; p="]}, "problem"),
    ],
)
def test_a_sender_that_is_not(check: str, changes: dict[str, Sequence[str]], verdict: str) -> None:
    finding = dns(**changes)[check]
    assert finding.verdict == verdict
    assert finding.cure


def test_a_subdomain_has_its_organisations_policy() -> None:
    for record, verdict in (
        ("v=DMARC1; p=quarantine; rua=mailto:d@bank.example", "ok"),
        ("v=DMARC1; p=reject; sp=none; rua=mailto:d@bank.example", "warning"),
        ("v=DMARC1; p=none; sp=reject; rua=mailto:d@bank.example", "ok"),
    ):
        found = dns_findings("n@mail.bank.example", answers({("_dmarc.bank.example", "TXT"): [record]}))
        assert {f.check: f.verdict for f in found}["DMARC"] == verdict, record


def answers(records: Mapping[tuple[str, str], Sequence[str]]) -> Callable[[str, str], Sequence[str]]:
    return lambda name, kind: records.get((name, kind), [])


@pytest.mark.parametrize(
    ("sender", "mode", "signs_as", "returns_to", "verdict", "says"),
    [
        ("n@bank.example", "", "bank.example", "bank.example", "ok", "both pass"),
        ("n@bank.example", "", "bank.example", "amazonses.com", "ok", "DKIM passes"),
        ("n@bank.example", "", "amazonses.com", "bounce.bank.example", "warning", "only SPF"),
        ("n@bank.example", "", "amazonses.com", "amazonses.com", "problem", "DMARC fails"),
        ("n@bank.example", "", None, None, "unknown", "only the provider knows"),
        # A parent's signature is aligned with a subdomain's sender, unless the record is strict.
        ("n@mail.bank.example", "", "bank.example", "amazonses.com", "ok", "DKIM passes"),
        ("n@mail.bank.example", "; adkim=s", "bank.example", "amazonses.com", "problem", "DMARC fails"),
        ("n@bank.example", "; aspf=s", "bank.example", "bounce.bank.example", "ok", "DKIM passes"),
        ("n@bank.example", "; adkim=s; aspf=s", "bank.example", "bank.example", "ok", "both pass"),
        # Under a country's second level the organisation has three labels: another one's is another's.
        ("n@bank.co.uk", "", "other.co.uk", "other.co.uk", "problem", "DMARC fails"),
    ],
)
def test_dmarc_asks_whether_dkim_or_spf_passes_for_the_sender(
    sender: str, mode: str, signs_as: str | None, returns_to: str | None, verdict: str, says: str
) -> None:
    domain = sender.partition("@")[2]
    record = f"v=DMARC1; p=reject{mode}"
    sending = Sending((), (), signs_as, returns_to)
    found = dns_findings(sender, answers({(f"_dmarc.{domain}", "TXT"): [record]}), sending)
    (alignment,) = [f for f in found if f.check == "DMARC alignment"]
    assert alignment.verdict == verdict
    assert says in alignment.found
    assert alignment.cure or verdict == "ok"
    if "adkim=s" in mode and verdict == "problem":
        assert "adkim=s" in alignment.cure


def test_lookups_of_what_is_included_count_too() -> None:
    inner = " ".join(f"include:i{n}.example" for n in range(8))
    records = {
        **PROVIDERS,
        ("bank.example", "TXT"): ["v=spf1 include:outer.example mx a -all"],
        ("outer.example", "TXT"): [f"v=spf1 {inner} ~all"],
    }
    found = {f.check: f for f in dns_findings("n@bank.example", answers(records))}
    assert found["SPF"].verdict == "problem"
    assert "11 lookups" in found["SPF"].found
    records[("outer.example", "TXT")] = ["v=spf1 include:amazonses.com ~all"]
    sending = Sending(includes=("amazonses.com",), returns_to="bank.example")
    found = {f.check: f for f in dns_findings("n@bank.example", answers(records), sending)}
    assert found["SPF"].verdict == "ok", "the provider stands in what is included"


def test_records_that_include_each_other_end() -> None:
    records = {
        ("bank.example", "TXT"): ["v=spf1 include:a.example -all"],
        ("a.example", "TXT"): ["v=spf1 include:bank.example -all"],
    }
    (spf, *_) = dns_findings("n@bank.example", answers(records))
    assert spf.verdict == "problem"


def test_a_provider_that_takes_its_own_mail_back_needs_no_record_here() -> None:
    sending = Sending(returns_to="amazonses.com")
    (spf, *_) = dns_findings("n@bank.example", answers({}), sending)
    assert (spf.verdict, "amazonses.com" in spf.found) == ("warning", True)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("v=DKIM1; k=rsa; p=" + "A" * 200, "ok"),
        ("k=ed25519; p=" + "A" * 43 + "=", "ok"),
        ("v=DKIM1; p=", "problem"),
        ("v=DKIM1; p=;", "problem"),
        ("v=DKIM1; k=rsa", "problem"),
    ],
)
def test_a_key_of_ones_own(text: str, verdict: str) -> None:
    name = "s1._domainkey.bank.example"
    found = dns_findings("n@bank.example", answers({(name, "TXT"): [text]}), Sending((name,)))
    assert {f.check: f.verdict for f in found}[f"DKIM {name}"] == verdict


def test_what_ses_says_of_an_identity() -> None:
    done = {"DkimAttributes": {"Status": "SUCCESS", "Tokens": ["t1"]}}
    assert ses_sending("bank.example", done) == Sending(
        ("t1._domainkey.bank.example",), (), "bank.example", "amazonses.com"
    )
    own = {"MailFromDomain": "bounce.bank.example", "MailFromDomainStatus": "SUCCESS"}
    assert (
        ses_sending("bank.example", {**done, "MailFromAttributes": own}).returns_to == own["MailFromDomain"]
    )
    pending = {"MailFromAttributes": {**own, "MailFromDomainStatus": "PENDING"}}
    assert ses_sending("bank.example", pending) == Sending((), (), "amazonses.com", "amazonses.com")
    assert ses_sending("bank.example", None).signs_as == "amazonses.com"


SECRETS = {
    "PeppersSecret": json.dumps({"current": "1", "1": GOOD_KEY}),
    "LinkKeysSecret": json.dumps({"current": "2", "1": GOOD_KEY, "2": GOOD_KEY}),
    "ReceiptHookSecretArn": json.dumps({"current": "1", "1": GOOD_KEY}),
    "AlertChannelsSecret": json.dumps({"slack": ""}),
    "OpenTextCredentialsSecret": json.dumps({"username": "u", "password": "p"}),
}


def secrets(providers: frozenset[str] = frozenset({"opentext"}), **texts: str | None) -> dict[str, Finding]:
    held = {**SECRETS, **texts}
    outputs = {name: name for name in held} | {"RunQueueUrl": "x"}
    return {f.check: f for f in secret_findings(outputs, held.__getitem__, providers)}


def test_every_secret_that_the_outputs_name_is_looked_at() -> None:
    found = secrets()
    assert set(found) == {
        "secret Peppers", "secret LinkKeys", "secret ReceiptHookSecret", "secret AlertChannels",
        "OpenText account",
    }  # fmt: skip
    assert {f.verdict for f in found.values()} == {"ok"}
    assert "2 keys, current 2" in found["secret LinkKeys"].found
    assert not [f for f in found.values() if GOOD_KEY in f.found + f.cure]


@pytest.mark.parametrize(
    ("output", "text", "check", "verdict"),
    [
        ("LinkKeysSecret", json.dumps({"1": GOOD_KEY}), "secret LinkKeys", "problem"),
        ("LinkKeysSecret", None, "secret LinkKeys", "problem"),
        ("LinkKeysSecret", '["current"]', "secret LinkKeys", "problem"),
        ("AlertChannelsSecret", "https://hooks.example", "secret AlertChannels", "problem"),
        ("AlertChannelsSecret", "[1]", "secret AlertChannels", "problem"),
        ("OpenTextCredentialsSecret", None, "OpenText account", "problem"),
        ("OpenTextCredentialsSecret", '["u", "p"]', "OpenText account", "problem"),
        ("OpenTextCredentialsSecret", '{"username": "replace-me", "password": "p"}', "OpenText account", "problem"),
    ],
)  # fmt: skip
def test_a_secret_that_is_not_as_it_must_be(output: str, text: str | None, check: str, verdict: str) -> None:
    finding = secrets(**{output: text})[check]
    assert (finding.verdict, bool(finding.cure)) == (verdict, True)


def test_a_secret_that_may_not_be_read_is_unknown_and_neither_fine_nor_gone() -> None:
    def read(name: str) -> str:
        raise Untold("not permitted: secretsmanager:GetSecretValue", "allow it")

    found = secret_findings({name: name for name in SECRETS}, read, frozenset({"opentext"}))
    assert len(found) == len(SECRETS)
    assert {(f.verdict, f.cure) for f in found} == {("unknown", "allow it")}


def test_an_account_that_nobody_uses_is_not_looked_at() -> None:
    assert "OpenText account" not in secrets(frozenset({"ses", "sms"}))


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
        (placeholder_findings({"SenderEmail": "notices@example.com"}), "problem"),
        (placeholder_findings({"SmsSender": "+12025550199"}), "problem"),
        (placeholder_findings({"SenderEmail": "notices@bank.example"}), "ok"),
    ],
)
def test_a_check(finding: list[Finding], verdict: str) -> None:
    assert [f.verdict for f in finding] == [verdict]
    assert verdict != "problem" or finding[0].cure


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (("ok", "warning"), 0),
        (("ok", "unknown"), 3),
        (("unknown", "problem"), 1),
    ],
)
def test_the_exit_code_says_whether_all_was_checked_and_fine(
    monkeypatch: pytest.MonkeyPatch, verdicts: tuple[Verdict, ...], code: int
) -> None:
    """A check without an answer is not a pass, also for a script."""
    found = [Finding("DMARC", verdict, "v=DMARC1\x1b[2J\r\nok everything", "") for verdict in verdicts]
    monkeypatch.setattr("exnotify.doctor.examine", lambda *_: found)
    monkeypatch.setattr("exnotify.commands.doctor.deployment", lambda _: None)
    done = exnotify("doctor")
    assert done.code == code
    assert done.out.splitlines() == [
        f"{MARKS[verdict]:<3}DMARC: v=DMARC1?[2J??ok everything" for verdict in verdicts
    ]
