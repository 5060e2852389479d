"""SES: sandbox, quota, identities, and that its events reach the stack.

"Request production access", "Complying with DMARC", "Set up event publishing": SES developer guide.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .finding import Finding
from .look import Look
from .sender import Sending, organisation

UNLIMITED = -1
"""How SES spells a quota that does not end."""

_DAY = 86_400
_NEARLY = 0.8


def account_findings(look: Look) -> Iterator[Finding]:
    """Out of the sandbox, allowed to send, in good standing."""
    account = look.tell("sesv2", "get_account")
    if account.get("ProductionAccessEnabled"):
        yield Finding("SES sandbox", "ok", "out of the sandbox")
    else:
        cure = "request production access: in the sandbox only verified recipients get mail"
        yield Finding("SES sandbox", "problem", "the account is in the sandbox", cure)
    if account.get("SendingEnabled", True):
        yield Finding("SES sending", "ok", "enabled")
    else:
        yield Finding("SES sending", "problem", "stopped", "read SES's mail to the account's owner")
    status = str(account.get("EnforcementStatus", "HEALTHY"))
    if status == "HEALTHY":
        yield Finding("SES reputation", "ok", status)
    else:
        cure = "lower bounces and complaints before SES stops the account"
        yield Finding("SES reputation", "problem", status, cure)


def quota_findings(look: Look) -> Iterator[Finding]:
    """E-mails a second, and in 24 hours, against what SES allows."""
    quota = look.tell("sesv2", "get_account").get("SendQuota", {})
    wanted, rate = look.number("EmailRate", 14), float(quota.get("MaxSendRate", 0))
    if wanted > rate:
        cure = f"set EmailRate to {rate:g}, or ask SES for more"
        yield Finding("e-mail rate", "problem", f"{wanted:g} a second wanted of {rate:g}", cure)
    else:
        yield Finding("e-mail rate", "ok", f"{wanted:g} a second of {rate:g}")
    most, sent = float(quota.get("Max24HourSend", 0)), float(quota.get("SentLast24Hours", 0))
    if most == UNLIMITED:
        yield Finding("e-mails a day", "ok", f"{sent:.0f} sent in 24 hours, without a limit")
        return
    found = f"{sent:.0f} of {most:.0f} sent in 24 hours"
    hours = most / (min(wanted, rate) or wanted) / 3600
    if sent >= most * _NEARLY:
        cure = "ask SES for more now: beyond it every message is deferred"
        yield Finding("e-mails a day", "problem", found, cure)
    elif hours < 1:
        cure = f"ask SES for more if a run has over {most:.0f} e-mails: it lasts {60 * hours:.0f} minutes"
        yield Finding("e-mails a day", "warning", found, cure)
    else:
        yield Finding("e-mails a day", "ok", found)


# ---- identities ----


def identity_findings(look: Look) -> Iterator[Finding]:
    """The sender's domain, how it signs and where its mail returns to; the bounce address's domain."""
    domain, identity = identity_of(look, look.parameters.get("SenderEmail", ""))
    yield _verified("SES identity", domain, identity)
    if identity is not None:
        yield _signs(domain, identity)
        yield _mail_from(domain, identity)
    if bounces := look.parameters.get("BounceAddress", ""):
        # SES refuses every message whose return path it has not verified.
        yield _verified("SES bounce address", *identity_of(look, bounces))


def identity_of(look: Look, address: str) -> tuple[str, Mapping[str, Any] | None]:
    """The domain, or its organisation's, that SES knows for an address; None as its identity: neither."""
    domain = address.rpartition("@")[2].lower()
    for name in dict.fromkeys((domain, organisation(domain))):
        if (identity := look.ask("sesv2", "get_email_identity", EmailIdentity=name)) is not None:
            return name, identity
    return domain, None


def _verified(check: str, domain: str, identity: Mapping[str, Any] | None) -> Finding:
    if identity is None:
        return Finding(check, "problem", f"{domain} is not known", "create the identity in SES")
    if not identity.get("VerifiedForSendingStatus"):
        return Finding(check, "problem", f"{domain} is not verified", "publish its DKIM records")
    return Finding(check, "ok", f"{domain} is verified")


def _signs(domain: str, identity: Mapping[str, Any]) -> Finding:
    dkim = identity.get("DkimAttributes") or {}
    status = str(dkim.get("Status", "NOT_STARTED"))
    if not dkim.get("SigningEnabled", True):
        return Finding("SES DKIM", "problem", "signing is off", "switch DKIM signing on for the identity")
    if status == "SUCCESS":
        return Finding("SES DKIM", "ok", f"mail is signed as {domain}")
    cure = f"publish the CNAME records that SES shows for {domain}"
    return Finding("SES DKIM", "problem", f"mail is not signed as {domain}: {status}", cure)


def _mail_from(domain: str, identity: Mapping[str, Any]) -> Finding:
    attributes = identity.get("MailFromAttributes") or {}
    own, status = attributes.get("MailFromDomain"), str(attributes.get("MailFromDomainStatus", ""))
    if not own:
        cure = f"a MAIL FROM subdomain of {domain} would align SPF, too"
        return Finding("SES MAIL FROM", "ok", "none: mail returns to amazonses.com", cure)
    if status == "SUCCESS":
        return Finding("SES MAIL FROM", "ok", str(own))
    lost = attributes.get("BehaviorOnMxFailure") == "REJECT_MESSAGE"
    cure = f"publish the MX and SPF records that SES shows for {own}"
    what = f"{own}: {status}, and mail is refused meanwhile" if lost else f"{own}: {status}"
    return Finding("SES MAIL FROM", "problem" if lost else "warning", what, cure)


def ses_sending(domain: str, identity: Mapping[str, Any] | None) -> Sending:
    """How SES sends for an identity: it signs as the domain once Easy DKIM is done, and returns to its own
    domain unless a MAIL FROM domain is set up."""
    dkim = (identity or {}).get("DkimAttributes") or {}
    mail_from = (identity or {}).get("MailFromAttributes") or {}
    own = mail_from.get("MailFromDomain") if mail_from.get("MailFromDomainStatus") == "SUCCESS" else None
    return Sending(
        tuple(f"{token}._domainkey.{domain}" for token in dkim.get("Tokens", ())),
        ("amazonses.com",) if own else (),
        domain if dkim.get("Status") == "SUCCESS" else "amazonses.com",
        own or "amazonses.com",
    )


# ---- events ----


def needed_events() -> frozenset[str]:
    """The event types, as the API spells them, that change a notice or a customer's address."""
    from exstream_notify.adapters.receipts.reading import SES_EVENTS

    spelled = (re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).replace(" ", "_") for name in SES_EVENTS)
    return frozenset(name.upper() for name in spelled)


def event_findings(look: Look) -> Iterator[Finding]:
    """The configuration set, and a destination of it that brings every needed event to the stack's topic."""
    check, name = "SES events", look.parameters.get("SesConfigurationSet", "")
    topic = look.outputs.get("SesReceiptsTopicArn", "")
    told = look.ask("sesv2", "get_configuration_set_event_destinations", ConfigurationSetName=name)
    if told is None:
        cure = f"create the configuration set {name} in SES: without it every e-mail is refused"
        yield Finding(check, "problem", f"there is no configuration set {name}", cure)
        return
    ours = [row for row in told.get("EventDestinations", ()) if topic_of(row) == topic]
    yield reaching(check, name, topic, ours, needed_events())


def topic_of(destination: Mapping[str, Any]) -> str:
    """The topic that an event destination publishes to; empty where it is of another kind."""
    return str((destination.get("SnsDestination") or {}).get("TopicArn", ""))


def reaching(
    check: str, name: str, topic: str, destinations: list[Mapping[str, Any]], needed: frozenset[str]
) -> Finding:
    """What the destinations of a configuration set to the stack's own topic bring, and what they lack."""
    if not destinations:
        cure = f"add an event destination to {topic.rpartition(':')[2]}: no receipt arrives without it"
        return Finding(check, "problem", f"{name} sends no events to the stack", cure)
    live = [row for row in destinations if row.get("Enabled")]
    if not live:
        return Finding(check, "problem", f"{name}: its event destination is off", "switch it on")
    types = {str(kind) for row in live for kind in row.get("MatchingEventTypes", ())}
    missing = sorted(needed - types) if not types & {"ALL", "TEXT_ALL"} else []
    if missing:
        cure = "add these event types to the event destination"
        return Finding(check, "problem", f"{name} does not send {', '.join(missing)}", cure)
    return Finding(check, "ok", f"{name} sends {len(needed)} needed types to the stack's topic")
