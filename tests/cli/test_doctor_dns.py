"""The doctor's own questions to DNS, answered by a small server on this machine."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from exnotify.deployment import Deployment
from exnotify.doctor import Resolver
from exnotify.doctor.hosts import bounce_mail_findings, link_host_findings, mail_exchangers
from exnotify.doctor.look import Look
from exnotify.doctor.resolver import RESOLVER_VARIABLE, resolver
from exnotify.doctor.sender import Sending, dns_findings
from exnotify.errors import MisuseError
from tests.name_server import NameServer, Records


@pytest.fixture
def server() -> Iterator[NameServer]:
    running = NameServer()
    yield running
    running.stop()


@pytest.fixture
def resolve(server: NameServer) -> Resolver:
    return resolver(server.address)


GOOD: Mapping[tuple[str, str], Sequence[str]] = {
    ("bank.example", "TXT"): ['"v=spf1 include:amazonses.com " "-all"', '"other=1"'],
    ("_dmarc.bank.example", "TXT"): ['"v=DMARC1; p=reject; rua=mailto:d@bank.example"'],
    ("a._domainkey.bank.example", "CNAME"): ["a.dkim.amazonses.com."],
    ("a.dkim.amazonses.com", "TXT"): ['"p=' + "M" * 44 + '"'],
    ("amazonses.com", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 -all"'],
}
SES = Sending(("a._domainkey.bank.example",), ("amazonses.com",), "bank.example", "bank.example")


def test_a_senders_records_are_read_from_the_wire(server: NameServer, resolve: Resolver) -> None:
    server.records.update(GOOD)
    found = dns_findings("n@bank.example", resolve, SES)
    assert {f.verdict for f in found} == {"ok"}
    assert found[0].found == "v=spf1 include:amazonses.com -all", "strings of one record are joined"
    del server.records["_dmarc.bank.example", "TXT"]
    verdicts = {f.check: f.verdict for f in dns_findings("n@bank.example", resolve, SES)}
    assert (verdicts["SPF"], verdicts["DMARC"]) == ("ok", "problem")


def test_a_server_that_does_not_answer_makes_it_unknown_never_wrong(
    server: NameServer, resolve: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exnotify.doctor.resolver._SECONDS", 0.3)
    server.records.update(GOOD)
    server.silent.add("_dmarc.bank.example")
    verdicts = {f.check: f.verdict for f in dns_findings("n@bank.example", resolver(server.address), SES)}
    assert (verdicts["SPF"], verdicts["DMARC"], verdicts["DMARC alignment"]) == ("ok", "unknown", "unknown")


def test_the_resolver_is_named_by_option_or_environment(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.records["x.example", "TXT"] = ['"hello"']
    monkeypatch.setenv(RESOLVER_VARIABLE, server.address)
    assert resolver()("x.example", "TXT") == ["hello"]
    for wrong in ("dns.example", "127.0.0.1:port", "1.2.3.4.5"):
        with pytest.raises(MisuseError):
            resolver(wrong)


def look(resolve: Resolver, outputs: Mapping[str, str] = {}, **parameters: str) -> Look:
    class Client:
        class meta:  # noqa: N801 - botocore's name
            region_name = "eu-central-1"

        def get_domain_name(self, **_: str) -> object:
            return {"DomainNameConfigurations": [{"ApiGatewayDomainName": "d-1.execute.example"}]}

    return Look(Deployment("stack s", outputs, lambda service: Client(), parameters), resolve)


BOUNCES = "bounce.bank.example"


@pytest.mark.parametrize(
    ("records", "mails", "verdict", "says"),
    [
        ({}, "on", "problem", "takes no mail"),
        ({(BOUNCES, "MX"): ["0 ."]}, "on", "problem", "takes no mail"),
        ({(BOUNCES, "MX"): ["10 inbound-smtp.eu-central-1.amazonaws.com."]}, "on", "ok", "inbound-smtp"),
        ({(BOUNCES, "MX"): ["10 inbound-smtp.us-east-1.amazonaws.com."]}, "on", "warning", "not SES in eu"),
        ({(BOUNCES, "MX"): ["20 b.example.", "5 a.example."]}, "off", "ok", "a.example"),
    ],
)
def test_who_takes_the_bounces(
    server: NameServer, resolve: Resolver, records: Records, mails: str, verdict: str, says: str
) -> None:
    server.records.update(records)
    (found,) = bounce_mail_findings(look(resolve, BounceAddress=f"b@{BOUNCES}", BounceMails=mails))
    assert (found.verdict, says in found.found) == (verdict, True), found
    assert (found.cure == "") == (verdict == "ok")


def test_mail_exchangers_come_in_their_order(server: NameServer, resolve: Resolver) -> None:
    server.records["m.example", "MX"] = ["20 second.example.", "3 first.example."]
    assert mail_exchangers("m.example", resolve) == ["first.example", "second.example"]


HOST = "links.bank.example"
OWN = {"LinkHost": HOST, "LinkCertificate": "arn", "EdgeCertificate": "arn"}
EDGE = {"EdgeDomainName": "D1.cloudfront.example"}


@pytest.mark.parametrize(
    ("records", "outputs", "parameters", "verdict", "says"),
    [
        ({}, {}, OWN, "problem", "does not resolve"),
        ({(HOST, "CNAME"): ["d-1.execute.example."], ("d-1.execute.example", "A"): ["192.0.2.1"]},
         {}, OWN, "ok", "leads to d-1.execute.example"),
        # An alias has no CNAME: the same addresses do.
        ({(HOST, "A"): ["192.0.2.1"], ("d-1.execute.example", "A"): ["192.0.2.2", "192.0.2.1"]},
         {}, OWN, "ok", "leads to"),
        ({(HOST, "A"): ["192.0.2.9"], ("d-1.execute.example", "A"): ["192.0.2.1"]}, {}, OWN, "warning", "192.0.2.9"),
        ({(HOST, "CNAME"): ["d1.cloudfront.example."], ("d1.cloudfront.example", "AAAA"): ["2001:db8::1"]},
         EDGE, OWN, "ok", "leads to d1.cloudfront.example"),
        ({(HOST, "CNAME"): ["d1.cloudfront.example."], ("d1.cloudfront.example", "A"): ["192.0.2.1"]},
         EDGE, {"LinkHost": HOST}, "problem", "CloudFront does not know"),
        ({(HOST, "A"): ["192.0.2.9"]}, {}, {"LinkHost": HOST}, "unknown", "no domain of its own"),
    ],
)  # fmt: skip
def test_where_customers_links_lead(
    server: NameServer,
    resolve: Resolver,
    records: Records,
    outputs: Mapping[str, str],
    parameters: dict[str, str],
    verdict: str,
    says: str,
) -> None:
    server.records.update(records)
    (found,) = link_host_findings(look(resolve, outputs, **parameters))
    assert (found.verdict, says in found.found) == (verdict, True), found
    assert (found.cure == "") == (verdict == "ok")
